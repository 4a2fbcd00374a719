// The job runner: keeps the pace of every recurring job, in Node, with a health address.
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Health } from '#contract';
import { connectPostgres } from '#db/postgres';
import { type Job, jobs } from '../jobs/index.ts';
import { describeError } from '../problem.ts';
import { endOnSignal } from './ending.ts';
import { createServerParts } from './server.ts';

/** A job that has not succeeded for so many of its periods makes the runner unready. */
const periodsLateMax = 10;
const graceMs = 10_000;
const booksTimeoutMs = 10 * 60_000;

const parts = await createServerParts(process.env, 'jobs');
const { deps } = parts;
const books = connectPostgres(deps.config.DATABASE_URL, {
  connectionsMax: 1,
  statementTimeoutMs: booksTimeoutMs,
});
const lastSuccess = new Map<string, number>();
const startedAt = Date.now();
let stopping = false;
const timers = new Set<NodeJS.Timeout>();
const running = new Set<Promise<void>>();

function schedule(job: Job, delayMs: number): void {
  if (stopping) return;
  const timer = setTimeout(() => {
    timers.delete(timer);
    const round = runOnce(job);
    running.add(round);
    // The next round begins after this one has ended: a slow job never overlaps with itself.
    round.finally(() => {
      running.delete(round);
      schedule(job, job.everySeconds * 1000);
    });
  }, delayMs);
  timers.add(timer);
}

async function runOnce(job: Job): Promise<void> {
  try {
    await job.run(job.readsBooks ? { ...deps, db: books.db } : deps);
    lastSuccess.set(job.name, Date.now());
  } catch (error) {
    deps.log.warn('job failed, will be tried again', {
      job: job.name,
      error: describeError(error),
    });
  }
}

function health(): Health {
  const checks = jobs.map((job) => {
    const last = lastSuccess.get(job.name) ?? startedAt;
    const late = Date.now() - last > job.everySeconds * 1000 * periodsLateMax + graceMs;
    return [job.name, { ok: !late }] as const;
  });
  return {
    ok: checks.every(([, check]) => check.ok),
    service: 'jobs',
    checks: Object.fromEntries(checks),
  };
}

const app = new Hono()
  .get('/healthz', (c) => c.json({ ok: true, service: 'jobs', checks: {} } satisfies Health))
  .get('/readyz', (c) => {
    const state = health();
    return c.json(state, state.ok ? 200 : 503);
  });
const server = serve(
  { fetch: app.fetch, port: Number(process.env.JOBS_PORT ?? 4600), hostname: '127.0.0.1' },
  ({ port }) => deps.log.info('job runner listens', { port }),
);
for (const job of jobs) schedule(job, 0);

endOnSignal(async () => {
  stopping = true;
  for (const timer of timers) clearTimeout(timer);
  server.close();
  await Promise.all(running);
  await Promise.all([parts.close(), books.close()]);
});
