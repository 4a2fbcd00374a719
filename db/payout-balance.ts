// The account that payouts are paid from: what the gateway says is left in it, against the books.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** To be asked before the gateway is: how far the books have come. */
export async function readPayoutPosition(db: Db): Promise<number> {
  return callFunction(db, sql`select to_jsonb(payout_balance_asked()) as result`, z.int());
}

/**
 * Takes what the gateway says is left. Answers by how many paise it differs from what the books explain, which is a
 * case: more than zero when there is more than there should be.
 */
export async function observePayoutBalance(
  db: Db,
  told: { balancePaise: number; position: number },
): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(payout_balance_told(${told.balancePaise}, ${told.position})) as result`,
    z.int(),
  );
}
