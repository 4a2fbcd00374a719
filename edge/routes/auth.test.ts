// Accounts: registering, logging in, renewing, logging out.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cookiesOf, newAddress, startTestEdge, type TestEdge } from '../../testing/edge.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(async () => {
  await edge.close();
});

const registration = {
  email: 'Asha@Example.com ',
  username: 'Asha_1',
  password: 'correct horse battery',
  dateOfBirth: '1995-02-03',
  country: 'IN',
};
const register = (changes: object, address = newAddress()) =>
  edge.call('POST', '/v1/auth/register', {
    body: { ...registration, ...changes },
    headers: { 'x-test-address': address },
  });
const login = (email: string, password: string) =>
  edge.call('POST', '/v1/auth/login', {
    body: { email, password },
    headers: { 'x-test-address': newAddress() },
  });
const refresh = (cookie: string) => edge.call('POST', '/v1/auth/refresh', { headers: { cookie } });
/** Lets a minute pass for every session and its tokens. */
async function age(): Promise<void> {
  await edge.database.asOwner(`update sessions set rotated_at = rotated_at - interval '1 minute'`);
  await edge.database.asOwner(
    `update refresh_tokens set used_at = used_at - interval '1 minute',
      created_at = created_at - interval '1 minute'`,
  );
}

test('registering logs in, with the refresh token in a cookie that scripts cannot read', async () => {
  const answer = await register({});
  expect(answer.status).toBe(201);
  expect(answer.body.user).toMatchObject({ email: 'asha@example.com', role: 'viewer' });
  const cookie = answer.headers.get('set-cookie') ?? '';
  expect(cookie).toMatch(/HttpOnly/i);
  expect(cookie).toMatch(/SameSite=Strict/i);
  const me = await edge.call('GET', '/v1/auth/me', {
    headers: { authorization: `Bearer ${answer.body.accessToken}` },
  });
  expect(me.body).toEqual(answer.body.user);
});

test('a taken e-mail or user name, in whatever case, is refused', async () => {
  await register({ email: 'first@example.com', username: 'First' });
  expect((await register({ email: 'FIRST@example.com', username: 'Other' })).body.code).toBe(
    'email-taken',
  );
  expect((await register({ email: 'other@example.com', username: 'fIRST' })).body.code).toBe(
    'username-taken',
  );
});

test('who is under 18 today where they live is refused, and who is 18 today is let in', async () => {
  const today = new Intl.DateTimeFormat('en-CA', { timeZone: 'Asia/Kolkata' }).format(new Date());
  const eighteenYearsAgo = `${Number(today.slice(0, 4)) - 18}${today.slice(4)}`;
  const dayAfter = new Date(`${eighteenYearsAgo}T00:00:00Z`);
  dayAfter.setUTCDate(dayAfter.getUTCDate() + 1);
  const young = await register({
    email: 'young@example.com',
    username: 'Young',
    dateOfBirth: dayAfter.toISOString().slice(0, 10),
  });
  expect([young.status, young.body.code]).toEqual([403, 'under-age']);
  const grown = await register({
    email: 'grown@example.com',
    username: 'Grown',
    dateOfBirth: eighteenYearsAgo,
  });
  expect(grown.status).toBe(201);
});

test('a wrong password and an unknown e-mail are refused alike', async () => {
  await register({ email: 'someone@example.com', username: 'Someone' });
  const wrong = await login('someone@example.com', 'not the password');
  const unknown = await login('nobody@example.com', 'not the password');
  expect(wrong.status).toBe(401);
  expect({ ...wrong.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
  expect((await login('someone@example.com', registration.password)).status).toBe(200);
});

test('a refresh token is used once; a stolen one ends the whole session', async () => {
  const answer = await register({ email: 'rotate@example.com', username: 'Rotate' });
  const first = cookiesOf(answer);
  const renewed = await edge.call('POST', '/v1/auth/refresh', { headers: { cookie: first } });
  expect(renewed.status).toBe(200);
  const second = cookiesOf(renewed);
  expect(second).not.toBe(first);
  // A moment later the first one may come again: its answer may have been lost.
  const again = await edge.call('POST', '/v1/auth/refresh', { headers: { cookie: first } });
  expect(again.status).toBe(200);
  // Much later it can only have been stolen.
  await age();
  const stolen = await edge.call('POST', '/v1/auth/refresh', { headers: { cookie: first } });
  expect([stolen.status, stolen.body.code]).toEqual([401, 'session-expired']);
  const victim = await edge.call('POST', '/v1/auth/refresh', {
    headers: { cookie: cookiesOf(again) },
  });
  expect(victim.status).toBe(401);
});

test('a token whose successor was used a moment ago brings nothing, and ends nothing', async () => {
  const answer = await register({ email: 'fork@example.com', username: 'Fork' });
  const first = cookiesOf(answer);
  const second = cookiesOf(await refresh(first));
  const third = cookiesOf(await refresh(second));
  const late = await refresh(first);
  expect([late.status, late.body.code]).toEqual([409, 'session-renewed']);
  expect(late.headers.get('set-cookie')).toBeNull();
  expect((await refresh(third)).status).toBe(200);
  // Some seconds later it can only have been stolen.
  await age();
  expect((await refresh(first)).status).toBe(401);
  expect((await refresh(third)).status).toBe(401);
});

test('an access token that outlives its session gets no new one', async () => {
  const answer = await register({ email: 'ghost@example.com', username: 'Ghost' });
  await edge.call('POST', '/v1/auth/logout', { headers: { cookie: cookiesOf(answer) } });
  const raised = await edge.call('POST', '/v1/auth/performer', {
    headers: { authorization: `Bearer ${answer.body.accessToken}` },
  });
  expect([raised.status, raised.body.code]).toEqual([401, 'unauthenticated']);
});

test('becoming a performer raises a viewer and leaves staff as they are', async () => {
  const viewer = await edge.register();
  await edge.database.asOwner('update users set role = $2 where id = $1', [
    viewer.session.user.id,
    'admin',
  ]);
  const raised = await viewer.call('POST', '/v1/auth/performer');
  expect(raised.body.user.role).toBe('admin');
});

test('a logged-out session cannot be renewed', async () => {
  const cookie = cookiesOf(await register({ email: 'leave@example.com', username: 'Leave' }));
  expect((await edge.call('POST', '/v1/auth/logout', { headers: { cookie } })).status).toBe(204);
  expect((await edge.call('POST', '/v1/auth/refresh', { headers: { cookie } })).status).toBe(401);
});

test('a request with our cookie from a foreign page is refused', async () => {
  const answer = await edge.call('POST', '/v1/auth/refresh', {
    headers: { origin: 'https://evil.example' },
  });
  expect([answer.status, answer.body.code]).toEqual([403, 'untrusted-origin']);
});

test('log-in attempts from one address are limited', async () => {
  const attempt = () =>
    edge.call('POST', '/v1/auth/login', {
      body: { email: 'x', password: '' },
      headers: { 'x-test-address': '203.0.113.77' },
    });
  const answers = await Promise.all(Array.from({ length: 25 }, attempt));
  const limited = answers.filter((answer) => answer.status === 429);
  // The window may turn over once while the requests run.
  expect(limited.length).toBeGreaterThanOrEqual(1);
  expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThan(0);
});

describe('guessing passwords', () => {
  const known = { email: 'owner@example.com', username: 'Owner' };
  const attempt = (email: string, password: string, cookie = '') =>
    edge.call('POST', '/v1/auth/login', {
      body: { email, password },
      headers: { 'x-test-address': newAddress(), ...(cookie ? { cookie } : {}) },
    });

  test('ends soon for strangers, whoever they guess at and from however many lines', async () => {
    await register({ email: 'guessed@example.com', username: 'Guessed' });
    for (const email of ['guessed@example.com', 'nobody-at-all@example.com']) {
      const answers = [];
      for (let guess = 0; guess < 14; guess += 1)
        answers.push(await attempt(email, `guess ${guess}`));
      expect(answers.map(({ body }) => body.code)).toEqual([
        ...Array(10).fill('invalid-credentials'),
        ...Array(4).fill('login-confirmation-needed'),
      ]);
    }
  });

  test('locks out nobody who has logged in from this browser before', async () => {
    const registered = await register(known);
    for (let guess = 0; guess < 12; guess += 1) await attempt(known.email, `guess ${guess}`);
    expect((await attempt(known.email, registration.password)).body.code).toBe(
      'login-confirmation-needed',
    );
    const device = cookiesOf(registered);
    expect((await attempt(known.email, registration.password, device)).status).toBe(200);
    // A cookie that somebody made up is a stranger's.
    const invented = device.replace(/(livepanty_device=)[^;]+/, '$1invented');
    expect((await attempt(known.email, registration.password, invented)).body.code).toBe(
      'login-confirmation-needed',
    );
    // Nor is the browser of somebody else one of theirs.
    const other = await register({ email: 'other-owner@example.com', username: 'OtherOwner' });
    expect((await attempt(known.email, registration.password, cookiesOf(other))).body.code).toBe(
      'login-confirmation-needed',
    );
  });
});

test('while passwords are hashed everything else goes on, and who comes when too many wait is told so', async () => {
  const person = await edge.register();
  const guesses = Array.from({ length: 60 }, (_, index) =>
    login(`crowd-${index}@example.com`, 'a guess at it'),
  );
  const waits: number[] = [];
  for (let read = 0; read < 20; read += 1) {
    const askedAt = performance.now();
    expect((await person.call('GET', '/v1/wallet')).status).toBe(200);
    waits.push(performance.now() - askedAt);
  }
  const codes = (await Promise.all(guesses)).map(({ body }) => body.code);
  expect(new Set(codes)).toEqual(new Set(['invalid-credentials', 'busy']));
  expect(codes.filter((code) => code === 'invalid-credentials').length).toBeGreaterThan(30);
  // A hash takes several times as long; one after another on this thread would make each read wait for one.
  expect(waits.toSorted((a, b) => a - b)[10]).toBeLessThan(40);
}, 60_000);

test('a log-in with a password that is changed while it is looked at opens nothing', async () => {
  const person = await edge.register();
  const { verify } = edge.parts.deps.passwords;
  edge.parts.deps.passwords.verify = async (password, hash) => {
    const isRight = await verify(password, hash);
    await edge.database.asOwner(`update users set password_hash = 'changed' where id = $1`, [
      person.session.user.id,
    ]);
    return isRight;
  };
  const answer = await edge.call('POST', '/v1/auth/login', {
    body: { email: person.session.user.email, password: 'a long enough password' },
    headers: { 'x-test-address': newAddress() },
  });
  edge.parts.deps.passwords.verify = verify;
  expect([answer.status, answer.body.code]).toEqual([401, 'invalid-credentials']);
});
