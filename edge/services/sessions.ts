// Sessions: opening, renewing and ending a log-in; the refresh token lives in a cookie only.
import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { Session } from '#contract';
import { openSession, revokeSessionOfToken, rotateSession, type User } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { randomToken, sha256 } from './secrets.ts';
import { addressHash } from './suspicion.ts';

const cookieName = 'livepanty_refresh';
const cookiePath = '/v1/auth';
const refreshTtlSeconds = 30 * 24 * 3600;

export function presentMe(user: User): Session['user'] {
  return {
    id: user.id,
    email: user.email,
    username: user.username,
    role: user.role,
    country: user.country,
    createdAt: user.createdAt.toISOString(),
  };
}

async function presentSession(deps: Deps, user: User, sessionId: string): Promise<Session> {
  const { token, expiresAt } = await deps.signer.accessToken({
    userId: user.id,
    username: user.username,
    role: user.role,
    sessionId,
  });
  return { accessToken: token, expiresAt: expiresAt.toISOString(), user: presentMe(user) };
}

function keepCookie(deps: Deps, c: Context<AppEnv>, token: string): void {
  setCookie(c, cookieName, token, {
    httpOnly: true,
    secure: deps.config.APP_ORIGIN.startsWith('https:'),
    sameSite: 'Strict',
    path: cookiePath,
    maxAge: refreshTtlSeconds,
  });
}

/** Logs a user in: a new family of refresh tokens and the first access token. */
export async function beginSession(deps: Deps, c: Context<AppEnv>, user: User): Promise<Session> {
  const token = randomToken();
  const from = await addressHash(deps, c);
  const { sessionId } = await openSession(deps.db, {
    userId: user.id,
    tokenHash: await sha256(token),
    ttlSeconds: refreshTtlSeconds,
    ...(from === null ? {} : { addressHash: from }),
  });
  keepCookie(deps, c, token);
  return presentSession(deps, user, sessionId);
}

/** Uses up the cookie's refresh token for the next one; null when it is no good (any more). */
export async function renewSession(
  deps: Deps,
  c: Context<AppEnv>,
): Promise<{ userId: string; present: (user: User) => Promise<Session> } | null> {
  const token = getCookie(c, cookieName);
  if (!token) return null;
  const next = randomToken();
  const rotated = await rotateSession(deps.db, {
    hash: await sha256(token),
    nextHash: await sha256(next),
  });
  if (!rotated) {
    deleteCookie(c, cookieName, { path: cookiePath });
    return null;
  }
  keepCookie(deps, c, next);
  return {
    userId: rotated.userId,
    present: (user) => presentSession(deps, user, rotated.sessionId),
  };
}

/** Logs this device out. */
export async function endSession(deps: Deps, c: Context<AppEnv>): Promise<void> {
  const token = getCookie(c, cookieName);
  if (token) await revokeSessionOfToken(deps.db, await sha256(token));
  deleteCookie(c, cookieName, { path: cookiePath });
}

/** An access token for the session of the present one, which the caller has seen to be alive. */
export async function presentAgain(deps: Deps, c: Context<AppEnv>, user: User): Promise<Session> {
  return presentSession(deps, user, c.var.identity.sessionId);
}
