// Tests of placement: viewers meet on few nodes near them, nobody is sent to a full one, and no herd runs to one node.
import { expect, test } from 'vitest';
import type { SfuNode } from '#contract';
import { createPlacedBook, placeListener, placeViewer, reachableNodes } from './placement.ts';

const node = (nodeId: string, about: Partial<SfuNode> = {}): SfuNode => ({
  nodeId,
  url: `ws://${nodeId}.test/room`,
  country: 'IN',
  draining: false,
  load: 0,
  viewersMax: 100,
  seenAt: 1,
  ...about,
});
const stream = (id: string, nodeId: string | null = null) => ({
  id,
  nodeId,
  nodeUrl: nodeId && `ws://${nodeId}.test/room`,
});
const fresh = () => ({ placed: createPlacedBook() });
const here = { country: 'IN', isAsked: false };

test('viewers of a stream meet where it is published, until that node is well filled', () => {
  const deps = fresh();
  const nodes = ['a', 'b', 'c', 'd'].map((id) => node(id));
  const places = Array.from({ length: 60 }, () => placeViewer(deps, stream('s', 'c'), nodes, here));
  expect(new Set(places.map((place) => place?.nodeId))).toEqual(new Set(['c']));
  // The next ones meet on one further node, the same for all.
  const next = Array.from({ length: 60 }, () => placeViewer(deps, stream('s', 'c'), nodes, here));
  const further = new Set(next.map((place) => place?.nodeId));
  expect(further.size).toBe(1);
  expect(further).not.toContain('c');
});

test('different streams spill over to different nodes', () => {
  const nodes = Array.from({ length: 8 }, (_, index) => node(`n${index}`));
  const crowded = nodes.map((one) => (one.nodeId === 'n0' ? { ...one, load: 0.7 } : one));
  const firsts = Array.from(
    { length: 200 },
    (_, index) => placeViewer(fresh(), stream(`s${index}`, 'n0'), crowded, here)?.nodeId,
  );
  const counts = Map.groupBy(firsts, (id) => id);
  expect(counts.size).toBe(7);
  expect(Math.max(...[...counts.values()].map((some) => some.length))).toBeLessThan(60);
});

test('near goes before far, and far before nowhere', () => {
  const nodes = [
    node('far', { country: 'US' }),
    node('same-continent', { country: 'SG' }),
    node('same-country', { country: 'IN' }),
  ];
  const place = (some: SfuNode[]) => placeViewer(fresh(), stream('s', 'far'), some, here)?.nodeId;
  expect(place(nodes)).toBe('same-country');
  expect(place(nodes.slice(0, 2))).toBe('same-continent');
  expect(place(nodes.slice(0, 1))).toBe('far');
  const full = nodes.map((one) => (one.country === 'IN' ? { ...one, load: 0.85 } : one));
  expect(place(full)).toBe('same-continent');
});

test('a full node, and one that sends everybody away, get nobody; places are kept back for who asks', () => {
  const nodes = [node('full', { load: 0.95 }), node('draining', { draining: true })];
  expect(placeViewer(fresh(), stream('s', 'full'), nodes, here)).toBeNull();
  expect(placeViewer(fresh(), stream('s', 'full'), nodes, { ...here, isAsked: true })).toBeNull();
  const nearlyFull = [node('nearly', { load: 0.85 })];
  expect(placeViewer(fresh(), stream('s'), nearlyFull, here)).toBeNull();
  expect(placeViewer(fresh(), stream('s'), nearlyFull, { ...here, isAsked: true })?.nodeId).toBe(
    'nearly',
  );
  // The room's events are heard even so.
  expect(placeListener(stream('s', 'full'), nodes)?.nodeId).toBe('full');
  expect(placeListener(stream('s'), [])).toBeNull();
});

test('a thousand who come between two words of the nodes fill them evenly, and none beyond its places', () => {
  const deps = fresh();
  const nodes = Array.from({ length: 20 }, (_, index) => node(`n${index}`));
  const places = Array.from({ length: 1_000 }, () => placeViewer(deps, stream('s'), nodes, here));
  const counts = Map.groupBy(places, (place) => place?.nodeId);
  expect(counts.has(undefined)).toBe(false);
  expect(Math.max(...[...counts.values()].map((some) => some.length))).toBeLessThanOrEqual(80);
  // What a node says of itself anew counts instead.
  const told = nodes.map((one) => ({ ...one, seenAt: 2, load: 0.1 }));
  expect(placeViewer(deps, stream('s'), told, here)).not.toBeNull();
});

test('nobody is placed beyond what all nodes carry', () => {
  const deps = fresh();
  const nodes = [node('a'), node('b')];
  const places = Array.from({ length: 300 }, () =>
    placeViewer(deps, stream('s', 'a'), nodes, here),
  );
  expect(places.filter((place) => place !== null)).toHaveLength(160);
});

test('without a registry a room is where it was seen last', () => {
  expect(placeViewer(fresh(), stream('s', 'a'), null, here)).toEqual({
    nodeId: 'a',
    url: 'ws://a.test/room',
  });
  expect(placeViewer(fresh(), stream('s'), null, here)).toBeNull();
});

test('a node that somebody has not reached is left out for them, unless nobody else takes them in', () => {
  const [dead, other] = [node('dead'), node('other')];
  const reachable = (nodes: SfuNode[]) => reachableNodes(nodes, dead.url);
  expect(reachable([dead, other])).toEqual([other]);
  expect(reachable([dead])).toEqual([dead]);
  expect(reachable([dead, node('leaving', { draining: true })])).toContain(dead);
  expect(reachableNodes([dead, other], undefined)).toEqual([dead, other]);
  // Without a registry there is nothing to choose from.
  expect(reachableNodes(null, dead.url)).toBeNull();
});
