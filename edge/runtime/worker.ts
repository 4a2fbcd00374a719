// The edge on Cloudflare Workers.
import noSimd from 'argon2id/dist/no-simd.wasm';
import simd from 'argon2id/dist/simd.wasm';
import { connectNeon } from '#db/neon';
import { createApp } from '../app.ts';
import { readConfig } from '../config.ts';
import type { Deps } from '../deps.ts';
import { jobs } from '../jobs/index.ts';
import { describeError } from '../problem.ts';
import { buildDeps } from '../services/build-deps.ts';

interface WorkerEnv extends Record<string, unknown> {
  ASSETS: { fetch(request: Request): Promise<Response> };
}

interface WorkerContext {
  waitUntil(work: Promise<unknown>): void;
}

/** One set of dependencies for the life of the isolate; none of them is bound to a request. */
let built: Deps | undefined;

/** The value is kept, not the promise: a first build that fails must not be the isolate's last. */
async function depsOf(env: WorkerEnv): Promise<Deps> {
  built ??= await build(env);
  return built;
}

async function build(env: WorkerEnv): Promise<Deps> {
  const config = readConfig(env);
  const db = connectNeon(config.DATABASE_URL, {
    ...(config.NEON_FETCH_ENDPOINT ? { fetchEndpoint: config.NEON_FETCH_ENDPOINT } : {}),
  });
  return buildDeps(config, { db, argon2: { simd, noSimd }, service: 'edge' });
}

/** Built once as well: routes and validators are the larger part of a cold start. */
let app: ReturnType<typeof createApp> | undefined;

export default {
  async fetch(request: Request, env: WorkerEnv, context: WorkerContext): Promise<Response> {
    const deps = await depsOf(env);
    app ??= createApp(deps, (assetRequest) => env.ASSETS.fetch(assetRequest));
    return app.fetch(request, {
      defer: (work) => context.waitUntil(work),
      socketAddress: request.headers.get('cf-connecting-ip') ?? '',
    });
  },

  /** Cron triggers come once a minute; jobs with a longer pace run in the minute where theirs begins. */
  async scheduled(
    event: { scheduledTime: number },
    env: WorkerEnv,
    context: WorkerContext,
  ): Promise<void> {
    const deps = await depsOf(env);
    const minute = Math.floor(event.scheduledTime / 60_000);
    for (const job of jobs) {
      if (minute % Math.max(1, Math.round(job.everySeconds / 60)) !== 0) continue;
      context.waitUntil(
        job.run(deps).catch((error: unknown) => {
          deps.log.error('job failed', { job: job.name, error: describeError(error) });
        }),
      );
    }
  },
};
