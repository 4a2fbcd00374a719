// Wallets: what a viewer can spend, what has moved it, and the limits that they set themselves.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  type SetLimitsBody,
  SpendingLimits,
  type StatementFilter,
  WalletTransaction,
} from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Tokens that a viewer can spend now. */
export async function readBalance(db: Db, userId: string): Promise<number> {
  return callFunction(db, sql`select to_jsonb(ledger.spendable(${userId})) as result`, z.int());
}

/** Acts by what they are for the viewer; acts that are not named are `other`. */
const moves = {
  purchase: ['purchase'],
  tip: ['tip'],
  hold: ['hold', 'hold-captured', 'hold-released'],
  goal: ['goal-contribution', 'goal-settled', 'goal-refund'],
  refund: ['refund-requested', 'refund-rejected', 'refund-failed', 'refund'],
  dispute: ['dispute-held', 'dispute-released'],
  promotion: ['promotion', 'promotion-expired'],
} as const;

const moveOfKind = JSON.stringify(
  Object.fromEntries(
    Object.entries(moves).flatMap(([move, kinds]) => kinds.map((kind) => [kind, move])),
  ),
);

/**
 * What moved a wallet, newest first, one row for each act; `before` is the id of the last row on the page
 * before.
 */
export async function listWalletEntries(
  db: Db,
  userId: string,
  page: StatementFilter & { before?: string | undefined; limit: number },
): Promise<WalletTransaction[]> {
  const day = (date: string | undefined, plus: string) =>
    date === undefined
      ? sql`null`
      : sql`((${date}::date + ${plus}::interval) at time zone 'Asia/Kolkata')`;
  return callFunction(
    db,
    sql`with own as (
        select e.journal_id, -sum(e.amount) as amount
          from ledger.accounts a
          join ledger.entries e on e.account_id = a.id
          where a.owner_id = ${userId} and a.class in ('viewer_tokens', 'viewer_promo')
            and (${page.before ?? null}::uuid is null or e.journal_id < ${page.before ?? null}::uuid)
            and e.journal_id >= coalesce(uuid_v7_floor(${day(page.from, '0 days')}), '00000000-0000-0000-0000-000000000000')
            and e.journal_id < coalesce(uuid_v7_floor(${day(page.to, '1 day')}), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
          group by e.journal_id
          having sum(e.amount) <> 0
      ), shown as (
        select o.*, j.created_at, coalesce(${moveOfKind}::jsonb->>j.kind, 'other') as move
          from own o join ledger.journal j on j.id = o.journal_id
          where ${page.kind ?? null}::text is null
            or coalesce(${moveOfKind}::jsonb->>j.kind, 'other') = ${page.kind ?? null}::text
          order by o.journal_id desc limit ${page.limit}
      )
      select coalesce(jsonb_agg(jsonb_build_object(
          'id', s.journal_id, 'kind', s.move, 'amountTokens', s.amount, 'at', instant(s.created_at),
          'subject', coalesce(u.username, k.name, ''), 'gatewayPaymentId', p.gateway_payment_id)
          order by s.journal_id desc), '[]') as result
        from shown s
        left join ledger.tips t on t.id = s.journal_id
        left join ledger.reservations r on r.id = s.journal_id
        left join users u on u.id = coalesce(t.performer_id, r.performer_id)
        left join payments p on p.journal_id = s.journal_id
        left join orders o on o.id = p.order_id
        left join packages k on k.id = o.package_id`,
    WalletTransaction.array(),
  );
}

export async function readLimits(db: Db, userId: string): Promise<SpendingLimits> {
  return callFunction(db, sql`select limits_json(${userId}) as result`, SpendingLimits);
}

/** Sets a viewer's limits; null is none. What is lowered counts at once, what is raised waits. */
export async function setLimits(
  db: Db,
  userId: string,
  limits: SetLimitsBody,
): Promise<SpendingLimits> {
  return callFunction(
    db,
    sql`select set_limits(${userId}, ${limits.dayTokens}, ${limits.monthTokens},
      ${limits.dayPaise}, ${limits.monthPaise}) as result`,
    SpendingLimits,
  );
}
