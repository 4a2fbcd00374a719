// Disputes: payments that their payer's bank takes back, or tries to.
import { sql } from 'drizzle-orm';
import { Dispute } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/**
 * Takes what the gateway says of a dispute: opens it when it is new, closes it once. Refuses `not-found`, and
 * `payment-mismatch` where it was opened for another payment.
 */
export async function observeDispute(
  db: Db,
  facts: {
    gatewayDisputeId: string;
    gatewayPaymentId: string;
    amountPaise: number;
    phase: string;
    reasonCode: string;
    status: 'open' | 'under_review' | 'won' | 'lost' | 'closed';
    respondBy: Date | null;
  },
): Promise<Dispute> {
  return callFunction(
    db,
    sql`select dispute_observed(${JSON.stringify(facts)}::jsonb) as result`,
    Dispute,
  );
}

/**
 * Disputes: the open ones by their deadline, or all, newest first; `after` is the gateway's id of the last one on the
 * page before.
 */
export async function listDisputes(
  db: Db,
  page: { onlyOpen: boolean; after?: string | undefined; limit: number },
): Promise<Dispute[]> {
  const place = page.onlyOpen
    ? sql`coalesce(respond_by, 'infinity'), gateway_dispute_id`
    : sql`opened_at, gateway_dispute_id`;
  const isBehind = page.onlyOpen ? sql`>` : sql`<`;
  const order = page.onlyOpen
    ? sql`coalesce(respond_by, 'infinity'), gateway_dispute_id`
    : sql`opened_at desc, gateway_dispute_id desc`;
  const after =
    page.after === undefined
      ? sql``
      : sql`and (${place}) ${isBehind} (select ${place} from disputes where gateway_dispute_id = ${page.after})`;
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(dispute_json(d::disputes) order by ${order}), '[]') as result from (
      select * from disputes where (closed_at is null or not ${page.onlyOpen}::boolean) ${after}
        order by ${order} limit ${page.limit}) d`,
    Dispute.array(),
  );
}
