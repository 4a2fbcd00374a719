// People: accounts and their log-in sessions.
import { sql } from 'drizzle-orm';
import {
  customType,
  date,
  index,
  integer,
  pgTable,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { id, oneOf } from './columns.ts';

const bytes = customType<{ data: Uint8Array; driverData: Uint8Array | string }>({
  dataType: () => 'bytea',
});

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
    /** How often its refresh token was replaced, and when last. */
    generation: integer().notNull().default(0),
    rotatedAt: timestamp('rotated_at', { withTimezone: true }).notNull().defaultNow(),
    revokedAt: timestamp('revoked_at', { withTimezone: true }),
  },
  (t) => [index('sessions_user_id').on(t.userId)],
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
