// Tests of the room socket: bad frames, floods and silence harm the socket that sends them, nobody else.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  assert,
  frameBytesMax,
  requestBurstMax,
  requestRatePerSecond,
  signallingVersion,
} from '#contract';
import { offencesMax, waitingCharsMax } from './link.ts';
import { buildingBurstMax, buildingRatePerSecond } from './peer.ts';
import { RoomClient } from './testing/room-client.ts';
import { useScene } from './testing/scene.ts';
import { withSecret } from './testing/test-edge.ts';

const scene = useScene();
/** Somebody who behaves, and must not notice anything. */
let bystander: RoomClient;

beforeAll(async () => {
  bystander = await scene.join({ stream: randomUUID() });
});

afterAll(async () => {
  expect(await bystander.request('ping', {})).toEqual({});
  expect(bystander.of('error')).toEqual([]);
});

function errorsOf(client: RoomClient): string[] {
  return client.of('error').map((frame) => frame.code);
}

describe('frames', () => {
  test('a malformed frame is answered with an error and the socket goes on', async () => {
    const client = await scene.join();
    client.sendText('{"id": 7, "type": "produce", "transportId": 12}');
    client.sendText('{not json');
    client.sendText('[]');
    client.sendBinary(Buffer.from('{"id":1,"type":"ping"}'));
    expect(await client.request('ping', {})).toEqual({});
    expect(errorsOf(client)).toEqual(Array(4).fill('malformed-frame'));
    expect(client.of('error').map((frame) => frame.id)).toEqual([7, null, null, null]);
    client.close();
  });

  test('a request with a field too many is malformed', async () => {
    const client = await scene.join();
    client.sendText('{"id": 3, "type": "ping", "admin": true}');
    const error = await client.wait((frame) => frame.type === 'error');
    expect(error).toMatchObject({ id: 3, code: 'malformed-frame' });
    client.close();
  });

  test('malformed frames without end close the socket', async () => {
    const client = await scene.join();
    for (let sent = 0; sent <= offencesMax; sent += 1) client.sendText('nonsense');
    expect(await client.closed).toBe('malformed-frame');
  });

  test('a frame of 1 MB closes the socket as too large, before it is read', async () => {
    const client = await scene.join();
    client.sendText('x'.repeat(1024 * 1024));
    expect(await client.closed).toBe('frame-too-large');
  });

  test('the largest frame allowed is read', async () => {
    const client = await scene.join();
    client.sendText('x'.repeat(frameBytesMax));
    const error = await client.wait((frame) => frame.type === 'error');
    expect(error).toMatchObject({ code: 'malformed-frame' });
    client.close();
  });
});

describe('order', () => {
  test('nothing is served before the join', async () => {
    const client = await RoomClient.connect(scene.node.socketUrl);
    await expect(client.request('ping', {})).rejects.toMatchObject({ code: 'out-of-order' });
    await expect(client.request('transport.create', { direction: 'send' })).rejects.toMatchObject({
      code: 'out-of-order',
    });
    // It is forgiven, and may join still.
    const ticket = await scene.edge.ticket({ stream: scene.stream });
    await client.request('join', { version: signallingVersion, ticket });
    client.close();
  });

  test('a socket joins once', async () => {
    const client = await scene.join();
    const ticket = await scene.edge.ticket({ stream: scene.stream });
    await expect(
      client.request('join', { version: signallingVersion, ticket }),
    ).rejects.toMatchObject({ code: 'out-of-order' });
    expect(await client.request('ping', {})).toEqual({});
    client.close();
  });

  test('requests sent without waiting are served in their order', async () => {
    const client = await RoomClient.connect(scene.node.socketUrl);
    const ticket = await scene.edge.ticket({ stream: scene.stream, capabilities: ['subscribe'] });
    const [joinedData, transport] = await Promise.all([
      client.request('join', { version: signallingVersion, ticket }),
      client.request('transport.create', { direction: 'receive' }),
      client.request('ping', {}),
    ]);
    expect(joinedData.streamId).toBe(scene.stream);
    expect(transport.iceCandidates.length).toBeGreaterThan(0);
    expect(client.of('response').map((frame) => frame.id)).toEqual([0, 1, 2]);
    client.close();
  });

  test('another version of the protocol is refused by name', async () => {
    const client = await RoomClient.connect(scene.node.socketUrl);
    const ticket = await scene.edge.ticket({ stream: scene.stream });
    await expect(client.request('join', { version: 99, ticket })).rejects.toMatchObject({
      code: 'version-unsupported',
    });
    expect(await client.closed).toBe('version-unsupported');
  });

  test('a socket that does not join is closed', async () => {
    const client = await RoomClient.connect(scene.node.socketUrl);
    expect(await client.closed).toBe('join-timeout');
  });
});

describe('rate', () => {
  test('a burst within the limit is served whole', async () => {
    const client = await scene.join();
    const answers = Array.from({ length: requestBurstMax - 5 }, () => client.request('ping', {}));
    expect(await Promise.all(answers)).toHaveLength(requestBurstMax - 5);
    client.close();
  });

  test('more than the rate is refused, and works again after a while', async () => {
    const client = await scene.join();
    const startedAt = performance.now();
    let served = 0;
    const pings = async () => {
      for (;;) {
        await client.request('ping', {});
        served += 1;
      }
    };
    await expect(pings()).rejects.toMatchObject({ code: 'rate-limited' });
    const seconds = (performance.now() - startedAt) / 1000;
    expect(served).toBeGreaterThanOrEqual(requestBurstMax - 1);
    expect(served).toBeLessThanOrEqual(requestBurstMax + 1 + seconds * requestRatePerSecond);
    const again = () => client.request('ping', {}).catch(() => null);
    await expect.poll(again, { interval: 100 }).toEqual({});
    client.close();
  });

  test('a flood closes the socket', async () => {
    const client = await scene.join();
    for (let sent = 0; sent < requestBurstMax * 3; sent += 1) {
      client.sendText(`{"id":${sent},"type":"ping"}`);
    }
    expect(await client.closed).toBe('rate-limited');
    expect(client.of('response').length).toBeLessThanOrEqual(requestBurstMax + 5);
  });

  test('long requests do not pile up while the worker is slow', async () => {
    const client = await scene.viewer();
    const [worker] = scene.node.pool.workers;
    assert(worker, 'a worker runs');
    process.kill(worker.pid, 'SIGSTOP');
    try {
      client.sendText('{"id":0,"type":"transport.create","direction":"receive"}');
      const long = 'x'.repeat(frameBytesMax - 1_000);
      const frames = Math.ceil(waitingCharsMax / long.length) + 2;
      for (let id = 1; id <= frames; id += 1) {
        const rtpCapabilities = { long };
        client.sendText(JSON.stringify({ id, type: 'consume', transportId: 't', rtpCapabilities }));
      }
      await client.wait((frame) => frame.type === 'error');
      expect(errorsOf(client)[0]).toBe('rate-limited');
    } finally {
      process.kill(worker.pid, 'SIGCONT');
    }
    await client.wait((frame) => frame.type === 'response' && frame.id === 0);
    client.close();
  });

  test('what costs the worker much is had less often than the rest', async () => {
    const client = await scene.viewer();
    const startedAt = performance.now();
    const asked = Array.from({ length: 2 * buildingBurstMax }, () =>
      client.request('transport.create', { direction: 'receive' }),
    );
    const built = (await Promise.allSettled(asked)).filter(({ status }) => status === 'fulfilled');
    const seconds = (performance.now() - startedAt) / 1000;
    expect(built.length).toBeGreaterThanOrEqual(buildingBurstMax);
    expect(built.length).toBeLessThanOrEqual(
      buildingBurstMax + 1 + seconds * buildingRatePerSecond,
    );
    expect(errorsOf(client)).toContain('rate-limited');
    expect(await client.request('ping', {})).toEqual({});
    client.close();
  });

  test('refusals are counted by code', async () => {
    const stats: unknown = await (await fetch(`${scene.node.httpUrl}/stats`, withSecret)).json();
    expect(stats).toMatchObject({
      refusals: {
        'frame-too-large': 1,
        'malformed-frame': expect.any(Number),
        'rate-limited': expect.any(Number),
        'join-timeout': 1,
      },
    });
  });
});
