// Exports: a copy of everything that is kept of somebody.
import { sql } from 'drizzle-orm';
import type { z } from 'zod';
import { ExportedRows, exportRowsMax } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** All but the statement; null when there is nobody (any more). */
export async function readExport(
  db: Db,
  userId: string,
): Promise<z.infer<typeof ExportedRows> | null> {
  return callFunction(
    db,
    sql`select export_of(${userId}, ${exportRowsMax}) as result`,
    ExportedRows.nullable(),
  );
}
