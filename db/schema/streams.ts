// Streams: what was decided about them, what the media nodes say of them, and what was said in them.
import { type SQL, sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { contentClasses, visibilities } from '#contract';
import { bytes, createdAt, id, moment, oneOf, positive, quantity, searchWords } from './columns.ts';
import { users } from './people.ts';

export const streams = pgTable(
  'streams',
  {
    id: id(),
    performerId: uuid('performer_id')
      .notNull()
      .references(() => users.id),
    title: text().notNull(),
    category: text().notNull(),
    tags: text().array().notNull().default(sql`'{}'`),
    /** ISO 639-1; null when it is not said. */
    language: text(),
    contentClass: text('content_class', { enum: contentClasses }).notNull().default('general'),
    visibility: text({ enum: visibilities }).notNull().default('public'),
    /** What an entry to a ticketed stream costs; null for all others. */
    entryTokens: positive('entry_tokens'),
    /** When it is announced to begin. */
    scheduledAt: moment('scheduled_at'),
    /** Counts the changes of what its performer says of it. */
    version: integer().notNull().default(1),
    search: searchWords('search').generatedAlwaysAs(
      (): SQL =>
        sql`setweight(to_tsvector('simple'::regconfig, ${streams.title}), 'A') || setweight(array_to_tsvector(${streams.tags}), 'B')`,
    ),
    state: text({ enum: ['created', 'starting', 'live', 'ended'] })
      .notNull()
      .default('created'),
    endReason: text('end_reason', {
      enum: ['performer', 'staff', 'media-lost', 'never-started'],
    }),
    idempotencyKey: text('idempotency_key').notNull(),
    /** Of what was asked for with that key; null for streams of before. */
    fingerprint: text(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    /** When it entered its present state. */
    stateSince: timestamp('state_since', { withTimezone: true }).notNull().defaultNow(),
    startedAt: timestamp('started_at', { withTimezone: true }),
    endedAt: timestamp('ended_at', { withTimezone: true }),
  },
  (t) => [
    oneOf('streams_state_known', t.state, ['created', 'starting', 'live', 'ended']),
    uniqueIndex('streams_idempotency_key').on(t.performerId, t.idempotencyKey),
    uniqueIndex('streams_one_on_air')
      .on(t.performerId)
      .where(sql`${t.state} in ('starting', 'live')`),
    oneOf('streams_content_class_known', t.contentClass, contentClasses),
    oneOf('streams_visibility_known', t.visibility, visibilities),
    check(
      'streams_entry_of_ticketed',
      sql`(${t.entryTokens} is not null) = (${t.visibility} = 'ticketed')`,
    ),
    check('streams_tags_few', sql`cardinality(${t.tags}) <= 10`),
    index('streams_live').on(t.id.desc()).where(sql`${t.state} = 'live'`),
    index('streams_newest')
      .on(t.startedAt.desc(), t.id.desc())
      .where(sql`${t.state} = 'live' and ${t.visibility} = 'public'`),
    index('streams_upcoming').on(t.scheduledAt).where(sql`${t.state} = 'created'`),
    index('streams_search').using('gin', t.search),
    index('streams_tags').using('gin', t.tags),
    index('streams_performer').on(t.performerId, t.createdAt.desc()),
  ],
);

/** Facts reported by SFU nodes and transcoders; overwritten every few seconds, never decided upon by them. */
export const streamMedia = pgTable(
  'stream_media',
  {
    streamId: uuid('stream_id')
      .primaryKey()
      .references(() => streams.id, { onDelete: 'cascade' }),
    nodeId: text('node_id').notNull(),
    nodeUrl: text('node_url').notNull(),
    /** When the stream was last given to a node; another one that still publishes does not take it back at once. */
    placedAt: moment('placed_at').notNull().default(sql`now()`),
    publishing: boolean().notNull().default(false),
    /** When a node last said that the publisher's media flows. */
    publishingSeenAt: timestamp('publishing_seen_at', { withTimezone: true }),
    videoCodec: text('video_codec', { enum: ['H264', 'VP8', 'VP9', 'AV1'] }),
    viewers: integer().notNull().default(0),
    /** Those who watch, over all nodes and both ways of watching, each once; as it was last counted. */
    audience: integer().notNull().default(0),
    audienceMost: integer('audience_most').notNull().default(0),
    countedAt: moment('counted_at'),
    /** What it was tipped since it began, as it was last counted; zero when it has ended. */
    tippedTokens: quantity('tipped_tokens').notNull().default(0),
    transcoderId: text('transcoder_id'),
    transcoderUrl: text('transcoder_url'),
    transcodeLeaseUntil: timestamp('transcode_lease_until', { withTimezone: true }),
    transcodeState: text('transcode_state', { enum: ['starting', 'ready', 'stalled'] }),
    thumbnailUrl: text('thumbnail_url'),
  },
  (t) => [
    index('stream_media_publishing').on(t.streamId).where(sql`${t.publishing}`),
    index('stream_media_audience')
      .on(t.audience.desc(), t.streamId.desc())
      .where(sql`${t.audience} > 0`),
    index('stream_media_tipped')
      .on(t.tippedTokens.desc(), t.streamId.desc())
      .where(sql`${t.tippedTokens} > 0`),
  ],
);

export const chatMessages = pgTable(
  'chat_messages',
  {
    id: id(),
    streamId: uuid('stream_id').notNull(),
    userId: uuid('user_id').notNull(),
    body: text().notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    eventId: bigint('event_id', { mode: 'number' }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    uniqueIndex('chat_messages_idempotency_key').on(t.userId, t.idempotencyKey),
    index('chat_messages_stream').on(t.streamId, t.createdAt),
  ],
);

/**
 * The outbox and the history of every room in one: written in the transaction of what it tells,
 * published after, and published again by the relay where that failed.
 */
export const events = pgTable(
  'events',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    streamId: uuid('stream_id').notNull(),
    type: text().notNull(),
    data: jsonb().notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    publishedAt: timestamp('published_at', { withTimezone: true }),
  },
  (t) => [
    index('events_stream').on(t.streamId, t.id),
    index('events_unpublished').on(t.id).where(sql`${t.publishedAt} is null`),
  ],
);

/** Of rows about a person and a stream, which go with either. */
function personInStream() {
  return {
    streamId: uuid('stream_id')
      .notNull()
      .references(() => streams.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
  };
}

/** Who may keep order in a stream beside its performer. */
export const streamModerators = pgTable(
  'stream_moderators',
  {
    ...personInStream(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.streamId, t.userId] }),
    index('stream_moderators_user').on(t.userId),
  ],
);

const stageGuestStates = ['invited', 'joined'] as const;

/** Whom the performer of a stream has invited to publish beside them. */
export const stageGuests = pgTable(
  'stage_guests',
  {
    ...personInStream(),
    state: text({ enum: stageGuestStates }).notNull().default('invited'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.streamId, t.userId] }),
    oneOf('stage_guests_state_known', t.state, stageGuestStates),
    index('stage_guests_user').on(t.userId),
  ],
);

const mediaHolders = ['host', 'staff'] as const;

/** What is kept from everybody of that which somebody publishes: by the host of the stage, or by staff. */
export const mediaHolds = pgTable(
  'media_holds',
  {
    ...personInStream(),
    holder: text({ enum: mediaHolders }).notNull(),
    sound: boolean().notNull(),
    picture: boolean().notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.streamId, t.userId, t.holder] }),
    oneOf('media_holds_holder_known', t.holder, mediaHolders),
    check('media_holds_something', sql`${t.sound} or ${t.picture}`),
    index('media_holds_user').on(t.userId),
  ],
);

/** Who may enter a ticketed stream: whoever has paid, or was let in by its performer. */
export const streamEntries = pgTable(
  'stream_entries',
  {
    ...personInStream(),
    /** The tokens that are set aside for it until the stream is live; null for a gift. */
    reservationId: uuid('reservation_id'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.streamId, t.userId] }),
    index('stream_entries_user').on(t.userId),
  ],
);

/** Whoever may not chat in, or not enter, the streams of a performer for a while. */
export const roomBans = pgTable(
  'room_bans',
  {
    performerId: uuid('performer_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    kind: text({ enum: ['silenced', 'banned'] }).notNull(),
    by: uuid().notNull(),
    until: moment('until'),
    createdAt: createdAt(),
  },
  (t) => [
    primaryKey({ columns: [t.performerId, t.userId] }),
    oneOf('room_bans_kind_known', t.kind, ['silenced', 'banned']),
  ],
);

/** Audiences that a stream was led to when it ended. */
export const raids = pgTable('raids', {
  fromStreamId: uuid('from_stream_id')
    .primaryKey()
    .references(() => streams.id, { onDelete: 'cascade' }),
  toStreamId: uuid('to_stream_id')
    .notNull()
    .references(() => streams.id, { onDelete: 'cascade' }),
  createdAt: createdAt(),
});

/** Keys of encoders; only a hash is kept. */
export const streamKeys = pgTable(
  'stream_keys',
  {
    id: id(),
    performerId: uuid('performer_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    hash: bytes().notNull().unique('stream_keys_hash'),
    /** Its last characters, by which its owner knows it. */
    hint: text().notNull(),
    scopes: text().array().notNull(),
    createdAt: createdAt(),
    lastUsedAt: moment('last_used_at'),
    revokedAt: moment('revoked_at'),
  },
  (t) => [index('stream_keys_performer').on(t.performerId)],
);
