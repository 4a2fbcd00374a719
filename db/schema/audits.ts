// Audits: how far the books have been proven, what accounts and lots held at that place, and what was found wrong.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  index,
  jsonb,
  primaryKey,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { count, id, moment, oneOf } from './columns.ts';
import { ledger } from './ledger.ts';

const phases = ['rows', 'acts', 'released', 'lots', 'invoices', 'state', 'done'] as const;

/**
 * One goes from the first act to the last, in steps. The last one of the job that has come to its end is `standing`:
 * its rounds go on from there with what is new. `apart` is one by hand, `over` one that is being forgotten.
 */
export const audits = ledger.table(
  'audits',
  {
    id: id(),
    kind: text({ enum: ['standing', 'whole', 'apart', 'over'] }).notNull(),
    phase: text({ enum: phases }).notNull().default('rows'),
    /** The id, or the number, that its phase has come to. */
    cursor: text().notNull().default('00000000-0000-0000-0000-000000000000'),
    /** The place in the chain up to which acts are in its sums. */
    position: count('position').notNull().default(0),
    /** The place up to which earnings are not waiting any more in its sums. */
    releasedThrough: count('released_through').notNull(),
    /** Debits and credits of each class up to its position, as a checkpoint has them. */
    totals: jsonb().notNull().default({}),
    /** Rows that have moved since then are looked at again; null in the first round, which looks at all. */
    since: moment('since'),
    /** Until when somebody could have sealed and signed; null: until now. */
    asOf: moment('as_of'),
    beganAt: moment('began_at').notNull().defaultNow(),
    roundBeganAt: moment('round_began_at').notNull().defaultNow(),
    endedAt: moment('ended_at'),
  },
  (t) => [
    oneOf('audits_kind_known', t.kind, ['standing', 'whole', 'apart', 'over']),
    oneOf('audits_phase_known', t.phase, phases),
    uniqueIndex('audits_one_of_kind').on(t.kind).where(sql`${t.kind} in ('standing', 'whole')`),
  ],
);

/** What accounts held at the position of an audit, and how much of it was moved by hand. */
export const auditAccounts = ledger.table(
  'audit_accounts',
  {
    auditId: uuid('audit_id').notNull(),
    accountId: uuid('account_id').notNull(),
    debit: count('debit').notNull(),
    credit: count('credit').notNull(),
    adjusted: count('adjusted').notNull(),
  },
  (t) => [primaryKey({ columns: [t.auditId, t.accountId] })],
);

/** What lots held at the position of an audit. */
export const auditLots = ledger.table(
  'audit_lots',
  {
    auditId: uuid('audit_id').notNull(),
    lotId: uuid('lot_id').notNull(),
    tokens: count('tokens').notNull(),
    paise: count('paise').notNull(),
  },
  (t) => [primaryKey({ columns: [t.auditId, t.lotId] })],
);

/** What performers had been sent at the position of an audit, had earned, and how much of that was waiting. */
export const auditPerformers = ledger.table(
  'audit_performers',
  {
    auditId: uuid('audit_id').notNull(),
    performerId: uuid('performer_id').notNull(),
    tips: count('tips').notNull(),
    tokens: count('tokens').notNull(),
    earnedPaise: count('earned_paise').notNull(),
    waitingPaise: count('waiting_paise').notNull(),
  },
  (t) => [primaryKey({ columns: [t.auditId, t.performerId] })],
);

/** What an audit has found wrong. */
export const auditFindings = ledger.table(
  'audit_findings',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    auditId: uuid('audit_id').notNull(),
    /** Of what is not looked at again until all is: a round does not forget it. */
    lasting: boolean().notNull(),
    invariant: text().notNull(),
    subject: text(),
    detail: text(),
  },
  (t) => [index('audit_findings_audit').on(t.auditId)],
);
