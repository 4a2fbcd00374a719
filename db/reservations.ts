// Reservations: tokens set aside for a private show or a goal.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

const Held = z.object({ reservationId: Id, tokens: z.int(), replayed: z.boolean() });

/**
 * Sets tokens aside for a performer until `expiresAt`, when they go back by themselves. Refuses
 * `insufficient-balance`, `self-tip`, `account-banned`, `performer-unavailable`, `spending-limit`,
 * `new-account-limit`, `idempotency-key-reused`.
 */
export async function holdTokens(
  db: Db,
  hold: {
    viewerId: string;
    performerId: string;
    streamId: string | null;
    tokens: number;
    expiresAt: Date;
    idempotencyKey: string;
  },
): Promise<z.infer<typeof Held>> {
  return callFunction(
    db,
    sql`select ledger.hold(${hold.viewerId}, ${hold.performerId}, ${hold.streamId}, ${hold.tokens},
      ${hold.expiresAt.toISOString()}, ${hold.idempotencyKey}) as result`,
    Held,
  );
}

/** Pays so many of the held tokens to the performer; the rest goes back. Refuses `reservation-closed`. */
export async function captureHold(
  db: Db,
  reservationId: string,
  tokens: number,
): Promise<{ tipId: string; tokens: number; releasedTokens: number; replayed: boolean }> {
  return callFunction(
    db,
    sql`select ledger.hold_captured(${reservationId}, ${tokens}) as result`,
    z.object({ tipId: Id, tokens: z.int(), releasedTokens: z.int(), replayed: z.boolean() }),
  );
}

/** Gives held tokens back. Refuses `reservation-closed`. */
export async function releaseHold(
  db: Db,
  reservationId: string,
): Promise<{ tokens: number; replayed: boolean }> {
  return callFunction(
    db,
    sql`select ledger.hold_released(${reservationId}) as result`,
    z.object({ tokens: z.int(), replayed: z.boolean() }),
  );
}

/** Opens a goal; its tokens wait in escrow until it is reached, or go back at the deadline. */
export async function openGoal(
  db: Db,
  goal: {
    performerId: string;
    streamId: string | null;
    title: string;
    targetTokens: number;
    deadline: Date;
  },
): Promise<string> {
  return callFunction(
    db,
    sql`select to_jsonb(ledger.open_goal(${goal.performerId}, ${goal.streamId}, ${goal.title},
      ${goal.targetTokens}, ${goal.deadline.toISOString()})) as result`,
    Id,
  );
}

const Contribution = Held.extend({
  goalTokens: z.int().optional(),
  targetTokens: z.int().optional(),
  balanceTokens: z.int().optional(),
});

/** Tokens for a goal. Refuses `goal-closed`, and what `holdTokens` refuses. */
export async function contributeToGoal(
  db: Db,
  contribution: { viewerId: string; goalId: string; tokens: number; idempotencyKey: string },
): Promise<z.infer<typeof Contribution>> {
  return callFunction(
    db,
    sql`select ledger.goal_contribution(${contribution.viewerId}, ${contribution.goalId},
      ${contribution.tokens}, ${contribution.idempotencyKey}) as result`,
    Contribution,
  );
}

/** Decides goals that are full, or whose time is over. */
export async function closeGoals(
  db: Db,
  limit: number,
): Promise<{ goalId: string; state: 'reached' | 'missed' }[]> {
  return callFunction(
    db,
    sql`select ledger.close_goals(${limit}) as result`,
    z.array(z.object({ goalId: Id, state: z.enum(['reached', 'missed']) })),
  );
}

/** Pays or gives back contributions of decided goals, and holds whose time is over. Answers how many. */
export async function settleReservations(db: Db, limit: number): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(ledger.settle_reservations(${limit})) as result`,
    z.int(),
  );
}
