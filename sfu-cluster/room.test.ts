// Tests of rooms: who may publish, what is refused, who is counted, and what everybody is told.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chatMessageCharsMax, type RoomEvent } from '#contract';
import { redisUrl } from '../testing/services.ts';
import { routerRtpCapabilities } from './media/codecs.ts';
import { RoomClient } from './testing/room-client.ts';
import { h264Parameters, opusParameters } from './testing/rtp-source.ts';
import { startTestEdge, type TestEdge } from './testing/test-edge.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

let edge: TestEdge;
let node: TestNode;
let stream: string;

beforeAll(async () => {
  edge = await startTestEdge();
  node = await startTestNode({ edgeUrl: edge.url, redisUrl: redisUrl() });
});

beforeEach(() => {
  stream = randomUUID();
});

afterAll(async () => {
  await node.close();
  await edge.close();
});

async function performer(sub: string = randomUUID()): Promise<RoomClient> {
  const ticket = await edge.ticket({ stream, sub, capabilities: ['publish'] });
  return RoomClient.join(node.socketUrl, ticket);
}

async function viewer(sub: string = randomUUID()): Promise<RoomClient> {
  const ticket = await edge.ticket({ stream, sub, capabilities: ['subscribe'] });
  return RoomClient.join(node.socketUrl, ticket);
}

async function publishCamera(client: RoomClient, layers = 3): Promise<string> {
  const { transportId } = await client.request('transport.create', { direction: 'send' });
  const ssrcs = Array.from({ length: layers }, () => Math.floor(Math.random() * 2 ** 31) + 1);
  const { producerId } = await client.request('produce', {
    transportId,
    kind: 'video',
    source: 'camera',
    rtpParameters: h264Parameters(ssrcs),
  });
  return producerId;
}

async function publishMicrophone(client: RoomClient): Promise<void> {
  const { transportId } = await client.request('transport.create', { direction: 'send' });
  const rtpParameters = opusParameters(Math.floor(Math.random() * 2 ** 31) + 1);
  const microphone = { transportId, kind: 'audio', source: 'microphone' } as const;
  await client.request('produce', { ...microphone, rtpParameters });
}

function longChat(id: number): RoomEvent {
  return {
    type: 'chat.message',
    id,
    streamId: stream,
    at: new Date().toISOString(),
    data: {
      messageId: randomUUID(),
      userId: randomUUID(),
      username: 'asha',
      role: 'viewer',
      body: 'x'.repeat(chatMessageCharsMax),
    },
  };
}

const media = (sources: string[]) => (frame: { type: string; sources?: string[] }) =>
  frame.type === 'room.media' && JSON.stringify(frame.sources) === JSON.stringify(sources);

describe('publishing', () => {
  test('a published track is told to the room and can be consumed, paused', async () => {
    const host = await performer();
    const guest = await viewer();
    await guest.wait(media([]));
    const producerId = await publishCamera(host);
    await guest.wait(media(['camera']));
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
    const guest = await viewer();
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
    const client = await RoomClient.join(node.socketUrl, await edge.ticket({ stream }));
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

  test('a second publisher is refused and the first goes on', async () => {
    const host = await performer();
    const producerId = await publishCamera(host);
    const rival = await performer();
    await expect(publishCamera(rival)).rejects.toMatchObject({ code: 'already-published' });
    expect(await rival.request('ping', {})).toEqual({});
    await host.request('producer.close', { producerId });
    // The stage is free now.
    await publishCamera(rival);
    host.close();
    rival.close();
  });

  test('two publishers at the same moment: exactly one is taken', async () => {
    const rivals = await Promise.all([performer(), performer(), performer()]);
    const outcomes = await Promise.allSettled(rivals.map((client) => publishCamera(client)));
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    for (const client of rivals) client.close();
  });

  test('one source is published once', async () => {
    const host = await performer();
    const { transportId } = await host.request('transport.create', { direction: 'send' });
    const camera = (ssrc: number) =>
      host.request('produce', {
        transportId,
        kind: 'video',
        source: 'camera',
        rtpParameters: { ...h264Parameters([ssrc]), mid: String(ssrc) },
      });
    await camera(41);
    await expect(camera(42)).rejects.toMatchObject({ code: 'already-published' });
    host.close();
  });

  test('the same performer takes over from an older socket', async () => {
    const sub = randomUUID();
    const guest = await viewer();
    const old = await performer(sub);
    await publishCamera(old);
    const fresh = await performer(sub);
    await publishCamera(fresh);
    expect(await old.closed).toBe('replaced');
    await guest.wait(
      () => guest.of('room.media').filter((frame) => frame.sources.length > 0).length === 2,
    );
    expect(guest.of('room.media').map((frame) => frame.sources)).toEqual([
      [],
      ['camera'],
      [],
      ['camera'],
    ]);
    fresh.close();
    guest.close();
  });

  test('a viewer hears that a track has ended before the list of sources changes', async () => {
    const sub = randomUUID();
    const guest = await viewer();
    const old = await performer(sub);
    await publishMicrophone(old);
    const { transportId } = await guest.request('transport.create', { direction: 'receive' });
    const rtpCapabilities = { ...routerRtpCapabilities };
    const { consumers } = await guest.request('consume', { transportId, rtpCapabilities });
    await guest.wait(media(['microphone']));
    const fresh = await performer(sub);
    await publishMicrophone(fresh);
    await guest.wait(() => guest.of('room.media').length === 4);
    const told = guest.frames.flatMap((frame) => {
      if (frame.type === 'consumer.closed') return [frame.consumerId];
      return frame.type === 'room.media' ? [frame.sources.join()] : [];
    });
    expect(told).toEqual(['', 'microphone', consumers[0]?.consumerId, '', 'microphone']);
    const next = await guest.request('consume', { transportId, rtpCapabilities });
    expect(next.consumers).toHaveLength(1);
    fresh.close();
    guest.close();
  });

  test('a performer whose connection is cut takes the tracks along', async () => {
    const guest = await viewer();
    const host = await performer();
    await publishCamera(host);
    await guest.wait(media(['camera']));
    host.cut();
    await guest.wait(
      () =>
        guest
          .of('room.media')
          .map((frame) => frame.sources.length)
          .join() === '0,1,0',
    );
    guest.close();
  });

  test('a microphone, a camera and a screen go together', async () => {
    const host = await performer();
    const { transportId } = await host.request('transport.create', { direction: 'send' });
    const tracks = [
      { kind: 'audio', source: 'microphone', rtpParameters: opusParameters(11) },
      { kind: 'video', source: 'camera', rtpParameters: { ...h264Parameters([21, 22]), mid: 'b' } },
      { kind: 'video', source: 'screen', rtpParameters: { ...h264Parameters([31]), mid: 'c' } },
    ] as const;
    for (const track of tracks) await host.request('produce', { transportId, ...track });
    await host.wait(media(['microphone', 'camera', 'screen']));
    host.close();
  });
});

describe('what does not fit', () => {
  test('unknown transports, producers and consumers are not found', async () => {
    const host = await performer();
    const guest = await viewer();
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
    const host = await performer();
    const { transportId } = await host.request('transport.create', { direction: 'send' });
    const rival = await performer();
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
    const host = await performer();
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
      { ...good, codecs: [{ ...codec, mimeType: 'video/VP9' }] },
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
    const guest = await viewer();
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

  test('a viewer whose browser knows none of the codecs is told so', async () => {
    const host = await performer();
    await publishCamera(host);
    const guest = await viewer();
    const { transportId } = await guest.request('transport.create', { direction: 'receive' });
    const [opus] = routerRtpCapabilities.codecs ?? [];
    const consume = guest.request('consume', { transportId, rtpCapabilities: { codecs: [opus] } });
    await expect(consume).rejects.toMatchObject({ code: 'unsupported-media' });
    host.close();
    guest.close();
  });
});

describe('counting viewers', () => {
  test('windows of one person are one viewer, and the performer is none', async () => {
    const host = await performer();
    const sub = randomUUID();
    const first = await viewer(sub);
    const second = await viewer(sub);
    const other = await RoomClient.join(node.socketUrl, await edge.ticket({ stream }));
    await host.wait(() => host.of('room.viewers').at(-1)?.viewers === 2);
    first.close();
    await first.closed;
    other.close();
    await host.wait(() => host.of('room.viewers').at(-1)?.viewers === 1);
    expect(node.rooms.find(stream)?.viewers).toBe(1);
    second.close();
    host.close();
  });

  test('a socket that does not keep up is closed, and the others hear everything', async () => {
    const slow = await viewer();
    const quick = await viewer();
    const events = 12_000;
    slow.pause();
    for (let id = 1; id <= events; id += 1) {
      node.rooms.find(stream)?.deliver(longChat(id));
      // Let the sockets breathe, as they do between messages of Redis.
      if (id % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    await quick.wait((frame) => frame.type === 'room.event' && frame.event.id === events);
    slow.resume();
    expect(await slow.closed).toBe('too-slow');
    expect(slow.of('room.event').length).toBeLessThan(events);
    expect(quick.of('room.event')).toHaveLength(events);
    quick.close();
  });

  test('a room without sockets is forgotten', async () => {
    const guest = await viewer();
    expect(node.rooms.find(stream)).not.toBeNull();
    const emptied = new Promise((resolve) =>
      node.rooms.find(stream)?.once('empty', () => resolve(0)),
    );
    guest.close();
    await emptied;
    expect(node.rooms.find(stream)).toBeNull();
  });
});
