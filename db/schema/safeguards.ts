// Safeguards: limits that viewers set, rules against fraud, cases for staff, the audit trail, and job leases.
import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  index,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { count, createdAt, id, moment, oneOf } from './columns.ts';
import { users } from './people.ts';

/**
 * What a viewer allows themselves to spend. Lowering counts at once; a raised limit waits in the
 * `next…` columns until `nextFrom`. Null is no limit.
 */
export const spendingLimits = pgTable(
  'spending_limits',
  {
    userId: uuid('user_id')
      .primaryKey()
      .references(() => users.id),
    dayTokens: count('day_tokens'),
    monthTokens: count('month_tokens'),
    dayPaise: count('day_paise'),
    monthPaise: count('month_paise'),
    nextDayTokens: count('next_day_tokens'),
    nextMonthTokens: count('next_month_tokens'),
    nextDayPaise: count('next_day_paise'),
    nextMonthPaise: count('next_month_paise'),
    nextFrom: moment('next_from'),
    updatedAt: moment('updated_at').notNull().defaultNow(),
  },
  (t) => [
    check(
      'spending_limits_positive',
      sql`least(${t.dayTokens}, ${t.monthTokens}, ${t.dayPaise}, ${t.monthPaise}) >= 0`,
    ),
  ],
);

/** A number that a rule of money goes by; the newest row of a name that has begun counts. */
export const rules = pgTable(
  'rules',
  {
    id: id(),
    name: text().notNull(),
    /** In the unit that the name ends with; null switches the rule off. */
    value: bigint({ mode: 'number' }),
    meaning: text().notNull(),
    validFrom: moment('valid_from').notNull().defaultNow(),
    setBy: uuid('set_by'),
  },
  (t) => [
    // Older accounts are never asked whether they are new: see ledger.surely_grown().
    check('rules_young_account', sql`${t.name} <> 'young_account_hours' or ${t.value} <= 720`),
    index('rules_name').on(t.name, t.validFrom.desc()),
  ],
);

/** Something that a person must look at. One open case for each subject of a kind. */
export const cases = pgTable(
  'cases',
  {
    id: id(),
    kind: text().notNull(),
    subject: text().notNull(),
    details: jsonb().notNull(),
    state: text({ enum: ['open', 'resolved'] })
      .notNull()
      .default('open'),
    /** By when it must be dealt with; null when there is no clock. */
    dueAt: moment('due_at'),
    resolution: text(),
    resolvedBy: uuid('resolved_by'),
    createdAt: createdAt(),
    resolvedAt: moment('resolved_at'),
  },
  (t) => [
    oneOf('cases_state_known', t.state, ['open', 'resolved']),
    uniqueIndex('cases_one_open').on(t.kind, t.subject).where(sql`${t.state} = 'open'`),
    index('cases_list').on(t.state, t.id),
    // What was found out about a subject before.
    index('cases_subject').on(t.subject, t.kind),
  ],
);

/** What staff did, and what smelled of fraud; append-only. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
    action: text().notNull(),
    actorId: uuid('actor_id'),
    subject: text(),
    details: jsonb().notNull(),
    addressHash: text('address_hash'),
    createdAt: createdAt(),
  },
  (t) => [
    index('audit_log_time').on(t.createdAt.desc()),
    index('audit_log_actor').on(t.actorId, t.createdAt.desc()),
    index('audit_log_subject').on(t.subject, t.id),
  ],
);

/** Which runner carries out a recurring job, and until when it may be sure of it. */
export const jobLeases = pgTable('job_leases', {
  name: text().primaryKey(),
  holder: text(),
  leaseUntil: moment('lease_until'),
  /** When its next round is due. */
  nextAt: moment('next_at').notNull().defaultNow(),
  lastStartedAt: moment('last_started_at'),
  lastEndedAt: moment('last_ended_at'),
  lastSucceeded: boolean('last_succeeded'),
  lastError: text('last_error'),
});
