// Our node as a peer: its real process, entered through the room socket with tickets.
import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { startRedis } from '../../testing/redis.ts';
import {
  publishPlain,
  startSfuNode,
  startTestEdge,
  watchRoom,
  withSecret,
} from '../../testing/sfu-node.ts';
import type { Peer, PeerDeps } from './peer.ts';

const nodeId = 'sfu-bench';

const Stats = z.object({ workers: z.array(z.object({ routers: z.int() })) });

export interface NodeShape {
  /** With more than one its room must be spread over all of them; `fault` tells when it is not. */
  workers: number;
  viewersPerWorker?: number;
  audioPacketMs?: number;
}

export async function startOurs(name: string, shape: NodeShape, deps: PeerDeps): Promise<Peer> {
  const { workers, viewersPerWorker, audioPacketMs } = shape;
  const [edge, redis, receivers] = await Promise.all([
    startTestEdge(),
    startRedis(),
    deps.startReceivers(),
  ]);
  const node = await startSfuNode({
    nodeId,
    edgeUrl: edge.url,
    redisUrl: redis.url,
    workers,
    env: viewersPerWorker === undefined ? {} : { SFU_VIEWERS_PER_WORKER: String(viewersPerWorker) },
    wrap: deps.pinned,
  });
  const stream = randomUUID();
  const seat = async (capability: 'publish' | 'subscribe') => ({
    socketUrl: node.socketUrl,
    ticket: await edge.ticket({ stream, node: nodeId, capabilities: [capability] }),
    receivers,
  });
  const { port } = await publishPlain(await seat('publish'));
  return {
    name,
    ...(audioPacketMs === undefined ? {} : { audioPacketMs }),
    receivers,
    ports: { audioPort: port, videoPort: port },
    join: async () => watchRoom(await seat('subscribe')),
    cpuSeconds: node.cpuSeconds,
    async fault() {
      const stats = Stats.parse(await (await fetch(`${node.url}/stats`, withSecret)).json());
      const used = stats.workers.filter(({ routers }) => routers > 0).length;
      return used === workers ? null : `the room is on ${used} of ${workers} workers`;
    },
    async close() {
      await node.stop();
      await Promise.all([receivers.close(), edge.close(), redis.stop()]);
    },
  };
}
