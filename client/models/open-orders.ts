// Open orders: one for each package that was begun and not paid, so that trying twice never pays twice.
import type { Order } from '#contract';
import type { Api } from './api.ts';
import { isTransient } from './api-error.ts';
import { backoffMs, requestBackoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';

/** Silent retries with the same key before the person is asked. */
export const orderRetriesMax = 2;

export type OpenOrdersDeps = {
  api: { payments: Pick<Api['payments'], 'order'> };
  clock: Clock;
  newKey: () => string;
};

export function createOpenOrders({ api, clock, newKey }: OpenOrdersDeps) {
  const keys = new Map<string, string>();

  function keyOf(packageId: string): string {
    const known = keys.get(packageId);
    if (known) return known;
    const key = newKey();
    keys.set(packageId, key);
    return key;
  }

  return {
    /** The order as it stands now: the one of before as long as it is open. */
    async of(packageId: string): Promise<Order> {
      const key = keyOf(packageId);
      for (let attempt = 0; ; attempt += 1) {
        try {
          return await api.payments.order(packageId, key);
        } catch (error) {
          if (!isTransient(error)) keys.delete(packageId);
          if (!isTransient(error) || attempt >= orderRetriesMax) throw error;
          await pause(clock, backoffMs(attempt, requestBackoff));
        }
      }
    },
    /** It was paid: the next purchase of this package is another one. */
    done(packageId: string): void {
      keys.delete(packageId);
    },
  };
}
export type OpenOrders = ReturnType<typeof createOpenOrders>;
