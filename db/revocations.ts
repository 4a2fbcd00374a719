// Revocations: what must not be believed any more, by number, and which of them were told.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Revocation, revocationMemorySeconds, revocationsPageMax } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Those after a number, oldest first, no more than a page. */
export async function listRevocations(db: Db, after: number): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select revocations_after(${after}, ${revocationsPageMax}) as result`,
    Revocation.array(),
  );
}

/** The number behind which whoever begins now has to know all: nothing that lives was signed before those up to it. */
export async function firstRevocation(db: Db): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(revocations_begin(make_interval(secs => ${revocationMemorySeconds}))) as result`,
    z.int(),
  );
}

/** Those that were not told yet, oldest first, no more than a page. */
export async function listUnpublishedRevocations(db: Db): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select revocations_unpublished(${revocationsPageMax}) as result`,
    Revocation.array(),
  );
}

export async function markRevocationsPublished(db: Db, numbers: readonly number[]): Promise<void> {
  await db.execute(
    sql`select revocations_published(array(select jsonb_array_elements_text(${JSON.stringify(numbers)}::jsonb)::bigint))`,
  );
}

/** Forgets those that were told so long ago. Answers how many. */
export async function forgetRevocations(db: Db, keepSeconds: number): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(forget_revocations(make_interval(secs => ${keepSeconds}))) as result`,
    z.int(),
  );
}
