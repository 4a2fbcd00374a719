// Profiles: who sees what of whom.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transitionStream } from '#db';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge({ CLIENT_COUNTRY_HEADER: 'x-test-country' });
  cast = createCast(edge);
});
afterAll(() => edge.close());

const profileOf = (call: TestEdge['call'], who: string, headers: Record<string, string> = {}) =>
  call('GET', `/v1/users/${who}`, { headers });
const edit = (who: Member, body: object, version = '"1"') =>
  who.call('PATCH', '/v1/users/me/profile', { body, headers: { 'if-match': version } });
const relate = (who: Member, list: string, whom: Member) =>
  who.call('PUT', `/v1/users/me/${list}/${whom.id}`);

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

test.each([
  ['of an adult kind', { contentClass: 'mature' }, []],
  ['that is not for every country', {}, ['FR']],
] as const)(
  'a live stream %s is not shown to strangers, and to guests it is',
  async (_, stream, countries) => {
    const { performer, streamId } = await cast.live(undefined, stream);
    await performer.call('PUT', '/v1/users/me/country-blocks', { body: { countries } });
    const stranger = await profileOf(edge.call, performer.id);
    expect(stranger.body.live).toBeNull();
    const guest = await profileOf(await edge.guest(), performer.id);
    expect(guest.body.live.id).toBe(streamId);
  },
);
