// Second factors: authenticator apps, recovery codes, and challenges of who is logging in.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Factors, Id } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { OpenSession } from './sessions.ts';

/** Begins an authenticator, or begins it anew while it has not shown a code yet. Refuses `factor-exists`. */
export async function beginTotp(db: Db, userId: string, sealedSecret: string): Promise<void> {
  await callFunction(db, sql`select begin_totp(${userId}, ${sealedSecret}) as result`, z.unknown());
}

const Totp = z.object({ sealedSecret: z.string(), isConfirmed: z.boolean() });

/** What a code is checked against; null when somebody has no authenticator. */
export async function findTotp(db: Db, userId: string): Promise<z.infer<typeof Totp> | null> {
  return callFunction(db, sql`select totp_of(${userId}) as result`, Totp.nullable());
}

/** Takes a code's time step; false when one of it, or of a later one, was taken before. */
export async function takeTotpStep(db: Db, userId: string, step: number): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(take_totp_step(${userId}, ${step})) as result`,
    z.boolean(),
  );
}

const hashList = (hashes: readonly string[]) =>
  sql`array(select jsonb_array_elements_text(${JSON.stringify(hashes)}::jsonb))`;

/** Makes an authenticator count that has shown its first code. Refuses `factor-exists`, `not-found`. */
export async function confirmTotp(
  db: Db,
  userId: string,
  recoveryHashes: readonly string[],
): Promise<void> {
  await callFunction(
    db,
    sql`select confirm_totp(${userId}, ${hashList(recoveryHashes)}) as result`,
    z.unknown(),
  );
}

/** New recovery codes in place of all of before. */
export async function setRecoveryCodes(
  db: Db,
  userId: string,
  hashes: readonly string[],
): Promise<void> {
  await callFunction(
    db,
    sql`select set_recovery_codes(${userId}, ${hashList(hashes)}) as result`,
    z.unknown(),
  );
}

/** Uses a recovery code up; false when there is no such code, or it was used. */
export async function useRecoveryCode(db: Db, userId: string, hash: string): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(use_recovery_code(${userId}, ${hash})) as result`,
    z.boolean(),
  );
}

/** Takes the authenticator off, and the recovery codes with it. Refuses `not-found`. */
export async function endTotp(db: Db, userId: string): Promise<void> {
  await callFunction(db, sql`select end_totp(${userId}) as result`, z.unknown());
}

export async function readFactors(db: Db, userId: string): Promise<z.infer<typeof Factors>> {
  return callFunction(db, sql`select factors_of(${userId}) as result`, Factors);
}

/** Notes that somebody has shown a second factor in a session; null when it has ended. Refuses `account-banned`. */
export async function proveSession(
  db: Db,
  proof: { userId: string; sessionId: string; method: 'totp' | 'recovery-code' | 'passkey' },
): Promise<OpenSession | null> {
  return callFunction(
    db,
    sql`select prove_session(${proof.userId}, ${proof.sessionId}, ${proof.method}) as result`,
    OpenSession.nullable(),
  );
}

type ChallengePurpose = 'second-factor';

/** Asks somebody who has shown a password for a second factor; their older questions of this kind are over. */
export async function beginChallenge(
  db: Db,
  of: { userId: string; purpose: ChallengePurpose; ttlSeconds: number },
): Promise<string> {
  return callFunction(
    db,
    sql`select to_jsonb(begin_challenge(${of.userId}, ${of.purpose},
      make_interval(secs => ${of.ttlSeconds}))) as result`,
    Id,
  );
}

/** Counts an answer. Answers whose challenge it is; null when it is over, or was answered wrong too often. */
export async function tryChallenge(
  db: Db,
  answer: { challengeId: string; purpose: ChallengePurpose; attemptsMax: number },
): Promise<string | null> {
  return callFunction(
    db,
    sql`select to_jsonb(try_challenge(${answer.challengeId}, ${answer.purpose}, ${answer.attemptsMax})) as result`,
    Id.nullable(),
  );
}

/** A challenge that was answered right is over; false when somebody else was quicker. */
export async function endChallenge(db: Db, challengeId: string): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(end_challenge(${challengeId})) as result`,
    z.boolean(),
  );
}

/** Forgets challenges that are long over. Answers how many. */
export async function forgetChallenges(db: Db): Promise<number> {
  return callFunction(db, sql`select to_jsonb(forget_challenges()) as result`, z.int());
}
