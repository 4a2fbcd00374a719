// The reconciler: asks the gateway about orders that stayed open, in case a webhook was lost.
import { takeOrdersToCheck } from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import { takePaymentsOf } from '../services/payment-life.ts';
import { type Lease, unleased } from './lease.ts';

const ordersPerRoundMax = 50;
/** Orders that are asked about at once. */
const askedAtOnceMax = 4;
/** A round that has more to ask goes on with the next one. */
const roundSecondsMax = 45;

/** One round. Answers how many payments it credited. */
export async function reconcileOrders(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ asked: number; credited: number; failed: number }> {
  const deadline = Date.now() + roundSecondsMax * 1000;
  const result = { asked: 0, credited: 0, failed: 0 };
  for (;;) {
    lease.check();
    // Whatever becomes of an order, it comes again later and never holds up those behind it.
    const orders = await takeOrdersToCheck(deps.db, ordersPerRoundMax);
    deps.failpoint('reconcile.taken');
    const waiting = orders.values();
    const ask = async () => {
      for (const order of waiting) {
        lease.check();
        result.asked += 1;
        try {
          const taken = await takePaymentsOf(deps, order.gatewayOrderId ?? '');
          result.credited += taken.credited;
          result.failed += taken.failed;
        } catch (error) {
          result.failed += 1;
          deps.log.warn('order not reconciled', { orderId: order.id, error: describeError(error) });
        }
      }
    };
    await Promise.all(Array.from({ length: askedAtOnceMax }, ask));
    if (orders.length < ordersPerRoundMax || Date.now() > deadline) break;
  }
  if (result.credited > 0) deps.log.warn('payments credited by the reconciler', result);
  return result;
}
