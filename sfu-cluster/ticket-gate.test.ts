// Tests of the ticket gate: who gets in, once, and who does not.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { generateKeyPair } from 'jose';
import { describe, expect, test } from 'vitest';
import { signallingVersion } from '#contract';
import { startRedis } from '../testing/redis.ts';
import { redisUrl } from '../testing/services.ts';
import { RoomClient } from './testing/room-client.ts';
import { useScene } from './testing/scene.ts';
import { startTestEdge } from './testing/test-edge.ts';
import { startTestNode } from './testing/test-node.ts';

const scene = useScene();

async function joinWith(ticket: string, url = scene.node.socketUrl): Promise<string> {
  const client = await RoomClient.connect(url);
  try {
    await client.request('join', { version: signallingVersion, ticket });
    return 'joined';
  } catch {
    return String(await client.closed);
  } finally {
    client.close();
  }
}

describe('the ticket gate', () => {
  test('a ticket of the edge for this node opens the room', async () => {
    const stream = randomUUID();
    const client = await RoomClient.connect(scene.node.socketUrl);
    const ticket = await scene.edge.ticket({ stream, capabilities: ['subscribe'] });
    const joined = await client.request('join', { version: signallingVersion, ticket });
    expect(joined).toMatchObject({
      streamId: stream,
      nodeId: 'sfu-test',
      capabilities: ['subscribe'],
      publishing: false,
    });
    client.close();
  });

  test('a ticket that has expired is refused as expired', async () => {
    const ticket = await scene.edge.ticket({ stream: randomUUID(), ttlSeconds: -30 });
    expect(await joinWith(ticket)).toBe('ticket-expired');
  });

  test('clocks may differ by a few seconds', async () => {
    const ticket = await scene.edge.ticket({ stream: randomUUID(), ttlSeconds: -1 });
    expect(await joinWith(ticket)).toBe('joined');
  });

  test('a ticket opens one socket and no second one', async () => {
    const ticket = await scene.edge.ticket({ stream: randomUUID() });
    expect(await joinWith(ticket)).toBe('joined');
    expect(await joinWith(ticket)).toBe('ticket-used');
  });

  test('a tampered ticket is refused', async () => {
    const [header, , signature] = (await scene.edge.ticket({ stream: randomUUID() })).split('.');
    const other = (
      await scene.edge.ticket({ stream: randomUUID(), capabilities: ['publish'] })
    ).split('.')[1];
    expect(await joinWith([header, other, signature].join('.'))).toBe('ticket-invalid');
  });

  test.each([
    ['for another audience', async () => scene.edge.ticket({ stream: randomUUID(), aud: 'hls' })],
    [
      'for another node',
      async () => scene.edge.ticket({ stream: randomUUID(), node: 'sfu-other' }),
    ],
    [
      'of another issuer',
      async () => scene.edge.ticket({ stream: randomUUID(), issuer: 'somebody' }),
    ],
    ['without a stream', async () => scene.edge.ticket({ stream: 'not-a-stream' })],
    [
      'signed with a key that is not ours',
      async () =>
        scene.edge.ticket({
          stream: randomUUID(),
          key: (await generateKeyPair('EdDSA')).privateKey,
        }),
    ],
    ['that is no ticket at all', async () => 'eyJhbGciOiJub25lIn0.e30.'],
  ])('a ticket %s is refused', async (_, make) => {
    expect(await joinWith(await make())).toBe('ticket-invalid');
  });

  test('a ticket shown to two nodes at the same moment is taken by exactly one', async () => {
    const twin = await startTestNode({ edgeUrl: scene.edge.url, redisUrl: redisUrl() });
    try {
      for (let round = 0; round < 10; round += 1) {
        const ticket = await scene.edge.ticket({ stream: randomUUID() });
        const urls = [scene.node.socketUrl, twin.socketUrl, scene.node.socketUrl, twin.socketUrl];
        const outcomes = await Promise.all(urls.map((url) => joinWith(ticket, url)));
        expect(outcomes.toSorted()).toEqual(['joined', ...Array(3).fill('ticket-used')]);
      }
    } finally {
      await twin.close();
    }
  });

  test('nobody gets in while Redis cannot say whether a ticket was used', async () => {
    const redis = await startRedis();
    const lonely = await startTestNode({ edgeUrl: scene.edge.url, redisUrl: redis.url });
    try {
      expect(
        await joinWith(await scene.edge.ticket({ stream: randomUUID() }), lonely.socketUrl),
      ).toBe('joined');
      // It answers, but can remember nothing.
      const admin = new Redis(redis.url);
      await admin.config('SET', 'maxmemory', '1');
      expect(
        await joinWith(await scene.edge.ticket({ stream: randomUUID() }), lonely.socketUrl),
      ).toBe('unavailable');
      admin.disconnect();
      await redis.stop();
      expect(
        await joinWith(await scene.edge.ticket({ stream: randomUUID() }), lonely.socketUrl),
      ).toBe('unavailable');
      const ready = await fetch(`${lonely.httpUrl}/readyz`);
      expect(ready.status).toBe(503);
      expect(await ready.json()).toMatchObject({ ok: false, checks: { redis: { ok: false } } });
      expect((await fetch(`${lonely.httpUrl}/healthz`)).status).toBe(200);
    } finally {
      await lonely.close();
    }
  });

  test('nobody gets in while the key set of the edge is out of reach', async () => {
    const other = await startTestEdge();
    const orphan = await startTestNode({ edgeUrl: other.url, redisUrl: redisUrl() });
    const ticket = await other.ticket({ stream: randomUUID() });
    await other.close();
    expect(await joinWith(ticket, orphan.socketUrl)).toBe('unavailable');
    await orphan.close();
  });
});
