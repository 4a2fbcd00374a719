// Disputes: payments that their payer's bank takes back, or tries to.
import { sql } from 'drizzle-orm';
import { Dispute } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Takes what the gateway says of a dispute: opens it when it is new, closes it once. Refuses `not-found`. */
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

/** Disputes: the open ones by their deadline, or all, newest first. */
export async function listDisputes(
  db: Db,
  filter: { onlyOpen: boolean; limit: number },
): Promise<Dispute[]> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(dispute_json(d::disputes)), '[]') as result from (
      select * from disputes where closed_at is null or not ${filter.onlyOpen}::boolean
        order by case when ${filter.onlyOpen}::boolean then respond_by end, opened_at desc
        limit ${filter.limit}) d`,
    Dispute.array(),
  );
}
