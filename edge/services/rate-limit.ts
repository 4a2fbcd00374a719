// Rate limits: how often somebody may ask for what, told in the headers of every answer that is limited.
import type { Context } from 'hono';
import { isLoopback, lineOf } from '#contract';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { clientAddress } from './client-address.ts';
import type { Quota, Taken } from './limiter.ts';

export interface RateLimit extends Quota {
  name: string;
  /** Whose requests are counted together. */
  by: 'line' | 'user';
}

const acts = {
  register: { name: 'register', requestsMax: 10, windowSeconds: 600, by: 'line' },
  dataExport: { name: 'data-export', requestsMax: 5, windowSeconds: 86_400, by: 'user' },
  verifyEmail: { name: 'verify-email', requestsMax: 5, windowSeconds: 3600, by: 'user' },
  changeEmail: { name: 'change-email', requestsMax: 10, windowSeconds: 3600, by: 'user' },
  askLink: { name: 'ask-link', requestsMax: 20, windowSeconds: 600, by: 'line' },
  link: { name: 'link', requestsMax: 30, windowSeconds: 600, by: 'line' },
  login: { name: 'login', requestsMax: 20, windowSeconds: 60, by: 'line' },
  proof: { name: 'proof', requestsMax: 20, windowSeconds: 60, by: 'user' },
  refresh: { name: 'refresh', requestsMax: 120, windowSeconds: 60, by: 'line' },
  tip: { name: 'tip', requestsMax: 60, windowSeconds: 60, by: 'user' },
  chat: { name: 'chat', requestsMax: 20, windowSeconds: 10, by: 'user' },
  order: { name: 'order', requestsMax: 20, windowSeconds: 60, by: 'user' },
  verify: { name: 'verify', requestsMax: 30, windowSeconds: 60, by: 'user' },
  invoices: { name: 'invoices', requestsMax: 60, windowSeconds: 60, by: 'user' },
  export: { name: 'export', requestsMax: 10, windowSeconds: 60, by: 'user' },
  payout: { name: 'payout', requestsMax: 10, windowSeconds: 60, by: 'user' },
  stream: { name: 'stream', requestsMax: 30, windowSeconds: 60, by: 'user' },
  profile: { name: 'profile', requestsMax: 60, windowSeconds: 60, by: 'user' },
  avatar: { name: 'avatar', requestsMax: 20, windowSeconds: 600, by: 'user' },
  relation: { name: 'relation', requestsMax: 60, windowSeconds: 60, by: 'user' },
  events: { name: 'events', requestsMax: 300, windowSeconds: 60, by: 'line' },
  ingest: { name: 'ingest', requestsMax: 300, windowSeconds: 60, by: 'line' },
  /** Stream keys that do not exist. */
  ingestGuess: { name: 'ingest-guess', requestsMax: 20, windowSeconds: 600, by: 'line' },
  search: { name: 'search', requestsMax: 120, windowSeconds: 60, by: 'line' },
  ticket: { name: 'ticket', requestsMax: 300, windowSeconds: 60, by: 'line' },
  /** Acts that have no limit of their own. */
  act: { name: 'act', requestsMax: 300, windowSeconds: 60, by: 'user' },
} as const satisfies Record<string, RateLimit>;
export const limits = acts;

/** Reads that have no limit of their own: of who is logged in, and of everybody else of one line. */
export const readLimits = {
  user: { name: 'read', requestsMax: 1_200, windowSeconds: 60, by: 'user' },
  line: { name: 'read', requestsMax: 1_200, windowSeconds: 60, by: 'line' },
} as const satisfies Record<string, RateLimit>;

function keyOf(deps: Deps, c: Context<AppEnv>, { name, by }: RateLimit): string {
  const who = by === 'user' ? c.get('identity').userId : lineOf(clientAddress(deps.config, c));
  return `limit:${name}:${who}`;
}

/**
 * Says how the limit stands (draft-ietf-httpapi-ratelimit-headers), and refuses with `rate-limited` beyond it.
 * `t` is when one more than now is allowed, in seconds.
 */
function tell(c: Context<AppEnv>, limit: RateLimit, taken: Taken): void {
  const stepSeconds = limit.windowSeconds / limit.requestsMax;
  const retryAfterSeconds = Math.ceil(taken.retryAfterMs / 1000);
  const nextSeconds = taken.isAllowed ? Math.ceil(stepSeconds) : retryAfterSeconds;
  c.header('ratelimit-policy', `"${limit.name}";q=${limit.requestsMax};w=${limit.windowSeconds}`);
  c.header('ratelimit', `"${limit.name}";r=${taken.left};t=${nextSeconds}`);
  if (taken.isAllowed) return;
  c.header('retry-after', String(retryAfterSeconds));
  throw problem('rate-limited', { retryAfterSeconds });
}

/** Counts the request, on all instances together, and refuses it with `rate-limited` beyond the limit. */
export async function countRequest(
  deps: Deps,
  c: Context<AppEnv>,
  limit: RateLimit,
): Promise<void> {
  const key = keyOf(deps, c, limit);
  const [taken] = await deps.limiter.take([{ key, quota: limit }]);
  if (taken) tell(c, limit, taken);
}

/** Counts an attempt that somebody must not make often, whatever they make it by. Throws `rate-limited`. */
export async function countAttempt(deps: Deps, key: string, quota: Quota): Promise<void> {
  const [taken] = await deps.limiter.take([{ key, quota }]);
  if (taken?.isAllowed !== false) return;
  throw problem('rate-limited', { retryAfterSeconds: Math.ceil(taken.retryAfterMs / 1000) });
}

/**
 * Counts a read without waiting for anybody: other instances hear of it a moment later. Callers who all seem to be
 * this machine have nothing in common.
 */
export function countRead(deps: Deps, c: Context<AppEnv>, limit: RateLimit): void {
  if (limit.by === 'line' && isLoopback(clientAddress(deps.config, c))) return;
  const taken = deps.limiter.takeRead(keyOf(deps, c, limit), limit, c.env.defer);
  // What is far from its limit is not worth the bytes of its headers.
  if (!taken.isAllowed) tell(c, limit, taken);
}

/** Keys counted in this instance alone while Redis is away; the oldest go first. */
const localKeysMax = 10_000;
const localCounts = new Map<string, number>();

/** How often the key was used in the window that it names, this use included. */
export async function countUse(deps: Deps, key: string, windowSeconds: number): Promise<number> {
  try {
    const [count] = await deps.redis.run((redis) =>
      redis.pipeline().incr(key).expire(key, windowSeconds).exec<[number, number]>(),
    );
    return count;
  } catch {
    const count = (localCounts.get(key) ?? 0) + 1;
    localCounts.delete(key);
    localCounts.set(key, count);
    const [oldest] = localCounts.keys();
    if (localCounts.size > localKeysMax && oldest !== undefined) localCounts.delete(oldest);
    return count;
  }
}
