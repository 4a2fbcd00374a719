// Tests of the relay tree: everybody is reached, nothing goes in a circle, no node carries a stream too often, and a
// continent gets it once.
import { expect, test } from 'vitest';
import type { SfuNode } from '#contract';
import { relayFanOutMax, upstreamOf } from './relay-tree.ts';

const countries = ['IN', 'SG', 'US', 'DE', 'BR', null];
const nodes = Array.from({ length: 120 }, (_, index): SfuNode => {
  const nodeId = `n${index}`;
  const country = countries[index % countries.length] ?? null;
  const about = { country, draining: false, load: 0.1, viewersMax: 100, seenAt: 1 };
  return { nodeId, url: `ws://${nodeId}.test/room`, ...about };
});
const stream = (originId: string, id = 's') => ({
  id,
  origin: { nodeId: originId, url: `ws://${originId}.test/room` },
});

/** The nodes that a stream passes on its way to `nodeId`, from there to the origin. */
function wayTo(nodeId: string, from: ReturnType<typeof stream>, all = nodes): string[] {
  const way = [nodeId];
  while (way.at(-1) !== from.origin.nodeId) {
    way.push(upstreamOf(way.at(-1) ?? '', from, all).nodeId);
    if (way.length > all.length) throw new Error(`a circle: ${way.slice(0, 8)}`);
  }
  return way;
}

const continentOf = (nodeId: string) => {
  const country = nodes.find((node) => node.nodeId === nodeId)?.country ?? null;
  return country === 'SG' ? 'IN' : country;
};

test('every node is reached in few steps, and no node feeds too many', () => {
  for (const from of [stream('n0'), stream('n5', 'other'), stream('not-in-the-registry')]) {
    const children = new Map<string, number>();
    for (const { nodeId } of nodes) {
      if (nodeId === from.origin.nodeId) continue;
      expect(wayTo(nodeId, from).length).toBeLessThanOrEqual(5);
      const parent = upstreamOf(nodeId, from, nodes).nodeId;
      children.set(parent, (children.get(parent) ?? 0) + 1);
    }
    const { nodeId: originId } = from.origin;
    const continents = new Set(nodes.map(({ nodeId }) => continentOf(nodeId))).size;
    expect(children.get(originId)).toBeLessThan(relayFanOutMax + continents);
    children.delete(originId);
    expect(Math.max(...children.values())).toBeLessThanOrEqual(relayFanOutMax);
  }
});

test('a stream goes to each other continent once', () => {
  const from = stream('n0');
  const crossings = nodes
    .filter(({ nodeId }) => nodeId !== 'n0')
    .map(({ nodeId }) => [continentOf(upstreamOf(nodeId, from, nodes).nodeId), continentOf(nodeId)])
    .filter(([parent, own]) => parent !== own)
    .map(([, own]) => own);
  expect(crossings.toSorted()).toEqual(['BR', 'DE', 'US', null].toSorted());
});

test('streams are handed on by different nodes', () => {
  const tops = Array.from({ length: 40 }, (_, index) => {
    const american = nodes.filter(({ country }) => country === 'US');
    const from = stream('n0', `stream ${index}`);
    return american.find(({ nodeId }) => upstreamOf(nodeId, from, nodes).nodeId === 'n0')?.nodeId;
  });
  expect(new Set(tops).size).toBeGreaterThan(8);
});

test('nobody brings it from a node that leaves, is full, or was tried in vain', () => {
  const from = stream('n0');
  const leaf = nodes.findLast(({ nodeId }) => wayTo(nodeId, from).length > 3)?.nodeId ?? '';
  const parent = upstreamOf(leaf, from, nodes).nodeId;
  expect(upstreamOf(leaf, from, nodes, parent).nodeId).not.toBe(parent);
  for (const change of [{ draining: true }, { load: 0.95 }]) {
    const now = nodes.map((node) => (node.nodeId === parent ? { ...node, ...change } : node));
    expect(upstreamOf(leaf, from, now).nodeId).not.toBe(parent);
    // It has viewers of its own still.
    expect(wayTo(parent, from, now).at(-1)).toBe('n0');
  }
});

test('nodes that know different registries make no circle', () => {
  const from = stream('n0');
  for (let round = 0; round < 200; round += 1) {
    // Each sees its own half.
    const parents = new Map(
      nodes.map(({ nodeId }, index) => {
        const seen = nodes.filter(
          (node, at) => node.nodeId === nodeId || (at * 7 + index + round) % 2,
        );
        return [nodeId, upstreamOf(nodeId, from, seen).nodeId];
      }),
    );
    for (const { nodeId } of nodes) {
      let at = nodeId;
      let steps = 0;
      while (at !== 'n0' && steps <= nodes.length) {
        at = parents.get(at) ?? 'n0';
        steps += 1;
      }
      expect(steps).toBeLessThanOrEqual(nodes.length);
    }
  }
});

test('without a registry, or for a node that is not in it, it comes from where it is published', () => {
  expect(upstreamOf('n9', stream('n0'), null).nodeId).toBe('n0');
  expect(upstreamOf('unknown', stream('n0'), nodes).nodeId).toBe('n0');
});
