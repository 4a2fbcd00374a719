// Relations: whom somebody follows or shuns, what that ends at once, and where a performer is not to be seen.
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { relationsMax } from '#contract';
import { readBalance, verifyBooks } from '#db';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';
import { listNode } from '../testing/nodes.ts';

let edge: TestEdge;
let cast: Cast;
let unlistNode: () => Promise<void>;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  unlistNode = await listNode(edge, 'sfu-relations');
});
afterAll(async () => {
  await unlistNode();
  await edge.close();
});

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
      expect(
        (await shunned.act('POST', `/v1/streams/${streamId}/entry`, { entryTokens: 10 })).status,
      ).toBe(201);
    }
    const before = await readBalance(edge.database.db, shunned.id);
    await relate(performer, 'blocks', shunned);
    expect(await readBalance(edge.database.db, shunned.id)).toBe(before + 10);
    await unrelate(performer, 'blocks', shunned);
    // The entry went back with its tokens: it is bought anew.
    await shunned.act('POST', `/v1/streams/${made.body.id}/entry`, { entryTokens: 10 });
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

test('whoever is blocked looks at nobody through a list of their own', async () => {
  const [one, other] = [await cast.member(), await cast.member()];
  await relate(one, 'mutes', other);
  expect(await idsOf(one, 'mutes')).toEqual([other.id]);
  await relate(other, 'blocks', one);
  expect(await idsOf(one, 'mutes')).toEqual([]);
  await unrelate(one, 'mutes', other);
  expect(refused(await relate(one, 'mutes', other))).toEqual([404, 'not-found']);
  // One's own block can be made, seen and taken back.
  await relate(one, 'blocks', other);
  expect(await idsOf(one, 'blocks')).toEqual([other.id]);
});
