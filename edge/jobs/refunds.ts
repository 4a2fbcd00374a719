// Refunds: sends approved ones to the gateway, and asks about them until their end is known.
import { observeRefund, type RefundRow, takeRefundsToSend } from '#db';
import type { Deps } from '../deps.ts';
import { describeError } from '../problem.ts';
import { GatewayRefusal } from '../services/gateway-answer.ts';
import { type Lease, unleased } from './lease.ts';

const refundsPerRoundMax = 50;

/** One round. Answers how many it looked after. */
export async function sendRefunds(
  deps: Deps,
  lease: Lease = unleased,
): Promise<{ sent: number; failed: number }> {
  const result = { sent: 0, failed: 0 };
  const refunds = await takeRefundsToSend(deps.db, refundsPerRoundMax);
  deps.failpoint('refund.taken');
  for (const refund of refunds) {
    lease.check();
    try {
      await sendRefund(deps, refund);
      result.sent += 1;
    } catch (error) {
      // It comes again with the same key, whatever the gateway did.
      result.failed += 1;
      deps.log.warn('refund not sent yet', { refundId: refund.id, error: describeError(error) });
    }
  }
  return result;
}

async function sendRefund(deps: Deps, refund: RefundRow): Promise<void> {
  const facts = {
    refundId: refund.id,
    gatewayPaymentId: refund.gatewayPaymentId,
    amountPaise: refund.amountPaise,
  };
  try {
    const sent = refund.gatewayRefundId
      ? await deps.gateway.fetchRefund(refund.gatewayRefundId)
      : await deps.gateway.refund({
          gatewayPaymentId: refund.gatewayPaymentId,
          amountPaise: refund.amountPaise,
          idempotencyKey: refund.id,
        });
    deps.failpoint('refund.sent');
    if (sent) {
      await observeRefund(deps.db, {
        ...facts,
        gatewayRefundId: sent.id,
        amountPaise: sent.amount,
        status: sent.status,
      });
    }
  } catch (error) {
    if (!(error instanceof GatewayRefusal) || refund.gatewayRefundId) throw error;
    // The gateway will never make it: the tokens come back, and staff hear of it.
    deps.log.error('refund refused by the gateway', { refundId: refund.id, error: String(error) });
    await observeRefund(deps.db, {
      ...facts,
      gatewayRefundId: `refused_${refund.id}`,
      status: 'failed',
    });
  }
  deps.failpoint('refund.noted');
}
