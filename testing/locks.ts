// Locks that somebody else holds, for tests of who waits for whom.
import pg from 'pg';
import { vi } from 'vitest';
import type { OwnedDatabase } from './database.ts';

const waitingTimeoutMs = 10_000;

/** Somebody else's transaction, which is undone when they leave. */
export async function somebodyElse({ ownerUrl }: OwnedDatabase): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  await client.query('begin');
  return client;
}

/** Until an act waits for a lock; one that ends without is a failure. */
export async function waits(database: OwnedDatabase, act: Promise<unknown>): Promise<void> {
  const waiting = `select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'`;
  const ended = act.then(() => {
    throw new Error('it has waited for nobody');
  });
  await Promise.race([
    ended,
    vi.waitUntil(async () => (await database.asOwner(waiting)).length > 0, waitingTimeoutMs),
  ]);
}
