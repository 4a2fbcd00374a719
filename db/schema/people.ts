// People: accounts, their log-in sessions, and what was ended before its time.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  date,
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
import { type MediaHold, roles } from '#contract';
import { bytes, createdAt, id, moment, oneOf } from './columns.ts';

/** Who is told of as somebody; a session ends, or its tokens become stale, for one of these reasons. */
const endings = [
  'logout',
  'other-device',
  'ban',
  'replay',
  'password',
  'factor',
  'closed',
  'erased',
] as const;

export const users = pgTable(
  'users',
  {
    id: id(),
    email: text().notNull().unique('users_email_key'),
    username: text().notNull(),
    passwordHash: text('password_hash').notNull(),
    dateOfBirth: date('date_of_birth', { mode: 'string' }).notNull(),
    country: text().notNull(),
    role: text({ enum: roles }).notNull().default('viewer'),
    /** Null until the person has shown that the mailbox is theirs. */
    emailVerifiedAt: moment('email_verified_at'),
    /** Null while they have the name that they began with. */
    usernameChangedAt: moment('username_changed_at'),
    passwordChangedAt: moment('password_changed_at').notNull().defaultNow(),
    /** Since when the account may do nothing; null while it may. */
    bannedAt: timestamp('banned_at', { withTimezone: true }),
    /** When the account is to be erased, because its person asked for it. */
    eraseAt: moment('erase_at'),
    /** Since when nothing of the person is left. */
    erasedAt: moment('erased_at'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    // Two names that differ only in case are the same name.
    uniqueIndex('users_username_key').on(sql`lower(${t.username})`),
    // For names that begin with what somebody looks for.
    index('users_username_prefix').on(sql`lower(${t.username}) text_pattern_ops`),
    oneOf('users_role_known', t.role, roles),
    index('users_erase_at').on(t.eraseAt).where(sql`${t.erasedAt} is null`),
  ],
);

/** Names that people had before, which nobody else gets for a while. */
export const formerUsernames = pgTable(
  'former_usernames',
  {
    /** In lower case. */
    name: text().primaryKey(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    keptUntil: moment('kept_until').notNull(),
  },
  (t) => [index('former_usernames_user').on(t.userId)],
);

/** What a role may do; the functions keep it as the contract says. */
export const rolePermissions = pgTable(
  'role_permissions',
  { role: text({ enum: roles }).notNull(), permission: text().notNull() },
  (t) => [primaryKey({ columns: [t.role, t.permission] })],
);

/** One log-in on one device; its refresh tokens form a family that dies together. */
export const sessions = pgTable(
  'sessions',
  {
    id: id(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp('expires_at', { withTimezone: true }).notNull(),
    /** What the device calls itself, shortened. */
    device: text().notNull().default(''),
    /** How its person has shown who they are: `password`, `totp`, `recovery-code`, `passkey`, `mail`. */
    methods: text().array().notNull().default(sql`'{password}'`),
    /** When a second factor, or a passkey, was last shown; null when never. */
    secondFactorAt: moment('second_factor_at'),
    /** A keyed hash of the address it was opened from: equal ones can be seen, none can be read. */
    addressHash: text('address_hash'),
    /** How often its refresh token was replaced, and when last. */
    generation: integer().notNull().default(0),
    rotatedAt: timestamp('rotated_at', { withTimezone: true }).notNull().defaultNow(),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
    endedFor: text('ended_for', { enum: endings }),
  },
  (t) => [
    index('sessions_user_id').on(t.userId),
    index('sessions_address_hash').on(t.addressHash),
    oneOf('sessions_ending_known', t.endedFor, endings),
    check('sessions_device_short', sql`length(${t.device}) <= 80`),
  ],
);

/** Only the SHA-256 of a refresh token is kept. */
export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    hash: bytes().primaryKey(),
    sessionId: uuid('session_id')
      .notNull()
      .references(() => sessions.id, { onDelete: 'cascade' }),
    /** Of the session when it was made; the newest two are of interest. */
    generation: integer().notNull().default(0),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
    /** When it was first exchanged for the next one. */
    usedAt: moment('used_at'),
  },
  (t) => [index('refresh_tokens_session_id').on(t.sessionId)],
);

const revocationKinds = ['session', 'user', 'viewer', 'stream', 'hold'] as const;

/**
 * What must not be believed any more, and what is to be held from now on: tokens and tickets carry the number of the last revocation that whoever signed
 * them knew, and one with a higher number ends them. No clocks are compared.
 */
export const revocations = pgTable(
  'revocations',
  {
    /** Given under a lock that lasts until the commit: whoever sees one sees all before it. */
    number: bigint({ mode: 'number' }).primaryKey(),
    kind: text({ enum: revocationKinds }).notNull(),
    /** A session, a person, or who watches or publishes one stream; null for all viewers of it. */
    subject: text(),
    streamId: uuid('stream_id'),
    /** Of a hold: what is kept from everybody of that which the subject publishes. */
    held: jsonb().$type<MediaHold>(),
    reason: text().notNull(),
    createdAt: createdAt(),
    publishedAt: moment('published_at'),
  },
  (t) => [
    oneOf('revocations_kind_known', t.kind, revocationKinds),
    check(
      'revocations_whole',
      sql`(${t.subject} is null) = (${t.kind} = 'stream')
        and (${t.streamId} is null) = (${t.kind} in ('session', 'user'))
        and (${t.held} is not null) = (${t.kind} = 'hold')`,
    ),
    index('revocations_unpublished').on(t.number).where(sql`${t.publishedAt} is null`),
    index('revocations_created_at').on(t.createdAt),
  ],
);

/** The number of the last revocation; one row. */
export const revocationCounter = pgTable('revocation_counter', {
  only: boolean().primaryKey().default(true),
  last: bigint({ mode: 'number' }).notNull(),
});
