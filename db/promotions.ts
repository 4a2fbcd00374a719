// Promotions: tokens that the platform gives, and proposals of more than one of the staff may give alone.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { GrantedTokens, PromotionList } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { type IdPage, idPage } from './id-page.ts';

/**
 * Gives a viewer promotional tokens, or proposes them above what one may give in a day; a tip with them is the
 * platform's expense. Refuses `not-found`, `second-person-needed`, `invalid-request`, `idempotency-key-reused`.
 */
export async function grantTokens(
  db: Db,
  grant: {
    staffId: string;
    viewerId: string;
    tokens: number;
    expiresAt: Date;
    reason: string;
    idempotencyKey: string;
  },
): Promise<GrantedTokens> {
  return callFunction(
    db,
    sql`select ledger.promotion_granted(${grant.staffId}, ${grant.viewerId}, ${grant.tokens},
      ${grant.expiresAt.toISOString()}, ${grant.reason}, ${grant.idempotencyKey}) as result`,
    GrantedTokens,
  );
}

/** Somebody else approves it, or anybody rejects it. Refuses `second-person-needed`, `already-decided`. */
export async function decidePromotion(
  db: Db,
  promotionId: string,
  staffId: string,
  approve: boolean,
): Promise<GrantedTokens> {
  return callFunction(
    db,
    sql`select ledger.promotion_decided(${promotionId}, ${staffId}, ${approve}) as result`,
    GrantedTokens,
  );
}

/** Promotions: those that wait, oldest first; in another state, or all, newest first. */
export async function listPromotions(
  db: Db,
  page: IdPage & { state?: GrantedTokens['state'] | undefined },
): Promise<PromotionList['promotions']> {
  const state = page.state ?? null;
  const { rows, order } = idPage(page, state === 'proposed' ? 'oldest' : 'newest');
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'id', id, 'state', state, 'viewerId', viewer_id, 'tokens', tokens,
        'expiresAt', instant(expires_at), 'reason', reason, 'proposedBy', proposed_by,
        'decidedBy', decided_by, 'createdAt', instant(created_at), 'decidedAt', instant(decided_at))
        order by ${order}), '[]') as result
      from (select * from ledger.promotions where (${state}::text is null or state = ${state}::text) ${rows}) p`,
    PromotionList.shape.promotions,
  );
}

/** Takes back promotional tokens whose time is over. Answers how many lots it closed. */
export async function expirePromotions(db: Db, limit: number): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(ledger.expire_promotions(${limit})) as result`,
    z.int(),
  );
}
