// The audience: tells Redis who watches on this node, so that nobody is counted twice.
import { createHmac } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { audienceBeatMs, createAudienceBook, type Watching } from '#contract';
import { createOutage } from './outage.ts';

/** 96 bits: no two viewers of a stream meet in one hash. */
const hashBytes = 12;

export interface Audience {
  /** Takes this node's viewers away and stops. */
  close(): Promise<void>;
}

export function createAudience({
  redis,
  nodeId,
  nodeSecret,
  log,
  watching,
}: {
  redis: Redis;
  nodeId: string;
  nodeSecret: string;
  log: Logger;
  /** Who watches each stream now. */
  watching(): Watching;
}): Audience {
  const outage = createOutage(log, 'the count of viewers');
  const book = createAudienceBook({
    nodeId,
    hash: (text) =>
      createHmac('sha256', nodeSecret)
        .update(text)
        .digest()
        .subarray(0, hashBytes)
        .toString('base64url'),
    async send(commands) {
      const answers = (await redis.multi(commands).exec()) ?? [];
      for (const [error] of answers) if (error) throw error;
      outage.recovered();
      return answers.at(-1)?.[1];
    },
    onFault: (error) => outage.failed(error),
  });
  let beating: Promise<void> | null = null;

  function tick(): void {
    // A beat that Redis keeps waiting is not doubled.
    beating ??= book.beat(watching(), Date.now()).finally(() => {
      beating = null;
    });
  }

  const timer = setInterval(tick, audienceBeatMs);
  tick();
  return {
    async close() {
      clearInterval(timer);
      await beating;
      await book.beat([], Date.now());
    },
  };
}
