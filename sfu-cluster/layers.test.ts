// Tests of layers: a publisher is told up to which one anybody watches, here or on another node.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assert } from '#contract';
import { routerRtpCapabilities } from './media/codecs.ts';
import { createDialect } from './media/dialect.ts';
import { loweringDelayMs } from './media/layer-demand.ts';
import { buildingBurstMax } from './peer.ts';
import type { RoomClient } from './testing/room-client.ts';
import { vp9Parameters } from './testing/rtp-source.ts';
import { freshSsrc, publishCamera, useScene } from './testing/scene.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

const scene = useScene({ nodeId: 'sfu-a' });
let other: TestNode;

beforeAll(async () => {
  const { edge, redisUrl } = scene;
  other = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId: 'sfu-b' });
});
afterAll(() => other.close());

async function begin(): Promise<RoomClient> {
  const { nodeId, socketUrl } = scene.node;
  scene.edge.origins.set(scene.stream, { nodeId, url: socketUrl });
  const host = await scene.performer();
  await publishCamera(host, 3);
  return host;
}

/** Somebody who watches up to a layer; null for one who has no wish. */
async function watch(node: TestNode, spatialLayer: number | null) {
  const viewer = await scene.join({ capabilities: ['subscribe'] }, node);
  const { transportId } = await viewer.request('transport.create', { direction: 'receive' });
  await viewer.wait((frame) => frame.type === 'room.media' && frame.sources.includes('camera'));
  const rtpCapabilities = { ...routerRtpCapabilities };
  const { consumers } = await viewer.request('consume', { transportId, rtpCapabilities });
  const consumerId = consumers[0]?.consumerId;
  assert(consumerId, 'there is a picture');
  const prefer = (layer: number) =>
    viewer.request('consumer.layers', { consumerId, spatialLayer: layer, temporalLayer: 0 });
  if (spatialLayer !== null) await prefer(spatialLayer);
  await viewer.request('consumer.resume', { consumerIds: [consumerId] });
  return { viewer, consumers, consumerIds: [consumerId], prefer };
}

const told = (host: RoomClient) => host.of('producer.layers').map((frame) => frame.spatialLayer);
const soon = { timeout: 2 * loweringDelayMs };
/** Both nodes wait before they ask for less. */
const later = { timeout: 4 * loweringDelayMs };

describe('a publisher of three layers inside one stream', () => {
  test('is told up to which anybody watches, too', async () => {
    const { nodeId, socketUrl } = scene.node;
    scene.edge.origins.set(scene.stream, { nodeId, url: socketUrl });
    const host = await scene.performer();
    const { transportId } = await host.request('transport.create', { direction: 'send' });
    await host.request('produce', {
      transportId,
      kind: 'video',
      source: 'camera',
      rtpParameters: vp9Parameters(freshSsrc(), 'L3T3_KEY'),
    });
    await expect.poll(() => told(host), soon).toEqual([0]);
    const { viewer } = await watch(scene.node, 1);
    await expect.poll(() => told(host)).toEqual([0, 1]);
    const whole = await watch(scene.node, null);
    await expect.poll(() => told(host)).toEqual([0, 1, 2]);
    for (const one of [viewer, whole.viewer, host]) one.close();
  });
});

describe('a publisher of three layers', () => {
  test('is told to send the smallest alone while nobody watches, and more at once for who comes', async () => {
    const host = await begin();
    await expect.poll(() => told(host), soon).toEqual([0]);
    const small = await watch(scene.node, 1);
    await expect.poll(() => told(host)).toEqual([0, 1]);
    const whole = await watch(scene.node, null);
    await expect.poll(() => told(host)).toEqual([0, 1, 2]);
    whole.viewer.close();
    await expect.poll(() => told(host), soon).toEqual([0, 1, 2, 1]);
    small.viewer.close();
    host.close();
  });

  test('hears of a picture that is not looked at, and of one that is again', async () => {
    const host = await begin();
    const { viewer, consumerIds, prefer } = await watch(scene.node, 2);
    await viewer.request('consumer.pause', { consumerIds });
    await expect.poll(() => told(host), soon).toEqual([0]);
    await viewer.request('consumer.resume', { consumerIds });
    await expect.poll(() => told(host)).toEqual([0, 2]);
    await prefer(0);
    await expect.poll(() => told(host), soon).toEqual([0, 2, 0]);
    viewer.close();
    host.close();
  });

  test('hears of players that number codecs in their own way as of others', async () => {
    const host = await begin();
    await expect.poll(() => told(host), soon).toEqual([0]);
    const media = await scene.room.media();
    const dialect = createDialect([
      { kind: 'video', mimeType: 'video/H264', clockRate: 90_000, preferredPayloadType: 121 },
    ]);
    const transport = await media.openViewerTransport({ dialect });
    const [track] = media.tracks;
    assert(track, 'there is a picture');
    const consumer = await media.viewing.consume(transport, track, { ...routerRtpCapabilities });
    assert(consumer, 'it can be played');
    await media.viewing.resume(transport, consumer);
    await expect.poll(() => told(host)).toEqual([0, 2]);
    await media.viewing.prefer(consumer, { spatialLayer: 1 });
    await expect.poll(() => told(host), soon).toEqual([0, 2, 1]);
    transport.close();
    host.close();
  });

  test('hears of viewers on another node as of its own', { timeout: 60_000 }, async () => {
    const host = await begin();
    const { viewer, prefer } = await watch(other, 1);
    // The pipe begins with all layers; what its viewers want comes a while later.
    await expect.poll(() => told(host).at(-1), later).toBe(1);
    await prefer(2);
    await expect.poll(() => told(host).at(-1)).toBe(2);
    viewer.close();
    await expect.poll(() => told(host).at(-1), later).toBe(0);
    host.close();
  });

  test('sends all to a transcoder, whatever viewers want', async () => {
    const host = await begin();
    const transcoder = await scene.transcoder();
    await transcoder.request('tap.open', {
      address: '127.0.0.1',
      audioPort: 40_001,
      videoPorts: [40_002, 40_003, 40_004],
    });
    const { viewer } = await watch(scene.node, 0);
    // A room without a transcoder, which began later, is asked for less by now.
    const stream = randomUUID();
    const unwatched = await scene.join({ stream, capabilities: ['publish'] });
    await publishCamera(unwatched, 3);
    await expect.poll(() => told(unwatched), soon).toEqual([0]);
    expect(told(host)).toEqual([]);
    for (const client of [transcoder, viewer, host, unwatched]) client.close();
  });
});

describe('the sizes of layers', () => {
  const sizes = [
    { width: 320, height: 180 },
    { width: 640, height: 360 },
    { width: 1280, height: 720 },
  ];
  const portrait = sizes.map(({ width, height }) => ({ width: height, height: width }));

  async function beginSized() {
    const { nodeId, socketUrl } = scene.node;
    scene.edge.origins.set(scene.stream, { nodeId, url: socketUrl });
    const host = await scene.performer();
    const producerId = await publishCamera(host, 3);
    const tell = (told: typeof sizes) =>
      host.request('producer.sizes', { producerId, sizes: told });
    return { host, producerId, tell };
  }
  const newest = (viewer: RoomClient) => viewer.of('producer.sizes').at(-1)?.sizes;

  test.each(['the same node', 'another node'])(
    'reach viewers on %s, those who come later as well as those who are there',
    { timeout: 60_000 },
    async (where) => {
      const node = where === 'another node' ? other : scene.node;
      const { host, producerId, tell } = await beginSized();
      await tell(sizes);
      const { viewer, consumers } = await watch(node, null);
      expect([consumers[0]?.producerId, consumers[0]?.sizes]).toEqual([producerId, sizes]);
      await tell(portrait);
      await expect.poll(() => newest(viewer)).toEqual(portrait);
      const second = await watch(node, null);
      expect(second.consumers[0]?.sizes).toEqual(portrait);
      for (const client of [host, viewer, second.viewer]) client.close();
    },
  );

  test('are told to the room once, however often they are the same', async () => {
    const { host, tell } = await beginSized();
    for (const told of [sizes, sizes, portrait, portrait]) await tell(told);
    expect(host.of('producer.sizes').map((frame) => frame.sizes)).toEqual([sizes, portrait]);
    host.close();
  });

  test('are refused when they are too few, of somebody else, or told too often', async () => {
    const { host, producerId, tell } = await beginSized();
    await expect(tell(sizes.slice(1))).rejects.toMatchObject({ code: 'malformed-frame' });
    const guest = await scene.join({ capabilities: ['stage'] });
    await expect(guest.request('producer.sizes', { producerId, sizes })).rejects.toMatchObject({
      code: 'not-found',
    });
    const viewer = await scene.viewer();
    await expect(viewer.request('producer.sizes', { producerId, sizes })).rejects.toMatchObject({
      code: 'forbidden',
    });
    const often = Array.from({ length: buildingBurstMax }, (_, turn) =>
      tell(turn % 2 === 0 ? sizes : portrait),
    );
    await expect(Promise.all(often)).rejects.toMatchObject({ code: 'rate-limited' });
    for (const client of [host, guest, viewer]) client.close();
  });
});
