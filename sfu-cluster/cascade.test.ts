// Tests of a room on several nodes: media is brought once to each node that needs it, for as long as it does, and from
// wherever it is published.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assert } from '#contract';
import { routerRtpCapabilities } from './media/codecs.ts';
import { inflowLingersMs, type Room } from './room.ts';
import { packetsFlow } from './testing/packets.ts';
import { type RoomClient, showing } from './testing/room-client.ts';
import { publishRtp, type RtpSource } from './testing/rtp-source.ts';
import { publishMicrophone, useScene } from './testing/scene.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

const scene = useScene({ nodeId: 'sfu-a' });
let other: TestNode;

beforeAll(async () => {
  const { edge, redisUrl } = scene;
  other = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId: 'sfu-b', workers: 2 });
});
afterAll(() => other.close());

const allSources = ['microphone', 'camera'];

/** The stream of the test is published on this node. */
function placeOn(node: TestNode): void {
  scene.edge.origins.set(scene.stream, { nodeId: node.nodeId, url: node.socketUrl });
}

function roomOn(node: TestNode): Room {
  const room = node.rooms.find(scene.stream);
  assert(room, 'somebody is in the room');
  return room;
}

async function watchOn(node: TestNode): Promise<{ viewer: RoomClient; transportId: string }> {
  const viewer = await scene.join({ capabilities: ['subscribe'] }, node);
  const { transportId } = await viewer.request('transport.create', { direction: 'receive' });
  return { viewer, transportId };
}

const consume = (viewer: RoomClient, transportId: string) =>
  viewer.request('consume', { transportId, rtpCapabilities: { ...routerRtpCapabilities } });

/** Packets of a room's picture as they leave a node. */
async function pictureFlows(node: TestNode): Promise<void> {
  const media = await roomOn(node).media();
  const { picture } = media;
  assert(picture, 'there is a picture');
  await packetsFlow(media.home.router, picture.producer.id);
}

async function begin(): Promise<{ keeper: RoomClient; source: RtpSource }> {
  placeOn(scene.node);
  const keeper = await scene.join();
  return { keeper, source: await publishRtp(scene.room, 3) };
}

describe('a viewer on another node than the publisher', () => {
  test('gets the media over one pipe, however many watch there', async () => {
    const { keeper, source } = await begin();
    const watching = await Promise.all([1, 2, 3, 4].map(() => watchOn(other)));
    await Promise.all(watching.map(({ viewer }) => viewer.wait(showing(allSources))));
    const made = await Promise.all(
      watching.map(({ viewer, transportId }) => consume(viewer, transportId)),
    );
    for (const { consumers } of made) {
      expect(consumers.map((one) => one.source).toSorted()).toEqual(allSources.toSorted());
      // The tracks keep their names, so that whoever changes nodes knows them again.
      expect(consumers.map((one) => one.producerId)).toContain(source.video?.id);
    }
    await pictureFlows(other);
    const home = (await scene.room.media()).home.router;
    expect((await home.dump()).transportIds).toHaveLength(2);
    expect(scene.edge.pulls.filter(({ streamId }) => streamId === scene.stream)).toHaveLength(1);
    source.close();
    for (const { viewer } of watching) viewer.close();
    keeper.close();
  });

  test('hears of tracks that come and go, and asks for keyframes across the pipe', async () => {
    const { keeper, source } = await begin();
    const { viewer } = await watchOn(other);
    await viewer.wait(showing(allSources));
    // Whoever comes when it flows already needs a keyframe of their own.
    await pictureFlows(other);
    const before = source.keyframeRequests;
    await pictureFlows(other);
    await expect.poll(() => source.keyframeRequests).toBeGreaterThan(before);
    source.close();
    await viewer.wait(() => viewer.of('room.media').at(-1)?.sources.length === 0);
    const again = await publishRtp(scene.room, 1);
    await viewer.wait(() => viewer.of('room.media').at(-1)?.sources.length === 2);
    await pictureFlows(other);
    again.close();
    viewer.close();
    keeper.close();
  });

  test('does not make that node the publisher in what it reports', async () => {
    const { keeper, source } = await begin();
    const { viewer } = await watchOn(other);
    await viewer.wait(showing(allSources));
    const report = await scene.edge.report(
      ({ nodeId, streams }) =>
        nodeId === 'sfu-b' &&
        streams.some(({ streamId, viewers }) => streamId === scene.stream && viewers === 1),
    );
    const told = report.streams.find(({ streamId }) => streamId === scene.stream);
    expect(told).toMatchObject({ publishing: false, videoCodec: null, viewers: 1 });
    source.close();
    viewer.close();
    keeper.close();
  });
});

describe('the pipe', () => {
  test('ends a moment after the last viewer there has left, and begins again with the next', async () => {
    const { keeper, source } = await begin();
    const { viewer } = await watchOn(other);
    const listener = await scene.join({}, other);
    await listener.wait(showing(allSources));
    viewer.close();
    const home = (await scene.room.media()).home.router;
    const transports = async () => (await home.dump()).transportIds.length;
    await expect.poll(transports, { timeout: inflowLingersMs * 2 }).toBe(1);
    await listener.wait(() => listener.of('room.media').at(-1)?.sources.length === 0);
    const next = await watchOn(other);
    await listener.wait(() => listener.of('room.media').at(-1)?.sources.length === 2);
    source.close();
    for (const client of [next.viewer, listener, keeper]) client.close();
  });

  test('is not opened for whoever has no ticket for it', async () => {
    const { keeper, source } = await begin();
    const open = { address: '127.0.0.1', port: 9, srtpParameters: {} };
    for (const client of [
      await scene.performer(),
      await scene.viewer(),
      await scene.transcoder(),
    ]) {
      await expect(client.request('pipe.open', open)).rejects.toMatchObject({ code: 'forbidden' });
      client.close();
    }
    const node = await scene.join({ aud: 'node', use: 'pipe' });
    await expect(node.request('pipe.consume', {})).rejects.toMatchObject({ code: 'out-of-order' });
    for (const wrong of [
      { ...open, address: 'localhost' },
      { ...open, srtpParameters: { cryptoSuite: 'none' } },
    ]) {
      await expect(node.request('pipe.open', wrong)).rejects.toMatchObject({
        code: 'malformed-frame',
      });
    }
    const srtpParameters = { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: 'AAAA' };
    await expect(
      node.request('pipe.open', { address: '192.0.2.1', port: 9, srtpParameters }),
    ).rejects.toMatchObject({ code: 'forbidden' });
    const tap = { address: '127.0.0.1', audioPort: 9, videoPorts: [10] };
    await expect(node.request('tap.open', tap)).rejects.toMatchObject({ code: 'forbidden' });
    source.close();
    node.close();
    keeper.close();
  });
});

describe('a stream that is published on another node from now on', () => {
  test('is followed there by those who watch on the old one and on a third', async () => {
    const { keeper, source } = await begin();
    const here = await watchOn(scene.node);
    const there = await watchOn(other);
    await there.viewer.wait(showing(allSources));
    // The performer has come back on the other node.
    source.close();
    placeOn(other);
    const host = await scene.join({ capabilities: ['publish'] }, other);
    await publishMicrophone(host);
    const last = (viewer: RoomClient) => viewer.of('room.media').at(-1)?.sources;
    await there.viewer.wait(() => last(there.viewer)?.join() === 'microphone');
    await here.viewer.wait(() => last(here.viewer)?.join() === 'microphone');
    const { consumers } = await consume(here.viewer, here.transportId);
    expect(consumers.map((one) => one.source)).toEqual(['microphone']);
    for (const client of [host, here.viewer, there.viewer, keeper]) client.close();
  });
});

describe('a node that is gone', () => {
  test('is replaced as the source as soon as the performer is somewhere else', async () => {
    const { edge, redisUrl } = scene;
    const third = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId: 'sfu-c' });
    placeOn(third);
    const host = await scene.join({ capabilities: ['publish'] }, third);
    await publishMicrophone(host);
    const { viewer } = await watchOn(other);
    await viewer.wait(showing(['microphone']));
    await third.close();
    await viewer.wait(() => viewer.of('room.media').at(-1)?.sources.length === 0);
    placeOn(scene.node);
    const again = await scene.performer();
    const publishedAt = performance.now();
    await publishMicrophone(again);
    await viewer.wait(() => viewer.of('room.media').at(-1)?.sources.length === 1);
    expect(performance.now() - publishedAt).toBeLessThan(4_000);
    again.close();
    viewer.close();
  });
});
