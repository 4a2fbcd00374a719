// Tests of a room's media: sockets that break or insist leave nothing behind and hold nobody up.
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { assert } from '#contract';
import type { RoomClient } from '../testing/room-client.ts';
import { opusParameters, testHost } from '../testing/rtp-source.ts';
import { freshSsrc, publishCamera, publishMicrophone, useScene } from '../testing/scene.ts';
import { routerRtpCapabilities } from './codecs.ts';

const scene = useScene();
const rtpCapabilities = { ...routerRtpCapabilities };

/** Somebody who keeps the room open. */
let keeper: RoomClient;

beforeEach(async () => {
  keeper = await scene.join();
  return () => keeper.close();
});

async function readyPerformer(sub?: string) {
  const client = await scene.performer(sub);
  const { transportId } = await client.request('transport.create', { direction: 'send' });
  const produce = () =>
    client.request('produce', {
      transportId,
      kind: 'audio',
      source: 'microphone',
      rtpParameters: opusParameters(freshSsrc()),
    });
  return { client, produce };
}

describe('a socket that breaks in the middle of a request', () => {
  test('leaves no track behind', async () => {
    const host = await scene.performer();
    await publishMicrophone(host);
    const media = await scene.room.media();
    host.close();
    await keeper.wait(() => keeper.of('room.media').at(-1)?.sources.length === 0);
    const transport = await media.openPublisherTransport();
    const rtpParameters = opusParameters(freshSsrc());
    const publishing = media.publish(transport, {
      kind: 'audio',
      source: 'microphone',
      owner: testHost,
      rtpParameters,
    });
    transport.close();
    await expect(publishing).rejects.toMatchObject({ code: 'unavailable' });
    expect(scene.room.sources).toEqual([]);
    await publishMicrophone(await scene.performer());
  });

  test('leaves no consumer behind', async () => {
    const host = await scene.performer();
    await publishCamera(host);
    const [track] = (await scene.room.media()).tracks;
    const listeners = () => track?.producer.observer.listenerCount('close');
    const before = listeners();
    for (let round = 0; round < 10; round += 1) {
      const guest = await scene.viewer();
      const { transportId } = await guest.request('transport.create', { direction: 'receive' });
      void guest.request('consume', { transportId, rtpCapabilities });
      guest.cut();
      await guest.closed;
    }
    await expect.poll(() => scene.room.size).toBe(2);
    const last = await scene.viewer();
    const { transportId } = await last.request('transport.create', { direction: 'receive' });
    await last.request('consume', { transportId, rtpCapabilities });
    last.close();
    await expect.poll(listeners).toBe(before);
    host.close();
  });
});

describe('a take-over', () => {
  test('at the moment in which the older socket publishes leaves one of the two publishing', async () => {
    for (let round = 0; round < 10; round += 1) {
      const sub = randomUUID();
      const sockets = await Promise.all([readyPerformer(sub), readyPerformer(sub)]);
      const outcomes = await Promise.all(
        sockets.map(({ client, produce }) =>
          Promise.race([
            client.closed,
            produce().then(
              () => 'published',
              () => 'refused',
            ),
          ]),
        ),
      );
      expect(outcomes).toContain('published');
      await expect.poll(() => scene.room.sources).toEqual(['microphone']);
      for (const { client } of sockets) client.close();
      await expect.poll(() => scene.room.sources).toEqual([]);
    }
  });
});

describe('a viewer who asks again and again to be resumed', () => {
  async function pausedPicture() {
    const media = await scene.room.media();
    const transport = await media.openViewerTransport();
    const [track] = media.tracks;
    const consumer = track && (await media.viewing.consume(transport, track, rtpCapabilities));
    assert(consumer, 'there is a picture');
    return { media, transport, consumer };
  }

  test('is one listener on a transport that is never connected', async () => {
    await publishCamera(await scene.performer());
    const { media, transport, consumer } = await pausedPicture();
    const before = transport.listenerCount('dtlsstatechange');
    for (let asked = 0; asked < 50; asked += 1) await media.viewing.resume(transport, consumer);
    expect(transport.listenerCount('dtlsstatechange')).toBe(before + 1);
    consumer.close();
    expect(transport.listenerCount('dtlsstatechange')).toBe(before);
  });

  test('takes one turn with the publisher, not one each', async () => {
    await publishCamera(await scene.performer());
    const { media, transport, consumer } = await pausedPicture();
    const connected = Object.defineProperty(transport, 'dtlsState', { value: 'connected' });
    const resume = vi.spyOn(consumer, 'resume');
    for (let asked = 0; asked < 20; asked += 1) await media.viewing.resume(connected, consumer);
    const next = await pausedPicture();
    media.viewing.startPicture(next.consumer);
    await expect.poll(() => next.consumer.paused).toBe(false);
    expect(resume).toHaveBeenCalledOnce();
  });
});
