// Profiles and relations: who sees what of whom, whom somebody follows or shuns, and what that ends at once.
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relationsMax } from '#contract';
import { readBalance, transitionStream, verifyBooks } from '#db';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge({ CLIENT_COUNTRY_HEADER: 'x-test-country' });
  cast = createCast(edge);
  const node = {
    nodeId: 'sfu-users',
    url: 'ws://127.0.0.1:1/room',
    load: 0.1,
    seenAt: Date.now() + 3_600_000,
  };
  await edge.parts.deps.redis.run((redis) => redis.hset('sfu:nodes', { 'sfu-users': node }));
});
afterAll(async () => {
  await edge.parts.deps.redis.run((redis) => redis.hdel('sfu:nodes', 'sfu-users'));
  await edge.close();
});

const profileOf = (call: TestEdge['call'], who: string, headers: Record<string, string> = {}) =>
  call('GET', `/v1/users/${who}`, { headers });
const edit = (who: Member, body: object, version = '"1"') =>
  who.call('PATCH', '/v1/users/me/profile', { body, headers: { 'if-match': version } });
const relate = (who: Member, list: string, whom: Member) =>
  who.call('PUT', `/v1/users/me/${list}/${whom.id}`);
const unrelate = (who: Member, list: string, whom: Member) =>
  who.call('DELETE', `/v1/users/me/${list}/${whom.id}`);
const idsOf = async (who: Member, list: string) =>
  (await who.call('GET', `/v1/users/me/${list}`)).body.people.map(({ id }: { id: string }) => id);
const watch = (who: Member, streamId: string) =>
  who.call('POST', `/v1/streams/${streamId}/tickets`, { body: { intent: 'watch' } });
const claimsOf = async (who: Member, streamId: string) =>
  decodeJwt((await watch(who, streamId)).body.room.ticket);
/** Whether a ticket of before is worth nothing any more. */
const isEnded = ({ sub = '', rev, sid }: ReturnType<typeof decodeJwt>, streamId: string) =>
  edge.parts.deps.revocations.ends({
    rev: Number(rev),
    subject: sub,
    sessionId: typeof sid === 'string' ? sid : null,
    streamId,
  });

describe('a profile', () => {
  test('is what its person says, found by name in any case or by id', async () => {
    const performer = await cast.member('performer');
    const said = {
      displayName: 'Asha Rao',
      bio: 'Piano at night.\nTalk by day.',
      links: [{ title: 'My page', url: 'https://example.com/asha?x=1' }],
    };
    const edited = await edit(performer, said);
    expect(edited.body).toMatchObject({ ...said, privacy: 'public', version: 2 });
    expect(edited.headers.get('etag')).toBe('"2"');
    for (const who of [performer.id, performer.username, performer.username.toUpperCase()]) {
      const { status, body } = await profileOf(edge.call, who);
      expect([status, body.id]).toEqual([200, performer.id]);
      expect(body).toMatchObject({
        ...said,
        username: performer.username,
        isPerformer: true,
        closed: null,
        followers: 0,
        avatarUrl: null,
        live: null,
        schedule: [],
        relation: null,
      });
    }
    const viewer = await cast.member();
    expect((await profileOf(edge.call, viewer.username)).body).toMatchObject({
      displayName: viewer.username,
      isPerformer: false,
    });
    for (const nobody of ['nobody_here', '01980000-0000-7000-8000-000000000000']) {
      expect(refused(await profileOf(edge.call, nobody))).toEqual([404, 'not-found']);
    }
    expect(refused(await profileOf(edge.call, 'not-an-id'))).toEqual([422, 'invalid-request']);
  });

  test('is edited by the version that was read, and by its own person alone', async () => {
    const [one, other] = [await cast.member(), await cast.member()];
    const read = await one.call('GET', '/v1/users/me/profile');
    expect(read.headers.get('etag')).toBe('"1"');
    const unsaid = await one.call('PATCH', '/v1/users/me/profile', { body: { bio: 'x' } });
    expect(refused(unsaid)).toEqual([428, 'precondition-required']);
    const results = await Promise.all([edit(one, { bio: 'left' }), edit(one, { bio: 'right' })]);
    expect(results.map(({ status }) => status).toSorted()).toEqual([200, 412]);
    expect((await edit(other, { bio: 'mine' })).body.username).toBe(other.username);
    expect((await profileOf(edge.call, one.id)).body.bio).toMatch(/^(left|right)$/);
  });

  test.each([
    ['a link that is no web page', { links: [{ title: 'x', url: 'javascript:alert(1)' }] }],
    ['a link in the open', { links: [{ title: 'x', url: 'http://example.com' }] }],
    ['a link that shows another host', { links: [{ title: 'x', url: 'https://bank.in@evil.in' }] }],
    ['a link to a number', { links: [{ title: 'x', url: 'https://127.0.0.1/' }] }],
    ['a link to a local name', { links: [{ title: 'x', url: 'https://localhost/' }] }],
    ['a link to a port', { links: [{ title: 'x', url: 'https://example.com:8443/' }] }],
    ['a link without a title', { links: [{ title: ' ', url: 'https://example.com' }] }],
    ['too many links', { links: Array(6).fill({ title: 'x', url: 'https://example.com' }) }],
    ['a bio that is too long', { bio: 'x'.repeat(1_001) }],
    ['a bio that is turned around', { bio: 'safe \u202Egnp.exe' }],
    ['a name of staff', { displayName: 'LivePanty Support' }],
    ['a name that is turned around', { displayName: 'a\u202Eb' }],
    ['a privacy that is none', { privacy: 'secret' }],
    ['something unknown', { role: 'admin' }],
    ['a version', { version: 7 }],
    ['nothing', {}],
  ])('does not take %s', async (_, body) => {
    expect(refused(await edit(await cast.member(), body))).toEqual([422, 'invalid-request']);
  });

  test.each(['public', 'members', 'followers'] as const)(
    'that is for %s shows the others a name',
    async (privacy) => {
      const performer = await cast.member('performer');
      await edit(performer, { displayName: 'Asha', bio: 'hello', privacy });
      const [member, follower] = [await cast.member(), await cast.member()];
      await relate(follower, 'following', performer);
      const told = await Promise.all(
        [edge.call, await edge.guest(), member.call, follower.call, performer.call].map(
          async (call) => {
            const { body } = await profileOf(call, performer.id);
            expect(body.displayName).toBe('Asha');
            // Who sees no bio sees nothing else that is behind the name.
            expect(body.followers === null).toBe(body.closed !== null);
            return [body.bio, body.closed];
          },
        ),
      );
      const open = ['hello', null];
      const shut = ['', privacy];
      expect(told).toEqual(
        {
          public: [open, open, open, open, open],
          members: [shut, shut, open, open, open],
          followers: [shut, shut, shut, open, open],
        }[privacy],
      );
    },
  );

  test('is not there for whom its person blocks, and a name for who blocks them', async () => {
    const [performer, shunned] = [await cast.member('performer'), await cast.member()];
    await edit(performer, { bio: 'hello' });
    await edit(shunned, { bio: 'hello as well' });
    await relate(performer, 'blocks', shunned);
    const answers = [
      await profileOf(shunned.call, performer.id),
      await profileOf(shunned.call, performer.username),
      await shunned.call('GET', `/v1/users/${performer.username}/schedule.ics`),
      await profileOf(shunned.call, 'nobody_at_all'),
    ];
    // It is as if there were nobody.
    const { requestId: _, ...nobody } = answers.at(-1)?.body ?? {};
    for (const { status, body } of answers) {
      const { requestId: __, ...told } = body;
      expect([status, told]).toEqual([404, nobody]);
    }
    const seen = await profileOf(performer.call, shunned.id);
    expect(seen.body).toMatchObject({
      username: shunned.username,
      closed: 'blocked',
      bio: '',
      relation: { follows: false, blocks: true, mutes: false },
    });
  });

  test('is not there where its performer is not to be seen', async () => {
    const performer = await cast.member('performer');
    const path = '/v1/users/me/country-blocks';
    await performer.call('PUT', path, { body: { countries: ['FR'] } });
    const from = (country: string) =>
      profileOf(edge.call, performer.id, { 'x-test-country': country });
    expect((await from('FR')).status).toBe(404);
    expect((await from('DE')).status).toBe(200);
    expect((await profileOf(await edge.guest('FR'), performer.id)).status).toBe(404);
    const french = await cast.member();
    await edge.database.asOwner(`update users set country = 'FR' where id = $1`, [french.id]);
    expect((await profileOf(french.call, performer.id)).status).toBe(404);
    const own = await profileOf(performer.call, performer.id, { 'x-test-country': 'FR' });
    expect(own.status).toBe(200);
  });

  test('of a banned account is not there', async () => {
    const banned = await cast.member();
    await edge.database.asOwner('update users set banned_at = now() where id = $1', [banned.id]);
    expect((await profileOf(edge.call, banned.username)).status).toBe(404);
  });

  test('shows what is live where it may be found', async () => {
    const seen = async (call: TestEdge['call'], who: Member) =>
      (await profileOf(call, who.id)).body.live?.id ?? null;
    for (const visibility of ['public', 'followers', 'ticketed', 'unlisted'] as const) {
      const priced = visibility === 'ticketed' ? { entryTokens: 5 } : {};
      const { performer, streamId } = await cast.live(undefined, { visibility, ...priced });
      const wanted = visibility === 'unlisted' ? null : streamId;
      expect(await seen(edge.call, performer), visibility).toBe(wanted);
      const banned = await cast.member();
      await performer.call('PUT', `/v1/streams/${streamId}/bans/${banned.id}`, {
        body: { kind: 'banned' },
      });
      expect(await seen(banned.call, performer)).toBeNull();
      await transitionStream(edge.database.db, streamId, 'ended');
      expect(await seen(edge.call, performer)).toBeNull();
    }
  });

  test('may be kept for all guests where all see the same, and by one person alone where not', async () => {
    const performer = await cast.member('performer');
    const member = await cast.member();
    const cacheOf = async (call: TestEdge['call']) => {
      const { headers } = await profileOf(call, performer.id);
      expect(headers.get('vary')).toBe('authorization, cookie');
      return headers.get('cache-control');
    };
    expect(await cacheOf(edge.call)).toBe('public, max-age=15');
    expect(await cacheOf(await edge.guest())).toBe('private, no-cache');
    expect(await cacheOf(member.call)).toBe('private, no-cache');
    await performer.call('PUT', '/v1/users/me/country-blocks', { body: { countries: ['FR'] } });
    expect(await cacheOf(edge.call)).toBe('private, no-cache');
  });

  test('that has not changed is not sent again', async () => {
    const [performer, member] = [await cast.member('performer'), await cast.member()];
    const etag = (await profileOf(member.call, performer.id)).headers.get('etag') ?? '';
    expect(etag).toMatch(/^W\/"/);
    const again = await profileOf(member.call, performer.id, { 'if-none-match': etag });
    expect([again.status, again.body, again.headers.get('etag')]).toEqual([304, '', etag]);
    await relate(member, 'following', performer);
    const changed = await profileOf(member.call, performer.id, { 'if-none-match': etag });
    expect(changed.body).toMatchObject({ followers: 1, relation: { follows: true } });
  });
});

describe('relations', () => {
  test.each(['following', 'blocks', 'mutes'])('%s are a set of one’s own', async (list) => {
    const [one, other, third] = [await cast.member(), await cast.member(), await cast.member()];
    const put = await Promise.all(Array.from({ length: 5 }, () => relate(one, list, other)));
    expect(put.map(({ status }) => status)).toEqual(Array(5).fill(204));
    await relate(one, list, third);
    expect(await idsOf(one, list)).toEqual([third.id, other.id].toSorted().toReversed());
    expect(await idsOf(other, list)).toEqual([]);
    // By page, and none twice.
    const first = await one.call('GET', `/v1/users/me/${list}?limit=1`);
    const second = await one.call(
      'GET',
      `/v1/users/me/${list}?limit=1&cursor=${first.body.nextCursor}`,
    );
    expect([first.body.people[0].id, second.body.people[0].id]).toEqual(await idsOf(one, list));
    expect(second.body.nextCursor).toBeNull();
    // Taking out of one's own list leaves those of others.
    await relate(third, list, other);
    await unrelate(one, list, other);
    expect((await unrelate(one, list, other)).status).toBe(204);
    expect(await idsOf(one, list)).toEqual([third.id]);
    expect(await idsOf(third, list)).toEqual([other.id]);

    expect(refused(await relate(one, list, one))).toEqual([422, 'invalid-request']);
    const nobody = { ...one, id: '01980000-0000-7000-8000-000000000000' };
    expect(refused(await relate(one, list, nobody))).toEqual([404, 'not-found']);
  });

  test('each list is by itself: who is muted no more is still followed', async () => {
    const [one, other] = [await cast.member(), await cast.member()];
    await relate(one, 'following', other);
    await relate(one, 'mutes', other);
    await unrelate(one, 'mutes', other);
    expect(await idsOf(one, 'following')).toEqual([other.id]);
    expect(await idsOf(one, 'mutes')).toEqual([]);
  });

  test('there are no more of them than may be, and once more of one is no more', async () => {
    const [one, other] = [await cast.member(), await cast.member()];
    await relate(one, 'blocks', other);
    await edge.database.asOwner(
      `insert into users (id, email, username, password_hash, date_of_birth, country)
        select uuid_v7(), 'many' || n || '@example.com', 'many' || n, '', '1990-01-01', 'IN'
          from generate_series(1, $1::int) n`,
      [relationsMax.block - 1],
    );
    await edge.database.asOwner(
      `insert into relations (from_id, kind, to_id)
        select $1, 'block', id from users where username like 'many%'`,
      [one.id],
    );
    const more = await relate(one, 'blocks', await cast.member());
    expect([more.status, more.body.code, more.body.most]).toEqual([
      409,
      'too-many',
      relationsMax.block,
    ]);
    expect((await relate(one, 'blocks', other)).status).toBe(204);
  });

  test('a block ends following both ways, and neither follows again', async () => {
    const [one, other] = [await cast.member('performer'), await cast.member('performer')];
    await relate(one, 'following', other);
    await relate(other, 'following', one);
    await relate(one, 'blocks', other);
    expect(await idsOf(one, 'following')).toEqual([]);
    expect(await idsOf(other, 'following')).toEqual([]);
    expect(refused(await relate(other, 'following', one))).toEqual([404, 'not-found']);
    expect(refused(await relate(one, 'following', other))).toEqual([403, 'blocked']);
    await unrelate(one, 'blocks', other);
    expect((await relate(other, 'following', one)).status).toBe(204);
  });

  test('two who block each other at once both do, and whoever follows meanwhile does not', async () => {
    for (let turn = 0; turn < 5; turn += 1) {
      const [one, other] = [await cast.member(), await cast.member()];
      const answers = await Promise.all([
        relate(one, 'blocks', other),
        relate(other, 'following', one),
        relate(other, 'blocks', one),
        relate(one, 'following', other),
      ]);
      expect(answers.filter(({ status }) => status >= 500)).toEqual([]);
      expect([answers[0].status, answers[2].status]).toEqual([204, 204]);
      expect(await idsOf(one, 'following')).toEqual([]);
      expect(await idsOf(other, 'following')).toEqual([]);
    }
  });

  test('whom a performer blocks is out of the room at once, and neither talks, tips, buys nor keeps order', async () => {
    const { performer, streamId } = await cast.live();
    const [shunned, viewer] = [await cast.fan(), await cast.member()];
    await performer.call('PUT', `/v1/streams/${streamId}/moderators/${shunned.id}`);
    const [ofShunned, ofViewer] = [
      await claimsOf(shunned, streamId),
      await claimsOf(viewer, streamId),
    ];
    await relate(performer, 'blocks', shunned);
    expect(await isEnded(ofShunned, streamId)).toBe(true);
    expect(await isEnded(ofViewer, streamId)).toBe(false);
    expect(refused(await watch(shunned, streamId))).toEqual([403, 'blocked']);
    const path = `/v1/streams/${streamId}`;
    const said = await shunned.act('POST', `${path}/messages`, { body: 'let me in' });
    expect(refused(said)).toEqual([403, 'silenced']);
    const tipped = await shunned.act('POST', '/v1/tips', { streamId, amountTokens: 1 });
    expect(refused(tipped)).toEqual([403, 'blocked']);
    const ban = await shunned.call('PUT', `${path}/bans/${viewer.id}`, {
      body: { kind: 'banned' },
    });
    expect(refused(ban)).toEqual([403, 'forbidden']);
    await unrelate(performer, 'blocks', shunned);
    expect((await watch(shunned, streamId)).status).toBe(201);
    expect((await shunned.act('POST', '/v1/tips', { streamId, amountTokens: 1 })).status).toBe(201);
  });

  test('whom a performer blocks gets back what is set aside for a show to come, and nothing of one that has begun', async () => {
    const shunned = await cast.fan();
    const performer = await cast.member('performer');
    const ticketed = { visibility: 'ticketed', entryTokens: 10 } as const;
    const { streamId: begun } = await cast.live(performer, ticketed);
    const made = await performer.act('POST', '/v1/streams', {
      title: 'To come',
      category: 'music',
      ...ticketed,
    });
    for (const streamId of [begun, made.body.id]) {
      expect((await shunned.act('POST', `/v1/streams/${streamId}/entry`)).status).toBe(201);
    }
    const before = await readBalance(edge.database.db, shunned.id);
    await relate(performer, 'blocks', shunned);
    expect(await readBalance(edge.database.db, shunned.id)).toBe(before + 10);
    await unrelate(performer, 'blocks', shunned);
    // The entry went back with its tokens: it is bought anew.
    await shunned.act('POST', `/v1/streams/${made.body.id}/entry`);
    expect(await readBalance(edge.database.db, shunned.id)).toBe(before);
    expect(await verifyBooks(edge.database.db)).toEqual([]);
  });

  test('who follows no more does not go on watching what is for followers', async () => {
    const { performer, streamId } = await cast.live(undefined, { visibility: 'followers' });
    const [leaver, blocker, stayer] = [
      await cast.member(),
      await cast.member(),
      await cast.member(),
    ];
    for (const who of [leaver, blocker, stayer]) await relate(who, 'following', performer);
    const tickets = await Promise.all(
      [leaver, blocker, stayer].map((who) => claimsOf(who, streamId)),
    );
    await unrelate(leaver, 'following', performer);
    await relate(blocker, 'blocks', performer);
    const ended = await Promise.all(tickets.map((claims) => isEnded(claims, streamId)));
    expect(ended).toEqual([true, true, false]);
    expect(refused(await watch(leaver, streamId))).toEqual([403, 'followers-only']);
    // What is for everybody one may go on watching.
    const open = await cast.live();
    await relate(leaver, 'following', open.performer);
    const claims = await claimsOf(leaver, open.streamId);
    await unrelate(leaver, 'following', open.performer);
    expect(await isEnded(claims, open.streamId)).toBe(false);
  });
});

describe('countries in which a performer is not to be seen', () => {
  const path = '/v1/users/me/country-blocks';
  const set = (who: Member, countries: unknown) => who.call('PUT', path, { body: { countries } });

  test('are said as a whole, each by its own performer', async () => {
    const [one, other] = [await cast.member('performer'), await cast.member('performer')];
    await set(other, ['DE']);
    expect((await set(one, ['FR', 'IN', 'FR'])).body).toEqual({ countries: ['FR', 'IN'] });
    expect((await set(one, ['IN', 'US'])).body).toEqual({ countries: ['IN', 'US'] });
    expect((await one.call('GET', path)).body).toEqual({ countries: ['IN', 'US'] });
    expect((await other.call('GET', path)).body).toEqual({ countries: ['DE'] });
    await set(one, []);
    expect((await one.call('GET', path)).body).toEqual({ countries: [] });
    for (const countries of [['QQ'], ['fr'], 'FR', undefined, [1]]) {
      expect(refused(await set(one, countries))).toEqual([422, 'invalid-request']);
    }
    expect(refused(await set(await cast.member(), ['FR']))).toEqual([403, 'forbidden']);
  });

  test('one that is added puts out who watches there; everybody else comes back', async () => {
    const { performer, streamId } = await cast.live();
    const [french, indian] = [await cast.member(), await cast.member()];
    await edge.database.asOwner(`update users set country = 'FR' where id = $1`, [french.id]);
    const tickets = [await claimsOf(french, streamId), await claimsOf(indian, streamId)];
    const ended = () => Promise.all(tickets.map((claims) => isEnded(claims, streamId)));
    await set(performer, []);
    expect(await ended()).toEqual([false, false]);
    await set(performer, ['FR']);
    expect(await ended()).toEqual([true, true]);
    expect(refused(await watch(french, streamId))).toEqual([451, 'country-blocked']);
    const again = await claimsOf(indian, streamId);
    expect(await isEnded(again, streamId)).toBe(false);
    // Said again, or lifted, it ends nothing.
    await set(performer, ['FR']);
    await set(performer, []);
    expect(await isEnded(again, streamId)).toBe(false);
    expect((await watch(french, streamId)).status).toBe(201);
  });
});
