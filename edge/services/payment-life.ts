// The life of a payment: one way in which it becomes tokens, whoever tells of it first.
import { observePayment, type PaymentFacts, type PaymentResult } from '#db';
import type { Deps } from '../deps.ts';
import { describeError, problem } from '../problem.ts';
import { type GatewayPayment, instrumentOf } from './gateway.ts';
import { GatewayRefusal } from './gateway-answer.ts';

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
  });
}

/** What went back to the buyer without having been captured was never ours, and is credited to nobody. */
function statusOf({ status, captured }: GatewayPayment): PaymentFacts['status'] {
  return status === 'refunded' && !captured ? 'failed' : status;
}
