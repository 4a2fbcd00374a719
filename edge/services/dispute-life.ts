// The life of a dispute: what the gateway's words mean for the books.
import type { observeDispute } from '#db';
import type { GatewayDispute } from './gateway-disputes.ts';

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
