// Sessions: opening, renewing and ending a log-in; the refresh token lives in a cookie only.
import type { Context } from 'hono';
import type { Me, Revocation, Session } from '#contract';
import {
  endSession as endSessionById,
  endSessionOfToken,
  markRevocationsPublished,
  type OpenSession,
  openSession,
  rotateSession,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { dropCookie, keepCookie, readCookie } from './cookies.ts';
import { deviceOf } from './device.ts';
import { knowDevice } from './known-device.ts';
import { newDeviceMail } from './mail-texts.ts';
import { randomToken, sha256 } from './secrets.ts';
import { addressHash } from './suspicion.ts';

const refreshTtlSeconds = 30 * 24 * 3600;

/** An access token for a session that the database has just shown to be open. */
export async function presentSession(deps: Deps, session: OpenSession): Promise<Session> {
  const { user } = session;
  const { token, expiresAt } = await deps.signer.accessToken({
    userId: user.id,
    username: user.username,
    role: user.role,
    sessionId: session.sessionId,
    revision: session.revision,
    secondFactorAt: session.secondFactorAt,
  });
  return { accessToken: token, expiresAt: expiresAt.toISOString(), user };
}

const keepToken = (deps: Deps, c: Context<AppEnv>, token: string) =>
  keepCookie(deps, c, { name: 'refresh', value: token, ttlSeconds: refreshTtlSeconds });

/** Logs somebody in: a new family of refresh tokens and the first access token. Refuses `account-banned`, `account-closing`. */
export async function beginSession(
  deps: Deps,
  c: Context<AppEnv>,
  login: {
    userId: string;
    methods: readonly string[];
    secondFactor: boolean;
    keepAccount?: boolean;
    passwordHash?: string;
  },
): Promise<Session> {
  const token = randomToken();
  const device = deviceOf(c.req.header('user-agent') ?? '');
  const { revocations, isNewDevice, ...session } = await openSession(deps.db, {
    ...login,
    tokenHash: await sha256(token),
    ttlSeconds: refreshTtlSeconds,
    addressHash: await addressHash(deps, c),
    device,
    deviceHash: await knowDevice(deps, c),
  });
  await tellRevoked(deps, c, revocations);
  c.set('actorId', login.userId);
  if (isNewDevice) await tellNewDevice(deps, c, session.user, device);
  keepToken(deps, c, token);
  return presentSession(deps, session);
}

/** Mails somebody who has other browsers that they were logged in from a new one. */
async function tellNewDevice(
  deps: Deps,
  c: Context<AppEnv>,
  { email, username }: Me,
  device: string,
): Promise<void> {
  const link = `${deps.config.APP_ORIGIN}/settings/security`;
  const content = newDeviceMail({ username, link, device, at: deps.now() });
  await deps.mailer.queue('new-device', email, content, c.env.defer);
}

/**
 * Exchanges the cookie's refresh token for the next one. Throws `session-expired`, and `session-renewed` when
 * another tab has a newer one already: whoever asks again sends that.
 */
export async function renewSession(deps: Deps, c: Context<AppEnv>): Promise<Session> {
  const token = readCookie(deps, c, 'refresh');
  if (!token) throw problem('session-expired');
  const next = randomToken();
  const rotation = await rotateSession(deps.db, {
    hash: await sha256(token),
    nextHash: await sha256(next),
  });
  switch (rotation.outcome) {
    case 'rotated':
      keepToken(deps, c, next);
      return presentSession(deps, rotation);
    case 'renewed':
      throw problem('session-renewed');
    case 'over':
      await tellRevoked(deps, c, rotation.revocations);
      dropCookie(deps, c, 'refresh');
      throw problem('session-expired');
  }
}

/** Logs this device out, by its cookie or by the access token that it sends. */
export async function endSession(deps: Deps, c: Context<AppEnv>): Promise<void> {
  const token = readCookie(deps, c, 'refresh');
  if (token) {
    await tellRevoked(deps, c, await endSessionOfToken(deps.db, await sha256(token)));
    dropCookie(deps, c, 'refresh');
    return;
  }
  const identity = c.get('visitor');
  if (!identity) return;
  const { userId, sessionId } = identity;
  const ended = await endSessionById(deps.db, { userId, sessionId, reason: 'logout' });
  await tellRevoked(deps, c, ended);
}

/** Tells everybody at once what to believe no more; what cannot be told now is told by the relay. */
export async function tellRevoked(
  deps: Pick<Deps, 'db' | 'publisher' | 'revocations'>,
  c: Context<AppEnv>,
  revocations: readonly Revocation[],
): Promise<void> {
  if (revocations.length === 0) return;
  deps.revocations.add(revocations);
  if (!(await deps.publisher.revoke(revocations))) return;
  const numbers = revocations.map(({ number }) => number);
  c.env.defer(markRevocationsPublished(deps.db, numbers));
}
