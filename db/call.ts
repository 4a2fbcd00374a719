// Calls of SQL functions that answer one JSON value.
import type { SQL } from 'drizzle-orm';
import { z } from 'zod';
import type { Db } from './connect.ts';
import { refusing } from './refusal.ts';

const Answer = z.object({ rows: z.array(z.object({ result: z.unknown() })).length(1) });

/** Runs a statement whose one row has the column `result`, and parses that. Throws `Refusal`. */
export async function callFunction<T extends z.ZodType>(
  db: Db,
  statement: SQL,
  shape: T,
): Promise<z.infer<T>> {
  const { rows } = Answer.parse(await refusing(db.execute(statement)));
  return shape.parse(rows[0]?.result);
}
