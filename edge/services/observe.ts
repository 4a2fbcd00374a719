// Observation: an id for every request, the headers of every answer, one log line, a count of every refusal.
import type { Context, MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { AppEnv, Deps } from '../deps.ts';
import { createSecurityHeaders } from './security-headers.ts';

const requestIdPattern = /^[A-Za-z0-9_-]{8,64}$/;

/** Refusals of who somebody is and of what they may do. */
const securityStatuses: readonly number[] = [401, 403, 429];

/** Acts on accounts and on sessions are always told of, and so is whoever is kept out. */
function levelOf(c: Context<AppEnv>, status: number): 'warn' | 'info' | 'debug' {
  if (status >= 500) return 'warn';
  const isOfAccounts = c.req.method !== 'GET' && c.req.path.startsWith('/v1/auth/');
  return isOfAccounts || securityStatuses.includes(status) ? 'info' : 'debug';
}

/**
 * Headers are set on the answer that there is: a framework's own way of adding one to a finished answer reads its
 * body first.
 */
export function observe(deps: Deps): MiddlewareHandler<AppEnv> {
  const security = createSecurityHeaders(deps.config);
  return async (c, next) => {
    const given = c.req.header('x-request-id');
    const requestId = given && requestIdPattern.test(given) ? given : crypto.randomUUID();
    c.set('requestId', requestId);
    c.set('log', deps.log.with({ requestId }));
    const startedAt = performance.now();
    await next();
    const { headers, status } = c.res;
    headers.set('x-request-id', requestId);
    security.add(headers, c.req.path);
    // Answers are about somebody unless a route says otherwise.
    if (c.req.path.startsWith('/v1/') && !headers.has('cache-control')) {
      headers.set('cache-control', 'no-store');
    }
    const code = c.get('problemCode');
    if (code) deps.counters.add(code);
    const level = levelOf(c, status);
    if (!deps.log.says(level)) return;
    const userId = c.get('actorId');
    c.get('log')[level]('answered', {
      method: c.req.method,
      // The pattern, not the address: ids and cursors do not belong in every line.
      route: routePath(c, -1),
      status,
      ...(userId ? { userId } : {}),
      ms: Math.round(performance.now() - startedAt),
      ...(code ? { code } : {}),
    });
  };
}
