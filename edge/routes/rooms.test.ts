// Rooms: who gets in, by every way in; who keeps order; entries; and what ends when it is decided otherwise.
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CreateStreamBody, Visibility } from '#contract';
import { readBalance, transitionStream, verifyBooks } from '#db';
import { newAddress, newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { settleStreamEntries } from '../jobs/upkeep.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';
import { listNode } from '../testing/nodes.ts';

let edge: TestEdge;
let cast: Cast;
let unlistNode: () => Promise<void>;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  unlistNode = await listNode(edge, 'sfu-rooms');
});
afterAll(async () => {
  await unlistNode();
  await edge.close();
});

const relate = (from: string, kind: string, to: string) =>
  edge.database.asOwner('insert into relations (from_id, kind, to_id) values ($1, $2, $3)', [
    from,
    kind,
    to,
  ]);
const ticketOf = (call: TestEdge['call'], streamId: string) =>
  call('POST', `/v1/streams/${streamId}/tickets`, { body: { intent: 'watch' } });
/** A live stream that a transcoder serves. */
async function served(visibility: Visibility) {
  const priced: Partial<CreateStreamBody> = visibility === 'ticketed' ? { entryTokens: 20 } : {};
  const live = await cast.live(undefined, { visibility, ...priced });
  await edge.database.asOwner(
    `insert into stream_media (stream_id, node_id, node_url, transcoder_id, transcoder_url, transcode_state,
        transcode_lease_until, thumbnail_url)
      values ($1, 'sfu-rooms', 'ws://127.0.0.1:1/room', 't', 'http://127.0.0.1:2', 'ready',
        now() + interval '1 hour', 'http://127.0.0.1:2/thumbnail.jpg')`,
    [live.streamId],
  );
  return live;
}

describe('every way into a room, for every viewer, at every visibility', () => {
  const viewers = [
    'a stranger',
    'a guest',
    'a guest from a blocked country',
    'somebody',
    'a follower',
    'who has an entry',
    'a moderator of the stream',
    'its performer',
    'one of the staff',
    'who is blocked',
    'who is banned from the rooms',
    'a follower from a blocked country',
  ] as const;
  type Who = (typeof viewers)[number];
  /** What each is refused with; what is left out is allowed. */
  const watching: Record<Visibility, Partial<Record<Who, string>>> = {
    public: {},
    unlisted: {},
    followers: {
      'a guest': 'followers-only',
      somebody: 'followers-only',
      'who has an entry': 'followers-only',
    },
    ticketed: {
      'a guest': 'entry-needed',
      somebody: 'entry-needed',
      'a follower': 'entry-needed',
    },
  };
  const always: Partial<Record<Who, string>> = {
    'a stranger': 'age-gate-needed',
    'a guest from a blocked country': 'country-blocked',
    'who is blocked': 'blocked',
    'who is banned from the rooms': 'blocked',
    'a follower from a blocked country': 'country-blocked',
  };
  const talking: Partial<Record<Who, string>> = {
    'a stranger': 'unauthenticated',
    'a guest': 'unauthenticated',
    'a guest from a blocked country': 'unauthenticated',
    'who is blocked': 'silenced',
    'who is banned from the rooms': 'silenced',
    'a follower from a blocked country': 'country-blocked',
  };

  async function callOf(
    who: Who,
    { performer, streamId }: { performer: Member; streamId: string },
  ) {
    switch (who) {
      case 'a stranger':
        return edge.call;
      case 'a guest':
        return edge.guest('IN');
      case 'a guest from a blocked country':
        return edge.guest('FR');
      case 'its performer':
        return performer.call;
      case 'one of the staff':
        return (await cast.member('moderator')).call;
    }
    const member = await cast.member();
    switch (who) {
      case 'a follower':
        await relate(member.id, 'follow', performer.id);
        break;
      case 'who has an entry':
        await performer.call('PUT', `/v1/streams/${streamId}/entries/${member.id}`);
        break;
      case 'a moderator of the stream':
        await performer.call('PUT', `/v1/streams/${streamId}/moderators/${member.id}`);
        break;
      case 'who is blocked':
        await relate(performer.id, 'block', member.id);
        break;
      case 'who is banned from the rooms':
        await performer.call('PUT', `/v1/streams/${streamId}/bans/${member.id}`, {
          body: { kind: 'banned' },
        });
        break;
      case 'a follower from a blocked country':
        await relate(member.id, 'follow', performer.id);
        await edge.database.asOwner(`update users set country = 'FR' where id = $1`, [member.id]);
        break;
    }
    return member.call;
  }

  test.each(Object.keys(watching) as Visibility[])('a stream that is %s', async (visibility) => {
    const live = await served(visibility);
    const { performer, streamId } = live;
    await edge.database.asOwner('insert into country_blocks values ($1, $2)', [performer.id, 'FR']);
    const path = `/v1/streams/${streamId}`;
    const told: Record<string, unknown> = {};
    const wanted: typeof told = {};
    const codeOf = async (answer: ReturnType<TestEdge['call']>) =>
      (await answer).body?.code ?? null;
    for (const who of viewers) {
      const call = await callOf(who, live);
      const ticket = await ticketOf(call, streamId);
      told[who] = {
        read: await codeOf(call('GET', path)),
        events: await codeOf(call('GET', `${path}/events`)),
        moderators: await codeOf(call('GET', `${path}/moderators`)),
        room: ticket.body.code ?? null,
        hls: ticket.body.hls ? 'given' : null,
        talk: await codeOf(
          call('POST', `${path}/messages`, {
            body: { body: 'hello' },
            headers: { 'idempotency-key': newKey() },
          }),
        ),
      };
      const watch = watching[visibility][who] ?? always[who] ?? null;
      const isHidden = watch === 'blocked' || watch === 'country-blocked';
      wanted[who] = {
        read: isHidden ? watch : null,
        events: watch,
        moderators: watch,
        room: watch,
        hls: watch ? null : 'given',
        talk: talking[who] ?? watch,
      };
    }
    expect(told).toEqual(wanted);
    const { body } = await (await edge.guest('IN'))('GET', '/v1/streams?limit=50');
    const listed = body.streams.find(({ id }: { id: string }) => id === streamId);
    expect(listed !== undefined).toBe(visibility === 'public');
    // Who may not watch sees no picture of it either.
    const isOpen = visibility === 'public' || visibility === 'unlisted';
    expect((await edge.call('GET', path)).body.thumbnailUrl !== null).toBe(isOpen);
  });
});

test('a ticket lets its holder do what they may: keep order, or only watch', async () => {
  const { performer, streamId } = await served('public');
  const [one, two] = [await cast.member(), await cast.member()];
  await performer.call('PUT', `/v1/streams/${streamId}/moderators/${one.id}`);
  const capabilities = async (who: Member) =>
    decodeJwt((await ticketOf(who.call, streamId)).body.room.ticket).capabilities;
  expect(await capabilities(one)).toEqual(['subscribe', 'moderate']);
  expect(await capabilities(performer)).toEqual(['subscribe', 'moderate', 'monitor']);
  expect(await capabilities(two)).toEqual(['subscribe']);
  await performer.call('DELETE', `/v1/streams/${streamId}/moderators/${one.id}`);
  expect(await capabilities(one)).toEqual(['subscribe']);
});

test('without relays in the configuration a ticket names none', async () => {
  const { performer, streamId } = await served('public');
  const fan = await cast.member();
  const publish = await performer.call('POST', `/v1/streams/${streamId}/tickets`, {
    body: { intent: 'publish' },
  });
  const watch = await ticketOf(fan.call, streamId);
  expect([publish, watch].map(({ body }) => body.room.iceServers)).toEqual([[], []]);
});

test('who keeps order silences, bans and takes lines away; nobody is above themselves', async () => {
  const { performer, streamId } = await served('public');
  const [moderator, loud, staff] = [
    await cast.member(),
    await cast.member(),
    await cast.member('moderator'),
  ];
  await performer.call('PUT', `/v1/streams/${streamId}/moderators/${moderator.id}`);
  const path = `/v1/streams/${streamId}`;
  const say = (who: Member, body: string) => who.act('POST', `${path}/messages`, { body });
  const ban = (by: Member, whom: Member, kind: string) =>
    by.call('PUT', `${path}/bans/${whom.id}`, { body: { kind } });

  const { body: line } = await say(loud, 'rude words');
  const { messageId } = line.data;
  expect(
    refused(await (await cast.member()).call('DELETE', `${path}/messages/${messageId}`)),
  ).toEqual([403, 'forbidden']);
  expect((await moderator.call('DELETE', `${path}/messages/${messageId}`)).status).toBe(204);
  expect((await moderator.call('DELETE', `${path}/messages/${messageId}`)).status).toBe(204);
  const { body: history } = await loud.call('GET', `${path}/events`);
  expect(JSON.stringify(history)).not.toContain('rude words');
  expect(history.events.at(-1)).toMatchObject({ type: 'chat.deleted', data: { messageId } });

  expect(refused(await ban(loud, moderator, 'silenced'))).toEqual([403, 'forbidden']);
  expect((await ban(moderator, loud, 'silenced')).status).toBe(204);
  expect(refused(await say(loud, 'more'))).toEqual([403, 'silenced']);
  expect((await ticketOf(loud.call, streamId)).status).toBe(201);
  for (const above of [performer, staff, moderator]) {
    expect(refused(await ban(moderator, above, 'banned'))).toEqual([403, 'forbidden']);
  }
  expect((await performer.call('DELETE', `${path}/bans/${loud.id}`)).status).toBe(204);
  expect((await say(loud, 'sorry')).status).toBe(201);
  // Until a moment that has passed.
  await performer.call('PUT', `${path}/bans/${loud.id}`, {
    body: { kind: 'silenced', minutes: 5 },
  });
  expect((await say(loud, 'again')).status).toBe(403);
  await edge.database.asOwner(`update room_bans set until = now() where user_id = $1`, [loud.id]);
  expect((await say(loud, 'again')).status).toBe(201);
});

test('who kept order has no say once the stream is over, or once its performer has put them out', async () => {
  const { performer, streamId } = await served('public');
  const [moderator, other] = [await cast.member(), await cast.member()];
  const path = `/v1/streams/${streamId}`;
  await performer.call('PUT', `${path}/moderators/${moderator.id}`);
  const silence = () =>
    moderator.call('PUT', `${path}/bans/${other.id}`, { body: { kind: 'silenced' } });
  expect((await silence()).status).toBe(204);
  await edge.database.asOwner(
    `insert into room_bans (performer_id, user_id, kind, by) values ($1, $2, 'silenced', $1)`,
    [performer.id, moderator.id],
  );
  expect(refused(await silence())).toEqual([403, 'forbidden']);
  await edge.database.asOwner('delete from room_bans where user_id = $1', [moderator.id]);
  expect((await silence()).status).toBe(204);
  await performer.call('POST', `${path}/end`);
  expect(refused(await silence())).toEqual([403, 'forbidden']);
});

test('so many streams may be announced, and no more', async () => {
  const performer = await cast.member('performer');
  const announce = () =>
    performer.act('POST', '/v1/streams', { title: 'Later', category: 'music' });
  await edge.database.asOwner(
    `insert into streams (performer_id, title, category, idempotency_key)
      select $1, 'Later', 'music', 'key-' || n from generate_series(1, 49) n`,
    [performer.id],
  );
  expect((await announce()).status).toBe(201);
  expect(refused(await announce())).toEqual([409, 'announced-limit']);
});

test('a ban from the rooms, and a stream that is for fewer than before, end the tickets of before and no others', async () => {
  const { performer, streamId } = await served('public');
  const [fan, stranger] = [await cast.member(), await cast.member()];
  await relate(fan.id, 'follow', performer.id);
  const claims = async (who: Member) =>
    decodeJwt((await ticketOf(who.call, streamId)).body.room.ticket);
  const ended = async ({ sub = '', rev, sid }: Awaited<ReturnType<typeof claims>>) =>
    edge.parts.deps.revocations.ends({
      subject: sub,
      rev: Number(rev),
      sessionId: String(sid),
      streamId,
    });
  const [ofFan, ofStranger] = [await claims(fan), await claims(stranger)];
  await performer.call('PUT', `/v1/streams/${streamId}/bans/${stranger.id}`, {
    body: { kind: 'banned' },
  });
  expect([await ended(ofFan), await ended(ofStranger)]).toEqual([false, true]);

  const edited = await performer.call('PATCH', `/v1/streams/${streamId}`, {
    body: { visibility: 'followers' },
    headers: { 'if-match': '"1"' },
  });
  expect(edited.body).toMatchObject({ visibility: 'followers', version: 2 });
  expect(await ended(ofFan)).toBe(true);
  // Whoever still may comes back with a new one.
  expect(await ended(await claims(fan))).toBe(false);
});

test('a change names the version that was read, and what it says must make sense', async () => {
  const { performer, streamId } = await served('public');
  const path = `/v1/streams/${streamId}`;
  const edit = (body: object, version?: string) =>
    performer.call('PATCH', path, { body, headers: version ? { 'if-match': version } : {} });
  const read = await performer.call('GET', path);
  expect(read.headers.get('etag')).toBe('"1"');
  expect(refused(await edit({ title: 'x' }))).toEqual([428, 'precondition-required']);
  expect(refused(await edit({ title: 'x' }, 'W/"1"'))).toEqual([412, 'precondition-failed']);
  const edited = await edit(
    { title: 'Night set', tags: ['Jazz', 'jazz', 'पियानो'], language: 'hi' },
    '"1"',
  );
  expect(edited.body).toMatchObject({
    title: 'Night set',
    tags: ['jazz', 'पियानो'],
    language: 'hi',
    version: 2,
  });
  expect(edited.headers.get('etag')).toBe('"2"');
  expect(refused(await edit({ title: 'y' }, '"1"'))).toEqual([412, 'precondition-failed']);
  expect(refused(await edit({ visibility: 'ticketed' }, '"2"'))).toEqual([422, 'invalid-request']);
  expect(refused(await edit({}, '"2"'))).toEqual([422, 'invalid-request']);
  const stranger = await cast.member('performer');
  const foreign = await stranger.call('PATCH', path, {
    body: { title: 'mine' },
    headers: { 'if-match': '"2"' },
  });
  expect(refused(foreign)).toEqual([403, 'forbidden']);
  await transitionStream(edge.database.db, streamId, 'ended');
  expect(refused(await edit({ title: 'z' }, '"2"'))).toEqual([409, 'stream-ended']);
});

describe('entries', () => {
  async function announced(entryTokens = 20) {
    const performer = await cast.member('performer');
    const { body } = await performer.act('POST', '/v1/streams', {
      title: 'A show',
      category: 'music',
      visibility: 'ticketed',
      entryTokens,
      scheduledAt: new Date(Date.now() + 86_400_000).toISOString(),
    });
    return { performer, streamId: body.id as string };
  }
  const buy = (who: Member, streamId: string, key = newKey(), entryTokens = 20) =>
    who.act('POST', `/v1/streams/${streamId}/entry`, { entryTokens }, key);
  const balanceOf = (who: Member) => readBalance(edge.database.db, who.id);
  const goLive = async (streamId: string) => {
    await transitionStream(edge.database.db, streamId, 'starting');
    await transitionStream(edge.database.db, streamId, 'live');
  };

  test('one is paid once, however often it is asked for, and its performer is paid when the show begins', async () => {
    const { performer, streamId } = await announced();
    const fan = await cast.fan();
    const key = newKey();
    const bought = await Promise.all([
      ...Array.from({ length: 5 }, () => buy(fan, streamId, key)),
      buy(fan, streamId),
    ]);
    expect(bought.map(({ status }) => status)).toEqual(Array(6).fill(201));
    expect(await balanceOf(fan)).toBe(30);
    await settleStreamEntries(edge.parts.deps);
    const earned = async () => (await performer.call('GET', '/v1/earnings')).body;
    expect((await earned()).pendingPaise + (await earned()).availablePaise).toBe(0);

    await goLive(streamId);
    await Promise.all([settleStreamEntries(edge.parts.deps), settleStreamEntries(edge.parts.deps)]);
    expect(await balanceOf(fan)).toBe(30);
    expect((await earned()).pendingPaise).toBe(20 * 50);
    expect((await ticketOf(fan.call, streamId)).status).toBe(201);
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  });

  test('of a show that never was the tokens go back', async () => {
    const { performer, streamId } = await announced();
    const fan = await cast.fan();
    await buy(fan, streamId);
    expect(await balanceOf(fan)).toBe(30);
    await performer.call('POST', `/v1/streams/${streamId}/end`);
    await settleStreamEntries(edge.parts.deps);
    expect(await balanceOf(fan)).toBe(50);
    expect(refused(await buy(fan, streamId))).toEqual([409, 'stream-ended']);
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  });

  test('one that is bought while the show is on is paid at once', async () => {
    const { performer, streamId } = await announced();
    await goLive(streamId);
    const fan = await cast.fan();
    await buy(fan, streamId);
    expect((await performer.call('GET', '/v1/earnings')).body.pendingPaise).toBe(20 * 50);
    expect((await ticketOf(fan.call, streamId)).status).toBe(201);
  });

  test('whoever is too poor, blocked, or asks for what is not sold gets none', async () => {
    const { performer, streamId } = await announced(60);
    const [poor, shunned] = [await cast.fan(), await cast.fan(1)];
    expect(refused(await buy(poor, streamId, newKey(), 60))).toEqual([409, 'insufficient-balance']);
    await relate(performer.id, 'block', shunned.id);
    expect(refused(await buy(shunned, streamId, newKey(), 60))).toEqual([403, 'blocked']);
    const { streamId: open } = await cast.live();
    expect(refused(await buy(poor, open))).toEqual([422, 'invalid-request']);
  });

  test('nobody pays another price than the one that they were shown', async () => {
    const { performer, streamId } = await announced();
    const fan = await cast.fan();
    await performer.call('PATCH', `/v1/streams/${streamId}`, {
      body: { entryTokens: 45 },
      headers: { 'if-match': '"1"' },
    });
    const answer = await buy(fan, streamId);
    expect(refused(answer)).toEqual([409, 'price-changed']);
    expect(answer.body.entryTokens).toBe(45);
    expect(await balanceOf(fan)).toBe(50);
    expect((await buy(fan, streamId, newKey(), 45)).status).toBe(201);
  });

  test('what entries were sold for is not changed under their buyers', async () => {
    const { performer, streamId } = await announced();
    await buy(await cast.fan(), streamId);
    for (const body of [{ entryTokens: 30 }, { visibility: 'public', entryTokens: null }]) {
      const edited = await performer.call('PATCH', `/v1/streams/${streamId}`, {
        body,
        headers: { 'if-match': '"1"' },
      });
      expect(refused(edited)).toEqual([409, 'entries-sold']);
    }
  });

  test('a free entry is taken back and its ticket with it; one that was paid for is not', async () => {
    const { performer, streamId } = await announced();
    await goLive(streamId);
    const [guest, buyer] = [await cast.member(), await cast.fan()];
    await performer.call('PUT', `/v1/streams/${streamId}/entries/${guest.id}`);
    await buy(buyer, streamId);
    for (const who of [guest, buyer])
      await performer.call('DELETE', `/v1/streams/${streamId}/entries/${who.id}`);
    expect(refused(await ticketOf(guest.call, streamId))).toEqual([403, 'entry-needed']);
    expect((await ticketOf(buyer.call, streamId)).status).toBe(201);
  });
});

describe('guests', () => {
  const admit = (body: object) =>
    edge.call('POST', '/v1/guests', { body, headers: { 'x-test-address': newAddress() } });

  test('whoever is not of age where they are stays outside, by the table of jurisdictions', async () => {
    const nineteen = new Date();
    nineteen.setUTCFullYear(nineteen.getUTCFullYear() - 19);
    nineteen.setUTCDate(nineteen.getUTCDate() - 2);
    const dateOfBirth = nineteen.toISOString().slice(0, 10);
    expect((await admit({ country: 'IN', dateOfBirth })).status).toBe(201);
    const young = await admit({ country: 'TH', dateOfBirth });
    expect([young.status, young.body.code, young.body.adultYears]).toEqual([403, 'under-age', 20]);
    expect((await admit({ country: 'QQ', dateOfBirth })).body.code).toBe('unknown-country');
  });

  test('neither chats nor tips nor buys, and keeps no date of birth', async () => {
    const { streamId } = await cast.live();
    const guest = await edge.guest();
    const act = (path: string, body: object) =>
      guest('POST', path, { body, headers: { 'idempotency-key': newKey() } });
    for (const answer of [
      await act(`/v1/streams/${streamId}/messages`, { body: 'hello' }),
      await act('/v1/tips', { streamId, amountTokens: 1 }),
      await act(`/v1/streams/${streamId}/entry`, { entryTokens: 5 }),
    ]) {
      expect(refused(answer)).toEqual([401, 'unauthenticated']);
    }
    const admitted = await admit({ country: 'IN', dateOfBirth: '1990-05-05' });
    const cookie = admitted.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/HttpOnly/i);
    const claims = decodeJwt(cookie.split(';')[0]?.split('=')[1] ?? '');
    expect(Object.keys(claims).sort()).toEqual([
      'aud',
      'country',
      'exp',
      'iat',
      'iss',
      'jti',
      'sub',
    ]);
  });
});
