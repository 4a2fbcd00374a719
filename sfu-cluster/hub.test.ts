// Tests of the hub: what is published on Redis reaches every socket of the room, in order, once.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { Health, type RoomEvent, roomChannel } from '#contract';
import { type RunningRedis, startRedis } from '../testing/redis.ts';
import { redisUrl } from '../testing/services.ts';
import { unheardMaxSeconds } from './revocations.ts';
import { chatEvent } from './testing/chat-event.ts';
import { RoomClient } from './testing/room-client.ts';
import { startTestEdge, type TestEdge } from './testing/test-edge.ts';
import { startTestNode, type TestNode } from './testing/test-node.ts';

let edge: TestEdge;
let stream: string;

beforeAll(async () => {
  edge = await startTestEdge();
});

beforeEach(() => {
  stream = randomUUID();
});

afterAll(() => edge.close());

const chat = (id: number, streamId = stream) => chatEvent(streamId, id);

function stateEvent(id: number, state: 'live' | 'ended'): RoomEvent {
  const at = new Date().toISOString();
  return { type: 'stream.state', id, streamId: stream, at, data: { state, reason: null } };
}

function eventIds(client: RoomClient): number[] {
  return client.of('room.event').map((frame) => frame.event.id);
}

describe('room events', () => {
  let nodes: TestNode[];
  let publisher: Redis;

  beforeAll(async () => {
    publisher = new Redis(redisUrl());
    nodes = await Promise.all(
      ['sfu-a', 'sfu-b'].map((nodeId) =>
        startTestNode({ edgeUrl: edge.url, redisUrl: redisUrl(), nodeId }),
      ),
    );
  });

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()));
    publisher.disconnect();
  });

  async function listeners(): Promise<RoomClient[]> {
    return Promise.all(
      nodes.flatMap((node) =>
        [1, 2].map(async () =>
          RoomClient.join(node.socketUrl, await edge.ticket({ stream, node: node.nodeId })),
        ),
      ),
    );
  }

  async function publish(event: object): Promise<void> {
    await publisher.publish(roomChannel(stream), JSON.stringify(event));
  }

  test('every socket on every node hears every event in order', async () => {
    const clients = await listeners();
    const ids = Array.from({ length: 100 }, (_, index) => index + 1);
    for (const id of ids) await publish(chat(id));
    for (const client of clients) {
      await client.wait((frame) => frame.type === 'room.event' && frame.event.id === 100);
      expect(eventIds(client)).toEqual(ids);
      client.close();
    }
  });

  test('an event is heard in its own room only, and only from its own channel', async () => {
    const [client] = await listeners();
    const here = stream;
    stream = randomUUID();
    const [neighbour] = await listeners();
    await publish(chat(1));
    await publish(chat(2, here));
    await publisher.publish(roomChannel(here), JSON.stringify(chat(3)));
    await publish(chat(4));
    await publisher.publish(roomChannel(here), JSON.stringify(chat(5, here)));
    await neighbour?.wait((frame) => frame.type === 'room.event' && frame.event.id === 4);
    await client?.wait((frame) => frame.type === 'room.event' && frame.event.id === 5);
    expect(neighbour && eventIds(neighbour)).toEqual([1, 4]);
    expect(client && eventIds(client)).toEqual([5]);
  });

  test('a message that is no event is left out and harms nobody', async () => {
    const [client] = await listeners();
    await publisher.publish(roomChannel(stream), 'not json');
    await publish({ type: 'chat.message', id: 1 });
    await publish({ ...chat(2), type: 'money.rain' });
    await publisher.publish(roomChannel(stream), 'x'.repeat(100_000));
    await publish(chat(3));
    await client?.wait((frame) => frame.type === 'room.event');
    expect(client && eventIds(client)).toEqual([3]);
  });

  test('the end of a stream is told and then closes every socket of its room', async () => {
    const clients = await listeners();
    await publish(stateEvent(1, 'live'));
    await publish(stateEvent(2, 'ended'));
    for (const client of clients) {
      expect(await client.closed).toBe('stream-ended');
      expect(eventIds(client)).toEqual([1, 2]);
    }
    const late = await edge.ticket({ stream, node: 'sfu-a' });
    await expect(RoomClient.join(nodes[0]?.socketUrl ?? '', late)).rejects.toMatchObject({
      code: 'stream-ended',
    });
  });
});

describe('while Redis is away', () => {
  let redis: RunningRedis;
  let node: TestNode;

  beforeEach(async () => {
    redis = await startRedis();
    node = await startTestNode({ edgeUrl: edge.url, redisUrl: redis.url });
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    edge.broken = false;
    await node.close();
    await redis.stop();
  });

  test('sockets and media go on, and afterwards every socket is told to fetch what it missed', async () => {
    const ticket = await edge.ticket({ stream, capabilities: ['subscribe'] });
    const client = await RoomClient.join(node.socketUrl, ticket);
    await redis.stop();
    await client.request('transport.create', { direction: 'receive' });
    redis = await startRedis(redis.port);
    await client.wait((frame) => frame.type === 'room.resync');
    // The subscription stands when the resync is told: nothing falls between the two.
    const publisher = new Redis(redis.url);
    await publisher.publish(roomChannel(stream), JSON.stringify(chat(5)));
    await client.wait((frame) => frame.type === 'room.event');
    publisher.disconnect();
    expect(eventIds(client)).toEqual([5]);
    expect(client.of('room.resync')).toHaveLength(1);
    client.close();
  });

  test('nobody new is admitted after a while if the edge is away too, and until it is back', async () => {
    const now = performance.now.bind(performance);
    let aheadSeconds = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now() + aheadSeconds * 1000);
    const checks = async () => {
      const health = Health.parse(await (await fetch(`${node.httpUrl}/readyz`)).json());
      return { hears: health.checks.hub?.ok, admits: health.checks.revocations?.ok };
    };
    await expect.poll(checks).toEqual({ hears: true, admits: true });
    const before = edge.reports.length;
    await edge.report((report) => edge.reports.indexOf(report) >= before);
    edge.broken = true;
    aheadSeconds += 10 * unheardMaxSeconds;
    await expect.poll(checks).toEqual({ hears: true, admits: true });
    await redis.stop();
    await expect.poll(checks, { timeout: 5_000 }).toEqual({ hears: false, admits: true });
    aheadSeconds += unheardMaxSeconds + 1;
    expect(await checks()).toEqual({ hears: false, admits: false });
    redis = await startRedis(redis.port);
    await expect.poll(checks, { timeout: 5_000 }).toEqual({ hears: true, admits: false });
    edge.broken = false;
    await expect.poll(checks, { timeout: 5_000 }).toEqual({ hears: true, admits: true });
  });

  test('the node is on the list again as soon as Redis is back', async () => {
    const before = new Redis(redis.url);
    await expectListed(before);
    before.disconnect();
    await redis.stop();
    redis = await startRedis(redis.port);
    const after = new Redis(redis.url);
    await expectListed(after);
    await node.close();
    expect(await after.hgetall('sfu:nodes')).toEqual({});
    after.disconnect();
  });

  async function expectListed(connection: Redis): Promise<void> {
    await expect
      .poll(() => connection.hget('sfu:nodes', 'sfu-test'), { timeout: 10_000 })
      .toContain('"load":');
  }
});
