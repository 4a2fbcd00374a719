// Captures: one way in which a payment becomes tokens, whoever tells of it first.
import { purchaseCaptured } from '#db';
import type { Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import type { GatewayPayment } from './gateway.ts';

/** Credits a payment that the gateway says is captured. Refuses `payment-not-captured`, `payment-mismatch`. */
export async function creditPayment(
  deps: Deps,
  payment: Pick<GatewayPayment, 'id' | 'order_id' | 'amount' | 'currency' | 'status'>,
): Promise<{ orderId: string; userId: string; credited: boolean }> {
  if (payment.status !== 'captured') throw problem('payment-not-captured');
  if (payment.currency !== 'INR' || !payment.order_id) throw problem('payment-mismatch');
  const result = await purchaseCaptured(deps.db, {
    gatewayOrderId: payment.order_id,
    gatewayPaymentId: payment.id,
    amountPaise: payment.amount,
  });
  return { orderId: result.orderId, userId: result.userId, credited: !result.replayed };
}
