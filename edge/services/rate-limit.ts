// Rate limits: fixed windows counted on Redis; without Redis nobody is refused.
import type { MiddlewareHandler } from 'hono';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { clientAddress } from './client-address.ts';

export interface RateLimit {
  name: string;
  requestsMax: number;
  windowSeconds: number;
  /** Whose requests are counted together. */
  by: 'address' | 'user';
}

export const limits = {
  register: { name: 'register', requestsMax: 10, windowSeconds: 600, by: 'address' },
  login: { name: 'login', requestsMax: 20, windowSeconds: 60, by: 'address' },
  tip: { name: 'tip', requestsMax: 60, windowSeconds: 60, by: 'user' },
  chat: { name: 'chat', requestsMax: 20, windowSeconds: 10, by: 'user' },
  order: { name: 'order', requestsMax: 20, windowSeconds: 60, by: 'user' },
  stream: { name: 'stream', requestsMax: 30, windowSeconds: 60, by: 'user' },
  ticket: { name: 'ticket', requestsMax: 300, windowSeconds: 60, by: 'address' },
} as const satisfies Record<string, RateLimit>;

/** Counts the request and refuses it with `rate-limited` beyond the limit. */
export function limitRate(deps: Deps, limit: RateLimit): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const who = limit.by === 'user' ? c.var.identity.userId : clientAddress(deps.config, c);
    const nowSeconds = Math.floor(deps.now().getTime() / 1000);
    const window = Math.floor(nowSeconds / limit.windowSeconds);
    const key = `limit:${limit.name}:${who}:${window}`;
    let used: number;
    try {
      const [count] = await deps.redis
        .pipeline()
        .incr(key)
        .expire(key, limit.windowSeconds)
        .exec<[number, number]>();
      used = count;
    } catch (error) {
      c.var.log.warn('rate limit not checked', { limit: limit.name, error: String(error) });
      used = 0;
    }
    if (used > limit.requestsMax) {
      const retryAfterSeconds = (window + 1) * limit.windowSeconds - nowSeconds;
      c.header('retry-after', String(retryAfterSeconds));
      throw problem('rate-limited', { retryAfterSeconds });
    }
    await next();
  };
}
