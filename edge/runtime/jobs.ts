// The job runner: keeps the pace of every recurring job, in Node, with a health address.
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import type { Health } from '#contract';
import { readChainLag } from '#db';
import { connectPostgres } from '#db/postgres';
import { type Job, jobs } from '../jobs/index.ts';
import { nextSecondsOf, type Round, runLeased } from '../jobs/lease.ts';
import { describeError } from '../problem.ts';
import { endOnSignal } from './ending.ts';
import { createServerParts } from './server.ts';

/** A job that has not succeeded for so many of its periods makes the runner unready. */
const periodsLateMax = 10;
const graceMs = 10_000;
const booksTimeoutMs = 10 * 60_000;
/** How soon it is looked again for a round that another runner has, or had: it may die. */
const lookAgainSecondsMax = 15;

const parts = await createServerParts(process.env, 'jobs');
const { deps } = parts;
const books = connectPostgres(deps.config.DATABASE_URL, {
  connectionsMax: 1,
  statementTimeoutMs: booksTimeoutMs,
});
const lastSuccess = new Map<string, number>();
const startedAt = Date.now();
/** Who holds the leases of this process. */
const holder = `${hostname()}:${process.pid}:${randomUUID()}`;
let stopping = false;
const timers = new Set<NodeJS.Timeout>();
const running = new Set<Promise<Round>>();

function schedule(job: Job, delayMs: number): void {
  if (stopping) return;
  const timer = setTimeout(() => {
    timers.delete(timer);
    const round = runOnce(job);
    running.add(round);
    // The next round begins after this one has ended: a slow job never overlaps with itself.
    round.then((how) => {
      running.delete(round);
      const seconds = nextSecondsOf(job, how);
      schedule(job, 1000 * (how === 'not-due' ? Math.min(seconds, lookAgainSecondsMax) : seconds));
    });
  }, delayMs);
  timers.add(timer);
}

async function runOnce(job: Job): Promise<Round> {
  const round = await runLeased(
    deps,
    job,
    holder,
    job.readsBooks ? { ...deps, db: books.db } : deps,
  );
  // A round that another runner has is as good as one of ours.
  if (round !== 'failed') lastSuccess.set(job.name, Date.now());
  return round;
}

async function health(): Promise<Health> {
  const checks = jobs.map((job) => {
    const last = lastSuccess.get(job.name) ?? startedAt;
    const late = Date.now() - last > job.everySeconds * 1000 * periodsLateMax + graceMs;
    return [job.name, { ok: !late }] as const;
  });
  const all = Object.fromEntries([...checks, ['chain', await checkChain()] as const]);
  return { ok: Object.values(all).every(({ ok }) => ok), service: 'jobs', checks: all };
}

/** A sealer that is held back succeeds and seals nothing: only the age of what waits for it tells. */
async function checkChain(): Promise<Health['checks'][string]> {
  try {
    const { isLate, unsealedSeconds, unsignedSeconds } = await readChainLag(deps.db);
    return {
      ok: !isLate,
      detail: `the oldest unsealed act has waited ${unsealedSeconds ?? 0} s, the oldest unsigned block ${unsignedSeconds ?? 0} s`,
    };
  } catch (error) {
    return { ok: false, detail: describeError(error) };
  }
}

const app = new Hono()
  .get('/healthz', (c) => c.json({ ok: true, service: 'jobs', checks: {} } satisfies Health))
  .get('/readyz', async (c) => {
    const state = await health();
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
