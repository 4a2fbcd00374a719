// Connections over Neon's HTTP protocol, for Workers, which keep no sockets.
import { neon, neonConfig } from '@neondatabase/serverless';
import { DrizzleQueryError } from 'drizzle-orm/errors';
import { drizzle } from 'drizzle-orm/neon-http';
import type { Db } from './connect.ts';
import type { ReadStatement, Reads, ReadValues } from './reads.ts';
import * as schema from './schema/index.ts';

/** A little longer than the server lets a statement run. */
const answerTimeoutMs = 6_000;

/** One HTTP request per read, for Workers. */
export function connectNeonReads(url: string): Reads {
  const sql = neon(url, { arrayMode: true });

  async function one({ name, text }: ReadStatement, values: ReadValues): Promise<string> {
    try {
      const rows = await sql.query(text, [...values]);
      const value: unknown = Array.isArray(rows[0]) ? rows[0][0] : undefined;
      if (typeof value !== 'string') throw new Error(`"${name}" has answered no text`);
      return value;
    } catch (error) {
      throw new DrizzleQueryError(text, [], error instanceof Error ? error : undefined);
    }
  }

  // In a Worker no request may wait for what another one has asked.
  return { one, shared: one };
}

/** One HTTP request per query, for Workers. `fetchEndpoint` points it at a local stand-in. */
export function connectNeon(url: string, options: { fetchEndpoint?: string } = {}): Db {
  if (options.fetchEndpoint) neonConfig.fetchEndpoint = options.fetchEndpoint;
  neonConfig.fetchFunction = (url: string, init: RequestInit) =>
    fetch(url, { ...init, signal: AbortSignal.timeout(answerTimeoutMs) });
  return drizzle({ client: neon(url), schema });
}
