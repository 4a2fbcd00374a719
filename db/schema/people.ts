// People: accounts and their log-in sessions.
import { sql } from 'drizzle-orm';
import {
  date,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { bytes, id, oneOf } from './columns.ts';

export const users = pgTable(
  'users',
  {
    id: id(),
    email: text().notNull().unique('users_email_key'),
    username: text().notNull(),
    passwordHash: text('password_hash').notNull(),
    dateOfBirth: date('date_of_birth', { mode: 'string' }).notNull(),
    country: text().notNull(),
    role: text({ enum: ['viewer', 'performer', 'admin'] })
      .notNull()
      .default('viewer'),
    /** Since when the account may do nothing; null while it may. */
    bannedAt: timestamp('banned_at', { withTimezone: true }),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    // Two names that differ only in case are the same name.
    uniqueIndex('users_username_key').on(sql`lower(${t.username})`),
    oneOf('users_role_known', t.role, ['viewer', 'performer', 'admin']),
  ],
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
    /** A keyed hash of the address it was opened from: equal ones can be seen, none can be read. */
    addressHash: text('address_hash'),
    /** How often its refresh token was replaced, and when last. */
    generation: integer().notNull().default(0),
    rotatedAt: timestamp('rotated_at', { withTimezone: true }).notNull().defaultNow(),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
  },
  (t) => [index('sessions_user_id').on(t.userId), index('sessions_address_hash').on(t.addressHash)],
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
  },
  (t) => [index('refresh_tokens_session_id').on(t.sessionId)],
);
