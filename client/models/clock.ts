// Time as an argument: what the hour is, and "call me later".

/** Takes back what was asked for; calling it twice is harmless. */
export type Cancel = () => void;

export type Clock = {
  /** Milliseconds since the epoch. */
  now(): number;
  after(delayMs: number, act: () => void): Cancel;
};

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, act) {
    const timer = setTimeout(act, delayMs);
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`, or at once when `signal` fires. */
export function pause(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) {
      resolve();
      return;
    }
    const cancel = clock.after(delayMs, done);
    function done(): void {
      cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    }
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Calls `act` again and again, `intervalMs` after each call has settled, until cancelled. */
export function repeat(clock: Clock, intervalMs: number, act: () => unknown): Cancel {
  let stopped = false;
  let cancel: Cancel = () => {};
  function schedule(): void {
    if (stopped) return;
    cancel = clock.after(intervalMs, () => {
      Promise.resolve(act()).then(schedule, schedule);
    });
  }
  schedule();
  return () => {
    stopped = true;
    cancel();
  };
}
