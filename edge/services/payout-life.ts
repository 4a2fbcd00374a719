// The life of a payout: what the bank's words mean for the books.
import { Id } from '#contract';
import type { observePayout } from '#db';
import type { GatewayPayout } from './payout-gateway.ts';

export type PayoutFacts = Parameters<typeof observePayout>[1];

/** What the bank's words mean here. `reference_id` is our own id, unless somebody paid by hand. */
export function payoutFacts(payout: GatewayPayout): PayoutFacts {
  return {
    payoutId: Id.safeParse(payout.reference_id).data,
    gatewayPayoutId: payout.id,
    amountPaise: payout.amount,
    status: statusOf(payout.status),
    feePaise: payout.fees,
    feeTaxPaise: payout.tax,
    utr: payout.utr,
    failure: payout.failure_reason ?? payout.status_details?.description ?? null,
  };
}

function statusOf(status: GatewayPayout['status']): PayoutFacts['status'] {
  switch (status) {
    case 'queued':
    case 'pending':
    case 'scheduled':
    case 'processing':
      return 'sent';
    case 'processed':
      return 'paid';
    case 'failed':
    case 'rejected':
    case 'cancelled':
      return 'failed';
    case 'reversed':
      return 'reversed';
  }
}
