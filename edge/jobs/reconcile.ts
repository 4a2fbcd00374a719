// The reconciler: asks the gateway about orders that stayed open, in case a webhook was lost.
import { listOpenOrders } from '#db';
import type { Deps } from '../deps.ts';
import { creditPayment } from '../services/captures.ts';

const openAfterSeconds = 15 * 60;
/** A payment may be authorised up to three days late; nothing comes after that. */
const givenUpAfterSeconds = 4 * 24 * 3600;
const ordersPerRoundMax = 50;

/** One round. Answers how many payments it credited. */
export async function reconcileOrders(deps: Deps): Promise<{ credited: number }> {
  const orders = await listOpenOrders(deps.db, {
    olderThanSeconds: openAfterSeconds,
    youngerThanSeconds: givenUpAfterSeconds,
    limit: ordersPerRoundMax,
  });
  let credited = 0;
  for (const order of orders) {
    const payments = await deps.gateway.listPayments(order.gatewayOrderId ?? '');
    for (const payment of payments.filter(({ status }) => status === 'captured')) {
      const result = await creditPayment(deps, payment);
      if (result.credited) credited += 1;
    }
  }
  if (credited > 0) deps.log.warn('payments credited by the reconciler', { credited });
  return { credited };
}
