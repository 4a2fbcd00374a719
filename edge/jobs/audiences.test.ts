// Audiences: everybody who watches counts once, whatever they watch by and wherever; and nobody counts who has left.
import { createHash, randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  audienceBeatMs,
  audienceExactMax,
  audiencePartOf,
  audiencePartsKey,
  audienceTtlMs,
  createAudienceBook,
} from '#contract';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { redisUrl } from '../../testing/services.ts';
import { type Cast, createCast } from '../testing/cast.ts';
import { countViewers, rankStreams } from './audiences.ts';
import { jobs } from './index.ts';

let edge: TestEdge;
let cast: Cast;
let redis: Redis;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  redis = new Redis(redisUrl());
});
afterAll(async () => {
  redis.disconnect();
  await edge.close();
});

/** The book of a node, and everything that it has sent. */
function node(nodeId = `node-${randomUUID()}`) {
  const sent: string[][] = [];
  const faults: unknown[] = [];
  const book = createAudienceBook({
    nodeId,
    hash: (text) => createHash('sha256').update(text).digest('base64url').slice(0, 16),
    async send(commands) {
      sent.push(...commands);
      const answers = (await redis.multi(commands).exec()) ?? [];
      return answers.at(-1)?.[1];
    },
    onFault: (error) => faults.push(error),
  });
  const watch = (streamId: string, subjects: Iterable<string>) =>
    book.beat([[streamId, subjects]], Date.now());
  onTestFinished(() => book.beat([], Date.now()));
  return { nodeId, sent, faults, watch };
}

async function onAir(): Promise<string> {
  const { streamId } = await cast.live();
  await edge.database.asOwner(
    `insert into stream_media (stream_id, node_id, node_url) values ($1, 'n', 'ws://127.0.0.1:1/room')`,
    [streamId],
  );
  return streamId;
}

async function counted(streamId: string): Promise<{ audience: number; most: number }> {
  await countViewers(edge.parts.deps);
  const [row] = await edge.database.asOwner<{ audience: number; most: number }>(
    'select audience, audience_most as most from stream_media where stream_id = $1',
    [streamId],
  );
  if (!row) throw new Error('no such stream');
  return row;
}

const partsOf = async (streamId: string) =>
  (await redis.zrangebyscore(audiencePartsKey, '-inf', '+inf')).filter(
    (key) => audiencePartOf(key)?.streamId === streamId,
  );

const people = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, n) => `viewer-${from + n}`);

test('who watches on two nodes and by HLS at once is one viewer, a guest is another one', async () => {
  const streamId = await onAir();
  const [one, two, origin] = [node(), node(), node()];
  await one.watch(streamId, ['meera', 'guest-1']);
  await two.watch(streamId, ['meera']);
  await origin.watch(streamId, ['meera', 'guest-1']);
  expect(await counted(streamId)).toEqual({ audience: 2, most: 2 });
  const told = await edge.call('GET', `/v1/streams/${streamId}`);
  expect(told.body.viewers).toBe(2);
});

test('who leaves one way and goes on by another still counts; the peak stays', async () => {
  const streamId = await onAir();
  const [room, origin] = [node(), node()];
  await room.watch(streamId, ['a', 'b', 'c']);
  await origin.watch(streamId, ['a']);
  expect(await counted(streamId)).toEqual({ audience: 3, most: 3 });
  await room.watch(streamId, ['b']);
  expect(await counted(streamId)).toEqual({ audience: 2, most: 3 });
  await room.watch(streamId, []);
  await origin.watch(streamId, []);
  expect(await counted(streamId)).toEqual({ audience: 0, most: 3 });
  expect(await partsOf(streamId)).toEqual([]);
});

test('the viewers of a node that is dead vanish within fifteen seconds', async () => {
  const streamId = await onAir();
  const [dead, alive] = [node(), node()];
  await dead.watch(streamId, ['a', 'b']);
  await alive.watch(streamId, ['b', 'c']);
  expect((await counted(streamId)).audience).toBe(3);
  const parts = await partsOf(streamId);
  for (const part of parts) {
    const leftMs = await redis.pttl(part);
    expect(leftMs).toBeGreaterThan(2 * audienceBeatMs - 1_000);
    expect(leftMs).toBeLessThanOrEqual(audienceTtlMs);
  }
  const pace = jobs.find(({ name }) => name === 'audiences')?.everySeconds ?? 0;
  expect(audienceTtlMs / 1000 + pace).toBeLessThanOrEqual(15);
  // Its time is over.
  await redis.pexpireat(parts.find((part) => part.endsWith(dead.nodeId)) ?? '', 1);
  expect((await counted(streamId)).audience).toBe(2);
  // What is left of it in the list goes later, and counts nothing until then.
  for (const part of parts) await redis.zadd(audiencePartsKey, 1, part);
  expect((await counted(streamId)).audience).toBe(0);
  expect(await partsOf(streamId)).toEqual([]);
});

describe('a node', () => {
  test('tells only what has changed', async () => {
    const streamId = await onAir();
    const { sent, watch } = node();
    await watch(streamId, ['a', 'b']);
    sent.length = 0;
    await watch(streamId, ['b', 'c']);
    const lengths = sent.map(([command, ...rest]) => [command, rest.length]);
    expect(lengths).toEqual([
      ['sadd', 2],
      ['srem', 2],
      ['zadd', 3],
      ['pexpire', 2],
      ['scard', 1],
    ]);
  });

  test('never tells who it is that watches', async () => {
    const streamId = await onAir();
    const { sent, watch } = node();
    await watch(streamId, ['meera']);
    expect(sent.flat().join(' ')).not.toContain('meera');
  });

  test('writes all of it again where Redis has lost it, or another one has written there', async () => {
    const streamId = await onAir();
    const { nodeId, watch } = node();
    await watch(streamId, people(0, 5));
    await redis.del(...(await partsOf(streamId)));
    await watch(streamId, people(0, 6));
    await watch(streamId, people(0, 6));
    expect((await counted(streamId)).audience).toBe(6);
    // One that was started anew under the same name knows nothing of what was there.
    await node(nodeId).watch(streamId, people(3, 5));
    expect((await counted(streamId)).audience).toBe(2);
    await watch(streamId, people(0, 6));
    await watch(streamId, people(0, 6));
    expect((await counted(streamId)).audience).toBe(6);
  });

  test('tells of the fault and tries again where Redis does not answer', async () => {
    const streamId = await onAir();
    const failing = createAudienceBook({
      nodeId: 'node-failing',
      hash: (text) => text,
      send: () => Promise.reject(new Error('away')),
      onFault: (error) => faults.push(error),
    });
    const faults: unknown[] = [];
    await failing.beat([[streamId, ['a']]], Date.now());
    await failing.beat([[streamId, ['a']]], Date.now());
    expect(faults).toHaveLength(2);
  });
});

describe('a large audience', () => {
  const many = audienceExactMax + 3_000;

  test('is estimated, within four in a hundred, in so many bytes and no more', async () => {
    const streamId = await onAir();
    const [one, two] = [node(), node()];
    await one.watch(streamId, people(0, many));
    await two.watch(streamId, people(2_000, many + 2_000));
    const { audience } = await counted(streamId);
    expect(Math.abs(audience / (many + 2_000) - 1)).toBeLessThan(0.04);
    for (const part of await partsOf(streamId)) {
      expect(audiencePartOf(part)?.kind).toBe('estimate');
      expect(await redis.memory('USAGE', part)).toBeLessThan(20_000);
    }
  });

  test('counts those of small nodes with it, each once, and is exact again when it is small', async () => {
    const streamId = await onAir();
    const [large, small] = [node(), node()];
    await large.watch(streamId, people(0, many));
    await small.watch(streamId, people(many - 1_000, many + 1_000));
    const { audience, most } = await counted(streamId);
    expect(Math.abs(audience / (many + 1_000) - 1)).toBeLessThan(0.04);
    await large.watch(streamId, people(many - 1_000, many - 990));
    expect(await counted(streamId)).toEqual({ audience: 2_000, most });
  });
});

test('a stream that has ended is watched by nobody, and a count that is late changes nothing', async () => {
  const streamId = await onAir();
  const { watch } = node();
  await watch(streamId, ['a', 'b']);
  expect((await counted(streamId)).audience).toBe(2);
  await edge.database.asOwner(`select transition_stream($1, 'ended', 'performer')`, [streamId]);
  expect(await counted(streamId)).toEqual({ audience: 0, most: 2 });
});

test('a node hears with its report how many watch on all nodes', async () => {
  const { streamId, nodeId } = await edge.goLive();
  await node().watch(streamId, ['a', 'b']);
  await countViewers(edge.parts.deps);
  const { body } = await edge.call('POST', '/internal/nodes/report', {
    headers: { authorization: `Bearer ${edge.env.NODE_SECRET}` },
    body: {
      nodeId,
      url: 'ws://127.0.0.1:1/room',
      streams: [{ streamId, publishing: true, videoCodec: 'H264', viewers: 1 }],
    },
  });
  expect(body.audiences).toEqual([{ streamId, viewers: 2 }]);
});

test('streams rank by what they were tipped since they began, and not at all when they have ended', async () => {
  const { performer, streamId } = await cast.live();
  await edge.database.asOwner(
    `insert into stream_media (stream_id, node_id, node_url) values ($1, 'n', 'ws://n')`,
    [streamId],
  );
  const fan = await cast.fan(2);
  const rank = async () => {
    await rankStreams(edge.parts.deps);
    const [row] = await edge.database.asOwner<{ tokens: string }>(
      'select tipped_tokens as tokens from stream_media where stream_id = $1',
      [streamId],
    );
    return Number(row?.tokens);
  };
  expect(await rank()).toBe(0);
  await cast.tip(fan.id, streamId, 30);
  await cast.tip(fan.id, streamId, 12);
  expect(await rank()).toBe(42);
  await cast.tip(fan.id, streamId, 8);
  expect(await rank()).toBe(50);
  await performer.call('POST', `/v1/streams/${streamId}/end`);
  expect(await rank()).toBe(0);
});
