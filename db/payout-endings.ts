// Endings of payouts that nobody sends any more: what staff found out, once the gateway has been asked.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { StaffPayout } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import type { observePayout, PayoutRow } from './payouts.ts';

const PayoutToLookFor = StaffPayout.extend({ gatewayFundAccountId: z.string().nullable() });
export type PayoutToLookFor = z.infer<typeof PayoutToLookFor>;

/** A payout as it is looked for at the gateway. Refuses `not-found`. */
export async function findPayoutToLookFor(db: Db, payoutId: string): Promise<PayoutToLookFor> {
  return callFunction(db, sql`select payout_to_look_for(${payoutId}) as result`, PayoutToLookFor);
}

/**
 * One of the staff says that a payout never went out, which the gateway does not contradict. It is still
 * `sending` while another one must say so as well; `failed`, the money is available again. Refuses
 * `payout-not-in-doubt`, `payout-in-doubt`, `second-person-needed`.
 */
export async function endUnsentPayout(
  db: Db,
  said: { payoutId: string; staffId: string; reason: string },
): Promise<PayoutRow> {
  return callFunction(
    db,
    sql`select ledger.payout_never_sent(${said.payoutId}, ${said.staffId}, ${said.reason}) as result`,
    StaffPayout,
  );
}

/** One of the staff has found a payout at the gateway, which says `facts` of it. Refuses `payout-not-in-doubt`, `payout-mismatch`. */
export async function endFoundPayout(
  db: Db,
  said: {
    payoutId: string;
    staffId: string;
    reason: string;
    facts: Parameters<typeof observePayout>[1];
  },
): Promise<PayoutRow> {
  return callFunction(
    db,
    sql`select ledger.payout_found(${said.payoutId}, ${said.staffId}, ${said.reason},
      ${JSON.stringify(said.facts)}::jsonb) as result`,
    StaffPayout,
  );
}
