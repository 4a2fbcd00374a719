// The registry: keeps this node's entry in the list from which the edge places rooms.

import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { nodeReportIntervalSeconds, type SfuNode, sfuNodesKey } from '#contract';
import { createOutage } from './outage.ts';

interface Registry {
  /** Takes the node off the list and stops. */
  close(): Promise<void>;
}

export function createRegistry({
  redis,
  nodeId,
  url,
  log,
  measureLoad,
}: {
  redis: Redis;
  nodeId: string;
  url: string;
  log: Logger;
  /** 0 is idle, 1 is full. */
  measureLoad(): Promise<number>;
}): Registry {
  const outage = createOutage(log, 'the node registry');
  let beating: Promise<void> | null = null;
  let closed = false;

  async function beat(): Promise<void> {
    try {
      const load = await measureLoad();
      if (closed) return;
      const entry: SfuNode = { nodeId, url, load, seenAt: Date.now() };
      await redis.hset(sfuNodesKey, nodeId, JSON.stringify(entry));
      outage.recovered();
    } catch (error) {
      outage.failed(error);
    }
  }

  const tick = () => {
    // A beat that is slow is not overtaken: the next tick is soon enough.
    beating ??= beat().finally(() => {
      beating = null;
    });
  };
  // Written at once when Redis is back: nobody is placed on a node that is not on the list.
  redis.on('ready', tick);
  const timer = setInterval(tick, nodeReportIntervalSeconds * 1000);
  tick();

  return {
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      redis.off('ready', tick);
      await beating;
      try {
        await redis.hdel(sfuNodesKey, nodeId);
      } catch (error) {
        // The entry grows stale by itself.
        outage.failed(error);
      }
    },
  };
}
