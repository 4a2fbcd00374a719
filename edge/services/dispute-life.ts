// The life of a dispute: what the gateway's words mean for the books.
import { observeDispute, Refusal } from '#db';
import type { Deps } from '../deps.ts';
import type { GatewayDispute } from './gateway-disputes.ts';
import { takePayment } from './payment-life.ts';

export type DisputeFacts = Parameters<typeof observeDispute>[1];

export function disputeFacts(dispute: GatewayDispute): DisputeFacts {
  return {
    gatewayDisputeId: dispute.id,
    gatewayPaymentId: dispute.payment_id,
    amountPaise: dispute.amount,
    phase: dispute.phase,
    reasonCode: dispute.reason_code,
    status: dispute.status,
    respondBy: dispute.respond_by ? new Date(dispute.respond_by * 1000) : null,
  };
}

/** Tells the books of a dispute, and of its payment where they do not know it. Refuses `not-found`. */
export async function takeDispute(deps: Deps, dispute: GatewayDispute): Promise<void> {
  try {
    await observeDispute(deps.db, disputeFacts(dispute));
  } catch (error) {
    if (!(error instanceof Refusal && error.code === 'not-found')) throw error;
    // The webhooks of its payment were lost as well.
    const payment = await deps.gateway.fetchPayment(dispute.payment_id);
    deps.failpoint('dispute.payment-fetched');
    if (!payment) throw error;
    await takePayment(deps, payment);
    deps.failpoint('dispute.payment-taken');
    await observeDispute(deps.db, disputeFacts(dispute));
  }
}
