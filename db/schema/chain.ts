// The chain: journal rows sealed behind their commit into hash-linked blocks, folded totals, signed checkpoints.
import { sql } from 'drizzle-orm';
import { boolean, index, jsonb, text, uuid } from 'drizzle-orm/pg-core';
import { bytes, count, createdAt, moment, xid8 } from './columns.ts';
import { ledger } from './ledger.ts';

/** One round of the sealer. `hash` covers the hash before it and every row of the block in its order. */
export const blocks = ledger.table(
  'blocks',
  {
    number: count('number').primaryKey(),
    firstPosition: count('first_position').notNull(),
    lastPosition: count('last_position').notNull().unique('blocks_last_position'),
    previousHash: bytes('previous_hash').notNull(),
    hash: bytes('hash').notNull(),
    sealedAt: moment('sealed_at').notNull().defaultNow(),
    /** When the first of its acts was written: between the two lie all of them. */
    oldestAt: moment('oldest_at').notNull(),
  },
  (t) => [
    // Finds the blocks in which acts of a moment may stand. The dates of a block may be any, if somebody forged them.
    index('blocks_moments').using(
      'gist',
      sql`tstzrange(least(${t.oldestAt}, ${t.sealedAt}), ${t.sealedAt}, '[]')`,
    ),
  ],
);

/** Where each journal row stands in the chain, without gaps, and the hash of it and its entries. */
export const sealed = ledger.table('sealed', {
  position: count('position').primaryKey(),
  journalId: uuid('journal_id').notNull().unique('sealed_journal_id'),
  hash: bytes('hash').notNull(),
});

/** The sealer's place; one row. */
export const sealer = ledger.table('sealer', {
  only: boolean().primaryKey().default(true),
  /** Journal rows of transactions before this one are in the chain. */
  horizon: xid8('horizon').notNull(),
  /** Earnings up to this position have left `performer_pending`. */
  releasedThrough: count('released_through').notNull().default(0),
});

/** Debits and credits of each account, folded up to a position; written by the sealer alone. */
export const totals = ledger.table('totals', {
  accountId: uuid('account_id').primaryKey(),
  debit: count('debit').notNull(),
  credit: count('credit').notNull(),
  /** The block that moved it last. */
  block: count('block').notNull(),
});

/** How many tips a performer was sent, and how many tokens, folded up to the last block; written by the sealer alone. */
export const tipTotals = ledger.table('tip_totals', {
  performerId: uuid('performer_id').primaryKey(),
  tips: count('tips').notNull(),
  tokens: count('tokens').notNull(),
});

/** The end of the chain at a moment, signed with a key that the database does not know. */
export const checkpoints = ledger.table(
  'checkpoints',
  {
    block: count('block').primaryKey(),
    position: count('position').notNull(),
    hash: bytes('hash').notNull(),
    /** Debits and credits of each class at this block. */
    trialBalance: jsonb('trial_balance').notNull(),
    /** A compact JWS over all of this. */
    signature: text().notNull(),
    keyId: text('key_id').notNull(),
    createdAt: createdAt(),
  },
  (t) => [index('checkpoints_time').on(t.createdAt)],
);
