// Tests of a relay: a node that hands on to others what it brings from where it is published.
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assert } from '#contract';
import { inflowLingersMs } from './room.ts';
import { packetsFlow } from './testing/packets.ts';
import { type RoomClient, showing } from './testing/room-client.ts';
import { opusParameters, publishRtp, type RtpSource } from './testing/rtp-source.ts';
import { freshSsrc, publishMicrophone, useScene } from './testing/scene.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

const scene = useScene({ nodeId: 'sfu-origin' });
let relay: TestNode;
let leaf: TestNode;
let keeper: RoomClient;
let source: RtpSource;
let viewer: RoomClient;

const start = (nodeId: string) =>
  startTestNode({ edgeUrl: scene.edge.url, redisUrl: scene.redisUrl, nodeId });
const startOther = () => start('sfu-other');
const placeOf = ({ nodeId, socketUrl }: TestNode) => ({ nodeId, url: socketUrl });

/** A host on the origin; a viewer on the leaf, who gets everything by way of the relay. */
beforeEach(async () => {
  const { edge } = scene;
  [relay, leaf] = await Promise.all([start('sfu-relay'), start('sfu-leaf')]);
  edge.origins.set(scene.stream, placeOf(scene.node));
  edge.relays.set('sfu-leaf', [placeOf(relay)]);
  edge.relays.delete('sfu-origin');
  edge.pullsFail = false;
  edge.pulls.length = 0;
  keeper = await scene.join();
  source = await publishRtp(scene.room, 3);
  viewer = await scene.join({ capabilities: ['subscribe'] }, leaf);
  await viewer.request('transport.create', { direction: 'receive' });
  await viewer.wait(showing(['microphone', 'camera']));
});
afterEach(async () => {
  for (const one of [source, viewer, keeper]) one.close();
  await Promise.all([relay.close(), leaf.close()]);
});

function mediaOn(node: TestNode) {
  const media = node.rooms.find(scene.stream)?.liveMedia;
  assert(media, 'the room has media');
  return media;
}

const flowsOn = (node: TestNode, use: 'pipe-in' | 'pipe-out') =>
  node.rooms.find(scene.stream)?.liveMedia?.flows.count(use) ?? 0;

/** Packets of the picture as they leave a node. */
async function pictureFlows(node: TestNode): Promise<void> {
  const { home, picture } = mediaOn(node);
  assert(picture, 'there is a picture');
  await packetsFlow(home.router, picture.producer.id);
}

test('carries a stream that nobody watches there, once, and lets it go after the last node has', async () => {
  await pictureFlows(leaf);
  expect(mediaOn(leaf).picture?.producer.id).toBe(source.video?.id);
  expect([flowsOn(scene.node, 'pipe-out'), flowsOn(relay, 'pipe-in')]).toEqual([1, 1]);
  expect([flowsOn(relay, 'pipe-out'), flowsOn(leaf, 'pipe-in')]).toEqual([1, 1]);
  viewer.close();
  const patience = { timeout: inflowLingersMs * 3 };
  await expect.poll(() => flowsOn(scene.node, 'pipe-out'), patience).toBe(0);
});

test('hands on what the host keeps from everybody', async () => {
  const owner = mediaOn(scene.node).picture?.owner.id ?? '';
  mediaOn(scene.node).hold(owner, { sound: false, picture: true });
  await viewer.wait(() => viewer.of('room.media').at(-1)?.held.join() === 'camera');
});

test('that dies is passed over', async () => {
  await relay.close();
  await viewer.wait(() => viewer.of('room.media').at(-1)?.sources.length === 0);
  await viewer.wait(() => viewer.of('room.media').at(-1)?.sources.length === 2);
  await pictureFlows(leaf);
  expect(scene.edge.pulls.at(-1)).toMatchObject({ nodeId: 'sfu-leaf', unreachable: 'sfu-relay' });
});

test('that is drained waits until the nodes below it have another way', async () => {
  scene.edge.relays.clear();
  await relay.drain();
  await pictureFlows(leaf);
  expect([flowsOn(scene.node, 'pipe-out'), flowsOn(relay, 'pipe-out')]).toEqual([1, 0]);
  expect(await viewer.request('ping', {})).toEqual({});
});

test('whoever cannot reach the node above it waits for the next one to have the stream', async () => {
  const { edge } = scene;
  const other = await startOther();
  const dead = { nodeId: 'sfu-dead', url: 'ws://127.0.0.1:1/room' };
  edge.relays.set('sfu-other', [dead, placeOf(relay)]);
  // Nobody else has it there.
  viewer.close();
  await expect.poll(() => flowsOn(scene.node, 'pipe-out')).toBe(0);
  const there = await scene.join({ capabilities: ['subscribe'] }, other);
  await there.request('transport.create', { direction: 'receive' });
  await there.wait(showing(['microphone', 'camera']));
  await pictureFlows(other);
  expect(edge.pulls.filter(({ nodeId }) => nodeId === 'sfu-other').length).toBeLessThan(6);
  there.close();
  await other.close();
});

describe('where the host', () => {
  const sourcesAt = (client: RoomClient) => client.of('room.media').at(-1)?.sources.join();

  test('goes on is found, and nothing flows in a circle', async () => {
    source.close();
    scene.edge.origins.set(scene.stream, placeOf(relay));
    scene.edge.relays.clear();
    const host = await scene.join({ capabilities: ['publish'] }, relay);
    await publishMicrophone(host);
    await viewer.wait(() => sourcesAt(viewer) === 'microphone');
    await expect.poll(() => flowsOn(relay, 'pipe-in')).toBe(0);
    host.close();
  });

  test('has gone, guests who stay keep nobody from following, and are sent after', async () => {
    const { edge } = scene;
    const guest = await scene.join({ capabilities: ['stage'] });
    await publishMicrophone(guest);
    await viewer.wait(() => viewer.of('room.media').at(-1)?.guests.length === 1);
    const other = await startOther();
    source.close();
    edge.origins.set(scene.stream, placeOf(other));
    // In the tree of the new origin the old one lies below the relay.
    edge.relays.set('sfu-origin', [placeOf(relay)]);
    const host = await scene.join({ capabilities: ['publish'] }, other);
    await publishMicrophone(host);
    await viewer.wait(() => sourcesAt(viewer) === 'microphone');
    await guest.wait(({ type }) => type === 'room.move');
    host.close();
    guest.close();
    await other.close();
  });

  test('has nothing to show for a moment is not left while the edge cannot be asked', async () => {
    source.close();
    await viewer.wait(() => sourcesAt(viewer) === '');
    scene.edge.pullsFail = true;
    const again = await publishRtp(scene.room, 1);
    await viewer.wait(() => sourcesAt(viewer) === 'microphone,camera');
    again.close();
  });
});

test('a track that ends while it is being brought leaves nothing behind', async () => {
  const host = await scene.join({ capabilities: ['publish'] });
  const { transportId } = await host.request('transport.create', { direction: 'send' });
  for (let turn = 0; turn < 12; turn += 1) {
    const { producerId } = await host.request('produce', {
      transportId,
      kind: 'audio',
      source: 'screen-audio',
      rtpParameters: { ...opusParameters(freshSsrc()), mid: `turn ${turn}` },
    });
    await delay(turn / 4);
    await host.request('producer.close', { producerId });
    await expect.poll(() => mediaOn(scene.node).tracks.length).toBe(2);
    await expect.poll(() => mediaOn(leaf).tracks.length).toBe(2);
  }
  host.close();
});
