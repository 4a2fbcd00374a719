// Tests of what a peer does with media: publishing, receiving, and requests that do not fit.
import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { routerRtpCapabilities } from './media/codecs.ts';
import { showing } from './testing/room-client.ts';
import { h264Parameters, opusParameters } from './testing/rtp-source.ts';
import { publishCamera, publishMicrophone, useScene } from './testing/scene.ts';

const scene = useScene();

describe('publishing', () => {
  test('a published track is told to the room and can be consumed, paused', async () => {
    const host = await scene.performer();
    const guest = await scene.viewer();
    await guest.wait(showing([]));
    const producerId = await publishCamera(host);
    await guest.wait(showing(['camera']));
    const { transportId } = await guest.request('transport.create', { direction: 'receive' });
    const { consumers } = await guest.request('consume', {
      transportId,
      rtpCapabilities: { ...routerRtpCapabilities },
    });
    expect(consumers).toMatchObject([{ producerId, kind: 'video', source: 'camera' }]);
    const again = await guest.request('consume', {
      transportId,
      rtpCapabilities: { ...routerRtpCapabilities },
    });
    expect(again.consumers).toEqual([]);
    const consumerId = consumers[0]?.consumerId ?? '';
    await guest.request('consumer.resume', { consumerIds: [consumerId] });
    await guest.request('consumer.layers', { consumerId, spatialLayer: 0, temporalLayer: 0 });

    await host.request('producer.close', { producerId });
    await guest.wait(
      (frame) => frame.type === 'consumer.closed' && frame.consumerId === consumerId,
    );
    expect(guest.of('room.media').map((frame) => frame.sources)).toEqual([[], ['camera'], []]);
    expect(host.of('producer.closed')).toEqual([]);
    host.close();
    guest.close();
  });

  test('a viewer cannot publish, in no way', async () => {
    const guest = await scene.viewer();
    const create = guest.request('transport.create', { direction: 'send' });
    await expect(create).rejects.toMatchObject({ code: 'forbidden' });
    const { transportId } = await guest.request('transport.create', { direction: 'receive' });
    const produce = guest.request('produce', {
      transportId,
      kind: 'video',
      source: 'camera',
      rtpParameters: h264Parameters([1]),
    });
    await expect(produce).rejects.toMatchObject({ code: 'forbidden' });
    guest.close();
  });

  test('a listener of events alone can neither publish nor subscribe nor tap', async () => {
    const client = await scene.join();
    const wishes = [
      client.request('transport.create', { direction: 'receive' }),
      client.request('transport.create', { direction: 'send' }),
      client.request('tap.open', { address: '127.0.0.1', audioPort: 1, videoPorts: [2] }),
      client.request('tap.keyframe', {}),
    ];
    for (const outcome of await Promise.allSettled(wishes)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'forbidden' } });
    }
    client.close();
  });

  test('a microphone, a camera and a screen go together', async () => {
    const host = await scene.performer();
    const { transportId } = await host.request('transport.create', { direction: 'send' });
    const tracks = [
      { kind: 'audio', source: 'microphone', rtpParameters: opusParameters(11) },
      { kind: 'video', source: 'camera', rtpParameters: { ...h264Parameters([21, 22]), mid: 'b' } },
      { kind: 'video', source: 'screen', rtpParameters: { ...h264Parameters([31]), mid: 'c' } },
    ] as const;
    for (const track of tracks) await host.request('produce', { transportId, ...track });
    await host.wait(showing(['microphone', 'camera', 'screen']));
    host.close();
  });
});

describe('what does not fit', () => {
  test('unknown transports, producers and consumers are not found', async () => {
    const host = await scene.performer();
    const guest = await scene.viewer();
    const nowhere = randomUUID();
    const dtlsParameters = { fingerprints: [{ algorithm: 'sha-1', value: '00' }] };
    const wishes = [
      host.request('produce', {
        transportId: nowhere,
        kind: 'video',
        source: 'camera',
        rtpParameters: h264Parameters([1]),
      }),
      host.request('transport.connect', { transportId: nowhere, dtlsParameters }),
      host.request('transport.restart-ice', { transportId: nowhere }),
      host.request('producer.close', { producerId: nowhere }),
      guest.request('consume', {
        transportId: nowhere,
        rtpCapabilities: { ...routerRtpCapabilities },
      }),
      guest.request('consumer.resume', { consumerIds: [nowhere] }),
      guest.request('consumer.layers', {
        consumerId: nowhere,
        spatialLayer: 0,
        temporalLayer: 0,
      }),
    ];
    for (const outcome of await Promise.allSettled(wishes)) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'not-found' } });
    }
    host.close();
    guest.close();
  });

  test('nobody reaches the transport of somebody else', async () => {
    const host = await scene.performer();
    const { transportId } = await host.request('transport.create', { direction: 'send' });
    const rival = await scene.performer();
    const theft = rival.request('produce', {
      transportId,
      kind: 'audio',
      source: 'microphone',
      rtpParameters: opusParameters(5),
    });
    await expect(theft).rejects.toMatchObject({ code: 'not-found' });
    host.close();
    rival.close();
  });

  test('media parameters that make no sense are refused, and the worker lives', async () => {
    const host = await scene.performer();
    const { transportId } = await host.request('transport.create', { direction: 'send' });
    const good = h264Parameters([77]);
    const camera = { transportId, kind: 'video', source: 'camera' } as const;
    const bad = [
      {},
      { ...good, codecs: [] },
      { ...good, encodings: [{ ssrc: -1 }] },
      { ...good, encodings: Array(50).fill({ ssrc: 5 }) },
      { ...good, encodings: [{ ssrc: 'x' }] },
      { ...good, headerExtensions: 'none' },
    ];
    for (const rtpParameters of bad) {
      const refused = host.request('produce', { ...camera, rtpParameters });
      await expect(refused).rejects.toMatchObject({ code: 'malformed-frame' });
    }
    const [codec] = good.codecs;
    const unsupported = [
      { ...good, codecs: [{ ...codec, mimeType: 'video/H265' }] },
      { ...good, encodings: [{ ssrc: 5 }, { ssrc: 5 }] },
    ];
    for (const rtpParameters of unsupported) {
      const refused = host.request('produce', { ...camera, rtpParameters });
      await expect(refused).rejects.toMatchObject({ code: 'unsupported-media' });
    }
    const mismatch = host.request('produce', {
      transportId,
      kind: 'audio',
      source: 'camera',
      rtpParameters: good,
    });
    await expect(mismatch).rejects.toMatchObject({ code: 'unsupported-media' });
    await host.request('produce', { ...camera, rtpParameters: good });
    host.close();
  });

  test('a transport is connected once, with a fingerprint that can be one', async () => {
    const guest = await scene.viewer();
    const { transportId } = await guest.request('transport.create', { direction: 'receive' });
    const connect = (value: string) =>
      guest.request('transport.connect', {
        transportId,
        dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value }] },
      });
    await expect(connect('not hex')).rejects.toMatchObject({ code: 'malformed-frame' });
    const fingerprint = Array(32).fill('AB').join(':');
    await connect(fingerprint);
    await expect(connect(fingerprint)).rejects.toMatchObject({ code: 'out-of-order' });
    const restarted = await guest.request('transport.restart-ice', { transportId });
    expect(restarted.iceParameters).toHaveProperty('usernameFragment');
    guest.close();
  });

  test.each([
    ['none of the codecs', false],
    ['the sound but not the picture', true],
  ])('a viewer whose browser can play %s is told so', async (_, hasSound) => {
    const host = await scene.performer();
    const { transportId: sending } = await host.request('transport.create', { direction: 'send' });
    await publishCamera(host, 3, sending);
    if (hasSound) await publishMicrophone(host, sending);
    const guest = await scene.viewer();
    const { transportId } = await guest.request('transport.create', { direction: 'receive' });
    const [opus] = routerRtpCapabilities.codecs ?? [];
    const consume = guest.request('consume', { transportId, rtpCapabilities: { codecs: [opus] } });
    await expect(consume).rejects.toMatchObject({ code: 'unsupported-media' });
    host.close();
    guest.close();
  });
});
