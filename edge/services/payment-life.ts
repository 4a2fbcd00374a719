// The life of a payment: one way in which it becomes tokens, and in which they go again, whoever tells of it first.
import { observePayment, type PaymentFacts, type PaymentResult, type RefundFacts } from '#db';
import type { Deps } from '../deps.ts';
import { describeError, problem } from '../problem.ts';
import { type GatewayPayment, instrumentOf } from './gateway.ts';
import { GatewayRefusal, unavailable } from './gateway-answer.ts';
import { refundFacts } from './refund-life.ts';

/** As far as somebody has told; an authorised payment is captured now. Refuses `not-found`, `payment-mismatch`. */
export async function takePayment(deps: Deps, payment: GatewayPayment): Promise<PaymentResult> {
  const noted = await note(deps, payment);
  deps.failpoint('payment.noted');
  if (payment.status !== 'authorized' || noted.state !== 'authorized') return noted;
  // Accounts that do not capture by themselves would give the money back after some days.
  const captured = await capture(deps, payment);
  deps.failpoint('payment.captured');
  if (!captured) return noted;
  const credited = await note(deps, captured);
  deps.failpoint('payment.credited');
  return credited;
}

/**
 * Takes all payments that the gateway knows of an order. Answers how many it credited; one that does not fit
 * does not keep the others waiting.
 */
export async function takePaymentsOf(
  deps: Deps,
  gatewayOrderId: string,
): Promise<{ credited: number; failed: number }> {
  const result = { credited: 0, failed: 0 };
  const payments = await deps.gateway.listPayments(gatewayOrderId);
  deps.failpoint('reconcile.listed');
  for (const payment of payments) {
    try {
      const { credited } = await takePayment(deps, payment);
      if (credited) result.credited += 1;
    } catch (error) {
      result.failed += 1;
      deps.log.warn('payment not taken', { paymentId: payment.id, error: describeError(error) });
    }
  }
  return result;
}

/** Null when the gateway knows no such payment any more. */
async function capture(deps: Deps, payment: GatewayPayment): Promise<GatewayPayment | null> {
  try {
    return await deps.gateway.capturePayment(payment.id, payment.amount);
  } catch (error) {
    if (error instanceof GatewayRefusal) return null;
    throw error;
  }
}

async function note(deps: Deps, payment: GatewayPayment): Promise<PaymentResult> {
  if (!payment.order_id) throw problem('payment-mismatch');
  const instrument = instrumentOf(payment);
  return observePayment(deps.db, {
    gatewayPaymentId: payment.id,
    gatewayOrderId: payment.order_id,
    amountPaise: payment.amount,
    currency: payment.currency,
    status: statusOf(payment),
    method: payment.method,
    instrumentHash: instrument && (await deps.vault.keyedHash(instrument, 'instrument')),
    feePaise: payment.fee,
    feeTaxPaise: payment.tax,
    errorReason: payment.error_reason,
    refunds: await refundsOf(deps, payment),
  });
}

/**
 * What has gone back of a captured payment, oldest first: whoever tells of the payment may be the only one who tells
 * of that. Throws `gateway-unavailable` while the gateway does not say where all of it went.
 */
async function refundsOf(deps: Deps, payment: GatewayPayment): Promise<RefundFacts[]> {
  const goneBack = payment.amount_refunded ?? 0;
  if (statusOf(payment) === 'failed' || (payment.status !== 'refunded' && goneBack === 0))
    return [];
  const refunds = await deps.gateway.listRefunds(payment.id);
  deps.failpoint('payment.refunds-listed');
  // One that has failed since is in the list as well.
  const listed = refunds.reduce((sum, { amount }) => sum + amount, 0);
  if (listed < goneBack) throw unavailable(new Error('money went back without a refund'));
  return refunds.map(refundFacts).toReversed();
}

/** What went back to the buyer without having been captured was never ours, and is credited to nobody. */
function statusOf({ status, captured }: GatewayPayment): PaymentFacts['status'] {
  return status === 'refunded' && !captured ? 'failed' : status;
}
