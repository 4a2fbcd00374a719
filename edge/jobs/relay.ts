// The relay: publishes what was stored and not told, and marks what was told.
import { listUnpublished, markPublished } from '#db';
import type { Deps } from '../deps.ts';

/** Younger events are still on their way from the request that stored them. */
const settleMs = 1_500;
const batchMax = 500;

/** One round. Answers how many events had to be told again. */
export async function relayEvents(
  deps: Pick<Deps, 'db' | 'publisher' | 'log'>,
): Promise<{ republished: number; marked: number }> {
  const events = await listUnpublished(deps.db, { olderThanMs: settleMs, limit: batchMax });
  if (events.length === 0) return { republished: 0, marked: 0 };
  const ids = events.map((event) => event.id);
  // Throws while Redis is away: nothing is marked, and the next round begins with the same events.
  const told = await deps.publisher.published(ids);
  const missed = events.filter((event) => !told.has(event.id));
  await deps.publisher.publish(missed);
  const now = await deps.publisher.published(ids);
  const marked = ids.filter((id) => now.has(id));
  await markPublished(deps.db, marked);
  await deps.publisher.forget(marked);
  if (missed.length > 0) deps.log.info('events published late', { count: missed.length });
  return { republished: missed.length, marked: marked.length };
}
