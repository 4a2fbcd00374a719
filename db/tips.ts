// Tips: the act that thousands carry out at once, one by one or many in one call.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id, RoomEvent } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { type Refusal, refusalOf } from './refusal.ts';

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

export interface TipRequest {
  viewerId: string;
  streamId: string;
  amountTokens: number;
  message: string;
  anonymous: boolean;
  idempotencyKey: string;
}

/** More than this in one call is the caller's mistake: its locks are held until the last one is written. */
export const tipsPerCallMax = 32;

/**
 * Carries out a tip once per key. Refuses `insufficient-balance`, `self-tip`, `stream-not-live`, `not-found`,
 * `account-banned`, `performer-unavailable`, `spending-limit`, `new-account-limit`, `idempotency-key-reused`.
 */
export async function tip(db: Db, request: TipRequest): Promise<TipResult> {
  return callFunction(
    db,
    sql`select ledger.tip(
      ${request.viewerId}::uuid, ${request.streamId}::uuid, ${request.amountTokens}::bigint,
      ${request.message}::text, ${request.anonymous}::boolean, ${request.idempotencyKey}::text
    ) as result`,
    TipResult,
  );
}

/** Carries out many tips in one commit; each answer is a receipt or a refusal, in the order of the requests. */
export async function tipMany(
  db: Db,
  requests: readonly TipRequest[],
): Promise<(TipResult | Refusal)[]> {
  if (requests.length > tipsPerCallMax)
    throw new RangeError(`at most ${tipsPerCallMax} tips a call`);
  const answers = await callFunction(
    db,
    sql`select ledger.tip_many(${JSON.stringify(requests)}::jsonb) as result`,
    z.array(z.unknown()).length(requests.length),
  );
  return answers.map((answer) => refusalOf(answer) ?? TipResult.parse(answer));
}
