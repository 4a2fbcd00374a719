// Streams: what was decided about them, what the media nodes say of them, and what was said in them.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { id, oneOf } from './columns.ts';
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
    state: text({ enum: ['created', 'starting', 'live', 'ended'] })
      .notNull()
      .default('created'),
    endReason: text('end_reason', {
      enum: ['performer', 'staff', 'media-lost', 'never-started'],
    }),
    idempotencyKey: text('idempotency_key').notNull(),
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
    index('streams_live').on(t.id.desc()).where(sql`${t.state} = 'live'`),
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
    publishing: boolean().notNull().default(false),
    /** When a node last said that the publisher's media flows. */
    publishingSeenAt: timestamp('publishing_seen_at', { withTimezone: true }),
    videoCodec: text('video_codec', { enum: ['H264', 'VP8'] }),
    viewers: integer().notNull().default(0),
    transcoderId: text('transcoder_id'),
    transcoderUrl: text('transcoder_url'),
    transcodeLeaseUntil: timestamp('transcode_lease_until', { withTimezone: true }),
    transcodeState: text('transcode_state', { enum: ['starting', 'ready', 'stalled'] }),
    thumbnailUrl: text('thumbnail_url'),
  },
  (t) => [index('stream_media_publishing').on(t.streamId).where(sql`${t.publishing}`)],
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
