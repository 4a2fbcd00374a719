// Access: who may pass. One place that routes ask, so that a rule is written once.
import type { Context, MiddlewareHandler } from 'hono';
import { IDEMPOTENCY_HEADER, IdempotencyKey, type Role } from '#contract';
import type { AppEnv, Deps, Identity } from '../deps.ts';
import { problem } from '../problem.ts';
import { equalSecrets } from './secrets.ts';

function bearer(c: Context<AppEnv>): string | null {
  const [, token] = /^Bearer ([^\s]+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
  return token ?? null;
}

/** Lets in whoever carries a valid access token, of these roles if any are named. */
export function requireUser(deps: Deps, ...roles: Role[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const token = bearer(c);
    const identity = token && (await deps.signer.verifyAccessToken(token));
    if (!identity) throw problem('unauthenticated');
    if (roles.length > 0 && !roles.includes(identity.role)) throw problem('forbidden');
    c.set('identity', identity);
    await next();
  };
}

/** The identity behind a request that anyone may make; null for a guest. A broken token is refused. */
export async function optionalUser(deps: Deps, c: Context<AppEnv>): Promise<Identity | null> {
  const token = bearer(c);
  if (!token) return null;
  const identity = await deps.signer.verifyAccessToken(token);
  if (!identity) throw problem('unauthenticated');
  return identity;
}

/** Lets in SFU nodes and transcoders, which share one secret with the edge. */
export function requireNode(deps: Deps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const token = bearer(c);
    if (!token || !(await equalSecrets(token, deps.config.NODE_SECRET))) {
      throw problem('unauthenticated');
    }
    await next();
  };
}

/**
 * Refuses requests that carry our cookie from a page that is not ours. Browsers send `Origin` with
 * every POST; one that is missing is no browser's.
 */
export function requireOwnOrigin(deps: Deps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const origin = c.req.header('origin');
    if (origin && origin !== deps.config.APP_ORIGIN) throw problem('untrusted-origin');
    await next();
  };
}

/** The request's idempotency key. Throws `missing-idempotency-key` when there is none, or a malformed one. */
export function idempotencyKey(c: Context<AppEnv>): string {
  const key = IdempotencyKey.safeParse(c.req.header(IDEMPOTENCY_HEADER));
  if (!key.success) throw problem('missing-idempotency-key');
  return key.data;
}
