// An SFU node for tests of the edge: one that streams are placed on, and that nobody ever speaks to.
import type { TestEdge } from '../../testing/edge.ts';

const hourMs = 3_600_000;

/** Lists a node for as long as a test file may take. Answers what takes it off the list. */
export async function listNode(edge: TestEdge, nodeId: string): Promise<() => Promise<void>> {
  const { redis } = edge.parts.deps;
  const node = { nodeId, url: 'ws://127.0.0.1:1/room', load: 0.1, seenAt: Date.now() + hourMs };
  await redis.run((client) => client.hset('sfu:nodes', { [nodeId]: node }));
  return async () => {
    await redis.run((client) => client.hdel('sfu:nodes', nodeId));
  };
}
