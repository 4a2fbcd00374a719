// Refunds: unspent tokens given back, from the request to the gateway's last word.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { StaffRefund } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { type IdPage, idPage } from './id-page.ts';

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

/** What the gateway says of a refund. */
export interface RefundFacts {
  /** Our own id of it, where it is one of ours. */
  refundId?: string | undefined;
  gatewayRefundId: string;
  gatewayPaymentId: string;
  amountPaise: number;
  status: 'created' | 'pending' | 'processed' | 'failed';
}

/** Takes what the gateway says of a refund, once for each state. Refuses `not-found`, `payment-mismatch`. */
export async function observeRefund(db: Db, facts: RefundFacts): Promise<RefundRow> {
  return callFunction(
    db,
    sql`select refund_observed(${JSON.stringify(facts)}::jsonb) as result`,
    RefundRow,
  );
}

/** Refunds, newest first: of one person, or in one state, or all; those that have not ended, oldest first. */
export async function listRefunds(
  db: Db,
  page: IdPage & { userId?: string; state?: RefundRow['state'] | undefined },
): Promise<RefundRow[]> {
  const { userId = null, state = null } = page;
  const isWaiting = state !== null && ['requested', 'approved', 'sent'].includes(state);
  const { rows, order } = idPage(page, isWaiting ? 'oldest' : 'newest');
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(refund_json(r::refunds) order by ${order}), '[]') as result from (
      select * from refunds
        where (${userId}::uuid is null or user_id = ${userId}::uuid)
          and (${state}::text is null or state = ${state}::text) ${rows}) r`,
    RefundRow.array(),
  );
}
