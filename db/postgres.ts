// Connections over the PostgreSQL protocol, for Node, Bun and Deno.
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Db } from './connect.ts';
import * as schema from './schema/index.ts';

const poolConnectionsMax = 10;
const connectTimeoutMs = 5_000;
/** Longer than any statement of ours takes; shorter than the overlap with which room events are replayed. */
export const statementTimeoutMs = 5_000;

export interface PooledDb {
  db: Db;
  close(): Promise<void>;
}

/** A pool of node-postgres connections, for Node, Bun and Deno. */
export function connectPostgres(
  url: string,
  options: { connectionsMax?: number; onError?: (error: Error) => void } = {},
): PooledDb {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connectionsMax ?? poolConnectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    application_name: 'livepanty',
  });
  // An idle connection that breaks is replaced at the next query; without a listener it would end the process.
  pool.on('error', (error) => options.onError?.(error));
  return {
    db: drizzle({ client: pool, schema }),
    async close() {
      await pool.end();
    },
  };
}
