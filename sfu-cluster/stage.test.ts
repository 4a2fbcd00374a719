// Tests of the stage: guests publish beside the host, up to a number, and what is held of them nobody gets.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assert, type MediaHold, nothingHeld, stagePublishersMax } from '#contract';
import { routerRtpCapabilities } from './media/codecs.ts';
import { RoomClient } from './testing/room-client.ts';
import { h264Parameters, opusParameters, publishRtp, testHost } from './testing/rtp-source.ts';
import { freshSsrc, publishCamera, publishMicrophone, useScene } from './testing/scene.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

const scene = useScene({ nodeId: 'sfu-a' });
let other: TestNode;

beforeAll(async () => {
  const { edge, redisUrl } = scene;
  other = await startTestNode({ edgeUrl: edge.url, redisUrl, nodeId: 'sfu-b' });
});
afterAll(() => other.close());

const joinStage = (sub: string = randomUUID(), held?: MediaHold) =>
  scene.join({ sub, capabilities: ['stage', 'subscribe'], ...(held ? { held } : {}) });

async function consume(viewer: RoomClient) {
  const { transportId } = await viewer.request('transport.create', { direction: 'receive' });
  const rtpCapabilities = { ...routerRtpCapabilities };
  return async () => (await viewer.request('consume', { transportId, rtpCapabilities })).consumers;
}

/** A microphone and a camera of one layer, on one transport. */
async function publishBoth(client: RoomClient): Promise<{ sound: string; picture: string }> {
  const { transportId } = await client.request('transport.create', { direction: 'send' });
  const microphone = await client.request('produce', {
    transportId,
    kind: 'audio',
    source: 'microphone',
    rtpParameters: opusParameters(freshSsrc()),
  });
  const camera = await client.request('produce', {
    transportId,
    kind: 'video',
    source: 'camera',
    rtpParameters: { ...h264Parameters([freshSsrc()]), mid: 'camera' },
  });
  return { sound: microphone.producerId, picture: camera.producerId };
}

const guestsOf = (client: RoomClient) => client.of('room.media').at(-1)?.guests ?? [];

describe('a guest on the stage', () => {
  test('publishes beside the host the same sources, and viewers know whose they are', async () => {
    const host = await scene.performer();
    await publishCamera(host, 3);
    const viewer = await scene.viewer();
    const [guestId, secondId] = [randomUUID(), randomUUID()];
    const guest = await joinStage(guestId);
    await publishBoth(guest);
    const second = await joinStage(secondId);
    await publishMicrophone(second);
    await viewer.wait(() => guestsOf(viewer).length === 2);
    expect(guestsOf(viewer)).toEqual([
      { id: guestId, name: 'Somebody', sources: ['microphone', 'camera'], held: [] },
      { id: secondId, name: 'Somebody', sources: ['microphone'], held: [] },
    ]);
    expect(scene.room.sources).toEqual(['camera']);
    const consumers = await (await consume(viewer))();
    const owned = consumers.map(({ owner, source }) => [owner.id, owner.isHost, source]);
    expect(owned).toEqual(
      expect.arrayContaining([
        [guestId, false, 'camera'],
        [guestId, false, 'microphone'],
        [secondId, false, 'microphone'],
      ]),
    );
    expect(owned.filter(([, isHost]) => isHost)).toHaveLength(1);
    guest.close();
    await viewer.wait(() => guestsOf(viewer).length === 1);
    // The host and the other guest go on.
    expect(scene.room.sources).toEqual(['camera']);
    for (const client of [host, viewer, second]) client.close();
  });

  test('is no viewer, and gives way to another window of the same person alone', async () => {
    const host = await scene.performer();
    await publishMicrophone(host);
    const sub = randomUUID();
    const first = await joinStage(sub);
    await publishMicrophone(first);
    const beside = await joinStage();
    await publishMicrophone(beside);
    expect(scene.room.viewers).toBe(0);
    const again = await joinStage(sub);
    await publishMicrophone(again);
    expect(await first.closed).toBe('replaced');
    expect(scene.room.publishers).toHaveLength(3);
    for (const client of [host, beside, again]) client.close();
  });

  test('does not make the stream live by themselves, nor stand for its picture', async () => {
    const guest = await joinStage();
    await publishCamera(guest, 1);
    const { streams } = await scene.edge.report((report) =>
      report.streams.some(({ streamId }) => streamId === scene.stream),
    );
    const told = streams.find(({ streamId }) => streamId === scene.stream);
    expect(told).toMatchObject({ publishing: false, videoCodec: null, viewers: 0 });
    expect((await scene.room.media()).picture).toBeNull();
    guest.close();
  });

  test('finds it full when as many publish as can; who leaves makes room', async () => {
    const host = await scene.performer();
    await publishMicrophone(host);
    const guests = await Promise.all(
      Array.from({ length: stagePublishersMax - 1 }, () => joinStage()),
    );
    await Promise.all(guests.map((one) => publishMicrophone(one)));
    const late = await joinStage();
    await expect(publishMicrophone(late)).rejects.toMatchObject({ code: 'stage-full' });
    const [first] = guests;
    first?.close();
    await expect.poll(() => scene.room.publishers.length).toBe(stagePublishersMax - 1);
    await publishMicrophone(late);
    for (const client of [host, late, ...guests]) client.close();
  });

  test('is seen on other nodes, as themselves', async () => {
    const { nodeId, socketUrl } = scene.node;
    scene.edge.origins.set(scene.stream, { nodeId, url: socketUrl });
    const host = await scene.performer();
    await publishCamera(host, 1);
    const sub = randomUUID();
    const guest = await joinStage(sub);
    await publishCamera(guest, 1);
    const viewer = await scene.join({ capabilities: ['subscribe'] }, other);
    const ask = await consume(viewer);
    await viewer.wait(() => guestsOf(viewer).length === 1);
    const owners = (await ask()).map(({ owner }) => [owner.id, owner.isHost]);
    expect(owners).toContainEqual([sub, false]);
    expect(owners).toHaveLength(2);
    for (const client of [host, guest, viewer]) client.close();
  });

  test('may come to the next node before the host: viewers there go on seeing both', async () => {
    const { nodeId, socketUrl } = scene.node;
    scene.edge.origins.set(scene.stream, { nodeId, url: socketUrl });
    const host = await scene.performer();
    await publishCamera(host, 1);
    const sub = randomUUID();
    const before = await joinStage(sub);
    await publishMicrophone(before);
    const viewer = await scene.join({ capabilities: ['subscribe'] }, other);
    await consume(viewer);
    await viewer.wait(() => guestsOf(viewer).length === 1);
    const after = await scene.join({ sub, capabilities: ['stage', 'subscribe'] }, other);
    const moved = await publishMicrophone(after);
    const room = other.rooms.find(scene.stream);
    assert(room, 'the viewer is there');
    const media = await room.media();
    const guests = () =>
      media.tracks
        .filter(({ owner }) => !owner.isHost)
        .map(({ producer, isOurs }) => [producer.id, isOurs]);
    // Nothing has come from them yet: what still comes from the node that they leave is shown.
    expect(guests()).toEqual([[expect.any(String), false]]);
    before.close();
    await expect.poll(guests).toEqual([[moved, true]]);
    expect(room.sources).toEqual(['camera']);
    for (const client of [host, viewer, after]) client.close();
  });

  test('without an invitation nobody publishes', async () => {
    const viewer = await scene.viewer();
    const asked = viewer.request('transport.create', { direction: 'send' });
    await expect(asked).rejects.toMatchObject({ code: 'forbidden' });
    viewer.close();
  });
});

describe('what is held', () => {
  const silent: MediaHold = { sound: true, picture: false };
  const heldOf = (client: RoomClient) =>
    client.of('producer.held').map(({ producerId, isHeld }) => [producerId, isHeld]);

  test('nobody gets a packet of until it is given free, and whose it is knows', async () => {
    const guestId = randomUUID();
    const guest = await joinStage(guestId);
    const { sound, picture } = await publishBoth(guest);
    const hold = (held: MediaHold) =>
      scene.revoke({ kind: 'hold', subject: guestId, streamId: scene.stream, held });
    await hold(silent);
    await guest.wait((frame) => frame.type === 'producer.held');
    expect(heldOf(guest)).toEqual([[sound, true]]);
    await hold({ sound: true, picture: true });
    await guest.wait(() => guest.of('producer.held').length === 2);
    await hold(nothingHeld);
    await guest.wait(() => guest.of('producer.held').length === 4);
    expect(heldOf(guest).slice(1)).toEqual([
      [picture, true],
      [sound, false],
      [picture, false],
    ]);
    guest.close();
  });

  test('stops packets, and begins anew with a keyframe', async () => {
    const keeper = await scene.join();
    const source = await publishRtp(scene.room, 1);
    assert(source.video, 'there is a picture');
    const media = await scene.room.media();
    const direct = await media.home.router.createDirectTransport();
    const consumer = await direct.consume({
      producerId: source.video.id,
      rtpCapabilities: routerRtpCapabilities,
    });
    await once(consumer, 'rtp');
    media.hold(testHost.id, { sound: false, picture: true });
    await expect.poll(() => consumer.producerPaused).toBe(true);
    // What was on its way has come by the time in which the sound, which goes on, has come.
    const [audio] = media.tracks.filter(({ source: shown }) => shown === 'microphone');
    assert(audio, 'there is sound');
    let packets = 0;
    consumer.on('rtp', () => {
      packets += 1;
    });
    const heard = await direct.consume({
      producerId: audio.producer.id,
      rtpCapabilities: routerRtpCapabilities,
    });
    for (let sounds = 0; sounds < 10; sounds += 1) await once(heard, 'rtp');
    expect(packets).toBe(0);
    const before = source.keyframeRequests;
    media.hold(testHost.id, nothingHeld);
    await once(consumer, 'rtp');
    expect(source.keyframeRequests).toBeGreaterThan(before);
    source.close();
    keeper.close();
  });

  test('is held from the first packet of whoever comes back, and of one person alone', async () => {
    const guest = await joinStage(randomUUID(), silent);
    const { sound } = await publishBoth(guest);
    await guest.wait((frame) => frame.type === 'producer.held');
    expect(heldOf(guest)).toEqual([[sound, true]]);
    const beside = await joinStage();
    await publishMicrophone(beside);
    const paused = (await scene.room.media()).tracks.map(({ producer }) => producer.paused);
    expect(paused).toEqual([true, false, false]);
    for (const client of [guest, beside]) client.close();
  });

  test('is held of whoever comes with a ticket from before it, and so has not heard of it', async () => {
    const guestId = randomUUID();
    const { edge, node, stream } = scene;
    const wish = { stream, node: node.nodeId, sub: guestId, capabilities: ['stage'] } as const;
    const ticket = await edge.ticket({ ...wish, capabilities: [...wish.capabilities] });
    const order = await scene.revoke({
      kind: 'hold',
      subject: guestId,
      streamId: stream,
      held: silent,
    });
    await expect.poll(() => node.revocations.known).toBeGreaterThanOrEqual(order.number);
    const guest = await RoomClient.join(node.socketUrl, ticket);
    const sound = await publishMicrophone(guest);
    await guest.wait((frame) => frame.type === 'producer.held');
    expect(heldOf(guest)).toEqual([[sound, true]]);
    guest.close();
  });

  test('is told to everybody in the room, here and on other nodes', async () => {
    const { nodeId, socketUrl } = scene.node;
    scene.edge.origins.set(scene.stream, { nodeId, url: socketUrl });
    const hostId = randomUUID();
    const host = await scene.performer(hostId);
    await publishCamera(host, 1);
    const viewers = [
      await scene.viewer(),
      await scene.join({ capabilities: ['subscribe'] }, other),
    ];
    for (const viewer of viewers) await consume(viewer);
    const held = (viewer: RoomClient) => viewer.of('room.media').at(-1)?.held;
    await Promise.all(
      viewers.map((viewer) =>
        viewer.wait(() => viewer.of('room.media').at(-1)?.sources.length === 1),
      ),
    );
    const hold = (what: MediaHold) =>
      scene.revoke({ kind: 'hold', subject: hostId, streamId: scene.stream, held: what });
    await hold({ sound: true, picture: true });
    await Promise.all(
      viewers.map((viewer) => viewer.wait(() => held(viewer)?.join() === 'camera')),
    );
    await hold(nothingHeld);
    await Promise.all(viewers.map((viewer) => viewer.wait(() => held(viewer)?.length === 0)));
    for (const client of [host, ...viewers]) client.close();
  });

  test('is known when Redis did not tell, and the newest word counts', async () => {
    const guestId = randomUUID();
    const guest = await joinStage(guestId);
    const sound = await publishMicrophone(guest);
    const what = { kind: 'hold', subject: guestId, streamId: scene.stream } as const;
    // Only the edge knows of these; the report brings them.
    const older = scene.edge.revoke({ ...what, held: silent });
    await guest.wait((frame) => frame.type === 'producer.held');
    scene.edge.revoke({ ...what, held: nothingHeld });
    await guest.wait(() => guest.of('producer.held').length === 2);
    scene.node.revocations.hear(older);
    expect(heldOf(guest)).toEqual([
      [sound, true],
      [sound, false],
    ]);
    guest.close();
  });
});

test('news of the stage reach those whom they concern', async () => {
  const [hostId, guestId] = [randomUUID(), randomUUID()];
  const [host, guest, viewer] = [
    await scene.performer(hostId),
    await scene.viewer(guestId),
    await scene.viewer(),
  ];
  const message = { type: 'stage', streamId: scene.stream, subjects: [hostId, guestId] };
  await scene.redis.publish('control', JSON.stringify(message));
  await Promise.all(
    [host, guest].map((client) => client.wait(({ type }) => type === 'room.stage')),
  );
  expect(viewer.of('room.stage')).toEqual([]);
  for (const client of [host, guest, viewer]) client.close();
});
