// My profile: my picture and preferences: taken, refused, and nobody else's.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { avatarBytesMax, noticeKinds } from '#contract';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(() => edge.close());

describe('a picture', () => {
  /** A red square of 16 pixels. */
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAIAAACQkWg2AAAAFklEQVR42mP4z8BAEmIY1TCqYfhqAACQ+f8B8u7oVwAAAABJRU5ErkJggg==',
    'base64',
  );
  async function send(who: Member | null, bytes: BodyInit, type: string | null = 'image/png') {
    const answer = await fetch(`${edge.url}/v1/users/me/avatar`, {
      method: 'PUT',
      body: bytes,
      headers: {
        ...(type ? { 'content-type': type } : {}),
        ...(who ? { authorization: `Bearer ${who.token}` } : {}),
      },
    });
    return { status: answer.status, body: await answer.json() };
  }

  test('is kept, shown with the profile, and served as nothing but a picture that never changes', async () => {
    const person = await cast.member();
    const sent = await send(person, png);
    expect([sent.status, sent.body.version]).toEqual([200, 2]);
    const { avatarUrl } = sent.body;
    expect((await edge.call('GET', `/v1/users/${person.id}`)).body.avatarUrl).toBe(avatarUrl);
    const served = await fetch(edge.url + avatarUrl);
    expect(Object.fromEntries(served.headers)).toMatchObject({
      'content-type': 'image/png',
      'cache-control': 'public, max-age=31536000, immutable',
      'content-security-policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
      'cross-origin-resource-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    });
    expect(Buffer.from(await served.arrayBuffer())).toEqual(png);
  });

  test('takes the place of the one of before, and goes when it is taken away', async () => {
    const [person, other] = [await cast.member(), await cast.member()];
    const first = (await send(person, png)).body.avatarUrl;
    const second = (await send(person, png)).body.avatarUrl;
    const others = (await send(other, png)).body.avatarUrl;
    expect((await edge.call('GET', first)).status).toBe(404);
    const removed = await person.call('DELETE', '/v1/users/me/avatar');
    expect(removed.body).toMatchObject({ avatarUrl: null, version: 4 });
    expect((await edge.call('GET', second)).status).toBe(404);
    expect((await fetch(edge.url + others)).status).toBe(200);
  });

  test('is what its bytes say, whatever its type says', async () => {
    const person = await cast.member();
    const sent = await send(person, png, 'image/jpeg');
    const served = await fetch(edge.url + sent.body.avatarUrl);
    expect(served.headers.get('content-type')).toBe('image/png');
  });

  test('that is none, too large, or of nobody is refused', async () => {
    const person = await cast.member();
    const favicon = await readFile(new URL('../../client/public/favicon.svg', import.meta.url));
    expect(refused(await send(person, favicon))).toEqual([422, 'picture-refused']);
    expect(refused(await send(person, png.subarray(0, 60)))).toEqual([422, 'picture-refused']);
    expect(refused(await send(person, ''))).toEqual([422, 'picture-refused']);
    for (const type of ['image/svg+xml', 'image/gif', 'application/json', 'text/html', null]) {
      const bytes = type === null ? new Uint8Array(png) : png;
      expect(refused(await send(person, bytes, type)), String(type)).toEqual([
        415,
        'unsupported-media-type',
      ]);
    }
    // Over a socket the answer may come before all of it is sent.
    const large = new Request(`${edge.url}/v1/users/me/avatar`, {
      method: 'PUT',
      body: new Uint8Array(avatarBytesMax + 1),
      headers: { 'content-type': 'image/png', authorization: `Bearer ${person.token}` },
    });
    const answer = await edge.parts.fetch(large, '127.0.0.1');
    expect([answer.status, (await answer.json()).code]).toEqual([413, 'body-too-large']);
    expect(refused(await send(null, png))).toEqual([401, 'unauthenticated']);
    expect((await person.call('GET', '/v1/users/me/profile')).body.avatarUrl).toBeNull();
  });

  test('is the only body that is larger than others, and of another type', async () => {
    const person = await cast.member();
    const bio = 'x'.repeat(65 * 1024);
    const large = await person.call('PATCH', '/v1/users/me/profile', {
      body: { bio },
      headers: { 'if-match': '"1"' },
    });
    expect(refused(large)).toEqual([413, 'body-too-large']);
    const typed = await person.call('PATCH', '/v1/users/me/profile', {
      body: 'x',
      headers: { 'content-type': 'image/png' },
    });
    expect(refused(typed)).toEqual([415, 'unsupported-media-type']);
  });
});

describe('preferences', () => {
  const path = '/v1/users/me/preferences';
  const edit = (who: Member, body: object, version = '"1"') =>
    who.call('PATCH', path, { body, headers: { 'if-match': version } });

  test('are the usual ones until somebody says otherwise, and nobody is written to unasked', async () => {
    const { body, headers } = await (await cast.member()).call('GET', path);
    expect(body).toMatchObject({
      theme: 'system',
      language: 'en',
      reducedEffects: false,
      tipSound: true,
      showInLeaderboards: true,
      tipAnonymously: false,
      quietHours: null,
      marketing: false,
      version: 1,
    });
    expect(Object.keys(body.notices).toSorted()).toEqual(noticeKinds.toSorted());
    expect(headers.get('etag')).toBe('"1"');
  });

  test('change where something is said, and stay elsewhere', async () => {
    const [one, other] = [await cast.member(), await cast.member()];
    const quietHours = { from: '22:30', to: '07:00', timeZone: 'Asia/Kolkata' };
    const first = await edit(one, { theme: 'dark', quietHours });
    expect(first.body).toMatchObject({ theme: 'dark', quietHours, version: 2 });
    const silent = { app: false, push: false, email: false };
    await edit(one, { notices: { tip: silent } }, '"2"');
    const third = await edit(one, { notices: { live: silent }, marketing: true }, '"3"');
    expect(third.body).toMatchObject({ theme: 'dark', quietHours, marketing: true });
    expect(third.body.notices).toMatchObject({ tip: silent, live: silent });
    expect(third.body.notices.payout.email).toBe(true);
    const lifted = await edit(one, { quietHours: null }, '"4"');
    expect(lifted.body).toMatchObject({ quietHours: null, theme: 'dark', version: 5 });
    expect((await other.call('GET', path)).body).toMatchObject({ theme: 'system', version: 1 });
  });

  test('are changed by the version that was read', async () => {
    const person = await cast.member();
    expect(refused(await person.call('PATCH', path, { body: { theme: 'dark' } }))).toEqual([
      428,
      'precondition-required',
    ]);
    const both = await Promise.all([
      edit(person, { theme: 'dark' }),
      edit(person, { theme: 'light' }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual([200, 412]);
  });

  test.each([
    ['something unknown', { colour: 'red' }],
    ['an unknown kind of notice', { notices: { weather: { app: true, push: true, email: true } } }],
    ['an unknown channel', { notices: { tip: { app: true, push: true, email: true, fax: true } } }],
    ['half of a kind', { notices: { tip: { app: true } } }],
    ['a place that has no clock', { quietHours: { from: '22:00', to: '07:00', timeZone: 'Mars' } }],
    ['an hour that is none', { quietHours: { from: '24:00', to: '07:00', timeZone: 'UTC' } }],
    ['quiet that never ends', { quietHours: { from: '07:00', to: '07:00', timeZone: 'UTC' } }],
    ['a language that we do not speak', { language: 'xx' }],
    ['a version', { version: 9 }],
    ['nothing', {}],
  ])('do not take %s', async (_, body) => {
    expect(refused(await edit(await cast.member(), body))).toEqual([422, 'invalid-request']);
  });
});
