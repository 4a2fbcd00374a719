// Picture clock: places pictures on the timeline by their RTP timestamps, and bends them gently to it.
import type { Timeline } from './timeline.ts';

/** A larger error is a new start, not drift: the clock jumps instead of bending. */
export const pictureJumpMsMin = 500;
/** At most this share of the time since the last picture is added or taken away. */
const bendRatioMax = 0.1;

export interface PictureClock {
  /**
   * Time on the timeline of the picture with this timestamp (unwrapped ticks), which the sender
   * captured at `wallMs`.
   */
  timeOf(ticks: number, wallMs: number): number;
}

/** Intervals between pictures come from the timestamps, which are exact; only their place follows the reports. */
export function createPictureClock(timeline: Timeline, clockRate: number): PictureClock {
  const ticksPerMs = clockRate / 1_000;
  let last: { ticks: number; timeMs: number } | null = null;

  return {
    timeOf(ticks, wallMs) {
      const target = timeline.ofWall(wallMs);
      let timeMs = target;
      if (last) {
        const stepMs = (ticks - last.ticks) / ticksPerMs;
        const expected = last.timeMs + stepMs;
        const error = target - expected;
        if (Math.abs(error) < pictureJumpMsMin && stepMs > 0) {
          const bendMsMax = Math.min(stepMs, pictureJumpMsMin) * bendRatioMax;
          timeMs = expected + Math.max(-bendMsMax, Math.min(bendMsMax, error));
        }
      }
      last = { ticks, timeMs };
      return timeMs;
    },
  };
}
