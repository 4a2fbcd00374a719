// The ledger: its acts, each one call and one commit, and readings of the books.
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import { z } from 'zod';
import { EarnedTip, type FeePolicy, Id, RoomEvent, type WalletTransaction } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import {
  accounts,
  balances,
  entries,
  feePolicies,
  journal,
  orders,
  packages,
  payments,
  tips,
  users,
} from './schema/index.ts';

const TipResult = z.object({
  tipId: Id,
  eventId: z.int(),
  amountTokens: z.int(),
  balanceTokens: z.int(),
  replayed: z.boolean(),
  /** The room's event; absent when an earlier call has told it. */
  event: RoomEvent.optional(),
});
export type TipResult = z.infer<typeof TipResult>;

/**
 * Carries out a tip once per key. Refuses `insufficient-balance`, `self-tip`, `stream-not-live`,
 * `not-found`, `idempotency-key-reused`.
 */
export async function tip(
  db: Db,
  request: {
    viewerId: string;
    streamId: string;
    amountTokens: number;
    message: string;
    anonymous: boolean;
    idempotencyKey: string;
  },
): Promise<TipResult> {
  return callFunction(
    db,
    sql`select ledger.tip(
      ${request.viewerId}::uuid, ${request.streamId}::uuid, ${request.amountTokens}::bigint,
      ${request.message}::text, ${request.anonymous}::boolean, ${request.idempotencyKey}::text
    ) as result`,
    TipResult,
  );
}

const PurchaseResult = z.object({
  orderId: Id,
  userId: Id,
  tokens: z.int(),
  replayed: z.boolean(),
});

/** Credits a captured payment once. Refuses `not-found` and `payment-mismatch`. */
export async function purchaseCaptured(
  db: Db,
  payment: { gatewayOrderId: string; gatewayPaymentId: string; amountPaise: number },
): Promise<z.infer<typeof PurchaseResult>> {
  return callFunction(
    db,
    sql`select ledger.purchase_captured(
      ${payment.gatewayOrderId}::text, ${payment.gatewayPaymentId}::text,
      ${payment.amountPaise}::bigint) as result`,
    PurchaseResult,
  );
}

/** Tokens that a viewer can spend. */
export async function readBalance(db: Db, userId: string): Promise<number> {
  const [row] = await db
    .select({ balance: balances.balance })
    .from(balances)
    .innerJoin(accounts, eq(accounts.id, balances.accountId))
    .where(and(eq(accounts.class, 'viewer_tokens'), eq(accounts.ownerId, userId)));
  return row?.balance ?? 0;
}

/** What moved a wallet, newest first; `before` is the entry id of the last row on the page before. */
export async function listWalletEntries(
  db: Db,
  userId: string,
  page: { before?: number | undefined; limit: number },
): Promise<(WalletTransaction & { entryId: number })[]> {
  const rows = await db
    .select({
      entryId: entries.id,
      id: journal.id,
      kind: journal.kind,
      amount: entries.amount,
      at: journal.createdAt,
      performer: users.username,
      packageName: packages.name,
    })
    .from(entries)
    .innerJoin(accounts, eq(accounts.id, entries.accountId))
    .innerJoin(journal, eq(journal.id, entries.journalId))
    .leftJoin(tips, eq(tips.id, journal.id))
    .leftJoin(users, eq(users.id, tips.performerId))
    .leftJoin(payments, eq(payments.journalId, journal.id))
    .leftJoin(orders, eq(orders.id, payments.orderId))
    .leftJoin(packages, eq(packages.id, orders.packageId))
    .where(
      and(
        eq(accounts.class, 'viewer_tokens'),
        eq(accounts.ownerId, userId),
        page.before ? lt(entries.id, page.before) : undefined,
      ),
    )
    .orderBy(desc(entries.id))
    .limit(page.limit);
  return rows.map((row) => ({
    entryId: row.entryId,
    id: row.id,
    kind: row.kind,
    // The wallet is a credit account: what the ledger debits, the viewer has spent. Never "-0".
    amountTokens: 0 - row.amount,
    at: row.at.toISOString(),
    subject: row.performer ?? row.packageName ?? '',
  }));
}

/** The fee policy in force. */
export async function readFeePolicy(db: Db): Promise<FeePolicy> {
  const [row] = await db
    .select({
      version: feePolicies.version,
      payoutPaisePerToken: feePolicies.payoutPaisePerToken,
    })
    .from(feePolicies)
    .where(sql`${feePolicies.validFrom} <= now()`)
    .orderBy(desc(feePolicies.version))
    .limit(1);
  if (!row) throw new Error('no fee policy is in force');
  return row;
}

const recentTipsMax = 20;
const EarningsResult = z.object({
  payablePaise: z.int(),
  tokensReceived: z.int(),
  tips: z.int(),
  recent: z.array(EarnedTip),
});

/** What a performer is owed, from the entries themselves, and their newest tips. */
export async function readEarnings(
  db: Db,
  performerId: string,
): Promise<z.infer<typeof EarningsResult>> {
  return callFunction(
    db,
    sql`select jsonb_build_object(
      'payablePaise', (
        select coalesce(-sum(e.amount), 0) from ledger.entries e
          join ledger.accounts a on a.id = e.account_id
          where a.class = 'performer_payable' and a.owner_id = ${performerId}),
      'tokensReceived', (
        select coalesce(sum(t.amount_tokens), 0) from ledger.tips t where t.performer_id = ${performerId}),
      'tips', (select count(*) from ledger.tips t where t.performer_id = ${performerId}),
      'recent', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'tipId', r.id, 'streamId', r.stream_id, 'amountTokens', r.amount_tokens,
            'earnedPaise', r.earned_paise, 'message', r.message,
            'username', case when r.anonymous then null else r.username end,
            'at', to_char(r.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
            order by r.created_at desc), '[]')
          from (
            select t.*, u.username from ledger.tips t join users u on u.id = t.viewer_id
              where t.performer_id = ${performerId}
              order by t.created_at desc limit ${recentTipsMax}) r)) as result`,
    EarningsResult,
  );
}

const TrialBalanceRows = z.array(
  z.object({
    accountClass: z.string(),
    currency: z.string(),
    debit: z.int(),
    credit: z.int(),
  }),
);

export async function readTrialBalance(db: Db): Promise<z.infer<typeof TrialBalanceRows>> {
  return callFunction(
    db,
    sql`select jsonb_agg(jsonb_build_object(
        'accountClass', t.account_class, 'currency', t.currency, 'debit', t.debit, 'credit', t.credit))
      as result from ledger.trial_balance() t`,
    TrialBalanceRows,
  );
}

const Violations = z.array(
  z.object({
    invariant: z.string(),
    subject: z.string().nullable(),
    detail: z.string().nullable(),
  }),
);
export type Violation = z.infer<typeof Violations>[number];

/** Every invariant that does not hold; empty when the books are right. */
export async function verifyBooks(db: Db): Promise<Violation[]> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(to_jsonb(v)), '[]') as result from ledger.verify() v`,
    Violations,
  );
}
