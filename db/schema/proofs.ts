// Proofs: how people show who they are beside a password, and that a mailbox is theirs.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { bytes, count, createdAt, id, moment, oneOf } from './columns.ts';
import { users } from './people.ts';

const ofUser = () =>
  uuid('user_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' });

const mailPurposes = ['verify', 'reset', 'change', 'undo', 'login', 'keep'] as const;

/** Links that were mailed; only the SHA-256 of their secret is kept. */
export const mailTokens = pgTable(
  'mail_tokens',
  {
    hash: bytes().primaryKey(),
    userId: ofUser(),
    purpose: text({ enum: mailPurposes }).notNull(),
    /** The address that it was sent to, and is about. */
    email: text().notNull(),
    createdAt: createdAt(),
    expiresAt: moment('expires_at').notNull(),
    usedAt: moment('used_at'),
  },
  (t) => [
    oneOf('mail_tokens_purpose_known', t.purpose, mailPurposes),
    // The newest link of a purpose is the only one that works.
    uniqueIndex('mail_tokens_one_open').on(t.userId, t.purpose).where(sql`${t.usedAt} is null`),
  ],
);

/** Mails that wait to be sent. Their text holds links that work, and is sealed until it is gone. */
export const mails = pgTable(
  'mails',
  {
    id: id(),
    kind: text().notNull(),
    /** Receiver, subject and text, sealed; null once it was sent or given up. */
    sealed: text(),
    state: text({ enum: ['waiting', 'sent', 'failed'] })
      .notNull()
      .default('waiting'),
    attempts: integer().notNull().default(0),
    nextAttemptAt: moment('next_attempt_at').defaultNow(),
    failure: text(),
    createdAt: createdAt(),
    sentAt: moment('sent_at'),
  },
  (t) => [
    oneOf('mails_state_known', t.state, ['waiting', 'sent', 'failed']),
    index('mails_due').on(t.nextAttemptAt).where(sql`${t.state} = 'waiting'`),
  ],
);

/** The secret of somebody's authenticator app (RFC 6238), sealed. */
export const totpFactors = pgTable('totp_factors', {
  userId: ofUser().primaryKey(),
  sealedSecret: text('sealed_secret').notNull(),
  /** Null until a first code has shown that the app has it. */
  confirmedAt: moment('confirmed_at'),
  /** The time step of the last code that was taken: none is taken twice. */
  lastStep: count('last_step').notNull().default(0),
  createdAt: createdAt(),
});

/** Codes for who has lost their second factor; only keyed hashes are kept. */
export const recoveryCodes = pgTable(
  'recovery_codes',
  { userId: ofUser(), hash: text().notNull(), usedAt: moment('used_at') },
  (t) => [primaryKey({ columns: [t.userId, t.hash] })],
);

/** Public keys of authenticators (WebAuthn). */
export const passkeys = pgTable(
  'passkeys',
  {
    credentialId: bytes('credential_id').primaryKey(),
    userId: ofUser(),
    publicKey: bytes('public_key').notNull(),
    signCount: bigint('sign_count', { mode: 'number' }).notNull(),
    transports: text().array().notNull().default(sql`'{}'`),
    backedUp: boolean('backed_up').notNull(),
    name: text().notNull(),
    createdAt: createdAt(),
    lastUsedAt: moment('last_used_at'),
  },
  (t) => [index('passkeys_user_id').on(t.userId)],
);

const challengePurposes = ['second-factor', 'passkey-making', 'passkey-login', 'step-up'] as const;

/** What was asked of somebody who is showing who they are; good for one answer, or a few wrong ones. */
export const challenges = pgTable(
  'challenges',
  {
    id: id(),
    purpose: text({ enum: challengePurposes }).notNull(),
    /** Null where the answer is to say who it is. */
    userId: uuid('user_id').references(() => users.id, { onDelete: 'cascade' }),
    /** Of a passkey: the random bytes to be signed. */
    bytes: bytes(),
    attempts: integer().notNull().default(0),
    expiresAt: moment('expires_at').notNull(),
    usedAt: moment('used_at'),
  },
  (t) => [
    oneOf('challenges_purpose_known', t.purpose, challengePurposes),
    index('challenges_expires_at').on(t.expiresAt),
  ],
);

/** Browsers in which somebody has logged in before: only the SHA-256 of what they keep. */
export const knownDevices = pgTable(
  'known_devices',
  {
    userId: ofUser(),
    hash: bytes().notNull(),
    createdAt: createdAt(),
    lastSeenAt: moment('last_seen_at').notNull().defaultNow(),
  },
  (t) => [primaryKey({ columns: [t.userId, t.hash] })],
);
