// Building what the app stands on, from configuration; only the database driver and the WebAssembly differ by runtime.
import type { Db } from '#db';
import type { Config } from '../config.ts';
import type { Deps } from '../deps.ts';
import { createCounters } from './counters.ts';
import { createEdgeRedis } from './edge-redis.ts';
import { createRazorpayGateway } from './gateway.ts';
import { createLog } from './log.ts';
import { type Argon2Modules, createPasswordHasher } from './passwords.ts';
import { createPublisher } from './publisher.ts';
import { createSigner } from './signer.ts';

export async function buildDeps(
  config: Config,
  parts: { db: Db; argon2: Argon2Modules; service: string },
): Promise<Deps> {
  const now = () => new Date();
  const log = createLog(config.LOG_LEVEL, { service: parts.service });
  const redis = createEdgeRedis({
    url: config.UPSTASH_REDIS_REST_URL,
    token: config.UPSTASH_REDIS_REST_TOKEN,
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
