// Calls of SQL functions that answer one JSON value.
import type { SQL } from 'drizzle-orm';
import { z } from 'zod';
import type { Db } from './connect.ts';
import { databaseErrorOf, refusalOf, refusing } from './refusal.ts';

const Answer = z.object({ rows: z.array(z.object({ result: z.unknown() })).length(1) });

/**
 * Runs a statement whose one row has the column `result`, and parses that. Throws `Refusal`, also for an
 * answer that is one: some acts refuse without undoing what else they did.
 */
export async function callFunction<T extends z.ZodType>(
  db: Db,
  statement: SQL,
  shape: T,
): Promise<z.infer<T>> {
  const { rows } = Answer.parse(await refusing(retryingOnce(() => db.execute(statement))));
  const result = rows[0]?.result;
  const refusal = refusalOf(result);
  if (refusal) throw refusal;
  return shape.parse(result);
}

/** Deadlock and serialisation failure: the statement was undone as a whole and may be tried again. */
const undoneStates = new Set(['40P01', '40001']);

async function retryingOnce<T>(run: () => PromiseLike<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const state = databaseErrorOf(error)?.code;
    if (state === undefined || !undoneStates.has(state)) throw error;
    return run();
  }
}
