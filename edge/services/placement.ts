// Placement: on which SFU node somebody publishes or watches.
import { nodeStaleSeconds, SfuNode, sfuNodesKey } from '#contract';
import { placeStream } from '#db';
import type { Deps } from '../deps.ts';
import { nearnessOf } from './continents.ts';
import { hashOf } from './hash.ts';
import { isMediaUrl } from './media-origins.ts';

export interface Place {
  nodeId: string;
  url: string;
}

/** A stream as placement sees it: the node that its media comes into, if there has been one. */
export interface PlacedStream {
  id: string;
  nodeId: string | null;
  nodeUrl: string | null;
}

/** A node takes ordinary viewers up to this load; those who ask for live pictures, as tippers do, up to the second. */
const viewersLoadMax = 0.8;
const askedLoadMax = 0.9;
/** Nor is a fuller one asked to hand a stream on to other nodes. */
export const relayLoadMax = askedLoadMax;
/** A stream's viewers fill one node up to this load before they are spread over two. */
const fillLoadMax = 0.6;
/** Places given since a node was last heard of are remembered for so many nodes. */
const placedNodesMax = 1_000;

/** What was given away since each node last said how full it is, so that not everybody is sent to the same one. */
export interface PlacedBook {
  /** What the node said, and what this instance has given since, 0 to 1. */
  loadOf(node: SfuNode): number;
  give(node: SfuNode): void;
}

export function createPlacedBook(): PlacedBook {
  const given = new Map<string, { seenAt: number; viewers: number }>();
  const since = (node: SfuNode) => {
    const known = given.get(node.nodeId);
    return known?.seenAt === node.seenAt ? known.viewers : 0;
  };
  return {
    loadOf: (node) => Math.min(1, node.load + since(node) / node.viewersMax),
    give(node) {
      const viewers = since(node) + 1;
      given.delete(node.nodeId);
      given.set(node.nodeId, { seenAt: node.seenAt, viewers });
      const [oldest] = given.keys();
      if (given.size > placedNodesMax && oldest !== undefined) given.delete(oldest);
    },
  };
}

/** The living nodes; null when the registry cannot be read. */
export async function readNodes(deps: Pick<Deps, 'redis' | 'config'>): Promise<SfuNode[] | null> {
  try {
    return await livingNodes(deps);
  } catch {
    // Redis is away: placement goes on with what the database knows.
    return null;
  }
}

/** Nodes of ours that were heard of a moment ago, by Redis's own clock. Throws when Redis is away. */
export async function livingNodes(deps: Pick<Deps, 'redis' | 'config'>): Promise<SfuNode[]> {
  const [registry, [seconds, micros]] = await deps.redis.run((redis) =>
    redis
      .pipeline()
      .hgetall(sfuNodesKey)
      .time()
      .exec<[Record<string, unknown> | null, [number, number]]>(),
  );
  const oldest = Number(seconds) * 1000 + Number(micros) / 1000 - nodeStaleSeconds * 1000;
  return Object.values(registry ?? {}).flatMap((value) => {
    const node = SfuNode.safeParse(value);
    const isOurs = node.success && isMediaUrl(deps.config, node.data.url);
    return isOurs && node.data.seenAt >= oldest ? [node.data] : [];
  });
}

/**
 * The nodes but that which somebody has not reached, unless no other one takes them: it may have died since it was last
 * heard of.
 */
export function reachableNodes(
  nodes: SfuNode[] | null,
  unreachableUrl: string | undefined,
): SfuNode[] | null {
  const others = nodes?.filter(({ url }) => url !== unreachableUrl) ?? [];
  return others.some(({ draining }) => !draining) ? others : nodes;
}

/**
 * Where somebody publishes: the node that has the room while it is alive and stays, else of two near ones with room the
 * one that is less loaded, claimed so that everybody is sent to the same. Without a registry, the node that the room
 * was last seen on. Null when there is none.
 */
export async function placePublisher(
  deps: Pick<Deps, 'db'>,
  stream: PlacedStream,
  nodes: SfuNode[] | null,
  country: string | null,
): Promise<Place | null> {
  if (!nodes) return lastPlace(stream);
  const present = nodes.find((node) => node.nodeId === stream.nodeId);
  if (present && !present.draining) return placeOf(present);
  const staying = nodes.filter((node) => !node.draining);
  const chosen = lessLoadedOfTwo(nearest(staying, country), (node) => node.load) ?? present;
  if (!chosen) return null;
  return placeStream(deps.db, {
    streamId: stream.id,
    nodeId: chosen.nodeId,
    url: chosen.url,
    goneNodeId: stream.nodeId,
  });
}

/**
 * Where somebody watches. Candidates come in the same order for everybody in one place: the nodes of the nearest
 * country or continent first, that which has the media before all others of it, and those in an order that the stream
 * gives, so that its viewers meet on few nodes. The first one that is not half full takes them; when all are, the less
 * loaded of two that have room (Mitzenmacher, "The Power of Two Choices", 2001). Null when no node has room.
 */
export function placeViewer(
  deps: Pick<Deps, 'placed'>,
  stream: PlacedStream,
  nodes: SfuNode[] | null,
  { country, isAsked }: { country: string | null; isAsked: boolean },
): Place | null {
  if (!nodes) return lastPlace(stream);
  const loadMax = isAsked ? askedLoadMax : viewersLoadMax;
  const { loadOf } = deps.placed;
  const candidates = nodes
    .filter((node) => !node.draining && loadOf(node) < loadMax)
    .map((node) => ({
      node,
      distance: nearnessOf(country, node.country),
      place: node.nodeId === stream.nodeId ? -1 : hashOf(`${stream.id} ${node.nodeId}`),
    }))
    .toSorted((a, b) => a.distance - b.distance || a.place - b.place)
    .map(({ node }) => node);
  const [nearestOne] = candidates;
  if (!nearestOne) return null;
  const distance = nearnessOf(country, nearestOne.country);
  const near = candidates.filter((node) => nearnessOf(country, node.country) === distance);
  const chosen =
    near.find((node) => loadOf(node) < fillLoadMax) ?? lessLoadedOfTwo(near, loadOf) ?? nearestOne;
  deps.placed.give(chosen);
  return placeOf(chosen);
}

/**
 * Where somebody hears a room's events without its media: the node that has it, or any. Null when there is none.
 */
export function placeListener(stream: PlacedStream, nodes: SfuNode[] | null): Place | null {
  if (!nodes) return lastPlace(stream);
  const node = nodes.find(({ nodeId }) => nodeId === stream.nodeId) ?? nodes[0];
  return node ? placeOf(node) : null;
}

function lastPlace({ nodeId, nodeUrl }: PlacedStream): Place | null {
  return nodeId && nodeUrl ? { nodeId, url: nodeUrl } : null;
}

function placeOf({ nodeId, url }: SfuNode): Place {
  return { nodeId, url };
}

function nearest(nodes: SfuNode[], country: string | null): SfuNode[] {
  const least = Math.min(...nodes.map((node) => nearnessOf(country, node.country)));
  const near = nodes.filter((node) => nearnessOf(country, node.country) === least);
  const roomy = near.filter((node) => node.load < askedLoadMax);
  if (roomy.length > 0) return roomy;
  const elsewhere = nodes.filter((node) => node.load < askedLoadMax);
  return elsewhere.length > 0 ? elsewhere : nodes;
}

/** Of two taken by chance; null of none. */
function lessLoadedOfTwo(nodes: SfuNode[], loadOf: (node: SfuNode) => number): SfuNode | null {
  if (nodes.length === 0) return null;
  const first = Math.floor(Math.random() * nodes.length);
  const second = (first + 1 + Math.floor(Math.random() * (nodes.length - 1))) % nodes.length;
  const [a, b] = [nodes[first], nodes[second]];
  if (!a || !b) return a ?? b ?? null;
  return loadOf(b) < loadOf(a) ? b : a;
}
