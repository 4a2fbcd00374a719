// Captures: one way in which a payment becomes tokens, whoever tells of it first.
import { purchaseCaptured } from '#db';
import type { Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import type { GatewayPayment } from './gateway.ts';

/** Credits a payment that the gateway has captured, or has authorised and captures now. Refuses `payment-not-captured`, `payment-mismatch`. */
export async function creditPayment(
  deps: Deps,
  payment: Pick<GatewayPayment, 'id' | 'order_id' | 'amount' | 'currency' | 'status'>,
): Promise<{ orderId: string; userId: string; credited: boolean }> {
  if (payment.currency !== 'INR' || !payment.order_id) throw problem('payment-mismatch');
  if (payment.status === 'authorized') {
    // Accounts that do not capture by themselves would give the money back after some days.
    const captured = await deps.gateway.capturePayment(payment.id, payment.amount);
    if (captured.status !== 'captured') throw problem('payment-not-captured');
  } else if (payment.status !== 'captured') {
    throw problem('payment-not-captured');
  }
  const result = await purchaseCaptured(deps.db, {
    gatewayOrderId: payment.order_id,
    gatewayPaymentId: payment.id,
    amountPaise: payment.amount,
  });
  return { orderId: result.orderId, userId: result.userId, credited: !result.replayed };
}
