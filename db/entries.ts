// Entries: who may watch a ticketed stream, and the tokens that are set aside for it until it is live.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Entry, Revocation } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/**
 * Buys an entry to a ticketed stream; whoever has one keeps it, and pays nothing more. Refuses what a hold does,
 * `not-found`, `stream-ended`, `invalid-request`, `price-changed`, `blocked`.
 */
export async function buyEntry(
  db: Db,
  entry: { streamId: string; userId: string; entryTokens: number; idempotencyKey: string },
): Promise<z.infer<typeof Entry> & { replayed: boolean }> {
  return callFunction(
    db,
    sql`select buy_entry(${entry.streamId}, ${entry.userId}, ${entry.entryTokens}, ${entry.idempotencyKey}) as result`,
    Entry.extend({ replayed: z.boolean() }),
  );
}

/** Pays for, or gives back, entries of streams that have gone live or ended. Answers how many. */
export async function settleEntries(db: Db, limit: number): Promise<number> {
  return callFunction(db, sql`select to_jsonb(settle_entries(${limit})) as result`, z.int());
}

/** Lets somebody in for nothing, or takes that back. Refuses `not-found`, `forbidden`. */
export async function setEntry(
  db: Db,
  entry: { streamId: string; performerId: string; userId: string; letIn: boolean },
): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select set_entry(${entry.streamId}, ${entry.performerId}, ${entry.userId}, ${entry.letIn}) as result`,
    Revocation.array(),
  );
}
