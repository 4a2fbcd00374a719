// The connection that every query takes, whatever carries it.
import type { PgDatabase, PgQueryResultHKT } from 'drizzle-orm/pg-core';
import type * as schema from './schema/index.ts';

/** There are no client-side transactions: each act is one statement. */
export type Db = PgDatabase<PgQueryResultHKT, typeof schema>;
