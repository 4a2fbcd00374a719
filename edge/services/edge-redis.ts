// Redis as the edge uses it: for what can wait or be done without, so nobody waits for it when it is away.
import { Redis } from '@upstash/redis';

/** A healthy answer takes milliseconds; one that has not come by then counts as a failure. */
const answerTimeoutMs = 1_000;
/** After so many failures in a row nothing is asked for a while. */
const failuresMax = 3;
const pauseMs = 3_000;

export interface EdgeRedis {
  /** Runs commands. Throws at once while Redis is known to be away. */
  run<T>(work: (redis: Redis) => Promise<T>): Promise<T>;
}

/** Thrown without asking, because Redis did not answer a moment ago. */
class RedisPaused extends Error {}

export function createEdgeRedis(options: { url: string; token: string }): EdgeRedis {
  const redis = new Redis({
    ...options,
    retry: false,
    signal: () => AbortSignal.timeout(answerTimeoutMs),
    enableTelemetry: false,
  });
  let failures = 0;
  let pausedUntil = 0;
  return {
    async run(work) {
      if (Date.now() < pausedUntil) throw new RedisPaused('Redis did not answer a moment ago');
      try {
        const result = await work(redis);
        failures = 0;
        return result;
      } catch (error) {
        failures += 1;
        if (failures >= failuresMax) pausedUntil = Date.now() + pauseMs;
        throw error;
      }
    },
  };
}
