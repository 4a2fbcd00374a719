// Keyframe pacer: asks for keyframes so that segments have an even length, and at once after a loss.

/** A request that has brought nothing by then is repeated. */
export const keyframeRetryMs = 350;
const delaySmoothing = 0.25;
const delayMsMax = 500;

export interface KeyframePacer {
  /** A keyframe has come. */
  arrived(nowMs: number): void;
  /** Nothing can be shown before the next keyframe. */
  need(nowMs: number): void;
  /** To be called every few milliseconds. */
  tick(nowMs: number): void;
}

/** With `intervalMs` null it asks only when one is needed. Learns how long a keyframe takes to come, and asks earlier. */
export function createKeyframePacer(intervalMs: number | null, request: () => void): KeyframePacer {
  let lastArrivedMs: number | null = null;
  let requestedMs: number | null = null;
  let needed = true;
  let delayMs = 50;

  function due(nowMs: number): boolean {
    if (needed) return true;
    if (intervalMs === null || lastArrivedMs === null) return false;
    return nowMs >= lastArrivedMs + intervalMs - delayMs;
  }

  function ask(nowMs: number): void {
    if (requestedMs !== null && nowMs - requestedMs < keyframeRetryMs) return;
    requestedMs = nowMs;
    request();
  }

  return {
    arrived(nowMs) {
      if (requestedMs !== null) {
        const measured = Math.min(nowMs - requestedMs, delayMsMax);
        delayMs += (measured - delayMs) * delaySmoothing;
      }
      lastArrivedMs = nowMs;
      requestedMs = null;
      needed = false;
    },
    need(nowMs) {
      needed = true;
      ask(nowMs);
    },
    tick(nowMs) {
      if (due(nowMs)) ask(nowMs);
    },
  };
}
