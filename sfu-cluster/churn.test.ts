// Tests of a node over time: what joins and leaves, and what breaks in between, leaves nothing behind.
import { expect, test } from 'vitest';
import { assert } from '#contract';
import { routerRtpCapabilities } from './media/codecs.ts';
import type { RoomClient } from './testing/room-client.ts';
import { publishCamera, publishMicrophone, useScene } from './testing/scene.ts';

const scene = useScene();
const rtpCapabilities = { ...routerRtpCapabilities };
const joinsTogether = 25;

/** Comes in, asks for everything, and leaves in one of the ways in which people leave. */
async function visit(turn: number): Promise<void> {
  const guest = turn % 5 === 0 ? await scene.transcoder() : await scene.viewer();
  if (turn % 5 === 0) {
    await guest.request('tap.open', { address: '127.0.0.1', audioPort: 9, videoPorts: [10, 11] });
  } else {
    const { transportId } = await guest.request('transport.create', { direction: 'receive' });
    const consume = guest.request('consume', { transportId, rtpCapabilities });
    if (turn % 5 === 1) {
      void consume.catch(() => undefined);
    } else {
      const consumerIds = (await consume).consumers.map((consumer) => consumer.consumerId);
      await guest.request('consumer.resume', { consumerIds });
    }
  }
  if (turn % 2 === 0) guest.cut();
  else guest.close();
  await guest.closed;
}

async function visits(count: number): Promise<void> {
  for (let from = 0; from < count; from += joinsTogether) {
    await Promise.all(Array.from({ length: joinsTogether }, (_, index) => visit(from + index)));
  }
  await expect.poll(() => scene.room.size, { timeout: 5_000 }).toBe(1);
}

/** Everything that could be left behind, counted. */
async function holdings() {
  const { node, room } = scene;
  const media = await room.media();
  const [worker] = node.pool.workers;
  assert(worker, 'a worker runs');
  const [router, server] = await Promise.all([
    media.home.router.dump(),
    worker.webRtcServer.dump(),
  ]);
  const resources = process.getActiveResourcesInfo();
  const tracks = media.tracks.map(({ producer }) => producer);
  return {
    transports: router.transportIds.length,
    consumers: router.mapConsumerIdProducerId.length,
    iceUsers: server.localIceUsernameFragments.length,
    servedTransports: server.webRtcTransportIds.length,
    sockets: resources.filter((kind) => kind === 'TCPSocketWrap').length,
    udp: resources.filter((kind) => kind === 'UDPWrap').length,
    listeners: tracks.map((producer) => [
      producer.observer.listenerCount('close'),
      producer.listenerCount('score'),
    ]),
    viewers: room.viewers,
    rooms: node.rooms.size,
  };
}

test('five hundred joins and leaves leave a node as it was', async () => {
  const host = await scene.performer();
  await publishCamera(host);
  await visits(joinsTogether);
  const before = await holdings();
  await visits(500);
  // Connections that were cut are given back by the system a moment later.
  await expect.poll(holdings, { timeout: 10_000 }).toEqual(before);
  expect(before).toMatchObject({ transports: 1, consumers: 0, viewers: 0 });
  host.close();
}, 60_000);

test('a worker that dies while people join refuses or serves each, and the next ones get in', async () => {
  const host = await scene.performer();
  await publishMicrophone(host);
  const [worker] = scene.node.pool.workers;
  assert(worker, 'a worker runs');
  const joining = Array.from({ length: 2 * joinsTogether }, async () => {
    const guest = await scene.viewer();
    const asked = ask(guest).catch((error: { code: string }) => error.code);
    return Promise.race([asked, guest.closed]);
  });
  await Promise.race(joining);
  process.kill(worker.pid, 'SIGKILL');
  expect(await host.closed).toBe('unavailable');
  const outcomes = new Set((await Promise.all(joining)).map(String));
  for (const allowed of ['served', 'unavailable', 'not-found']) outcomes.delete(allowed);
  expect([...outcomes]).toEqual([]);
  const again = await scene.performer();
  await publishMicrophone(again);
  expect(await ask(await scene.viewer())).toBe('served');
}, 30_000);

async function ask(guest: RoomClient): Promise<string> {
  const { transportId } = await guest.request('transport.create', { direction: 'receive' });
  await guest.request('consume', { transportId, rtpCapabilities });
  return 'served';
}
