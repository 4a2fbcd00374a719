// The relay: publishes what was stored and not told, and marks what was told.
import {
  listUnpublished,
  listUnpublishedRevocations,
  markPublished,
  markRevocationsPublished,
} from '#db';
import type { Deps } from '../deps.ts';

/** Younger events are still on their way from the request that stored them. */
const settleMs = 1_500;
const batchMax = 500;
/** A round that has more to tell goes on with the next one. */
const roundMsMax = 20_000;

type RelayDeps = Pick<Deps, 'db' | 'publisher' | 'log'>;

/** One round. Answers how many events had to be told again. */
export async function relayEvents(
  deps: RelayDeps,
): Promise<{ republished: number; marked: number }> {
  const deadline = Date.now() + roundMsMax;
  await relayRevocations(deps);
  const result = { republished: 0, marked: 0 };
  for (;;) {
    const batch = await relayBatch(deps);
    result.republished += batch.republished;
    result.marked += batch.marked;
    if (batch.marked < batchMax || Date.now() > deadline) break;
  }
  if (result.republished > 0) deps.log.info('events published late', result);
  return result;
}

/** Media nodes hear of them by their reports as well; this is the quicker way. */
async function relayRevocations(deps: RelayDeps): Promise<void> {
  const untold = await listUnpublishedRevocations(deps.db);
  if (untold.length === 0 || !(await deps.publisher.revoke(untold))) return;
  await markRevocationsPublished(
    deps.db,
    untold.map(({ number }) => number),
  );
}

async function relayBatch(deps: RelayDeps): Promise<{ republished: number; marked: number }> {
  const events = await listUnpublished(deps.db, { olderThanMs: settleMs, limit: batchMax });
  if (events.length === 0) return { republished: 0, marked: 0 };
  const ids = events.map((event) => event.id);
  // Throws while Redis is away: nothing is marked, and the next round begins with the same events.
  const told = await deps.publisher.published(ids);
  const missed = events.filter((event) => !told.has(event.id));
  await deps.publisher.publish(missed);
  const now = missed.length > 0 ? await deps.publisher.published(ids) : told;
  const marked = ids.filter((id) => now.has(id));
  await markPublished(deps.db, marked);
  await deps.publisher.forget(marked);
  return { republished: missed.length, marked: marked.length };
}
