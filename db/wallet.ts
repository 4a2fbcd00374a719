// Wallets: what a viewer can spend, what has moved it, and the limits that they set themselves.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  type SetLimitsBody,
  SpendingLimits,
  type StatementFilter,
  WalletTransaction,
} from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Tokens that a viewer can spend now. */
export async function readBalance(db: Db, userId: string): Promise<number> {
  return callFunction(db, sql`select to_jsonb(ledger.spendable(${userId})) as result`, z.int());
}

/**
 * What moved a wallet, newest first, one row for each act; `before` is the id of the last row on the page
 * before.
 */
export async function listWalletEntries(
  db: Db,
  userId: string,
  page: StatementFilter & { before?: string | undefined; limit: number },
): Promise<WalletTransaction[]> {
  return callFunction(
    db,
    sql`select ledger.statement(${userId}, ${page.kind ?? null}, ${page.from ?? null}::date,
      ${page.to ?? null}::date, ${page.before ?? null}::uuid, ${page.limit}) as result`,
    WalletTransaction.array(),
  );
}

export async function readLimits(db: Db, userId: string): Promise<SpendingLimits> {
  return callFunction(db, sql`select limits_json(${userId}) as result`, SpendingLimits);
}

/** Sets a viewer's limits; null is none. What is lowered counts at once, what is raised waits. */
export async function setLimits(
  db: Db,
  userId: string,
  limits: SetLimitsBody,
): Promise<SpendingLimits> {
  return callFunction(
    db,
    sql`select set_limits(${userId}, ${limits.dayTokens}, ${limits.monthTokens},
      ${limits.dayPaise}, ${limits.monthPaise}) as result`,
    SpendingLimits,
  );
}
