// Tests of a relay: a node that hands on to others what it brings from where it is published.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assert } from '#contract';
import { routerRtpCapabilities } from './media/codecs.ts';
import { inflowLingersMs } from './room.ts';
import { type RoomClient, showing } from './testing/room-client.ts';
import { publishRtp, type RtpSource } from './testing/rtp-source.ts';
import { publishMicrophone, useScene } from './testing/scene.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

const scene = useScene({ nodeId: 'sfu-origin' });
let relay: TestNode;
let leaf: TestNode;
let keeper: RoomClient;
let source: RtpSource;
let viewer: RoomClient;

const placeOf = ({ nodeId, socketUrl }: TestNode) => ({ nodeId, url: socketUrl });

/** A host on the origin; a viewer on the leaf, who gets everything by way of the relay. */
beforeEach(async () => {
  const { edge, redisUrl } = scene;
  const start = (nodeId: string) => startTestNode({ edgeUrl: edge.url, redisUrl, nodeId });
  [relay, leaf] = await Promise.all([start('sfu-relay'), start('sfu-leaf')]);
  edge.origins.set(scene.stream, placeOf(scene.node));
  edge.relays.set('sfu-leaf', placeOf(relay));
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
  const transport = await home.router.createDirectTransport();
  const consumer = await transport.consume({
    producerId: picture.producer.id,
    rtpCapabilities: routerRtpCapabilities,
  });
  let packets = 0;
  consumer.on('rtp', () => {
    packets += 1;
  });
  await expect.poll(() => packets, { timeout: 5_000 }).toBeGreaterThan(10);
  transport.close();
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

test('on which the host goes on is followed there, and nothing flows in a circle', async () => {
  source.close();
  scene.edge.origins.set(scene.stream, placeOf(relay));
  scene.edge.relays.clear();
  const host = await scene.join({ capabilities: ['publish'] }, relay);
  await publishMicrophone(host);
  await viewer.wait(() => viewer.of('room.media').at(-1)?.sources.join() === 'microphone');
  await expect.poll(() => flowsOn(relay, 'pipe-in')).toBe(0);
  host.close();
});
