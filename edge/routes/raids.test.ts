// Raids: who may lead an audience where, that it happens once, and what both rooms are told.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { type CreateStreamBody, RoomEvent, roomChannel } from '#contract';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { redisUrl } from '../../testing/services.ts';
import { type Cast, createCast, type Member } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(() => edge.close());

const raid = (who: Member, from: string, to: string) =>
  who.call('POST', `/v1/streams/${from}/raid`, { body: { to } });

async function codeOf(answer: ReturnType<typeof raid>) {
  const { status, body } = await answer;
  return [status, body.code];
}

const live = (stream: Partial<CreateStreamBody> = {}) => cast.live(undefined, stream);

async function watchedBy(streamId: string, audience: number): Promise<void> {
  await edge.database.asOwner(
    `insert into stream_media (stream_id, node_id, node_url, audience, counted_at)
      values ($1, 'n', 'ws://n', $2, now())`,
    [streamId, audience],
  );
}

async function hear(streamIds: string[]): Promise<RoomEvent[]> {
  const heard: RoomEvent[] = [];
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  redis.on('message', (_channel, text) => heard.push(RoomEvent.parse(JSON.parse(text))));
  await redis.subscribe(...streamIds.map(roomChannel));
  return heard;
}

test('both rooms hear of it, each what it needs; the stream may end, and is found in the history', async () => {
  const from = await live();
  const to = await live({ title: 'Night set' });
  await watchedBy(from.streamId, 12);
  const heard = await hear([from.streamId, to.streamId]);
  const answer = await raid(from.performer, from.streamId, to.streamId);
  expect([answer.status, answer.body]).toEqual([
    200,
    { fromStreamId: from.streamId, toStreamId: to.streamId, viewers: 12 },
  ]);
  await vi.waitUntil(() => heard.length === 2);
  const told = Object.fromEntries(heard.map((event) => [event.streamId, event]));
  expect(told[from.streamId]).toMatchObject({
    type: 'raid.left',
    data: {
      toStreamId: to.streamId,
      title: 'Night set',
      performer: { id: to.performer.id, username: to.performer.username },
    },
  });
  expect(told[to.streamId]).toMatchObject({
    type: 'raid.came',
    data: {
      fromStreamId: from.streamId,
      viewers: 12,
      performer: { id: from.performer.id, username: from.performer.username },
    },
  });
  expect((await from.performer.call('POST', `/v1/streams/${from.streamId}/end`)).status).toBe(200);
  const history = await (await edge.guest())('GET', `/v1/streams/${to.streamId}/events`);
  expect(history.body.events.at(-1)).toEqual(told[to.streamId]);
});

test('happens once: the same again tells nobody anything, another one is refused', async () => {
  const [from, to, other] = [await live(), await live(), await live()];
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => raid(from.performer, from.streamId, to.streamId)),
  );
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  const rows = await edge.database.asOwner(
    `select from events where type like 'raid.%' and stream_id in ($1, $2)`,
    [from.streamId, to.streamId],
  );
  expect(rows).toHaveLength(2);
  expect(await codeOf(raid(from.performer, from.streamId, other.streamId))).toEqual([
    409,
    'already-decided',
  ]);
  // A retry after the end is the same act still.
  await from.performer.call('POST', `/v1/streams/${from.streamId}/end`);
  expect((await raid(from.performer, from.streamId, to.streamId)).status).toBe(200);
});

test('two that lead their audiences to each other at once are both heard, and neither waits for ever', async () => {
  const [one, two] = [await live(), await live()];
  const answers = await Promise.all([
    raid(one.performer, one.streamId, two.streamId),
    raid(two.performer, two.streamId, one.streamId),
  ]);
  expect(answers.map(({ status }) => status)).toEqual([200, 200]);
});

test('is the performer’s alone, of a stream that is live', async () => {
  const [from, to] = [await live(), await live()];
  expect(await codeOf(raid(await cast.member(), from.streamId, to.streamId))).toEqual([
    403,
    'forbidden',
  ]);
  expect(await codeOf(raid(to.performer, from.streamId, to.streamId))).toEqual([403, 'forbidden']);
  await from.performer.call('POST', `/v1/streams/${from.streamId}/end`);
  expect(await codeOf(raid(from.performer, from.streamId, to.streamId))).toEqual([
    409,
    'stream-not-live',
  ]);
  const unknown = '01980000-0000-7000-8000-000000000000';
  expect(await codeOf(raid(to.performer, unknown, to.streamId))).toEqual([404, 'not-found']);
  expect(await codeOf(raid(to.performer, to.streamId, 'x'))).toEqual([422, 'invalid-request']);
});

test('goes nowhere but to live public streams of others who want it, and says no more than that', async () => {
  const from = await live();
  const refused = async (to: string) => {
    expect(await codeOf(raid(from.performer, from.streamId, to))).toEqual([409, 'raid-refused']);
  };
  await refused(from.streamId);
  await refused('01980000-0000-7000-8000-000000000000');
  await refused((await live({ visibility: 'unlisted' })).streamId);
  await refused((await live({ visibility: 'ticketed', entryTokens: 5 })).streamId);
  await refused((await live({ contentClass: 'mature' })).streamId);
  const over = await live();
  await over.performer.call('POST', `/v1/streams/${over.streamId}/end`);
  await refused(over.streamId);
  const [blocking, blocked, banning, unwilling] = [
    await live(),
    await live(),
    await live(),
    await live(),
  ];
  const block = (by: string, whom: string) =>
    edge.database.asOwner(`insert into relations (from_id, kind, to_id) values ($1, 'block', $2)`, [
      by,
      whom,
    ]);
  await block(blocking.performer.id, from.performer.id);
  await block(from.performer.id, blocked.performer.id);
  await banning.performer.call('PUT', `/v1/streams/${banning.streamId}/bans/${from.performer.id}`, {
    body: { kind: 'silenced' },
  });
  const prefer = (who: Member, acceptsRaids: boolean) =>
    who.call('PATCH', '/v1/users/me/preferences', {
      body: { acceptsRaids },
      headers: { 'if-match': '"1"' },
    });
  expect((await prefer(unwilling.performer, false)).status).toBe(200);
  for (const { streamId } of [blocking, blocked, banning, unwilling]) await refused(streamId);
  const elsewhere = await live();
  await elsewhere.performer.call('PUT', '/v1/users/me/country-blocks', {
    body: { countries: ['IN'] },
  });
  await refused(elsewhere.streamId);
  // Nor is a stream that nobody is to find told of to the room of another one.
  const unlisted = await live({ visibility: 'unlisted' });
  const target = await live();
  expect(await codeOf(raid(unlisted.performer, unlisted.streamId, target.streamId))).toEqual([
    409,
    'raid-refused',
  ]);
  // None of it was the one raid that there is.
  const willing = await live();
  await prefer(willing.performer, true);
  expect((await raid(from.performer, from.streamId, willing.streamId)).status).toBe(200);
});
