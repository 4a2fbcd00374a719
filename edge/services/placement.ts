// Placement: which SFU node a room lives on.
import { nodeStaleSeconds, SfuNode, sfuNodesKey } from '#contract';
import { placeStream, type StreamRow } from '#db';
import type { Deps } from '../deps.ts';

export interface Place {
  nodeId: string;
  url: string;
}

/**
 * The node that has the room while it is alive, else the least loaded one, claimed so that everybody
 * is sent to the same. When the registry cannot be read, the node that the room was last seen on.
 * Null when there is none.
 */
export async function placeRoom(
  deps: Pick<Deps, 'db' | 'redis' | 'now'>,
  stream: Pick<StreamRow, 'id' | 'nodeId' | 'nodeUrl'>,
): Promise<Place | null> {
  let nodes: SfuNode[];
  try {
    nodes = await livingNodes(deps);
  } catch {
    // Redis is away: running rooms go on where they are.
    return stream.nodeId && stream.nodeUrl ? { nodeId: stream.nodeId, url: stream.nodeUrl } : null;
  }
  const present = nodes.find((node) => node.nodeId === stream.nodeId);
  if (present) return { nodeId: present.nodeId, url: present.url };
  const [idlest] = nodes.toSorted((a, b) => a.load - b.load);
  if (!idlest) return null;
  return placeStream(deps.db, {
    streamId: stream.id,
    nodeId: idlest.nodeId,
    url: idlest.url,
    goneNodeId: stream.nodeId,
  });
}

/** Nodes that were heard of a moment ago. Throws when Redis is away. */
export async function livingNodes(deps: Pick<Deps, 'redis' | 'now'>): Promise<SfuNode[]> {
  const registry = await deps.redis.run((redis) => redis.hgetall(sfuNodesKey));
  const oldest = deps.now().getTime() - nodeStaleSeconds * 1000;
  return Object.values(registry ?? {}).flatMap((value) => {
    const node = SfuNode.safeParse(value);
    return node.success && node.data.seenAt >= oldest ? [node.data] : [];
  });
}
