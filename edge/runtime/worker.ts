// The edge on Cloudflare Workers.
import devanagari400 from '@fontsource/noto-sans/files/noto-sans-devanagari-400-normal.woff';
import devanagari600 from '@fontsource/noto-sans/files/noto-sans-devanagari-600-normal.woff';
import latin400 from '@fontsource/noto-sans/files/noto-sans-latin-400-normal.woff';
import latin600 from '@fontsource/noto-sans/files/noto-sans-latin-600-normal.woff';
import latinExt400 from '@fontsource/noto-sans/files/noto-sans-latin-ext-400-normal.woff';
import noSimd from 'argon2id/dist/no-simd.wasm';
import simd from 'argon2id/dist/simd.wasm';
import { connectNeon, connectNeonReads } from '#db/neon';
import { createApp } from '../app.ts';
import { httpMailOf, readConfig } from '../config.ts';
import type { Deps } from '../deps.ts';
import { jobs } from '../jobs/index.ts';
import { runLeased } from '../jobs/lease.ts';
import { buildDeps } from '../services/build-deps.ts';
import { createHashQueue } from '../services/hash-queue.ts';
import { createHttpMailSender } from '../services/mail-http.ts';
import { createPasswordHasher } from '../services/passwords.ts';
import { createDirectTipDesk } from '../services/tip-desk.ts';

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
  return buildDeps(config, {
    db,
    reads: connectNeonReads(config.DATABASE_URL),
    // One isolate does one thing at a time.
    passwords: createHashQueue(await createPasswordHasher({ simd, noSimd }), 1),
    tips: createDirectTipDesk(db),
    invoiceFonts: async () => ({
      regular: [latin400, latinExt400, devanagari400].map((bytes) => new Uint8Array(bytes)),
      semibold: [latin600, devanagari600].map((bytes) => new Uint8Array(bytes)),
    }),
    mailSender: createHttpMailSender(httpMailOf(config)),
    sharesWork: false,
    die: () => {
      throw new Error('a worker has no process to end');
    },
    service: 'edge',
  });
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
      country: request.headers.get('cf-ipcountry') ?? '',
    });
  },

  /** Cron triggers come once a minute; each job's lease says whether it is due. */
  async scheduled(_event: unknown, env: WorkerEnv, context: WorkerContext): Promise<void> {
    const deps = await depsOf(env);
    const holder = `worker:${crypto.randomUUID()}`;
    for (const job of jobs) {
      if (!job.nodeOnly) context.waitUntil(runLeased(deps, job, holder));
    }
  },
};
