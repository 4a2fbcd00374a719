// The keyframe governor: lets all who want a keyframe ask for it at the same moment, not too often.

/**
 * A browser ignores a request that comes within 300 ms of the last one that it followed, on
 * whichever layer, and whoever asked then waits a second for the worker to ask again. It has
 * followed a request by the time its keyframe is here, so that is when the wait begins.
 */
export const keyframeIntervalMinMs = 310;
/** A keyframe that has not come by then was lost, or the publisher makes none when asked. */
export const keyframeAwaitedMs = 400;

interface KeyframeGovernor {
  /**
   * Calls `ask` now, or together with all others who wait, once the interval is over: one
   * keyframe, which the publisher makes of all layers at once, then serves them all.
   */
  run(ask: () => void): void;
  /** A request has gone out, perhaps one that nobody asked the governor about: a viewer lost packets. */
  requested(): void;
  /** A keyframe has come. */
  arrived(): void;
  close(): void;
}

/** `now` is in milliseconds and only its differences count. */
export function createKeyframeGovernor(
  now: () => number = () => performance.now(),
): KeyframeGovernor {
  let freeAtMs = Number.NEGATIVE_INFINITY;
  let awaited = false;
  let waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | null = null;

  function requested(): void {
    awaited = true;
    freeAtMs = now() + keyframeAwaitedMs;
  }

  function release(): void {
    timer = null;
    const restMs = freeAtMs - now();
    if (restMs > 0) {
      timer = setTimeout(release, Math.ceil(restMs));
      return;
    }
    const asking = waiting;
    waiting = [];
    requested();
    for (const ask of asking) ask();
  }

  return {
    run(ask) {
      waiting.push(ask);
      if (!timer) release();
    },
    requested,
    arrived() {
      // Only the first packet of the first layer answers the request.
      if (!awaited) return;
      awaited = false;
      freeAtMs = now() + keyframeIntervalMinMs;
      if (!timer) return;
      clearTimeout(timer);
      release();
    },
    close() {
      if (timer) clearTimeout(timer);
      timer = null;
      waiting = [];
    },
  };
}
