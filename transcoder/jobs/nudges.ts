// Nudges: the edge says on Redis that there is work; without Redis it is found at the next report.
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { transcodeNudgeChannel } from '#contract';

const reconnectDelayMsMax = 2_000;
const probeTimeoutMs = 1_000;

export interface Nudges {
  /** Throws when Redis does not answer. */
  probe(): Promise<void>;
  close(): void;
}

export function listenForNudges(redisUrl: string, log: Logger, onNudge: () => void): Nudges {
  const redis = new Redis(redisUrl, {
    maxRetriesPerRequest: null,
    retryStrategy: (attempt) => Math.min(attempt * 100, reconnectDelayMsMax),
    enableReadyCheck: false,
  });
  let away = false;
  redis.on('error', (error) => {
    if (!away) log.warn({ err: error }, 'redis is away; streams start at the next report');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info('redis is back');
    away = false;
    // Nudges may have been missed meanwhile.
    onNudge();
  });
  redis.on('message', onNudge);
  // ioredis subscribes again after each reconnection; a failure here means that we are closing.
  redis.subscribe(transcodeNudgeChannel).catch(() => {});

  return {
    async probe() {
      if (redis.status !== 'ready') throw new Error(`redis is ${redis.status}`);
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('redis does not answer')), probeTimeoutMs);
      });
      try {
        await Promise.race([redis.ping(), late]);
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => redis.disconnect(),
  };
}
