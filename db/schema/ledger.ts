// The ledger: classes of accounts, accounts, the journal, its entries, and guarded balances.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgSchema,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';
import { id, oneOf } from './columns.ts';

export const ledger = pgSchema('ledger');

/** A new kind of account is a row here. */
export const accountClasses = ledger.table(
  'account_classes',
  {
    class: text().primaryKey(),
    /** TOKEN counts viewer tokens, INR counts paise. */
    currency: text({ enum: ['TOKEN', 'INR'] }).notNull(),
    normalSide: text('normal_side', { enum: ['debit', 'credit'] }).notNull(),
    /** True when there is one account for each person, false when there is one for the house. */
    owned: boolean().notNull(),
    /** True when a balance row is kept, which can never go below zero. */
    guarded: boolean().notNull(),
    meaning: text().notNull(),
  },
  (t) => [
    oneOf('account_classes_currency_known', t.currency, ['TOKEN', 'INR']),
    oneOf('account_classes_side_known', t.normalSide, ['debit', 'credit']),
  ],
);

export const accounts = ledger.table(
  'accounts',
  {
    id: id(),
    class: text()
      .notNull()
      .references(() => accountClasses.class),
    ownerId: uuid('owner_id'),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [unique('accounts_class_owner').on(t.class, t.ownerId).nullsNotDistinct()],
);

/** One row for each business act. */
export const journal = ledger.table('journal', {
  id: id(),
  kind: text({ enum: ['purchase', 'tip'] }).notNull(),
  idempotencyKey: text('idempotency_key').notNull().unique('journal_idempotency_key'),
  /** A hash of what was asked, so that a key cannot be used for another act. */
  fingerprint: text().notNull(),
  /** What the caller was told; told again to whoever repeats the key. */
  result: jsonb().notNull(),
  createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
});

/**
 * Debits are positive, credits negative. `account_id` has no foreign key on purpose: its check would
 * write to the row of a famous performer's account at every tip; the insert trigger checks it instead.
 */
export const entries = ledger.table(
  'entries',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    journalId: uuid('journal_id')
      .notNull()
      .references(() => journal.id),
    accountId: uuid('account_id').notNull(),
    currency: text({ enum: ['TOKEN', 'INR'] }).notNull(),
    amount: bigint({ mode: 'number' }).notNull(),
  },
  (t) => [
    check('entries_amount_not_zero', sql`${t.amount} <> 0`),
    index('entries_account').on(t.accountId, t.id),
    index('entries_journal').on(t.journalId),
  ],
);

/** Balances of guarded accounts, counted on their normal side; kept by trigger, never by hand. */
export const balances = ledger.table(
  'balances',
  {
    accountId: uuid('account_id')
      .primaryKey()
      .references(() => accounts.id),
    balance: bigint({ mode: 'number' }).notNull().default(0),
  },
  (t) => [check('balances_never_negative', sql`${t.balance} >= 0`)],
);

/** What a performer is credited for each token; the newest version that has begun is in force. */
export const feePolicies = ledger.table(
  'fee_policies',
  {
    version: integer().primaryKey(),
    payoutPaisePerToken: bigint('payout_paise_per_token', { mode: 'number' }).notNull(),
    validFrom: timestamp('valid_from', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [check('fee_policies_payout_positive', sql`${t.payoutPaisePerToken} > 0`)],
);

/** What a tip meant, beside what it moved; `id` is the journal's. */
export const tips = ledger.table(
  'tips',
  {
    id: uuid()
      .primaryKey()
      .references(() => journal.id),
    streamId: uuid('stream_id').notNull(),
    viewerId: uuid('viewer_id').notNull(),
    performerId: uuid('performer_id').notNull(),
    amountTokens: bigint('amount_tokens', { mode: 'number' }).notNull(),
    earnedPaise: bigint('earned_paise', { mode: 'number' }).notNull(),
    feePolicyVersion: integer('fee_policy_version').notNull(),
    message: text().notNull(),
    anonymous: boolean().notNull(),
    eventId: bigint('event_id', { mode: 'number' }).notNull(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull().defaultNow(),
  },
  (t) => [
    check('tips_amount', sql`${t.amountTokens} between 1 and 10000`),
    index('tips_performer').on(t.performerId, t.createdAt.desc()),
    index('tips_viewer').on(t.viewerId, t.createdAt.desc()),
  ],
);
