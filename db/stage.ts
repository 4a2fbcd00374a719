// The stage: who publishes beside the performer of a stream, and what is kept from everybody of what they publish.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id, type MediaHold, Revocation, StageGuest, stageGuestsMax } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Whom the performer has invited, oldest first; others find themselves alone, or nobody. */
export async function listStage(db: Db, streamId: string, viewerId: string): Promise<StageGuest[]> {
  return callFunction(
    db,
    sql`select stage_of(${streamId}, ${viewerId}) as result`,
    StageGuest.array(),
  );
}

/**
 * Invites somebody to publish beside the performer; again is no other than once. Refuses `not-found`, `forbidden`,
 * `account-banned`, `stream-ended`, `invalid-request`, `blocked`, `stage-full`.
 */
export async function inviteToStage(
  db: Db,
  invitation: { streamId: string; performerId: string; username: string },
): Promise<StageGuest> {
  const { streamId, performerId, username } = invitation;
  return callFunction(
    db,
    sql`select invite_to_stage(${streamId}, ${performerId}, ${username}, ${stageGuestsMax}) as result`,
    StageGuest,
  );
}

/**
 * What an invited person says: that they come, or that they do not, or not any more. Answers whom else it concerns,
 * and what is revoked. Refuses `not-found`, `account-banned`, `stream-ended`.
 */
export async function answerStage(
  db: Db,
  answer: { streamId: string; userId: string; accept: boolean },
): Promise<{ performerId: string; revocations: Revocation[] }> {
  const { streamId, userId, accept } = answer;
  return callFunction(
    db,
    sql`select answer_stage(${streamId}, ${userId}, ${accept}) as result`,
    z.object({ performerId: Id, revocations: Revocation.array() }),
  );
}

/** The performer takes somebody off the stage. Answers what is revoked. Refuses `not-found`, `forbidden`. */
export async function putOffStage(
  db: Db,
  act: { streamId: string; performerId: string; userId: string },
): Promise<Revocation[]> {
  const { streamId, performerId, userId } = act;
  return callFunction(
    db,
    sql`select put_off_stage(${streamId}, ${performerId}, ${userId}) as result`,
    Revocation.array(),
  );
}

/**
 * Keeps this of what somebody publishes from everybody. What the host holds staff do not give free, nor the other way.
 * Answers the order to the media nodes. Refuses `not-found`, `forbidden`, `stream-ended`.
 */
export async function holdMedia(
  db: Db,
  act: { streamId: string; by: string; userId: string; holder: 'host' | 'staff'; held: MediaHold },
): Promise<Revocation[]> {
  const { streamId, by, userId, holder, held } = act;
  return callFunction(
    db,
    sql`select hold_media(${streamId}, ${by}, ${userId}, ${holder},
      ${JSON.stringify(held)}::jsonb) as result`,
    Revocation.array(),
  );
}
