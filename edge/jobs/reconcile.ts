// The reconciler: asks the gateway about orders that stayed open, in case a webhook was lost.
import { takeOrdersToCheck } from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import { creditPayment } from '../services/captures.ts';

const ordersPerRoundMax = 50;
/** A round that has more to ask goes on with the next one. */
const roundSecondsMax = 45;

/** One round. Answers how many payments it credited. */
export async function reconcileOrders(
  deps: Deps,
): Promise<{ asked: number; credited: number; failed: number }> {
  const deadline = Date.now() + roundSecondsMax * 1000;
  const result = { asked: 0, credited: 0, failed: 0 };
  for (;;) {
    // Whatever becomes of an order, it comes again later and never holds up those behind it.
    const orders = await takeOrdersToCheck(deps.db, ordersPerRoundMax);
    for (const order of orders) {
      result.asked += 1;
      try {
        result.credited += await creditOrder(deps, order.gatewayOrderId ?? '');
      } catch (error) {
        result.failed += 1;
        deps.log.warn('order not reconciled', { orderId: order.id, error: describeError(error) });
      }
    }
    if (orders.length < ordersPerRoundMax || Date.now() > deadline) break;
  }
  if (result.credited > 0) deps.log.warn('payments credited by the reconciler', result);
  return result;
}

async function creditOrder(deps: Deps, gatewayOrderId: string): Promise<number> {
  let credited = 0;
  for (const payment of await deps.gateway.listPayments(gatewayOrderId)) {
    if (payment.status !== 'captured' && payment.status !== 'authorized') continue;
    const result = await creditPayment(deps, payment);
    if (result.credited) credited += 1;
  }
  return credited;
}
