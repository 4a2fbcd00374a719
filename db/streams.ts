// Streams: creating, reading, listing, and changes of state with their events.
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import {
  Id,
  RoomEvent,
  type StreamCategory,
  type StreamEndReason,
  type StreamState,
} from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { streamMedia, streams, users } from './schema/index.ts';

/** A stream with its performer and the newest facts about its media. */
export interface StreamRow {
  id: string;
  title: string;
  category: string;
  state: StreamState;
  endReason: StreamEndReason | null;
  createdAt: Date;
  startedAt: Date | null;
  endedAt: Date | null;
  performerId: string;
  performerName: string;
  viewers: number | null;
  thumbnailUrl: string | null;
  nodeId: string | null;
  nodeUrl: string | null;
  publishing: boolean | null;
  transcoderUrl: string | null;
  transcodeState: 'starting' | 'ready' | 'stalled' | null;
}

const columns = {
  id: streams.id,
  title: streams.title,
  category: streams.category,
  state: streams.state,
  endReason: streams.endReason,
  createdAt: streams.createdAt,
  startedAt: streams.startedAt,
  endedAt: streams.endedAt,
  performerId: streams.performerId,
  performerName: users.username,
  viewers: streamMedia.viewers,
  thumbnailUrl: streamMedia.thumbnailUrl,
  nodeId: streamMedia.nodeId,
  nodeUrl: streamMedia.nodeUrl,
  publishing: streamMedia.publishing,
  transcoderUrl: streamMedia.transcoderUrl,
  /** A transcoder whose lease has run out is gone, whatever it said last. */
  transcodeState: sql<StreamRow['transcodeState']>`
    case when ${streamMedia.transcodeLeaseUntil} > now() then ${streamMedia.transcodeState} end`,
};

function selectStreams(db: Db) {
  return db
    .select(columns)
    .from(streams)
    .innerJoin(users, eq(users.id, streams.performerId))
    .leftJoin(streamMedia, eq(streamMedia.streamId, streams.id));
}

/**
 * Adds a stream; the same key of the same performer gives the same stream back.
 * Refuses `idempotency-key-reused` when the key stands for another one, and `account-banned`.
 */
export async function createStream(
  db: Db,
  stream: { performerId: string; title: string; category: StreamCategory; idempotencyKey: string },
): Promise<string> {
  return callFunction(
    db,
    sql`select to_jsonb(create_stream(${stream.performerId}, ${stream.title}, ${stream.category},
      ${stream.idempotencyKey})) as result`,
    Id,
  );
}

export async function findStream(db: Db, streamId: string): Promise<StreamRow | null> {
  const [row] = await selectStreams(db).where(eq(streams.id, streamId)).limit(1);
  return row ?? null;
}

/** Live streams, newest first; `before` is the id of the last one on the page before. */
export async function listLiveStreams(
  db: Db,
  page: { category?: StreamCategory | undefined; before?: string | undefined; limit: number },
): Promise<StreamRow[]> {
  return selectStreams(db)
    .where(
      and(
        eq(streams.state, 'live'),
        page.category ? eq(streams.category, page.category) : undefined,
        page.before ? lt(streams.id, page.before) : undefined,
      ),
    )
    .orderBy(desc(streams.id))
    .limit(page.limit);
}

/** One performer's streams in any state, newest first. */
export async function listStreamsOf(
  db: Db,
  performerId: string,
  page: { before?: string | undefined; limit: number },
): Promise<StreamRow[]> {
  return selectStreams(db)
    .where(
      and(
        eq(streams.performerId, performerId),
        page.before ? lt(streams.id, page.before) : undefined,
      ),
    )
    .orderBy(desc(streams.id))
    .limit(page.limit);
}

/**
 * Takes a stream to another state; the event is stored with it. Null when it was there already.
 * Refuses `not-found`, `stream-ended`, `invalid-transition`, `stream-limit`.
 */
export async function transitionStream(
  db: Db,
  streamId: string,
  to: StreamState,
  reason: StreamEndReason | null = null,
): Promise<RoomEvent | null> {
  return callFunction(
    db,
    sql`select transition_stream(${streamId}, ${to}, ${reason}) as result`,
    RoomEvent.nullable(),
  );
}

/**
 * Ends streams whose media is gone, or never came; answers the events to publish. The silence of a
 * node in `livingNodes` is not taken for lost media: its reports cannot get through.
 */
export async function endLostStreams(
  db: Db,
  grace: { mediaSeconds: number; startSeconds: number },
  livingNodes: readonly string[],
): Promise<RoomEvent[]> {
  return callFunction(
    db,
    sql`select end_lost_streams(
      make_interval(secs => ${grace.mediaSeconds}),
      make_interval(secs => ${grace.startSeconds}),
      array(select jsonb_array_elements_text(${JSON.stringify(livingNodes)}::jsonb))) as result`,
    RoomEvent.array(),
  );
}
