// Pages of other origins: those on the list may call the API with a token, and none of them acts with our cookies.
import type { Context, MiddlewareHandler } from 'hono';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';

/** How long browsers remember what they were told (Chromium takes no longer than this). */
const preflightSeconds = 7_200;
const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const allowedHeaders =
  'authorization, content-type, idempotency-key, if-match, if-none-match, x-request-id';
const exposedHeaders =
  'accept-patch, accept-post, content-disposition, etag, link, location, ratelimit, ratelimit-policy, retry-after, x-request-id';

const isSafe = (method: string) => method === 'GET' || method === 'HEAD' || method === 'OPTIONS';

/** Whether the browser says that another site's page has sent this; what is no browser says nothing. */
function comesFromElsewhere(c: Context<AppEnv>, own: string): boolean {
  const origin = c.req.header('origin');
  if (origin !== undefined) return origin !== own;
  const site = c.req.header('sec-fetch-site');
  return site !== undefined && site !== 'same-origin' && site !== 'none';
}

/**
 * Answers preflights (Fetch, section 3.2) and marks answers for the origins of `API_ORIGINS`, without credentials:
 * their pages send access tokens, and no cookie. Acts of any other page are refused with `untrusted-origin`.
 */
export function crossOrigin({ config }: Pick<Deps, 'config'>): MiddlewareHandler<AppEnv> {
  const allowed = new Set(config.API_ORIGINS.map((url) => new URL(url).origin));
  return async (c, next) => {
    if (!comesFromElsewhere(c, config.APP_ORIGIN)) {
      await next();
      return;
    }
    const origin = c.req.header('origin') ?? '';
    const isAllowed = allowed.has(origin);
    if (c.req.method === 'OPTIONS') {
      c.res = preflight(c, isAllowed ? origin : null);
      return;
    }
    if (!isAllowed && !isSafe(c.req.method)) throw problem('untrusted-origin');
    await next();
    if (!isAllowed) return;
    c.res.headers.set('access-control-allow-origin', origin);
    c.res.headers.set('access-control-expose-headers', exposedHeaders);
    c.res.headers.append('vary', 'Origin');
  };
}

function preflight(c: Context<AppEnv>, origin: string | null): Response {
  const headers = origin
    ? {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': allowedMethods,
        'access-control-allow-headers': allowedHeaders,
        'access-control-max-age': String(preflightSeconds),
      }
    : {};
  return c.body(null, 204, { ...headers, vary: 'Origin' });
}
