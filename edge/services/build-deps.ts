// Building what the app stands on, from configuration; only the database driver and the WebAssembly differ by runtime.
import { Redis } from '@upstash/redis';
import type { Db } from '#db';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { createCounters } from './counters.ts';
import { createRazorpayGateway } from './gateway.ts';
import { createLog } from './log.ts';
import { type Argon2Modules, createPasswordHasher } from './passwords.ts';
import { createPublisher } from './publisher.ts';
import { createSigner } from './signer.ts';

/** Redis serves what can wait or be done without; nobody waits long for it. */
const redisTimeoutMs = 1_500;
const redisRetriesMax = 1;
const redisRetryDelayMs = 50;

export async function buildDeps(
  config: Config,
  parts: { db: Db; argon2: Argon2Modules; service: string },
): Promise<Deps> {
  const now = () => new Date();
  const log = createLog(config.LOG_LEVEL, { service: parts.service });
  const redis = new Redis({
    url: config.UPSTASH_REDIS_REST_URL,
    token: config.UPSTASH_REDIS_REST_TOKEN,
    retry: { retries: redisRetriesMax, backoff: () => redisRetryDelayMs },
    signal: () => AbortSignal.timeout(redisTimeoutMs),
    enableTelemetry: false,
  });
  return {
    config,
    db: parts.db,
    redis,
    publisher: createPublisher(redis, log),
    signer: await createSigner(config.SIGNING_KEYS, now),
    passwords: await createPasswordHasher(parts.argon2),
    gateway: createRazorpayGateway({
      keyId: config.RAZORPAY_KEY_ID,
      keySecret: config.RAZORPAY_KEY_SECRET,
      apiUrl: config.RAZORPAY_API_URL,
    }),
    log,
    counters: createCounters(),
    now,
  };
}
