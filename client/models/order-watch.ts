// An order watch: asks how an order stands until it is paid or has come to nothing, however late the money comes.
import { signal } from '@preact/signals';
import type { OrderStatus } from '#contract';
import { isTransient } from './api-error.ts';
import type { BackoffLimits } from './backoff.ts';
import type { Clock } from './clock.ts';
import { createPoll } from './poll.ts';

/** While somebody is paying. */
export const payingPace: BackoffLimits = { firstMs: 2_000, maxMs: 8_000 };
/** When the time to pay is over, and for what the bank has yet to confirm. */
export const latePace: BackoffLimits = { firstMs: 8_000, maxMs: 60_000 };
export const statusFailing: BackoffLimits = { firstMs: 3_000, maxMs: 30_000 };
/** Then it rests until somebody asks; the tokens come all the same. */
export const lateLooksMax = 40;

/** What somebody who asked was told: not paid as of that moment, or no answer. */
export type OrderNews = { name: 'unpaid' | 'lost'; atMs: number };

export type OrderWatchDeps = {
  orderId: string;
  orderStatus: (orderId: string) => Promise<OrderStatus>;
  clock: Clock;
  isLookedAt: () => boolean;
  onPaid: (status: OrderStatus) => void;
  /** It has failed or expired, which may be old news; true when nothing more is to be waited for. */
  onEnded: (status: OrderStatus) => boolean;
  /** The edge refuses to tell: there is nothing to wait for any more. */
  onRefused: (error: unknown) => void;
  random?: (() => number) | undefined;
};

export function watchOrder(deps: OrderWatchDeps) {
  const { clock, isLookedAt, random } = deps;
  const checking = signal(false);
  const told = signal<OrderNews | null>(null);
  let newest: OrderNews | null = null;
  let isLate = false;
  let lateLooks = 0;
  /** Nothing is under way: it asks no more until it is woken. */
  let isResting = false;
  let over = false;

  async function look(): Promise<void> {
    try {
      const status = await deps.orderStatus(deps.orderId);
      if (over) return;
      if (status.state === 'paid') {
        stop();
        deps.onPaid(status);
        return;
      }
      newest = { name: 'unpaid', atMs: clock.now() };
      if (isLate) lateLooks += 1;
      const hasEnded = status.state === 'failed' || status.state === 'expired';
      if (hasEnded && deps.onEnded(status)) isResting = true;
    } catch (error) {
      newest = { name: 'lost', atMs: clock.now() };
      if (isTransient(error)) throw error;
      if (over) return;
      stop();
      deps.onRefused(error);
    }
  }

  const poll = createPoll({
    clock,
    // A watch that rests is as one that nobody looks at.
    isLookedAt: () => isLookedAt() && !isResting && lateLooks < lateLooksMax,
    look,
    pace: () => (isLate ? latePace : payingPace),
    failing: statusFailing,
    random,
  });

  function stop(): void {
    over = true;
    poll.stop();
  }

  function rouse(): void {
    isResting = false;
    lateLooks = 0;
  }

  return {
    checking,
    /** The answer to whoever has asked last; what is heard in between is not worth telling. */
    told,
    /** Somebody wants to know now. */
    async check(): Promise<void> {
      rouse();
      checking.value = true;
      await poll.lookNow();
      told.value = newest;
      checking.value = false;
    },
    /** The page is looked at again, perhaps after a visit to the app that pays. */
    wake(): Promise<void> {
      rouse();
      return poll.wake();
    },
    /** From now on it is asked for more rarely, or as before again. */
    setLate(late: boolean): void {
      isLate = late;
      const wasResting = isResting;
      rouse();
      if (wasResting) poll.wake();
    },
    stop,
  };
}
export type OrderWatch = ReturnType<typeof watchOrder>;
