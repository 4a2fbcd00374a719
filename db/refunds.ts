// Refunds: unspent tokens given back, from the request to the gateway's last word.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { StaffRefund } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

export type RefundRow = z.infer<typeof RefundRow>;
export const RefundRow = StaffRefund.extend({
  netPaise: z.int(),
  gstPaise: z.int(),
  gatewayRefundId: z.string().nullable(),
});

/**
 * Asks for unspent tokens of a payment back; `by` is its viewer or one of the staff. Without `tokens`: all
 * of them. Refuses `not-found`, `not-refundable`, `idempotency-key-reused`.
 */
export async function requestRefund(
  db: Db,
  request: {
    by: string;
    gatewayPaymentId: string;
    tokens?: number | undefined;
    reason: string;
    idempotencyKey: string;
  },
): Promise<RefundRow> {
  return callFunction(
    db,
    sql`select ledger.refund_requested(${request.by}, ${request.gatewayPaymentId},
      ${request.tokens ?? null}::bigint, ${request.reason}, ${request.idempotencyKey}) as result`,
    RefundRow,
  );
}

/** One of the staff, who did not ask for it, lets it go or refuses it. Refuses `second-person-needed`, `already-decided`. */
export async function decideRefund(
  db: Db,
  decision: { refundId: string; staffId: string; approve: boolean },
): Promise<RefundRow> {
  return callFunction(
    db,
    sql`select ledger.refund_decided(${decision.refundId}, ${decision.staffId}, ${decision.approve}) as result`,
    RefundRow,
  );
}

/** Approved refunds whose turn it is to be sent, or asked about. Each comes again until its end is known. */
export async function takeRefundsToSend(db: Db, limit: number): Promise<RefundRow[]> {
  return callFunction(db, sql`select refunds_to_send(${limit}) as result`, RefundRow.array());
}

/** Takes what the gateway says of a refund, once for each state. Refuses `not-found`, `payment-mismatch`. */
export async function observeRefund(
  db: Db,
  facts: {
    refundId?: string | undefined;
    gatewayRefundId: string;
    gatewayPaymentId: string;
    amountPaise: number;
    status: 'created' | 'pending' | 'processed' | 'failed';
  },
): Promise<RefundRow> {
  return callFunction(
    db,
    sql`select refund_observed(${JSON.stringify(facts)}::jsonb) as result`,
    RefundRow,
  );
}

/** Refunds, newest first: of one person, or in one state, or all. */
export async function listRefunds(
  db: Db,
  filter: { userId?: string; state?: RefundRow['state'] | undefined; limit: number },
): Promise<RefundRow[]> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(refund_json(r::refunds) order by r.created_at desc), '[]') as result from (
      select * from refunds
        where (${filter.userId ?? null}::uuid is null or user_id = ${filter.userId ?? null}::uuid)
          and (${filter.state ?? null}::text is null or state = ${filter.state ?? null}::text)
        order by created_at desc limit ${filter.limit}) r`,
    RefundRow.array(),
  );
}
