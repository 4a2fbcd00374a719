// Health: alive, and ready with real probes of what the edge stands on.
import { sql } from 'drizzle-orm';
import { Hono } from 'hono';
import type { Health } from '#contract';
import type { AppEnv, Deps } from '../deps.ts';

const probeTimeoutMs = 2_000;
const service = 'edge';

export function healthRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get('/healthz', (c) => c.json({ ok: true, service, checks: {} } satisfies Health, 200))
    .get('/readyz', async (c) => {
      const [database, redis] = await Promise.all([
        probe(async () => deps.db.execute(sql`select 1`)),
        probe(async () => deps.redis.run((redis) => redis.ping())),
      ]);
      // Without Redis the API still answers and money still moves; without the database nothing does.
      const health: Health = { ok: database.ok, service, checks: { database, redis } };
      return c.json(health, health.ok ? 200 : 503);
    });
}

async function probe(check: () => Promise<unknown>): Promise<Health['checks'][string]> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Error('no answer in time')), probeTimeoutMs);
  try {
    await Promise.race([check(), timeout.promise]);
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message.split('\n')[0] : '' };
  } finally {
    clearTimeout(timer);
  }
}
