// Observation: an id for every request, one log line when it is answered, a count of every refusal.
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import type { AppEnv, Deps } from '../deps.ts';

const requestIdPattern = /^[A-Za-z0-9_-]{8,64}$/;

export function observe(deps: Deps): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const given = c.req.header('x-request-id') ?? '';
    const requestId = requestIdPattern.test(given) ? given : crypto.randomUUID();
    c.set('requestId', requestId);
    c.set('log', deps.log.with({ requestId }));
    const startedAt = performance.now();
    await next();
    c.header('x-request-id', requestId);
    const code = c.var.problemCode;
    if (code) deps.counters.add(code);
    const fields = {
      method: c.req.method,
      // The pattern, not the address: ids and cursors do not belong in every line.
      route: routePath(c, -1),
      status: c.res.status,
      ms: Math.round(performance.now() - startedAt),
      ...(code ? { code } : {}),
    };
    if (c.res.status >= 500) c.var.log.warn('answered', fields);
    else c.var.log.debug('answered', fields);
  };
}
