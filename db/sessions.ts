// Sessions: log-ins and their rotating refresh tokens, kept as hashes.
import { and, eq, isNull, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Db } from './connect.ts';
import { refreshTokens, sessions } from './schema/index.ts';

/** A used token may come again for so long: a lost answer, or two tabs at once. */
const refreshGraceSeconds = 10;

/** Opens a session with its first refresh token. One statement, so that none is left without the other. */
export async function openSession(
  db: Db,
  session: {
    userId: string;
    tokenHash: Uint8Array;
    ttlSeconds: number;
    /** Of where it is opened from, keyed. */
    addressHash?: string;
  },
): Promise<{ sessionId: string }> {
  const result = await db.execute(sql`
    with opened as (
      insert into ${sessions} (user_id, expires_at, address_hash)
      values (${session.userId}, now() + make_interval(secs => ${session.ttlSeconds}),
        ${session.addressHash ?? null})
      returning id
    ), token as (
      insert into ${refreshTokens} (hash, session_id)
      select decode(${hex(session.tokenHash)}, 'hex'), id from opened
    )
    select id from opened`);
  const { rows } = z.object({ rows: z.array(z.object({ id: z.uuid() })).length(1) }).parse(result);
  return { sessionId: rows[0]?.id ?? '' };
}

/** Uses up a refresh token for the next one. Null: unknown, expired or revoked; a stolen one ends its session. */
export async function rotateSession(
  db: Db,
  tokens: { hash: Uint8Array; nextHash: Uint8Array },
): Promise<{ sessionId: string; userId: string } | null> {
  const result = await db.execute(sql`
    select session_id, user_id from rotate_refresh_token(
      decode(${hex(tokens.hash)}, 'hex'), decode(${hex(tokens.nextHash)}, 'hex'),
      make_interval(secs => ${refreshGraceSeconds}))`);
  const row = z
    .object({ rows: z.array(z.object({ session_id: z.uuid(), user_id: z.uuid() })) })
    .parse(result).rows[0];
  return row ? { sessionId: row.session_id, userId: row.user_id } : null;
}

/** Ends the session that a refresh token belongs to; an unknown token ends none. */
export async function revokeSessionOfToken(db: Db, hash: Uint8Array): Promise<void> {
  await db
    .update(sessions)
    .set({ revokedAt: sql`now()` })
    .where(
      and(
        isNull(sessions.revokedAt),
        eq(
          sessions.id,
          sql`(select session_id from ${refreshTokens} where hash = decode(${hex(hash)}, 'hex'))`,
        ),
      ),
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

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
