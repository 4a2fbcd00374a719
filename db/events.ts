// Events: the outbox of every room, and the history from which a client catches up.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { RoomEvent, roomEventsPageMax } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/**
 * Ids are given before commit, so an event may appear after one with a greater id. A replay therefore
 * starts this much before the client's last event; it is longer than any statement may run.
 */
const replayOverlapSeconds = 10;

const EventPage = z.object({ found: z.boolean(), events: z.array(RoomEvent), more: z.boolean() });

/**
 * Events of a room after one of them, oldest first; without `after` the newest page. `more` says that
 * the page does not hold all that came after. `found` is false for an unknown stream.
 */
export async function listRoomEvents(
  db: Db,
  streamId: string,
  after: number | null,
): Promise<z.infer<typeof EventPage>> {
  return callFunction(
    db,
    sql`with newest as (
        select e.* from events e
          where e.stream_id = ${streamId} and e.id > coalesce(${after}::bigint, 0)
          order by e.id desc limit ${roomEventsPageMax + 1}
      ), before as (
        select e.* from events e
          where e.stream_id = ${streamId} and e.id <= ${after}::bigint
          order by e.id desc limit ${roomEventsPageMax}
      ), overlap as (
        select e.* from before e
          where e.created_at > (select seen.created_at - make_interval(secs => ${replayOverlapSeconds})
              from events seen where seen.id = ${after}::bigint)
      ), page as (
        (select * from newest order by id desc limit ${roomEventsPageMax})
        union all select * from overlap
      )
      select jsonb_build_object(
        'found', exists (select from streams where id = ${streamId}),
        'events', (select coalesce(jsonb_agg(event_json(page::events) order by id), '[]') from page),
        'more', (select count(*) > ${roomEventsPageMax} from newest)) as result`,
    EventPage,
  );
}

/** A chat line; the same key gives the same line back. Refuses `not-found`, `stream-not-live`. */
export async function postMessage(
  db: Db,
  message: { streamId: string; userId: string; body: string; idempotencyKey: string },
): Promise<{ event: RoomEvent; replayed: boolean }> {
  const result = await callFunction(
    db,
    sql`select post_message(
      ${message.streamId}, ${message.userId}, ${message.body}, ${message.idempotencyKey}) as result`,
    z.looseObject({ replayed: z.boolean().optional() }),
  );
  return { event: RoomEvent.parse(result), replayed: result.replayed ?? false };
}

/** As much of an event as publishing needs; a newer version may have written kinds unknown here. */
export const StoredEvent = z.looseObject({ id: z.int(), streamId: z.uuid() });
export type StoredEvent = z.infer<typeof StoredEvent>;

/** Events that were stored a while ago and not yet marked as published, oldest first. */
export async function listUnpublished(
  db: Db,
  page: { olderThanMs: number; limit: number },
): Promise<StoredEvent[]> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(event_json(e::events) order by e.id), '[]') as result from (
      select * from events
        where published_at is null
          and created_at < clock_timestamp() - make_interval(secs => ${page.olderThanMs / 1000})
        order by id limit ${page.limit}) e`,
    StoredEvent.array(),
  );
}

export async function markPublished(db: Db, eventIds: readonly number[]): Promise<void> {
  if (eventIds.length === 0) return;
  await db.execute(sql`
    update events set published_at = now()
      where published_at is null
        and id in (select value::bigint from jsonb_array_elements_text(${JSON.stringify(eventIds)}::jsonb))`);
}
