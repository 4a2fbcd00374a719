// Other origins: the list alone opens the API, cookies work from our own page alone, and no other page acts.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cookiesOf, newAddress, newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { refused } from '../testing/cast.ts';

const friend = 'https://studio.example';
const stranger = 'https://evil.example';
let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge({ API_ORIGINS: `${friend}, https://other.example` });
});
afterAll(() => edge.close());

const from = (origin: string, more: Record<string, string> = {}) => ({ origin, ...more });

test('a preflight of a listed origin is told what it may send, and of another one nothing', async () => {
  const ask = (origin: string) =>
    edge.call('OPTIONS', '/v1/tips', {
      headers: from(origin, {
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, idempotency-key',
      }),
    });
  const told = await ask(friend);
  expect(told.status).toBe(204);
  expect(told.headers.get('access-control-allow-origin')).toBe(friend);
  expect(told.headers.get('access-control-allow-headers')).toContain('idempotency-key');
  expect(told.headers.get('access-control-allow-credentials')).toBeNull();
  for (const origin of [stranger, 'null', `${friend}.evil.example`, friend.toUpperCase()]) {
    const { headers } = await ask(origin);
    expect(headers.get('access-control-allow-origin'), origin).toBeNull();
    expect(headers.get('vary'), origin).toBe('Origin');
  }
});

test('answers are marked for the listed origin that asks, and for no other', async () => {
  const { headers } = await edge.call('GET', '/v1/streams', { headers: from(friend) });
  expect(headers.get('access-control-allow-origin')).toBe(friend);
  expect(headers.get('vary')).toContain('Origin');
  expect(headers.get('access-control-expose-headers')).toContain('ratelimit');
  const { headers: others } = await edge.call('GET', '/v1/streams', { headers: from(stranger) });
  expect(others.get('access-control-allow-origin')).toBeNull();
  const refusal = await edge.call('GET', '/v1/wallet', { headers: from(friend) });
  expect(refused(refusal)).toEqual([401, 'unauthenticated']);
  expect(refusal.headers.get('access-control-allow-origin')).toBe(friend);
});

test('a listed origin acts with a token', async () => {
  const person = await edge.register('performer');
  const created = await person.call('POST', '/v1/streams', {
    body: { title: 'From elsewhere', category: 'music' },
    headers: from(friend, { 'idempotency-key': newKey() }),
  });
  expect(created.status).toBe(201);
});

test('no other page acts, whatever it sends; what is no browser needs no origin', async () => {
  const person = await edge.register();
  const limits = { dayTokens: 1, monthTokens: null, dayPaise: null, monthPaise: null };
  const act = (headers: Record<string, string>) =>
    person.call('PUT', '/v1/wallet/limits', { body: limits, headers });
  for (const headers of [
    from(stranger),
    from('null'),
    from(`${edge.url}.evil.example`),
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]) {
    expect(refused(await act(headers)), JSON.stringify(headers)).toEqual([403, 'untrusted-origin']);
  }
  for (const headers of [from(edge.url), {}, { 'sec-fetch-site': 'same-origin' }]) {
    expect((await act(headers)).status, JSON.stringify(headers)).toBe(200);
  }
});

test('cookies renew and end sessions for our own page alone', async () => {
  const { cookie } = await edge.register();
  const renew = (headers: Record<string, string>) =>
    edge.call('POST', '/v1/auth/refresh', { headers: { cookie, ...headers } });
  for (const origin of [friend, stranger]) {
    expect(refused(await renew(from(origin)))).toEqual([403, 'untrusted-origin']);
  }
  const renewed = await renew(from(edge.url));
  expect(renewed.status).toBe(200);
  const [kept = ''] = renewed.headers.getSetCookie();
  expect(kept).toMatch(/; HttpOnly/);
  expect(kept).toMatch(/; SameSite=Strict/);
  expect(kept).toMatch(/; Path=\/(;|$)/);
});

test('a guest’s cookie is for our own page, too', async () => {
  const admitted = await edge.call('POST', '/v1/guests', {
    body: { country: 'IN', dateOfBirth: '1990-05-05' },
    headers: { 'x-test-address': newAddress() },
  });
  const [kept = ''] = admitted.headers.getSetCookie();
  expect(kept).toMatch(/; HttpOnly/);
  expect(kept).toMatch(/; SameSite=Strict/);
  const { streamId } = await edge.goLive();
  const ticket = await edge.call('POST', `/v1/streams/${streamId}/tickets`, {
    body: { intent: 'watch' },
    headers: from(stranger, { cookie: cookiesOf(admitted) }),
  });
  expect(refused(ticket)).toEqual([403, 'untrusted-origin']);
});
