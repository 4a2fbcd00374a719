// Rate limits: fixed windows counted on Redis, and in each instance by itself while Redis is away.
import type { Context } from 'hono';
import { lineOf } from '#contract';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { clientAddress } from './client-address.ts';

export interface RateLimit {
  name: string;
  requestsMax: number;
  windowSeconds: number;
  /** Whose requests are counted together. */
  by: 'line' | 'user';
}

export const limits = {
  register: { name: 'register', requestsMax: 10, windowSeconds: 600, by: 'line' },
  login: { name: 'login', requestsMax: 20, windowSeconds: 60, by: 'line' },
  refresh: { name: 'refresh', requestsMax: 120, windowSeconds: 60, by: 'line' },
  tip: { name: 'tip', requestsMax: 60, windowSeconds: 60, by: 'user' },
  chat: { name: 'chat', requestsMax: 20, windowSeconds: 10, by: 'user' },
  order: { name: 'order', requestsMax: 20, windowSeconds: 60, by: 'user' },
  verify: { name: 'verify', requestsMax: 30, windowSeconds: 60, by: 'user' },
  invoices: { name: 'invoices', requestsMax: 60, windowSeconds: 60, by: 'user' },
  export: { name: 'export', requestsMax: 10, windowSeconds: 60, by: 'user' },
  payout: { name: 'payout', requestsMax: 10, windowSeconds: 60, by: 'user' },
  stream: { name: 'stream', requestsMax: 30, windowSeconds: 60, by: 'user' },
  events: { name: 'events', requestsMax: 300, windowSeconds: 60, by: 'line' },
  ticket: { name: 'ticket', requestsMax: 300, windowSeconds: 60, by: 'line' },
} as const satisfies Record<string, RateLimit>;

/** Counts the request and refuses it with `rate-limited` beyond the limit. */
export async function countRequest(
  deps: Deps,
  c: Context<AppEnv>,
  limit: RateLimit,
): Promise<void> {
  const who =
    limit.by === 'user' ? c.get('identity').userId : lineOf(clientAddress(deps.config, c));
  const nowSeconds = Math.floor(deps.now().getTime() / 1000);
  const window = Math.floor(nowSeconds / limit.windowSeconds);
  const key = `limit:${limit.name}:${who}:${window}`;
  const used = await countUse(deps, key, limit.windowSeconds);
  if (used <= limit.requestsMax) return;
  const retryAfterSeconds = (window + 1) * limit.windowSeconds - nowSeconds;
  c.header('retry-after', String(retryAfterSeconds));
  throw problem('rate-limited', { retryAfterSeconds });
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
