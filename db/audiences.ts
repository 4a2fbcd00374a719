// Audiences: how many watch each stream, and what it was tipped since it began, as it is counted every few seconds.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Takes in a count of all audiences; nobody watches a live stream that is not named. Answers how many have changed. */
export async function countAudiences(
  db: Db,
  counts: readonly { streamId: string; viewers: number }[],
): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(count_audiences(${JSON.stringify(counts)}::jsonb)) as result`,
    z.int(),
  );
}

/** Counts anew what streams were tipped that had a tip in the last while. Answers how many have changed. */
export async function rankTips(db: Db, recentSeconds: number): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(rank_tips(make_interval(secs => ${recentSeconds}))) as result`,
    z.int(),
  );
}
