// Tests of the ticket gate: who gets in, once, and who does not.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { generateKeyPair } from 'jose';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { signallingVersion, ticketTypes } from '#contract';
import { startRedis } from '../testing/redis.ts';
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

  test('a ticket of another type is refused', async () => {
    const { room, node, hls } = ticketTypes;
    for (const typ of [node, hls, 'at+jwt', 'JWT', '']) {
      expect(await joinWith(await scene.edge.ticket({ stream: randomUUID(), typ }))).toBe(
        'ticket-invalid',
      );
    }
    const tap = { stream: randomUUID(), aud: 'node' } as const;
    expect(await joinWith(await scene.edge.ticket({ ...tap, typ: room }))).toBe('ticket-invalid');
    expect(await joinWith(await scene.edge.ticket(tap))).toBe('joined');
  });

  test('a ticket shown to two nodes at the same moment is taken by exactly one', async () => {
    const twin = await startTestNode({ edgeUrl: scene.edge.url, redisUrl: scene.redisUrl });
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
    const orphan = await startTestNode({ edgeUrl: other.url, redisUrl: scene.redisUrl });
    const ticket = await other.ticket({ stream: randomUUID() });
    await other.close();
    expect(await joinWith(ticket, orphan.socketUrl)).toBe('unavailable');
    await orphan.close();
  });
});

describe('without a list of what was revoked', () => {
  test('before the first list nobody is admitted but transcoders, and no ticket is lost', async () => {
    const edge = await startTestEdge();
    edge.broken = true;
    const node = await startTestNode({
      edgeUrl: edge.url,
      redisUrl: scene.redisUrl,
      edgeAnswers: false,
    });
    const stream = randomUUID();
    const ticket = await edge.ticket({ stream });
    expect(await joinWith(ticket, node.socketUrl)).toBe('unavailable');
    expect(await joinWith(await edge.ticket({ stream, aud: 'node' }), node.socketUrl)).toBe(
      'joined',
    );
    const ready = await fetch(`${node.httpUrl}/readyz`);
    expect(await ready.json()).toMatchObject({ checks: { revocations: { ok: false } } });
    edge.broken = false;
    await expect.poll(() => node.revocations.current, { timeout: 5_000 }).toBe(true);
    expect(await joinWith(ticket, node.socketUrl)).toBe('joined');
    // Once it has had one, the edge may be away.
    edge.broken = true;
    expect(await joinWith(await edge.ticket({ stream }), node.socketUrl)).toBe('joined');
    await node.close();
    await edge.close();
  });
});

describe('the key set', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  /** Moves the clock by which tickets and keys grow old, and no timer. */
  function pass(seconds: number): void {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + seconds * 1000 });
  }

  async function startAnew() {
    const edge = await startTestEdge();
    const node = await startTestNode({ edgeUrl: edge.url, redisUrl: scene.redisUrl });
    const sign = () => edge.ticket({ stream: randomUUID(), ttlSeconds: 300 });
    const join = (ticket: string) => joinWith(ticket, node.socketUrl);
    expect(await join(await sign())).toBe('joined');
    const end = async () => {
      await node.close();
      await edge.close();
    };
    return { edge, sign, join, end };
  }

  test('a key that was removed is believed no longer than a minute', async () => {
    const { edge, sign, join, end } = await startAnew();
    const [first, second] = [await sign(), await sign()];
    await edge.changeKey();
    pass(55);
    expect(await join(first)).toBe('joined');
    pass(6);
    expect(await join(second)).toBe('ticket-invalid');
    await end();
  });

  test('a new key is fetched as soon as somebody comes with it', async () => {
    const { edge, sign, join, end } = await startAnew();
    await edge.changeKey();
    pass(1.5);
    expect(await join(await sign())).toBe('joined');
    await end();
  });
});
