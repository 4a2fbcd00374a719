// Neon's `POST /sql`: one query, or several in one transaction, as JSON in and JSON out.
import type { IncomingHttpHeaders } from 'node:http';
import pg from 'pg';
import { z } from 'zod';
import { type Login, parseLogin, sameLogin } from './login.ts';

const batchQueriesMax = 500;
/** Requests that may wait for a connection; a further one is refused. */
const waitingRequestsMax = 500;

const Query = z.object({
  query: z.string(),
  params: z.array(z.union([z.string(), z.number(), z.boolean(), z.null()])).default([]),
});
const Batch = z.object({ queries: z.array(Query).max(batchQueriesMax) });
const Body = z.union([Batch, Query]);

const isolationLevels: Record<string, string> = {
  ReadUncommitted: 'READ UNCOMMITTED',
  ReadCommitted: 'READ COMMITTED',
  RepeatableRead: 'REPEATABLE READ',
  Serializable: 'SERIALIZABLE',
};

export interface SqlAnswer {
  status: number;
  body: unknown;
}

type Q = z.infer<typeof Query>;

/** Answers requests of Neon's HTTP protocol out of `pool`, for clients that present `login`. */
export function createSqlEndpoint(pool: pg.Pool, login: Login) {
  return async function answer(headers: IncomingHttpHeaders, text: string): Promise<SqlAnswer> {
    const header = (name: string) => {
      const value = headers[name];
      return typeof value === 'string' ? value : undefined;
    };
    const given = parseLogin(header('neon-connection-string') ?? '');
    if (!given) return refusal('invalid connection string', '08001');
    if (!sameLogin(given, login)) {
      return refusal(`password authentication failed for user '${given.user}'`, '28P01');
    }

    let body: z.infer<typeof Body>;
    try {
      body = Body.parse(JSON.parse(text));
    } catch {
      return refusal('the body is not a query of this protocol', '08P01');
    }
    if (pool.waitingCount >= waitingRequestsMax) {
      return { status: 429, body: { message: 'too many requests are waiting for a connection' } };
    }

    const form = {
      arrayMode: header('neon-array-mode') === 'true',
      rawText: header('neon-raw-text-output') === 'true',
    };
    let client: pg.PoolClient;
    try {
      client = await pool.connect();
    } catch (error) {
      return failure(error);
    }
    let broken = false;
    try {
      if (!('queries' in body)) {
        const result = await runQuery(client, body, form);
        // Session state must not travel to the next request: Neon's connections are shared, too.
        broken = client.getTransactionStatus() !== 'I' || result.command === 'SET';
        return { status: 200, body: result };
      }
      const begin = beginStatement(header);
      if (begin === null) return refusal('unknown isolation level', '22023');
      await client.query(begin);
      const results = [];
      for (const query of body.queries) results.push(await runQuery(client, query, form));
      await client.query('COMMIT');
      return { status: 200, body: { results } };
    } catch (error) {
      // A connection whose query failed is thrown away when it is in a transaction or lost.
      broken = !(error instanceof pg.DatabaseError) || client.getTransactionStatus() !== 'I';
      return failure(error);
    } finally {
      client.release(broken);
    }
  };
}

async function runQuery(
  client: pg.PoolClient,
  query: Q,
  form: { arrayMode: boolean; rawText: boolean },
) {
  const result = await client.query({
    text: query.query,
    values: query.params,
    // Neon prepares every statement, so a text of several statements is an error there as well.
    queryMode: 'extended',
    ...(form.arrayMode ? { rowMode: 'array' } : {}),
    ...(form.rawText ? { types: { getTypeParser: () => (value: unknown) => value } } : {}),
  } as pg.QueryConfig);
  return {
    command: result.command,
    rowCount: result.rowCount,
    fields: result.fields,
    rows: result.rows,
    rowAsArray: form.arrayMode,
  };
}

function beginStatement(header: (name: string) => string | undefined): string | null {
  const parts = ['BEGIN'];
  const level = header('neon-batch-isolation-level');
  if (level !== undefined) {
    const words = isolationLevels[level];
    if (!words) return null;
    parts.push(`ISOLATION LEVEL ${words}`);
  }
  if (header('neon-batch-read-only') === 'true') parts.push('READ ONLY');
  if (header('neon-batch-deferrable') === 'true') parts.push('DEFERRABLE');
  return parts.join(' ');
}

/** A refusal in the shape that the driver turns into a `NeonDbError` with a code. */
function refusal(message: string, code: string): SqlAnswer {
  return { status: 400, body: { message, code, severity: 'ERROR' } };
}

function failure(error: unknown): SqlAnswer {
  if (!(error instanceof pg.DatabaseError)) {
    // The database is away: not an error of the query, so not a 400.
    const message = error instanceof Error ? error.message : String(error);
    return { status: 503, body: { message: `the database cannot be reached: ${message}` } };
  }
  return {
    status: 400,
    body: {
      message: error.message,
      severity: error.severity,
      code: error.code,
      detail: error.detail,
      hint: error.hint,
      position: error.position,
      internalPosition: error.internalPosition,
      internalQuery: error.internalQuery,
      where: error.where,
      schema: error.schema,
      table: error.table,
      column: error.column,
      dataType: error.dataType,
      constraint: error.constraint,
      file: error.file,
      line: error.line,
      routine: error.routine,
    },
  };
}
