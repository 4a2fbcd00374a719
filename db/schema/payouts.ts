// Payouts: where performers are paid, what was asked for, and the tax that is kept back.
import { sql } from 'drizzle-orm';
import {
  check,
  index,
  integer,
  pgTable,
  text,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { count, createdAt, id, moment, oneOf } from './columns.ts';
import { users } from './people.ts';

/** A bank account or UPI address. Details are encrypted; only the mask is ever shown. */
export const payoutAccounts = pgTable(
  'payout_accounts',
  {
    id: id(),
    performerId: uuid('performer_id')
      .notNull()
      .references(() => users.id),
    kind: text({ enum: ['bank', 'upi'] }).notNull(),
    /** AES-256-GCM, with the id of its key in front. */
    sealedDetails: text('sealed_details').notNull(),
    /** Such as HDFC ••••1234. */
    mask: text().notNull(),
    /** A keyed hash of the details: equal ones of two people can be seen, none can be read. */
    detailsHash: text('details_hash').notNull(),
    state: text({ enum: ['pending', 'verified', 'failed', 'replaced'] })
      .notNull()
      .default('pending'),
    /** The name that the bank knows. */
    registeredName: text('registered_name'),
    failure: text(),
    gatewayContactId: text('gateway_contact_id'),
    gatewayFundAccountId: text('gateway_fund_account_id'),
    gatewayValidationId: text('gateway_validation_id'),
    attempts: integer().notNull().default(0),
    /** Null when nothing more is to be found out. */
    nextAttemptAt: moment('next_attempt_at').defaultNow(),
    /** New details are not paid to before this. */
    usableFrom: moment('usable_from').notNull(),
    createdAt: createdAt(),
  },
  (t) => [
    oneOf('payout_accounts_kind_known', t.kind, ['bank', 'upi']),
    oneOf('payout_accounts_state_known', t.state, ['pending', 'verified', 'failed', 'replaced']),
    uniqueIndex('payout_accounts_one')
      .on(t.performerId)
      .where(sql`${t.state} in ('pending', 'verified')`),
    index('payout_accounts_details').on(t.detailsHash),
    index('payout_accounts_to_verify')
      .on(t.nextAttemptAt)
      .where(sql`${t.nextAttemptAt} is not null`),
  ],
);

/** The permanent account number that tax is reported under; nobody has that of somebody else. */
export const taxProfiles = pgTable('tax_profiles', {
  userId: uuid('user_id')
    .primaryKey()
    .references(() => users.id),
  sealedPan: text('sealed_pan').notNull(),
  mask: text().notNull(),
  panHash: text('pan_hash').notNull().unique('tax_profiles_pan_hash_key'),
  createdAt: createdAt(),
  /** A corrected one is not paid under before this. */
  payableFrom: moment('payable_from').notNull().defaultNow(),
});

/** PANs that staff have corrected, and why: tax was reported under them. */
export const formerPans = pgTable(
  'former_pans',
  {
    id: id(),
    userId: uuid('user_id')
      .notNull()
      .references(() => users.id),
    sealedPan: text('sealed_pan').notNull(),
    mask: text().notNull(),
    replacedBy: uuid('replaced_by').notNull(),
    reason: text().notNull(),
    createdAt: createdAt(),
  },
  (t) => [index('former_pans_user').on(t.userId)],
);

/** Tax that is kept back from payouts; the newest row that has begun counts. */
export const taxRates = pgTable(
  'tax_rates',
  {
    id: id(),
    section: text().notNull(),
    rateBp: integer('rate_bp').notNull(),
    /** For somebody who has given no PAN (section 206AA). */
    rateWithoutPanBp: integer('rate_without_pan_bp').notNull(),
    /** Nothing is kept back until payouts of a financial year exceed this. */
    thresholdPaise: count('threshold_paise').notNull(),
    validFrom: moment('valid_from').notNull().defaultNow(),
  },
  (t) => [
    check(
      'tax_rates_known',
      sql`${t.rateBp} between 0 and 10000 and ${t.rateWithoutPanBp} between 0 and 10000`,
    ),
  ],
);

/** What a performer asked to be paid. Sent under its own id as idempotency key until its end is known. */
export const payouts = pgTable(
  'payouts',
  {
    id: id(),
    performerId: uuid('performer_id')
      .notNull()
      .references(() => users.id),
    payoutAccountId: uuid('payout_account_id')
      .notNull()
      .references(() => payoutAccounts.id),
    amountPaise: count('amount_paise').notNull(),
    tdsPaise: count('tds_paise').notNull(),
    tdsSection: text('tds_section').notNull(),
    tdsRateBp: integer('tds_rate_bp').notNull(),
    state: text({
      enum: ['requested', 'approved', 'sending', 'paid', 'failed', 'rejected', 'reversed'],
    }).notNull(),
    /** How many of the staff must agree; 0 when it was small enough to need none. */
    approvalsNeeded: integer('approvals_needed').notNull(),
    idempotencyKey: text('idempotency_key').notNull(),
    requestJournalId: uuid('request_journal_id').notNull(),
    gatewayPayoutId: text('gateway_payout_id').unique('payouts_gateway_payout_id_key'),
    utr: text(),
    feePaise: count('fee_paise'),
    failure: text(),
    attempts: integer().notNull().default(0),
    /** When it was sent for the first time: from here on the gateway may have it. */
    firstAttemptAt: moment('first_attempt_at'),
    nextAttemptAt: moment('next_attempt_at'),
    createdAt: createdAt(),
    approvedAt: moment('approved_at'),
    endedAt: moment('ended_at'),
  },
  (t) => [
    oneOf('payouts_state_known', t.state, [
      'requested',
      'approved',
      'sending',
      'paid',
      'failed',
      'rejected',
      'reversed',
    ]),
    check(
      'payouts_amounts',
      sql`${t.amountPaise} > 0 and ${t.tdsPaise} >= 0 and ${t.tdsPaise} < ${t.amountPaise}`,
    ),
    unique('payouts_idempotency_key').on(t.performerId, t.idempotencyKey),
    index('payouts_performer').on(t.performerId, t.createdAt.desc()),
    index('payouts_to_send').on(t.nextAttemptAt).where(sql`${t.state} in ('approved', 'sending')`),
    index('payouts_list').on(t.state, t.id),
  ],
);

/** Who of the staff agreed to a payout; nobody twice. */
export const payoutApprovals = pgTable(
  'payout_approvals',
  {
    payoutId: uuid('payout_id')
      .notNull()
      .references(() => payouts.id),
    approvedBy: uuid('approved_by').notNull(),
    createdAt: createdAt(),
  },
  (t) => [unique('payout_approvals_once').on(t.payoutId, t.approvedBy)],
);

/**
 * What the gateway said was left in the account that payouts are paid from. The bounds are what would be left with
 * nothing on its way.
 */
export const payoutBalances = pgTable('payout_balances', {
  id: id(),
  balancePaise: count('balance_paise').notNull(),
  leastPaise: count('least_paise').notNull(),
  mostPaise: count('most_paise').notNull(),
  /** Acts up to this place in the chain had been booked before the gateway was asked. */
  position: count('position').notNull(),
  createdAt: createdAt(),
});

/** Why a performer is not paid at present. */
export const payoutHolds = pgTable(
  'payout_holds',
  {
    id: id(),
    performerId: uuid('performer_id')
      .notNull()
      .references(() => users.id),
    reason: text().notNull(),
    caseId: uuid('case_id'),
    placedBy: uuid('placed_by'),
    liftedBy: uuid('lifted_by'),
    createdAt: createdAt(),
    liftedAt: moment('lifted_at'),
  },
  (t) => [index('payout_holds_open').on(t.performerId).where(sql`${t.liftedAt} is null`)],
);
