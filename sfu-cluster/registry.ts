// The registry: keeps this node's entry in the list from which the edge places rooms.

import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { nodeBeatSeconds, type SfuNode, sfuNodesKey } from '#contract';
import { createOutage } from './outage.ts';

export interface Registry {
  /** Whether another process writes under the same id: rooms and reports of the two mix. */
  readonly disputed: boolean;
  /** How long ago the entry was written; null when it never was. */
  readonly beatAgeMs: number | null;
  /** Writes the entry now, and not with the next beat. */
  beat(): Promise<void>;
  /** Takes the node off the list and stops. */
  close(): Promise<void>;
}

export function createRegistry({
  redis,
  nodeId,
  log,
  describe,
}: {
  redis: Redis;
  nodeId: string;
  log: Logger;
  /** What this node is like now. */
  describe(): Promise<Omit<SfuNode, 'nodeId' | 'seenAt'>>;
}): Registry {
  const outage = createOutage(log, 'the node registry');
  let beating: Promise<void> | null = null;
  let written: string | null = null;
  let disputed = false;
  let writtenAtMs: number | null = null;
  let closed = false;

  async function beat(): Promise<void> {
    try {
      const about = await describe();
      if (closed) return;
      // By Redis's clock, since those of the machines differ by more than a node may be silent.
      const [found, [seconds, micros]] = await Promise.all([
        redis.hget(sfuNodesKey, nodeId),
        redis.time(),
      ]);
      const foreign = written !== null && found !== null && found !== written;
      if (foreign && !disputed) log.error({ found }, 'another node has the id of this one');
      disputed = foreign;
      const seenAt = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
      const entry: SfuNode = { nodeId, ...about, seenAt };
      written = JSON.stringify(entry);
      await redis.hset(sfuNodesKey, nodeId, written);
      writtenAtMs = performance.now();
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
  const timer = setInterval(tick, nodeBeatSeconds * 1000);
  tick();

  return {
    get disputed() {
      return disputed;
    },
    get beatAgeMs() {
      return writtenAtMs === null ? null : performance.now() - writtenAtMs;
    },
    async beat() {
      await beating;
      tick();
      await beating;
    },
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(timer);
      redis.off('ready', tick);
      await beating;
      try {
        // A successor with the same id may have begun already: its entry stays.
        const found = await redis.hget(sfuNodesKey, nodeId);
        if (found === written) await redis.hdel(sfuNodesKey, nodeId);
      } catch (error) {
        // The entry grows stale by itself.
        outage.failed(error);
      }
    },
  };
}
