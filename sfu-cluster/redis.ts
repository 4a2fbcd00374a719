// Connections to Redis that never queue, never hang and never bring the process down.
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { createOutage } from './outage.ts';

/** A command that is not answered by then counts as failed. */
export const redisCommandTimeoutMs = 1_500;
/** A connection over which nothing has come for so long is dead; each is used every few seconds. */
const silenceMaxMs = 10_000;
const reconnectDelayMinMs = 50;
const reconnectDelayMaxMs = 2_000;

/**
 * While Redis is away commands fail at once instead of waiting: whoever asked decides what that
 * means. The connection itself comes back for ever, at a bounded pace.
 */
export function connectRedis({
  url,
  name,
  log,
}: {
  url: string;
  name: string;
  log: Logger;
}): Redis {
  const outage = createOutage(log, `redis ${name}`);
  const redis = new Redis(url, {
    connectionName: name,
    protocol: 2,
    enableOfflineQueue: false,
    autoResubscribe: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: redisCommandTimeoutMs,
    connectTimeout: 3_000,
    socketTimeout: silenceMaxMs,
    keepAlive: 5_000,
    retryStrategy: (attempt) =>
      Math.min(reconnectDelayMinMs * 2 ** Math.min(attempt, 10), reconnectDelayMaxMs),
  });
  redis.on('error', (error) => outage.failed(error));
  redis.on('ready', () => outage.recovered());
  return redis;
}

/** Waits until the first connection stands, but no longer than `timeoutMs`: a node may start first. */
export async function redisReadyOr(redis: Redis, timeoutMs: number): Promise<void> {
  if (redis.status === 'ready') return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      redis.off('ready', done);
      resolve();
    };
    const timer = setTimeout(done, timeoutMs);
    redis.once('ready', done);
  });
}
