// Connections over Neon's HTTP protocol, for Workers, which keep no sockets.
import { neon, neonConfig } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';
import type { Db } from './connect.ts';
import * as schema from './schema/index.ts';

/** A little longer than the server lets a statement run. */
const answerTimeoutMs = 6_000;

/** One HTTP request per query, for Workers. `fetchEndpoint` points it at a local stand-in. */
export function connectNeon(url: string, options: { fetchEndpoint?: string } = {}): Db {
  if (options.fetchEndpoint) neonConfig.fetchEndpoint = options.fetchEndpoint;
  neonConfig.fetchFunction = (url: string, init: RequestInit) =>
    fetch(url, { ...init, signal: AbortSignal.timeout(answerTimeoutMs) });
  return drizzle({ client: neon(url), schema });
}
