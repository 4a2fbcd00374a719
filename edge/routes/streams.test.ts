// Streams: their life, tickets, the room's events and chat, and what nodes report.

import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { HlsTicket, NodeTicket, RoomTicket, roomChannel } from '#contract';
import {
  newKey,
  nodeSecret,
  parseGrant,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { redisUrl } from '../../testing/services.ts';
import { relayEvents } from '../jobs/relay.ts';
import { sweepStreams } from '../jobs/sweep.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(async () => {
  await edge.close();
});

const asNode = { authorization: `Bearer ${nodeSecret}` };

async function verified(ticket: string, audience: string) {
  const { body } = await edge.call('GET', '/.well-known/jwks.json');
  const { payload } = await jwtVerify(ticket, createLocalJWKSet(body), {
    audience,
    algorithms: ['EdDSA'],
  });
  return payload;
}

function say(person: { call: TestEdge['call'] }, streamId: string, body: string, key = newKey()) {
  return person.call('POST', `/v1/streams/${streamId}/messages`, {
    body: { body },
    headers: { 'idempotency-key': key },
  });
}

test('a stream goes from created to starting to live to ended, and never back', async () => {
  const { performer, streamId } = await edge.goLive();
  expect((await edge.call('GET', `/v1/streams/${streamId}`)).body.state).toBe('live');
  const ended = await performer.call('POST', `/v1/streams/${streamId}/end`);
  expect(ended.body).toMatchObject({ state: 'ended', endReason: 'performer', viewers: 0 });
  const again = await performer.call('POST', `/v1/streams/${streamId}/start`);
  expect([again.status, again.body.code]).toEqual([409, 'stream-ended']);
  const { body } = await (await edge.guest())('GET', `/v1/streams/${streamId}/events`);
  const states = body.events.map((event: { data: { state: string } }) => event.data.state);
  expect(states).toEqual(['starting', 'live', 'ended']);
});

test('a viewer cannot create a stream, and nobody can start or end that of another', async () => {
  const viewer = await edge.register();
  const refused = await viewer.call('POST', '/v1/streams', {
    body: { title: 'Mine', category: 'music' },
    headers: { 'idempotency-key': newKey() },
  });
  expect([refused.status, refused.body.code]).toEqual([403, 'forbidden']);
  const { streamId } = await edge.goLive();
  const rival = await edge.register('performer');
  for (const act of ['start', 'end']) {
    expect((await rival.call('POST', `/v1/streams/${streamId}/${act}`)).status).toBe(403);
  }
  const admin = await edge.register('admin');
  const ended = await admin.call('POST', `/v1/streams/${streamId}/end`);
  expect(ended.body).toMatchObject({ state: 'ended', endReason: 'staff' });
});

test('a performer has one stream on the air at a time', async () => {
  const { performer } = await edge.goLive();
  const created = await performer.call('POST', '/v1/streams', {
    body: { title: 'Second', category: 'talk' },
    headers: { 'idempotency-key': newKey() },
  });
  const started = await performer.call('POST', `/v1/streams/${created.body.id}/start`);
  expect([started.status, started.body.code]).toEqual([409, 'stream-limit']);
});

test('live streams are listed by page and category, ended ones are not', async () => {
  const { streamId } = await edge.goLive();
  const second = await edge.goLive();
  await second.performer.call('POST', `/v1/streams/${second.streamId}/end`);
  const third = await edge.goLive();
  const first = await edge.call('GET', '/v1/streams?limit=1');
  expect(first.body.streams[0].id).toBe(third.streamId);
  const seen: string[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const { body } = await edge.call(
      'GET',
      `/v1/streams?limit=2&category=music${cursor ? `&cursor=${cursor}` : ''}`,
    );
    seen.push(...body.streams.map((stream: { id: string }) => stream.id));
    cursor = body.nextCursor;
  }
  expect(seen).toContain(streamId);
  expect(seen).not.toContain(second.streamId);
  expect(new Set(seen).size).toBe(seen.length);
  expect((await edge.call('GET', '/v1/streams?category=dance')).body.streams).toEqual([]);
});

test('tickets say what their holder may do: the performer publishes, others watch', async () => {
  const { performer, streamId, nodeId } = await edge.goLive();
  const path = `/v1/streams/${streamId}/tickets`;
  const publish = parseGrant(await performer.call('POST', path, { body: { intent: 'publish' } }));
  const claims = RoomTicket.parse(await verified(publish.room.ticket, 'room'));
  expect(claims).toMatchObject({ stream: streamId, node: nodeId });
  expect(claims.capabilities).toContain('publish');
  expect(claims.exp - claims.iat).toBe(60);

  const viewer = await edge.register();
  const refused = await viewer.call('POST', path, { body: { intent: 'publish' } });
  expect(refused.body.code).toBe('forbidden');
  const asGuest = await edge.guest();
  const guest = parseGrant(await asGuest('POST', path, { body: { intent: 'watch' } }));
  const guestClaims = RoomTicket.parse(await verified(guest.room.ticket, 'room'));
  // The same guest is one viewer, whatever they ask for.
  const again = parseGrant(await asGuest('POST', path, { body: { intent: 'watch' } }));
  expect(RoomTicket.parse(await verified(again.room.ticket, 'room')).sub).toBe(guestClaims.sub);
  expect(guestClaims).toMatchObject({ role: 'guest', capabilities: ['subscribe'] });
  expect(guest.hls).toBeNull();
});

function reportOf(transcoderId: string, jobs: object[]) {
  return edge.call('POST', '/internal/transcode/report', {
    headers: asNode,
    body: { transcoderId, publicUrl: 'http://127.0.0.1:2', freeJobs: 100, jobs },
  });
}

function startsOf({ body }: Awaited<ReturnType<typeof reportOf>>): string[] {
  return body.start.map((start: { streamId: string }) => start.streamId);
}

test('a transcoder that was restarted takes its own stream up again at once, another one does not', async () => {
  const { streamId } = await edge.goLive();
  expect(startsOf(await reportOf('t-first', []))).toContain(streamId);
  expect(startsOf(await reportOf('t-other', []))).not.toContain(streamId);
  expect(startsOf(await reportOf('t-first', []))).toContain(streamId);
});

test('a transcoder gets the job of a live stream once, viewers then get an HLS ticket, and the end takes the job away', async () => {
  const { performer, streamId, nodeId } = await edge.goLive();
  const job = { streamId, state: 'ready', needsTicket: false, thumbnailUrl: null };
  const [one, other] = await Promise.all([reportOf('t-1', []), reportOf('t-2', [])]);
  const takers = [one, other].filter((answer) => startsOf(answer).includes(streamId));
  expect(takers).toHaveLength(1);
  const owner = takers[0] === one ? 't-1' : 't-2';
  const started = takers[0]?.body.start.find(
    (start: { streamId: string }) => start.streamId === streamId,
  );
  expect(NodeTicket.parse(await verified(started.ticket, 'node'))).toMatchObject({
    sub: owner,
    node: nodeId,
  });
  await reportOf(owner, [job]);
  const watch = parseGrant(
    await (await edge.guest())('POST', `/v1/streams/${streamId}/tickets`, {
      body: { intent: 'watch' },
    }),
  );
  expect(watch.hls?.url).toBe(`http://127.0.0.1:2/live/${streamId}/master.m3u8`);
  expect(HlsTicket.parse(await verified(watch.hls?.ticket ?? '', 'hls')).stream).toBe(streamId);
  await performer.call('POST', `/v1/streams/${streamId}/end`);
  expect((await reportOf(owner, [job])).body.stop).toEqual([streamId]);
});

test('nobody without the node secret reports', async () => {
  for (const headers of [{}, { authorization: 'Bearer wrong' }] as Record<string, string>[]) {
    const answer = await edge.call('POST', '/internal/nodes/report', {
      headers,
      body: { nodeId: 'x', url: 'ws://127.0.0.1:1', streams: [] },
    });
    expect(answer.status).toBe(401);
  }
});

test('a node is told to close the rooms of streams that have ended or never were', async () => {
  const { performer, streamId, nodeId } = await edge.goLive();
  await performer.call('POST', `/v1/streams/${streamId}/end`);
  const unknown = '01980000-0000-7000-8000-000000000000';
  const answer = await edge.call('POST', '/internal/nodes/report', {
    headers: asNode,
    body: {
      nodeId,
      url: 'ws://127.0.0.1:1/room',
      streams: [streamId, unknown].map((id) => ({
        streamId: id,
        publishing: true,
        videoCodec: 'H264',
        viewers: 1,
      })),
    },
  });
  expect(new Set(answer.body.close)).toEqual(new Set([streamId, unknown]));
});

test('a stream whose media is gone ends after its grace, not before', async () => {
  const { streamId, nodeId } = await edge.goLive();
  await sweepStreams(edge.parts.deps);
  expect((await edge.call('GET', `/v1/streams/${streamId}`)).body.state).toBe('live');
  await edge.database.asOwner(
    `update stream_media set publishing_seen_at = now() - interval '31 seconds' where stream_id = $1`,
    [streamId],
  );
  // The node lives and has not said that the media is gone: its reports cannot get through.
  await sweepStreams(edge.parts.deps);
  expect((await edge.call('GET', `/v1/streams/${streamId}`)).body.state).toBe('live');
  await edge.parts.deps.redis.run((redis) => redis.hdel('sfu:nodes', nodeId));
  await sweepStreams(edge.parts.deps);
  expect((await edge.call('GET', `/v1/streams/${streamId}`)).body).toMatchObject({
    state: 'ended',
    endReason: 'media-lost',
  });
});

test('nodes that report while streams end never meet in a deadlock, and lose no report', async () => {
  const live: Awaited<ReturnType<TestEdge['goLive']>>[] = [];
  while (live.length < 6) live.push(await edge.goLive());
  const report = (nodeId: string) =>
    edge.call('POST', '/internal/nodes/report', {
      headers: asNode,
      body: {
        nodeId,
        url: 'ws://127.0.0.1:1/room',
        streams: live
          .toSorted(() => Math.random() - 0.5)
          .map(({ streamId }) => ({ streamId, publishing: true, videoCodec: 'H264', viewers: 1 })),
      },
    });
  const answers = await Promise.all([
    ...Array.from({ length: 40 }, (_, index) => report(`node-${index % 3}`)),
    ...live.map(({ performer, streamId }) => performer.call('POST', `/v1/streams/${streamId}/end`)),
  ]);
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
});

test('a chat line is stored, told on the room’s channel, and said once however often it is sent', async () => {
  const { streamId } = await edge.goLive();
  const viewer = await edge.register();
  const subscriber = new Redis(redisUrl());
  const heard: { id: number; type: string }[] = [];
  await subscriber.subscribe(roomChannel(streamId));
  const told = new Promise<void>((resolve) => {
    subscriber.on('message', (_channel, text) => {
      heard.push(JSON.parse(text));
      resolve();
    });
  });
  const key = newKey();
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => say(viewer, streamId, 'hello', key)),
  );
  await told;
  // Whatever would be said twice comes before this one.
  const last = await say(viewer, streamId, 'the last one');
  await vi.waitUntil(() => heard.some((event) => event.id === last.body.id));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers[0]?.body).toMatchObject({ type: 'chat.message', data: { body: 'hello' } });
  expect(heard.filter((event) => event.id === answers[0]?.body.id)).toHaveLength(1);
  const other = await say(viewer, streamId, 'something else', key);
  expect(other.body.code).toBe('idempotency-key-reused');
  const after = await viewer.call(
    'GET',
    `/v1/streams/${streamId}/events?after=${answers[0]?.body.id}`,
  );
  expect(after.body.resyncNeeded).toBe(false);
  await subscriber.quit();
});

test('a guest cannot chat, and nobody can before a stream is live', async () => {
  const { streamId } = await edge.goLive();
  expect((await say({ call: edge.call }, streamId, 'hi')).status).toBe(401);
  const performer = await edge.register('performer');
  const created = await performer.call('POST', '/v1/streams', {
    body: { title: 'Later', category: 'art' },
    headers: { 'idempotency-key': newKey() },
  });
  expect((await say(performer, created.body.id, 'hi')).body.code).toBe('stream-not-live');
});

test('what was stored and not told is told by the relay, and marked', async () => {
  const { streamId } = await edge.goLive();
  const [row] = await edge.database.asOwner<{ id: string }>(
    `insert into events (stream_id, type, data, created_at)
      values ($1, 'stream.state', '{"state":"live","reason":null}', now() - interval '3 seconds')
      returning id`,
    [streamId],
  );
  const subscriber = new Redis(redisUrl());
  await subscriber.subscribe(roomChannel(streamId));
  const heard = new Promise<number>((resolve) => {
    subscriber.on('message', (_channel, text) => {
      const event = JSON.parse(text);
      if (event.id === Number(row?.id)) resolve(event.id);
    });
  });
  const result = await relayEvents(edge.parts.deps);
  expect(result.republished).toBeGreaterThanOrEqual(1);
  expect(await heard).toBe(Number(row?.id));
  const marked = await edge.database.asOwner('select published_at from events where id = $1', [
    row?.id,
  ]);
  expect(marked[0]?.published_at).not.toBeNull();
  await subscriber.quit();
});

test('a node at an address that is not ours gets no rooms and no viewers, whatever it reports or registers', async () => {
  const streamId = randomUUID();
  const foreign = await edge.call('POST', '/internal/nodes/report', {
    headers: asNode,
    body: { nodeId: 'sfu-evil', url: 'wss://evil.example/room', streams: [] },
  });
  expect([foreign.status, foreign.body.code]).toEqual([422, 'node-not-allowed']);
  const report = {
    transcoderId: 't-evil',
    publicUrl: 'https://evil.example',
    freeJobs: 9,
    jobs: [],
  };
  const taken = await edge.call('POST', '/internal/transcode/report', {
    headers: asNode,
    body: report,
  });
  expect([taken.status, taken.body.code]).toEqual([422, 'node-not-allowed']);
  const pictured = await reportOf('t-1', [
    { streamId, state: 'ready', needsTicket: false, thumbnailUrl: 'https://evil.example/x.jpg' },
  ]);
  expect([pictured.status, pictured.body.code]).toEqual([422, 'node-not-allowed']);

  const performer = await edge.register('performer');
  const created = await performer.call('POST', '/v1/streams', {
    body: { title: 'Evening set', category: 'music' },
    headers: { 'idempotency-key': newKey() },
  });
  await performer.call('POST', `/v1/streams/${created.body.id}/start`);
  // Idler than any other.
  const evil = { nodeId: 'sfu-evil', url: 'wss://evil.example/room', load: 0, seenAt: Date.now() };
  const ours = { ...evil, nodeId: 'sfu-ours', url: 'ws://127.0.0.1:1/room', load: 0.9 };
  await edge.parts.deps.redis.run((redis) => redis.hset('sfu:nodes', { evil, ours }));
  const path = `/v1/streams/${created.body.id}/tickets`;
  const grant = parseGrant(await performer.call('POST', path, { body: { intent: 'publish' } }));
  expect(grant.room.url).toMatch(/^ws:\/\/127\.0\.0\.1:1\//);
  await edge.parts.deps.redis.run((redis) => redis.hdel('sfu:nodes', 'evil', 'ours'));
});

test('whoever did not reach the node of a stream is sent to another one: viewers alone, a performer with the stream', async () => {
  const { performer, streamId, nodeId } = await edge.goLive();
  const path = `/v1/streams/${streamId}/tickets`;
  const other = `other-${streamId.slice(-12)}`;
  const entry = { nodeId: other, url: edge.offerNodeUrl, load: 0, seenAt: Date.now() };
  await edge.parts.deps.redis.run((redis) => redis.hset('sfu:nodes', { [other]: entry }));
  const unreachable = 'ws://127.0.0.1:1/room';
  const placeOf = async (call: typeof edge.call, body: object) => {
    const { room } = parseGrant(await call('POST', path, { body }));
    return RoomTicket.parse(await verified(room.ticket, 'room')).node;
  };
  const guest = await edge.guest();
  expect(await placeOf(guest, { intent: 'watch' })).toBe(nodeId);
  expect(await placeOf(guest, { intent: 'watch', unreachable })).toBe(other);
  expect(await placeOf(performer.call, { intent: 'publish' })).toBe(nodeId);
  expect(await placeOf(performer.call, { intent: 'publish', unreachable })).toBe(other);
  // The stream has moved, for everybody.
  expect(await placeOf(performer.call, { intent: 'publish' })).toBe(other);
  const wrong = await guest('POST', path, {
    body: { intent: 'watch', unreachable: 'http://127.0.0.1:1' },
  });
  expect(wrong.body.code).toBe('invalid-request');
  await edge.parts.deps.redis.run((redis) => redis.hdel('sfu:nodes', nodeId, other));
});
