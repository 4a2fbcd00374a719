// Placement: which SFU node a room lives on.
import { nodeStaleSeconds, SfuNode, sfuNodesKey } from '#contract';
import { placeStream } from '#db';
import type { Deps } from '../deps.ts';
import { isMediaUrl } from './media-origins.ts';

export interface Place {
  nodeId: string;
  url: string;
}

/** The living nodes; null when the registry cannot be read. */
export async function readNodes(
  deps: Pick<Deps, 'redis' | 'now' | 'config'>,
): Promise<SfuNode[] | null> {
  try {
    return await livingNodes(deps);
  } catch {
    // Redis is away: placement goes on with what the database knows.
    return null;
  }
}

/**
 * The node that has the room while it is alive, else the least loaded one, claimed so that everybody
 * is sent to the same. Without a registry, the node that the room was last seen on. Null when there
 * is none.
 */
export async function placeRoom(
  deps: Pick<Deps, 'db'>,
  stream: { id: string; nodeId: string | null; nodeUrl: string | null },
  nodes: SfuNode[] | null,
): Promise<Place | null> {
  if (!nodes) {
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

/** Nodes of ours that were heard of a moment ago. Throws when Redis is away. */
export async function livingNodes(
  deps: Pick<Deps, 'redis' | 'now' | 'config'>,
): Promise<SfuNode[]> {
  const registry = await deps.redis.run((redis) => redis.hgetall(sfuNodesKey));
  const oldest = deps.now().getTime() - nodeStaleSeconds * 1000;
  return Object.values(registry ?? {}).flatMap((value) => {
    const node = SfuNode.safeParse(value);
    const isOurs = node.success && isMediaUrl(deps.config, node.data.url);
    return isOurs && node.data.seenAt >= oldest ? [node.data] : [];
  });
}
