// Access: who is asking, by which token, and whether they may. Routes say what they need in `operation()`.
import type { Context, MiddlewareHandler } from 'hono';
import { IDEMPOTENCY_HEADER, IdempotencyKey, isPermitted, type Permission } from '#contract';
import type { AppEnv, Deps, Identity } from '../deps.ts';
import { problem } from '../problem.ts';
import { equalSecrets } from './secrets.ts';

/** What the request carries as who sends it; null for nothing. */
export function bearer(c: Context<AppEnv>): string | null {
  const [, token] = /^Bearer ([^\s]+)$/i.exec(c.req.header('authorization') ?? '') ?? [];
  return token ?? null;
}

/** Who is asking; null for nobody in particular. Throws `unauthenticated` for a token that is no good. */
export async function findIdentity(deps: Deps, c: Context<AppEnv>): Promise<Identity | null> {
  const token = bearer(c);
  if (!token) return null;
  const identity = await deps.signer.verifyAccessToken(token);
  if (!identity || (await isRevoked(deps, identity))) throw problem('unauthenticated');
  c.set('actorId', identity.userId);
  return identity;
}

function isRevoked(deps: Deps, { userId, sessionId, revision }: Identity): Promise<boolean> {
  return deps.revocations.ends({ rev: revision, subject: userId, sessionId, streamId: null });
}

/** Who is asking. Throws `unauthenticated`, and `forbidden` where their role does not permit it. */
export async function requirePermission(
  deps: Deps,
  c: Context<AppEnv>,
  permission: Permission,
): Promise<Identity> {
  const identity = await findIdentity(deps, c);
  if (!identity) throw problem('unauthenticated');
  if (!isPermitted(identity.role, permission)) throw problem('forbidden');
  return identity;
}

/** How long a second factor counts that was shown in this session. */
const proofSeconds = {
  /** For what moves money, and for how somebody logs in. */
  recent: 15 * 60,
  /** For staff: a working day. */
  today: 12 * 3600,
};
export type Proof = keyof typeof proofSeconds;

/** Throws `step-up-needed` unless a second factor was shown in this session lately. */
export function requireProof(deps: Deps, { secondFactorAt }: Identity, proof: Proof): void {
  const oldest = deps.now().getTime() - proofSeconds[proof] * 1000;
  if (!secondFactorAt || secondFactorAt.getTime() < oldest) throw problem('step-up-needed');
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
