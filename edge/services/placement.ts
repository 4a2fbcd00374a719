// Placement: which SFU node a room lives on.
import type { Redis } from '@upstash/redis';
import { nodeStaleSeconds, SfuNode, sfuNodesKey } from '#contract';
import type { StreamRow } from '#db';

export interface Place {
  nodeId: string;
  url: string;
}

/**
 * The node that has the room already while it is alive, else the least loaded one. When the registry
 * cannot be read, the node that the room was last seen on. Null when there is none.
 */
export async function placeRoom(
  redis: Redis,
  stream: Pick<StreamRow, 'nodeId' | 'nodeUrl'>,
  now: Date,
): Promise<Place | null> {
  const last =
    stream.nodeId && stream.nodeUrl ? { nodeId: stream.nodeId, url: stream.nodeUrl } : null;
  let nodes: SfuNode[];
  try {
    nodes = freshNodes((await redis.hgetall(sfuNodesKey)) ?? {}, now);
  } catch {
    // Redis is away: running rooms go on where they are.
    return last;
  }
  const present = nodes.find((node) => node.nodeId === stream.nodeId);
  const [idlest] = nodes.toSorted((a, b) => a.load - b.load);
  const chosen = present ?? idlest;
  return chosen ? { nodeId: chosen.nodeId, url: chosen.url } : null;
}

function freshNodes(registry: Record<string, unknown>, now: Date): SfuNode[] {
  const oldest = now.getTime() - nodeStaleSeconds * 1000;
  return Object.values(registry).flatMap((value) => {
    // The REST client has parsed what looks like JSON.
    const node = SfuNode.safeParse(typeof value === 'string' ? JSON.parse(value) : value);
    return node.success && node.data.seenAt >= oldest ? [node.data] : [];
  });
}
