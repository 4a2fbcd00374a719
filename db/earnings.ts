// Earnings: what performers have made, what waits, and the fee policy by which they are paid.
import { desc, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { Earnings, type FeePolicy } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { feePolicies } from './schema/index.ts';

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
const EarningsResult = Earnings.omit({ feePolicy: true });

/**
 * What a performer has earned: folded totals and what has come since, never a sum over all entries; and
 * their newest tips.
 */
export async function readEarnings(
  db: Db,
  performerId: string,
): Promise<z.infer<typeof EarningsResult>> {
  return callFunction(
    db,
    sql`with held as (
        select coalesce((b->>'performer_pending')::bigint, 0) as pending,
            coalesce((b->>'performer_available')::bigint, 0) as available,
            coalesce((b->>'performer_held')::bigint, 0) as disputed,
            coalesce((b->>'payout_pending')::bigint, 0) as asked
          from ledger.balances_now(${performerId}) b
      ), paid as (
        select coalesce(sum(amount_paise), 0)::bigint as paise from payouts
          where performer_id = ${performerId} and state = 'paid'
      )
      select jsonb_build_object(
      'pendingPaise', h.pending, 'availablePaise', h.available, 'heldPaise', h.disputed,
      'payoutPendingPaise', h.asked, 'paidPaise', p.paise,
      'earnedPaise', h.pending + h.available + h.disputed + h.asked + p.paise,
      'holdHours', coalesce(rule('earnings_hold_hours'), 0),
      'nextReleaseAt', case when h.pending > 0 then instant(ledger.next_release(${performerId})) end,
      'tokensReceived', t->'tokens', 'tips', t->'tips',
      'recent', (
        select coalesce(jsonb_agg(jsonb_build_object(
            'tipId', r.id, 'streamId', r.stream_id, 'amountTokens', r.amount_tokens,
            'earnedPaise', r.earned_paise, 'message', r.message,
            'username', case when r.anonymous then null else r.username end,
            'at', instant(r.created_at))
            order by r.created_at desc), '[]')
          from (
            select t.*, u.username from ledger.tips t join users u on u.id = t.viewer_id
              where t.performer_id = ${performerId} and t.source = 'tip'
              order by t.created_at desc limit ${recentTipsMax}) r)) as result
      from held h, paid p, ledger.tips_received(${performerId}) t`,
    EarningsResult,
  );
}
