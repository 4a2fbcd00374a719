// The relay tree: from which other node each node brings a stream, so that no line and no node carries it too often.
import type { SfuNode } from '#contract';
import { continentOfCountry } from './continents.ts';
import { hashOf } from './hash.ts';
import { type Place, relayLoadMax } from './placement.ts';

/** So many nodes of a continent are sent to one node at most, by one registry. */
export const relayFanOutMax = 8;

/**
 * The node from which `puller` brings a stream that is published at `origin`. The nodes of a continent stand in an order
 * that the stream gives, the one in which its viewers fill them, and make a heap (each has `relayFanOutMax` below it).
 * Its top is the origin, or on another continent the first in the order, which alone brings the stream across. Nobody
 * remembers the tree: whoever asks finds the same one in the registry. A node's parent is the origin or stands before
 * it in an order that never changes, so that two who see different registries make no circle. When the origin moves
 * there may be one for a moment, without the host in it; nodes ask anew as long as they are not shown the host.
 *
 * `unreachable` is the node that the puller has tried in vain. Without a registry everybody goes to the origin.
 */
export function upstreamOf(
  puller: string,
  stream: { id: string; origin: Place },
  nodes: readonly SfuNode[] | null,
  unreachable?: string,
): Place {
  const { id, origin } = stream;
  const own = nodes?.find(({ nodeId }) => nodeId === puller);
  if (!nodes || !own) return origin;
  const continent = continentOfCountry(own.country);
  const isNear = (node: SfuNode) => continentOfCountry(node.country) === continent;
  const takesPart = ({ nodeId, draining, load }: SfuNode) =>
    nodeId === puller || (nodeId !== unreachable && !draining && load < relayLoadMax);
  const order = nodes
    .filter((node) => node.nodeId !== origin.nodeId && isNear(node) && takesPart(node))
    .map((node) => ({ node, place: hashOf(`${id} ${node.nodeId}`) }))
    .toSorted((a, b) => a.place - b.place || (a.node.nodeId < b.node.nodeId ? -1 : 1))
    .map(({ node: { nodeId, url } }): Place => ({ nodeId, url }));
  const isOriginNear = nodes.some((node) => node.nodeId === origin.nodeId && isNear(node));
  const heap = isOriginNear ? [origin, ...order] : order;
  const index = heap.findIndex(({ nodeId }) => nodeId === puller);
  return heap[Math.floor((index - 1) / relayFanOutMax)] ?? origin;
}
