// Moves: the encoder's way into the room from one node to another, and what may come between.
import { afterEach, describe, expect, test } from 'vitest';
import { startTestNode, type TestNode } from '../testing/room-scene.ts';
import { type Gate, startGate } from './testing/gate.ts';
import { patient, useStage } from './testing/stage.ts';
import { watch } from './testing/watcher.ts';

const stage = useStage();
let others: (TestNode | Gate)[] = [];

afterEach(async () => {
  const gone = await Promise.allSettled(others.map((other) => other.close()));
  others = [];
  expect(gone.filter(({ status }) => status === 'rejected')).toEqual([]);
});

async function startOtherNode(nodeId: string): Promise<TestNode> {
  const { edge, redisUrl } = stage.scene;
  const env = { SFU_DRAIN_SECONDS: '20' };
  const node = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId, env });
  others.push(node);
  return node;
}

/** Closed after its node. */
async function gateBefore(node: TestNode): Promise<Gate> {
  const gate = await startGate(node);
  others.push(gate);
  return gate;
}

async function untilPublishedOn(node: TestNode): Promise<void> {
  const sources = () => node.rooms.find(stage.scene.stream)?.sources.length;
  await expect.poll(sources, patient).toBe(2);
}

const linksLost = () =>
  stage.logged.filter((line) => JSON.parse(line).msg === 'the link to the node is gone').length;

test('a node that goes without a word is left for another one, and the encoder does not notice', async () => {
  const going = await startOtherNode('sfu-going');
  const { key } = stage.edge.keyFor(stage.scene.stream);
  stage.edge.placeOn(going);
  const encoder = stage.push('srt', key);
  await untilPublishedOn(going);
  stage.edge.placeOn(stage.scene.node);
  await going.close();
  const { seen } = await stage.watched();
  await expect.poll(() => seen.pictures, patient).toBeGreaterThan(30);
  expect(encoder.child.exitCode).toBeNull();
});

test('a node that is drained hands the stream to another one', async () => {
  const leaving = await startOtherNode('sfu-leaving');
  const { key } = stage.edge.keyFor(stage.scene.stream);
  stage.edge.placeOn(leaving);
  stage.push('rtmp', key);
  await untilPublishedOn(leaving);
  stage.edge.placeOn(stage.scene.node);
  const drained = leaving.drain();
  const { seen } = await stage.watched();
  await drained;
  const before = seen.pictures;
  await expect.poll(() => seen.pictures, patient).toBeGreaterThan(before + 30);
  const again = await watch(await stage.scene.transcoder());
  stage.after(again.close);
  await expect.poll(() => again.seen.soundPackets, patient).toBeGreaterThan(30);
});

describe('a move', () => {
  test('that the edge has no word for yet is tried again, and the node is used until then', async () => {
    const leaving = await startOtherNode('sfu-hesitating');
    const { key } = stage.edge.keyFor(stage.scene.stream);
    stage.edge.placeOn(leaving);
    const encoder = stage.push('rtmp', key);
    await untilPublishedOn(leaving);
    stage.edge.placeOn(stage.scene.node);
    stage.edge.refuse(key, 503);
    const asked = stage.edge.asked.length;
    const drained = leaving.drain();
    await expect.poll(() => stage.edge.asked.length, patient).toBeGreaterThan(asked + 1);
    expect(leaving.rooms.find(stage.scene.stream)?.sources.length).toBe(2);
    stage.edge.allow(key);
    await stage.untilPublished();
    await drained;
    expect(encoder.child.exitCode).toBeNull();
  });

  test('during which the encoder leaves leaves nothing behind', async () => {
    const leaving = await startOtherNode('sfu-left-behind');
    const gate = await gateBefore(stage.scene.node);
    const { key } = stage.edge.keyFor(stage.scene.stream);
    stage.edge.placeOn(leaving);
    const encoder = stage.push('rtmp', key);
    await untilPublishedOn(leaving);
    stage.edge.placeOn(gate.place);
    gate.hold('transport.plain');
    void leaving.drain();
    await expect.poll(() => gate.held, patient).toBe(2);
    encoder.stop();
    await expect.poll(() => leaving.rooms.find(stage.scene.stream), { timeout: 2_000 }).toBeNull();
  });

  test('during which the node dies stays the only one', async () => {
    const leaving = await startOtherNode('sfu-dying');
    const gate = await gateBefore(stage.scene.node);
    const { key } = stage.edge.keyFor(stage.scene.stream);
    stage.edge.placeOn(leaving);
    stage.push('rtmp', key);
    await untilPublishedOn(leaving);
    stage.edge.placeOn(gate.place);
    gate.hold('join');
    void leaving.drain();
    await expect.poll(() => gate.held, patient).toBe(1);
    const before = linksLost();
    const room = leaving.rooms.find(stage.scene.stream);
    for (const peer of room?.publishers ?? []) peer.dismiss('unavailable', 'the node dies');
    await expect.poll(linksLost, patient).toBe(before + 1);
    gate.release();
    const { seen } = await stage.watched();
    // Longer than it is waited before another link is looked for.
    await expect.poll(() => seen.pictures, patient).toBeGreaterThan(50);
    expect(gate.sockets).toBe(1);
  });

  test('is not ended by what had been begun at the node before', async () => {
    const leaving = await startOtherNode('sfu-slow');
    const gate = await gateBefore(leaving);
    const { key } = stage.edge.keyFor(stage.scene.stream);
    stage.edge.placeOn(gate.place);
    const encoder = stage.push('rtmp', key);
    await untilPublishedOn(leaving);
    stage.edge.placeOn(stage.scene.node);
    gate.hold('transport.plain');
    process.kill(stage.relay().ffmpegPid ?? 0, 'SIGKILL');
    await expect.poll(() => gate.held, patient).toBe(2);
    const drained = leaving.drain();
    const { seen } = await stage.watched();
    await drained;
    const before = seen.pictures;
    await expect.poll(() => seen.pictures, patient).toBeGreaterThan(before + 30);
    expect(encoder.child.exitCode).toBeNull();
  });
});
