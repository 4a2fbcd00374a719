// A poll: asks again and again while somebody looks at the page, slower when it fails, at once when woken.
import { type BackoffLimits, backoffMs } from './backoff.ts';
import type { Cancel, Clock } from './clock.ts';

export type PollDeps = {
  clock: Clock;
  isLookedAt: () => boolean;
  /** One question; rejects when it got no answer. */
  look: () => Promise<unknown>;
  /** The wait between two questions that were answered: from the first to the longest as they add up. */
  pace: () => BackoffLimits;
  /** The wait after questions without an answer. */
  failing: BackoffLimits;
  random?: (() => number) | undefined;
};

export function createPoll({ clock, isLookedAt, look, pace, failing, random }: PollDeps) {
  let stopped = false;
  let cancel: Cancel = () => {};
  let looks = 0;
  let failures = 0;
  let looking: Promise<void> | null = null;

  function plan(): void {
    cancel();
    if (stopped) return;
    const waitMs =
      failures > 0 ? backoffMs(failures - 1, failing, random) : backoffMs(looks, pace(), random);
    cancel = clock.after(waitMs, () => {
      // Nobody looks: it sleeps until it is woken.
      if (isLookedAt()) lookNow();
    });
  }

  async function lookOnce(): Promise<void> {
    cancel();
    try {
      await look();
      looks += 1;
      failures = 0;
    } catch {
      failures += 1;
    }
    looking = null;
    plan();
  }

  /** One question at a time; who asks meanwhile gets the same answer. Never rejects. */
  function lookNow(): Promise<void> {
    if (stopped) return Promise.resolve();
    looking ??= lookOnce();
    return looking;
  }

  plan();
  return {
    lookNow,
    /** The page is looked at again, or there is reason to hope for news: begins at the first pace. */
    async wake(): Promise<void> {
      looks = 0;
      failures = 0;
      if (isLookedAt()) await lookNow();
    },
    stop(): void {
      stopped = true;
      cancel();
    },
  };
}
export type Poll = ReturnType<typeof createPoll>;
