// Streams: what is said of them, who may watch, talk and keep order, and changes of state with their events.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  type CreateStreamBody,
  type EditStreamBody,
  MediaHold,
  Revocation,
  RoomEvent,
  StageGuestState,
  Stream,
  type StreamEndReason,
  type StreamState,
} from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** What is not said of a new stream. */
const unsaid = {
  tags: [],
  language: null,
  contentClass: 'general',
  visibility: 'public',
  entryTokens: null,
  scheduledAt: null,
} satisfies Partial<CreateStreamBody>;

/**
 * Adds a stream; the same key of the same performer gives the same one back, as it is now.
 * Refuses `idempotency-key-reused` when the key stands for another one, and `account-banned`.
 */
export async function createStream(
  db: Db,
  performerId: string,
  stream: CreateStreamBody,
  idempotencyKey: string,
): Promise<Stream> {
  const said = JSON.stringify({ ...unsaid, ...stream });
  return callFunction(
    db,
    sql`select create_stream(${performerId}, ${said}::jsonb, ${idempotencyKey}) as result`,
    Stream,
  );
}

/**
 * Changes what a performer says of their stream. Answers it, and what is revoked: where it is for fewer than before,
 * all who watch must show again that they may. Refuses `not-found`, `forbidden`, `stream-ended`,
 * `precondition-failed`, `entries-sold`, `invalid-request`.
 */
export async function editStream(
  db: Db,
  edit: { streamId: string; performerId: string; version: number; changes: EditStreamBody },
): Promise<{ stream: Stream; revocations: Revocation[] }> {
  return callFunction(
    db,
    sql`select edit_stream(${edit.streamId}, ${edit.performerId}, ${edit.version},
      ${JSON.stringify(edit.changes)}::jsonb) as result`,
    z.object({ stream: Stream, revocations: Revocation.array() }),
  );
}

export async function findStream(db: Db, streamId: string): Promise<Stream | null> {
  return callFunction(db, sql`select stream_of(${streamId}) as result`, Stream.nullable());
}

const WatchFacts = z.object({
  stream: Stream,
  /** Where its media is; each null until a node has it. */
  place: z.object({
    nodeId: z.string().nullable(),
    nodeUrl: z.string().nullable(),
    /** Null unless a transcoder serves it now. */
    transcoderUrl: z.string().nullable(),
  }),
  follows: z.boolean(),
  moderates: z.boolean(),
  /** Has an entry. */
  entered: z.boolean(),
  /** How the viewer stands to its stage; null for who was not invited. */
  stage: StageGuestState.nullable(),
  /** What is kept from everybody of that which the viewer publishes in it. */
  held: MediaHold,
  /** Blocked by its performer, or banned from their rooms. */
  shunned: z.boolean(),
  silenced: z.boolean(),
  /** Not to be seen where the viewer is. */
  hidden: z.boolean(),
});
/** Everything by which it is decided what a viewer may do in a stream's room. */
export type WatchFacts = z.infer<typeof WatchFacts>;

/** `viewerId` is null for a guest; `countries` are those that the viewer is known to be in. Null: no such stream. */
export async function readWatchFacts(
  db: Db,
  of: { streamId: string; viewerId: string | null; countries: readonly string[] },
): Promise<WatchFacts | null> {
  return callFunction(
    db,
    sql`select watch_facts(${of.streamId}, ${of.viewerId},
      array(select jsonb_array_elements_text(${JSON.stringify(of.countries)}::jsonb))) as result`,
    WatchFacts.nullable(),
  );
}

/** One performer's streams in any state, newest first. */
export async function listStreamsOf(
  db: Db,
  performerId: string,
  page: { before?: string | undefined; limit: number },
): Promise<Stream[]> {
  return callFunction(
    db,
    sql`select streams_of(${performerId}, ${page.before ?? null}, ${page.limit}) as result`,
    Stream.array(),
  );
}

/** Live streams of every kind, newest first. */
export async function listEveryLive(
  db: Db,
  page: { before?: string | undefined; limit: number },
): Promise<Stream[]> {
  return callFunction(
    db,
    sql`select every_live(${page.before ?? null}, ${page.limit}) as result`,
    Stream.array(),
  );
}

/** From which age on people of a country are adults. */
export async function readAdultYears(db: Db, country: string): Promise<number> {
  return callFunction(db, sql`select to_jsonb(adult_years_of(${country})) as result`, z.int());
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
