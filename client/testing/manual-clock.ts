// A clock for tests: stands still until it is moved, and lets everything that is due happen in order.
import type { Clock } from '../models/clock.ts';

type Timer = { atMs: number; act: () => void };

export type ManualClock = Clock & {
  /** Moves time on by `ms`; whatever falls due happens on the way, promises included. */
  advance(ms: number): Promise<void>;
  /** Calls waiting for their time. */
  readonly waiting: number;
};

/** Lets every promise that can settle do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

export function createManualClock(startMs = 1_800_000_000_000): ManualClock {
  let nowMs = startMs;
  const timers = new Set<Timer>();

  function nextDue(untilMs: number): Timer | null {
    let next: Timer | null = null;
    for (const timer of timers) {
      if (timer.atMs <= untilMs && (!next || timer.atMs < next.atMs)) next = timer;
    }
    return next;
  }

  return {
    now: () => nowMs,
    after(delayMs, act) {
      const timer = { atMs: nowMs + Math.max(0, delayMs), act };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await settled();
      for (let timer = nextDue(untilMs); timer; timer = nextDue(untilMs)) {
        timers.delete(timer);
        nowMs = timer.atMs;
        timer.act();
        await settled();
      }
      nowMs = untilMs;
    },
    get waiting() {
      return timers.size;
    },
  };
}
