// Connections over Neon's HTTP protocol, for Workers, which keep no sockets.
import { neon, neonConfig } from '@neondatabase/serverless';
import { drizzle } from 'drizzle-orm/neon-http';
import type { Db } from './connect.ts';
import * as schema from './schema/index.ts';

/** One HTTP request per query, for Workers. `fetchEndpoint` points it at a local stand-in. */
export function connectNeon(url: string, options: { fetchEndpoint?: string } = {}): Db {
  if (options.fetchEndpoint) neonConfig.fetchEndpoint = options.fetchEndpoint;
  return drizzle({ client: neon(url), schema });
}
