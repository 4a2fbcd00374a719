// The life of a refund: what the gateway's words mean for the books.
import { z } from 'zod';
import type { RefundFacts } from '#db';
import { problem } from '../problem.ts';
import { keyNote } from './gateway-answer.ts';
import type { GatewayRefund } from './gateway-refunds.ts';

/** Refuses `payment-mismatch` when it is not in rupees, as all that we sell is. */
export function refundFacts(refund: GatewayRefund): RefundFacts {
  if (refund.currency !== 'INR') throw problem('payment-mismatch', { currency: refund.currency });
  return {
    refundId: ownId(refund.notes),
    gatewayRefundId: refund.id,
    gatewayPaymentId: refund.payment_id,
    amountPaise: refund.amount,
    status: refund.status,
  };
}

/** Our own id, which goes along with every refund as a note. */
function ownId(notes: Record<string, string>): string | undefined {
  const note = z.object({ [keyNote]: z.uuid() }).safeParse(notes);
  return note.success ? note.data[keyNote] : undefined;
}
