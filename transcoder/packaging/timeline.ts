// Timeline: the stream's own clock, on which the samples of all its tracks are placed.

/** Where the timeline begins, so that early corrections cannot make a time negative. */
export const timelineStartMs = 10_000;
/** How much of an audio error one measurement may take away: drift of clocks is slow. */
const followMsMax = 0.5;

/**
 * Milliseconds that follow the wall clock, bent slowly so that they agree with the audio samples. Sound
 * cannot be stretched without being heard, pictures can: so the sound card's clock leads and pictures follow.
 */
export interface Timeline {
  ofWall(wallMs: number): number;
  wallOf(timeMs: number): number;
  /** Audio lies `errorMs` later on the timeline than the sender's clock says. */
  follow(errorMs: number): void;
}

export function createTimeline(startWallMs: number): Timeline {
  let offsetMs = timelineStartMs - startWallMs;
  return {
    ofWall: (wallMs) => wallMs + offsetMs,
    wallOf: (timeMs) => timeMs - offsetMs,
    follow(errorMs) {
      offsetMs += Math.max(-followMsMax, Math.min(followMsMax, errorMs));
    },
  };
}
