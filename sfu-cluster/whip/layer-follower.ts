// The layer follower: chooses a player's layer by what is lost on its line, where the line is not measured otherwise.

/** The worker scores what a player receives from 0 to 10: at 10 nothing is lost for good. */
const scoreBad = 6;
const scoreGood = 9;
/** So long a line must be good before a larger picture is tried; doubled each time it turns out to be too much. */
export const patienceMinMs = 10_000;
export const patienceMaxMs = 160_000;
/** A larger picture that was lost within so long was too much for the line. */
const trialMs = 10_000;
/** What was lost before a step still weighs on the score for so long. */
export const settleMs = 3_000;

export interface LayerFollower {
  /** Takes in a score; answers the layer to change to, or null to stay. */
  hear(score: number): number | null;
}

/** Starts at the top, `layers - 1`. `now` is in milliseconds and only its differences count. */
export function createLayerFollower(
  layers: number,
  now: () => number = () => performance.now(),
): LayerFollower {
  const top = layers - 1;
  let layer = top;
  let patienceMs = patienceMinMs;
  let steppedAtMs = now();
  let steppedUp = false;
  let goodSinceMs: number | null = null;

  function step(to: number): number {
    steppedUp = to > layer;
    layer = to;
    steppedAtMs = now();
    goodSinceMs = null;
    return layer;
  }

  return {
    hear(score) {
      const sinceStepMs = now() - steppedAtMs;
      if (score <= scoreBad) {
        goodSinceMs = null;
        if (layer === 0 || sinceStepMs < settleMs) return null;
        const wasTooMuch = steppedUp && sinceStepMs < trialMs;
        patienceMs = wasTooMuch ? Math.min(patienceMaxMs, patienceMs * 2) : patienceMinMs;
        return step(layer - 1);
      }
      if (score < scoreGood) {
        goodSinceMs = null;
        return null;
      }
      goodSinceMs ??= now();
      const isPatient = now() - goodSinceMs >= patienceMs;
      return layer < top && isPatient ? step(layer + 1) : null;
    },
  };
}
