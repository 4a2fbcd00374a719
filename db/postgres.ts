// Connections over the PostgreSQL protocol, for Node, Bun and Deno.
import { drizzle } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import type { Db } from './connect.ts';
import * as schema from './schema/index.ts';

const poolConnectionsMax = 10;
const connectTimeoutMs = 5_000;
/** Longer than any statement of ours takes; shorter than the overlap with which room events are replayed. */
export const statementTimeoutMs = 5_000;
const answerGraceMs = 1_000;

export interface PooledDb {
  db: Db;
  close(): Promise<void>;
}

/** A pool of node-postgres connections, for Node, Bun and Deno. */
export function connectPostgres(
  url: string,
  options: {
    connectionsMax?: number;
    /** Longer for work that reads whole books. */
    statementTimeoutMs?: number;
    onError?: (error: Error) => void;
  } = {},
): PooledDb {
  const timeoutMs = options.statementTimeoutMs ?? statementTimeoutMs;
  const pool = new pg.Pool({
    connectionString: url,
    max: options.connectionsMax ?? poolConnectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: timeoutMs,
    // A server that does not even refuse: the client gives up a little later by itself.
    query_timeout: timeoutMs + answerGraceMs,
    keepAlive: true,
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
