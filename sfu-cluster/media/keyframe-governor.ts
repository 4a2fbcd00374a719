// The keyframe governor: lets all who want a keyframe ask for it at the same moment, not too often.

/**
 * A browser ignores a request that comes within 300 ms of the last one that it followed, on
 * whichever layer, and whoever asked then waits a second for the worker to ask again. It has
 * followed a request by the time its keyframe is here, so that is when the wait begins.
 */
export const keyframeIntervalMinMs = 310;
/** A keyframe that has not come by then was lost, or the publisher makes none when asked. */
export const keyframeAwaitedMs = 400;
/** From the moment in which a viewer makes a transport to that in which it stands; slower ones are not waited for. */
export const viewerExpectedMs = 300;

interface KeyframeGovernor {
  /** How often it was asked, and how many of these went along with another one. */
  readonly counts: { readonly asked: number; readonly bundled: number };
  /**
   * Calls `ask` now, or together with all others who wait, once the interval is over: one
   * keyframe, which the publisher makes of all layers at once, then serves them all.
   */
  run(ask: () => void): void;
  /**
   * The same for who can wait a little: as long as a viewer is expected, whose own request then
   * serves both. Otherwise that viewer would find the interval taken, and no picture until it is over.
   */
  runPatiently(ask: () => void): void;
  /** A viewer is about to ask. */
  expect(): void;
  /** Somebody wants what somebody else waits for already. */
  join(): void;
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
  let expectedUntilMs = Number.NEGATIVE_INFINITY;
  let patientUntilMs = 0;
  let waiting: (() => void)[] = [];
  let patient: (() => void)[] = [];
  let timer: NodeJS.Timeout | null = null;
  const counts = { asked: 0, bundled: 0 };

  function requested(): void {
    awaited = true;
    freeAtMs = now() + keyframeAwaitedMs;
  }

  function dueAtMs(): number {
    if (waiting.length > 0) return freeAtMs;
    return Math.max(freeAtMs, Math.min(expectedUntilMs, patientUntilMs));
  }

  function release(): void {
    if (timer) clearTimeout(timer);
    timer = null;
    const asking = [...waiting, ...patient];
    if (asking.length === 0) return;
    const restMs = dueAtMs() - now();
    if (restMs > 0) {
      timer = setTimeout(release, Math.ceil(restMs));
      return;
    }
    waiting = [];
    patient = [];
    counts.bundled += asking.length - 1;
    requested();
    for (const ask of asking) ask();
  }

  return {
    counts,
    run(ask) {
      counts.asked += 1;
      waiting.push(ask);
      release();
    },
    runPatiently(ask) {
      // Viewers who come one after another must not keep anybody waiting for ever.
      counts.asked += 1;
      if (patient.length === 0) patientUntilMs = now() + viewerExpectedMs;
      patient.push(ask);
      release();
    },
    expect() {
      expectedUntilMs = now() + viewerExpectedMs;
      release();
    },
    join() {
      counts.asked += 1;
      counts.bundled += 1;
    },
    requested,
    arrived() {
      // Only the first packet of the first layer answers the request.
      if (!awaited) return;
      awaited = false;
      freeAtMs = now() + keyframeIntervalMinMs;
      release();
    },
    close() {
      if (timer) clearTimeout(timer);
      timer = null;
      waiting = [];
      patient = [];
    },
  };
}
