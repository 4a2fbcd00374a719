// Sessions: log-ins and their rotating refresh tokens, kept as hashes.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Device, Me, Revocation } from '#contract';
import { hex } from './bytes.ts';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { sessions } from './schema/index.ts';

/** A used token may come again for so long: a lost answer, or two tabs at once. */
const refreshGraceSeconds = 10;
/** Of one person at once; beyond that the one that was used longest ago ends. */
export const sessionsMax = 50;

export const OpenSession = z.object({
  sessionId: z.uuid(),
  /** The number of the last revocation that was known when it was looked at. */
  revision: z.int(),
  /** When a second factor was last shown; null when never. */
  secondFactorAt: z.coerce.date().nullable(),
  user: Me,
});
export type OpenSession = z.infer<typeof OpenSession>;
const Revoked = Revocation.array();

/**
 * Opens a session with its first refresh token. Answers also what had to end for it, and whether its browser is a new
 * one for somebody who has others. Refuses `account-banned`, `account-closing`,
 * `invalid-credentials`.
 */
export async function openSession(
  db: Db,
  session: {
    userId: string;
    tokenHash: Uint8Array;
    ttlSeconds: number;
    /** Of where it is opened from, keyed. */
    addressHash: string | null;
    device: string;
    /** Of what the browser keeps to be known by. */
    deviceHash: Uint8Array;
    methods: readonly string[];
    secondFactor: boolean;
    /** An account that is closed is had back. */
    keepAccount?: boolean;
    /** What the password was checked against, where one was shown: changed meanwhile, it opens nothing. */
    passwordHash?: string;
  },
): Promise<OpenSession & { revocations: Revocation[]; isNewDevice: boolean }> {
  const facts = JSON.stringify({
    ...session,
    tokenHash: hex(session.tokenHash),
    deviceHash: hex(session.deviceHash),
  });
  return callFunction(
    db,
    sql`select open_session(${facts}::jsonb, ${sessionsMax}) as result`,
    OpenSession.extend({ revocations: Revoked, isNewDevice: z.boolean() }),
  );
}

const Rotation = z.discriminatedUnion('outcome', [
  OpenSession.extend({ outcome: z.literal('rotated') }),
  z.object({ outcome: z.literal('renewed') }),
  z.object({ outcome: z.literal('over'), revocations: Revoked.default([]) }),
]);
export type Rotation = z.infer<typeof Rotation>;

/**
 * Exchanges a refresh token for the next one. `renewed`: it was exchanged a moment ago, and so was the next one;
 * `over`: unknown, expired or ended. A stolen one ends its session.
 */
export async function rotateSession(
  db: Db,
  tokens: { hash: Uint8Array; nextHash: Uint8Array },
): Promise<Rotation> {
  return callFunction(
    db,
    sql`select rotate_session(decode(${hex(tokens.hash)}, 'hex'), decode(${hex(tokens.nextHash)}, 'hex'),
      make_interval(secs => ${refreshGraceSeconds})) as result`,
    Rotation,
  );
}

/** Ends the session that a refresh token belongs to; an unknown token ends none. */
export async function endSessionOfToken(db: Db, hash: Uint8Array): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select end_own_session(decode(${hex(hash)}, 'hex'), null, null, 'logout') as result`,
    Revoked,
  );
}

/** Ends one of somebody's own sessions; one of nobody's, or of somebody else, ends none. */
export async function endSession(
  db: Db,
  session: { userId: string; sessionId: string; reason: 'logout' | 'other-device' },
): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select end_own_session(null, ${session.userId}, ${session.sessionId}, ${session.reason}) as result`,
    Revoked,
  );
}

/** Ends all of somebody's sessions, or all but one. */
export async function endSessionsOf(
  db: Db,
  of: { userId: string; except: string | null; reason: 'other-device' | 'password' | 'factor' },
): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select end_sessions_of(${of.userId}, ${of.except}, ${of.reason}) as result`,
    Revoked,
  );
}

/** One of the staff logs somebody out everywhere. Refuses `forbidden`, `not-found`. */
export async function endSessionsByStaff(
  db: Db,
  { userId, staffId }: { userId: string; staffId: string },
): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select end_sessions_by_staff(${userId}, ${staffId}) as result`,
    Revoked,
  );
}

/** The devices that somebody is logged in on, the one that was used last first. */
export async function listSessions(
  db: Db,
  userId: string,
): Promise<Omit<z.infer<typeof Device>, 'current'>[]> {
  return callFunction(
    db,
    sql`select sessions_of(${userId}) as result`,
    Device.omit({ current: true }).array(),
  );
}

/**
 * Makes a viewer a performer; other roles stay as they are. Null when the session has ended: an access
 * token that outlives it must not be exchanged for a new one. Refuses `account-banned`.
 */
export async function becomePerformer(
  db: Db,
  identity: { userId: string; sessionId: string },
): Promise<OpenSession | null> {
  return callFunction(
    db,
    sql`select become_performer(${identity.userId}, ${identity.sessionId}) as result`,
    OpenSession.nullable(),
  );
}

/** Removes sessions that ended so long ago that nobody needs to know of them. Answers how many. */
export async function removeOldSessions(db: Db, keepSeconds: number): Promise<number> {
  const removed = await db
    .delete(sessions)
    .where(
      sql`coalesce(${sessions.revokedAt}, ${sessions.expiresAt}) < now() - make_interval(secs => ${keepSeconds})`,
    )
    .returning({ id: sessions.id });
  return removed.length;
}
