// The ledger: classes of accounts, accounts, the journal, its entries, guarded balances, and lots of tokens.
import { sql } from 'drizzle-orm';
import {
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { count, createdAt, id, moment, oneOf, positive, quantity, xid8 } from './columns.ts';

export const ledger = pgSchema('ledger');

/** A new kind of account is a row here. */
export const accountClasses = ledger.table(
  'account_classes',
  {
    class: text().primaryKey(),
    /** TOKEN counts viewer tokens, INR counts paise. */
    currency: text({ enum: ['TOKEN', 'INR'] }).notNull(),
    normalSide: text('normal_side', { enum: ['debit', 'credit'] }).notNull(),
    /** True when there is one account for each owner, false when there is one for the house. */
    owned: boolean().notNull(),
    /**
     * What keeps it from going below zero: `balance`, a row of its own; `lots`, the lots that each of its
     * entries names; `nothing`, for those that many move at once and that may.
     */
    guard: text({ enum: ['balance', 'lots', 'nothing'] }).notNull(),
    /** Whether staff may change it by hand; what is kept along with rows of other tables is not. */
    adjustable: boolean().notNull().default(false),
    meaning: text().notNull(),
  },
  (t) => [
    oneOf('account_classes_currency_known', t.currency, ['TOKEN', 'INR']),
    oneOf('account_classes_side_known', t.normalSide, ['debit', 'credit']),
    oneOf('account_classes_guard_known', t.guard, ['balance', 'lots', 'nothing']),
  ],
);

export const accounts = ledger.table(
  'accounts',
  {
    id: id(),
    class: text()
      .notNull()
      .references(() => accountClasses.class),
    /** A person, or for escrow a goal. */
    ownerId: uuid('owner_id'),
    /** As its class says, and as that never changes. */
    currency: text({ enum: ['TOKEN', 'INR'] }).notNull(),
    normalSide: text('normal_side', { enum: ['debit', 'credit'] }).notNull(),
    guard: text({ enum: ['balance', 'lots', 'nothing'] }).notNull(),
    createdAt: createdAt(),
  },
  (t) => [unique('accounts_class_owner').on(t.class, t.ownerId).nullsNotDistinct()],
);

/** The accounts of the house that tips post to, in the one row that there is: a tip reads it as a whole. */
export const house = ledger.table('house', {
  outstanding: uuid()
    .primaryKey()
    .references(() => accounts.id),
  revenue: uuid()
    .notNull()
    .references(() => accounts.id),
  promotion: uuid()
    .notNull()
    .references(() => accounts.id),
});

/** One row for each business act. */
export const journal = ledger.table(
  'journal',
  {
    id: id(),
    kind: text().notNull(),
    idempotencyKey: text('idempotency_key').notNull().unique('journal_idempotency_key'),
    /** A hash of what was asked, so that a key cannot be used for another act. */
    fingerprint: text().notNull(),
    /** What the caller was told; told again to whoever repeats the key. */
    result: jsonb().notNull(),
    /** The act that this one takes back; an act is taken back once. */
    reverses: uuid(),
    /** Tells the sealer which rows were committed since its last round. */
    transaction: xid8('transaction').notNull().default(sql`pg_current_xact_id()`),
    /** When it was written, not when its transaction began: an act that waited for another one comes after it. */
    createdAt: moment('created_at').notNull().default(sql`clock_timestamp()`),
  },
  (t) => [
    index('journal_transaction').on(t.transaction),
    uniqueIndex('journal_reverses').on(t.reverses).where(sql`${t.reverses} is not null`),
  ],
);

/**
 * Debits are positive, credits negative. Without foreign keys on purpose: the check of `account_id`
 * would write to the row of a famous performer's account at every tip, and both would be made once for
 * every line. The insert trigger makes them once for every act instead.
 */
export const entries = ledger.table(
  'entries',
  {
    journalId: uuid('journal_id').notNull(),
    /** Grows within its journal row, and begins with 1. */
    line: smallint().notNull(),
    accountId: uuid('account_id').notNull(),
    currency: text({ enum: ['TOKEN', 'INR'] }).notNull(),
    amount: count('amount').notNull(),
    /** The lot that a viewer's tokens, or the money paid for them, come from or go to. */
    lotId: uuid('lot_id'),
  },
  (t) => [
    primaryKey({ name: 'entries_pkey', columns: [t.journalId, t.line] }),
    index('entries_account').on(t.accountId, t.journalId),
  ],
);

/** Balances of guarded accounts, counted on their normal side; kept by trigger, never by hand. */
export const balances = ledger.table(
  'balances',
  {
    accountId: uuid('account_id')
      .primaryKey()
      .references(() => accounts.id),
    balance: count('balance').notNull().default(0),
  },
  (t) => [check('balances_never_negative', sql`${t.balance} >= 0`)],
);

/**
 * Tokens that came into a wallet together, with what was paid for them. What is left is kept by trigger
 * from the entries that name the lot. Spending takes promotional lots first, then the oldest.
 */
export const lots = ledger.table(
  'lots',
  {
    /** The act that made it. */
    id: uuid().primaryKey(),
    ownerId: uuid('owner_id').notNull(),
    /** Of class viewer_tokens, or viewer_promo for tokens that nobody paid for. */
    accountId: uuid('account_id').notNull(),
    /** Of class viewer_prepaid. */
    prepaidAccountId: uuid('prepaid_account_id').notNull(),
    tokens: count('tokens').notNull(),
    /** Paid for them without tax, and the tax. */
    netPaise: count('net_paise').notNull(),
    gstPaise: count('gst_paise').notNull(),
    tokensLeft: quantity('tokens_left').notNull().default(0),
    paiseLeft: quantity('paise_left').notNull().default(0),
    /** Asked back by refunds and lost disputes, and the tax of all others. */
    tokensReturned: count('tokens_returned').notNull().default(0),
    gstLeft: count('gst_left').notNull().default(0),
    /** For the indexes: one that named `tokens_left` would be written to at every tip. */
    open: boolean().notNull().default(false),
    expiresAt: moment('expires_at'),
    createdAt: createdAt(),
  },
  (t) => [
    // In the order in which they are spent.
    index('lots_open')
      .on(t.ownerId, sql`(${t.netPaise} > 0)`, t.expiresAt, t.id)
      .where(sql`${t.open}`),
    // Without those that never expire, so that nobody takes it for an index of all open lots.
    index('lots_expiry').on(t.expiresAt).where(sql`${t.open} and ${t.expiresAt} is not null`),
  ],
);

/**
 * Tokens of a viewer set aside: for a private show (hold), a goal, a refund that waits for approval, or
 * a disputed payment. Its id is the journal's.
 */
export const reservations = ledger.table(
  'reservations',
  {
    id: uuid().primaryKey(),
    purpose: text({ enum: ['hold', 'goal', 'refund', 'dispute'] }).notNull(),
    viewerId: uuid('viewer_id').notNull(),
    /** Who is paid when it is captured; null for refunds and disputes. */
    performerId: uuid('performer_id'),
    streamId: uuid('stream_id'),
    goalId: uuid('goal_id'),
    /** The account in which the tokens wait. */
    accountId: uuid('account_id').notNull(),
    tokens: count('tokens').notNull(),
    netPaise: count('net_paise').notNull(),
    state: text({ enum: ['open', 'captured', 'released'] })
      .notNull()
      .default('open'),
    /** A hold or goal that nobody closed by then is released. */
    expiresAt: moment('expires_at'),
    createdAt: createdAt(),
    closedAt: moment('closed_at'),
    /** The act that closed it. */
    closedBy: uuid('closed_by'),
  },
  (t) => [
    oneOf('reservations_purpose_known', t.purpose, ['hold', 'goal', 'refund', 'dispute']),
    oneOf('reservations_state_known', t.state, ['open', 'captured', 'released']),
    check('reservations_tokens', sql`${t.tokens} > 0`),
    index('reservations_viewer').on(t.viewerId, t.createdAt.desc()),
    index('reservations_goal').on(t.goalId).where(sql`${t.goalId} is not null`),
    index('reservations_expiry').on(t.expiresAt).where(sql`${t.state} = 'open'`),
  ],
);

/** From which lots a reservation took what. */
export const reservationLots = ledger.table(
  'reservation_lots',
  {
    reservationId: uuid('reservation_id')
      .notNull()
      .references(() => reservations.id),
    lotId: uuid('lot_id').notNull(),
    tokens: count('tokens').notNull(),
    paise: count('paise').notNull(),
  },
  (t) => [primaryKey({ columns: [t.reservationId, t.lotId] })],
);

/** What viewers gather tokens for; the tokens wait in escrow until it is reached, or go back. */
export const goals = ledger.table(
  'goals',
  {
    id: id(),
    performerId: uuid('performer_id').notNull(),
    streamId: uuid('stream_id'),
    title: text().notNull(),
    targetTokens: count('target_tokens').notNull(),
    state: text({ enum: ['open', 'reached', 'missed'] })
      .notNull()
      .default('open'),
    deadline: moment('deadline').notNull(),
    createdAt: createdAt(),
    closedAt: moment('closed_at'),
  },
  (t) => [
    oneOf('goals_state_known', t.state, ['open', 'reached', 'missed']),
    check('goals_target', sql`${t.targetTokens} > 0`),
    index('goals_open').on(t.deadline).where(sql`${t.state} = 'open'`),
    index('goals_performer').on(t.performerId, t.createdAt.desc()),
  ],
);

/** What a performer is credited for each token; the newest version that has begun is in force. */
export const feePolicies = ledger.table(
  'fee_policies',
  {
    version: integer().primaryKey(),
    payoutPaisePerToken: count('payout_paise_per_token').notNull(),
    validFrom: moment('valid_from').notNull().defaultNow(),
  },
  (t) => [check('fee_policies_payout_positive', sql`${t.payoutPaisePerToken} > 0`)],
);

/** What a tip, a captured hold or a share of a reached goal meant, beside what it moved; `id` is the journal's. */
export const tips = ledger.table(
  'tips',
  {
    id: uuid().primaryKey(),
    source: text({ enum: ['tip', 'hold', 'goal'] })
      .notNull()
      .default('tip'),
    streamId: uuid('stream_id'),
    viewerId: uuid('viewer_id').notNull(),
    performerId: uuid('performer_id').notNull(),
    amountTokens: positive('amount_tokens').notNull(),
    earnedPaise: count('earned_paise').notNull(),
    /** The platform's part of what was paid for the tokens: never less than nothing. */
    feePaise: quantity('fee_paise').notNull(),
    feePolicyVersion: integer('fee_policy_version').notNull(),
    message: text().notNull(),
    anonymous: boolean().notNull(),
    /** What the room was told; null where no room was told. */
    eventId: count('event_id'),
    createdAt: createdAt(),
  },
  (t) => [index('tips_performer').on(t.performerId, t.createdAt.desc())],
);

/** A change of the books by hand: one of the staff proposes it, another one approves it. */
export const adjustments = ledger.table(
  'adjustments',
  {
    id: id(),
    /** `[{ class, ownerId, amount }]`, debits positive. */
    lines: jsonb().notNull(),
    reason: text().notNull(),
    proposedBy: uuid('proposed_by').notNull(),
    decidedBy: uuid('decided_by'),
    state: text({ enum: ['proposed', 'approved', 'rejected'] })
      .notNull()
      .default('proposed'),
    idempotencyKey: text('idempotency_key').notNull(),
    journalId: uuid('journal_id'),
    createdAt: createdAt(),
    decidedAt: moment('decided_at'),
  },
  (t) => [
    oneOf('adjustments_state_known', t.state, ['proposed', 'approved', 'rejected']),
    unique('adjustments_idempotency_key').on(t.proposedBy, t.idempotencyKey),
    check(
      'adjustments_four_eyes',
      sql`${t.decidedBy} <> ${t.proposedBy} or ${t.state} = 'rejected'`,
    ),
  ],
);

/** Tokens of the platform that one of the staff gave to a viewer, or that wait for another of the staff. */
export const promotions = ledger.table(
  'promotions',
  {
    id: id(),
    viewerId: uuid('viewer_id').notNull(),
    tokens: count('tokens').notNull(),
    expiresAt: moment('expires_at').notNull(),
    reason: text().notNull(),
    proposedBy: uuid('proposed_by').notNull(),
    decidedBy: uuid('decided_by'),
    /** `given` needed nobody else. */
    state: text({ enum: ['given', 'proposed', 'approved', 'rejected'] }).notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    /** The act that gave them, and so their lot. */
    journalId: uuid('journal_id'),
    createdAt: createdAt(),
    decidedAt: moment('decided_at'),
  },
  (t) => [
    oneOf('promotions_state_known', t.state, ['given', 'proposed', 'approved', 'rejected']),
    unique('promotions_idempotency_key').on(t.proposedBy, t.idempotencyKey),
    check('promotions_tokens', sql`${t.tokens} > 0`),
    check(
      'promotions_four_eyes',
      sql`${t.proposedBy} <> ${t.viewerId} and (${t.state} = 'rejected'
        or (${t.decidedBy} <> ${t.proposedBy} and ${t.decidedBy} <> ${t.viewerId}) is not false)`,
    ),
    check(
      'promotions_given',
      sql`(${t.state} in ('given', 'approved')) = (${t.journalId} is not null)
        and (${t.state} in ('approved', 'rejected')) = (${t.decidedBy} is not null)`,
    ),
    index('promotions_staff').on(t.proposedBy, t.createdAt.desc()),
    index('promotions_viewer').on(t.viewerId, t.createdAt.desc()),
    index('promotions_waiting').on(t.id).where(sql`${t.state} = 'proposed'`),
  ],
);
