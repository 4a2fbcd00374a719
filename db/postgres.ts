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
  pool.query = ((statement: pg.QueryConfig, values?: unknown[]) =>
    queryOn(pool, statement, values)) as typeof pool.query;
  return {
    db: drizzle({ client: pool, schema }),
    async close() {
      await pool.end();
    },
  };
}

/** As the pool's own, which closes the connection after every error: a refusal is an answer, and harms nothing. */
async function queryOn(
  pool: pg.Pool,
  statement: pg.QueryConfig,
  values: unknown[] | undefined,
): Promise<pg.QueryResult> {
  const client = await pool.connect();
  let broken: Error | undefined;
  const breaks = (error: Error) => {
    broken = error;
  };
  client.on('error', breaks);
  try {
    return await client.query(statement, values);
  } catch (error) {
    if (!isAnswer(error)) broken = error instanceof Error ? error : new Error(String(error));
    throw error;
  } finally {
    client.off('error', breaks);
    client.release(broken);
  }
}

/** The server has refused one statement and waits for the next; after FATAL it has closed the connection. */
function isAnswer(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.severity === 'ERROR';
}
