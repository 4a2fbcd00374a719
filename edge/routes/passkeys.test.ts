// Passkeys: one that signs logs in and proves, and nothing that is not signed for us, now, by it, does.
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { newAddress, type Person, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { type Authenticator, createAuthenticator, type Lies } from '../testing/authenticator.ts';
import { refused } from '../testing/cast.ts';

let edge: TestEdge;
beforeAll(async () => {
  edge = await startTestEdge();
});
afterAll(() => edge.close());

const path = '/v1/auth/passkeys';
const password = 'a long enough password';
const fresh = () => ({ headers: { 'x-test-address': newAddress() } });

/** `token` is of a session in which a second factor was shown, where there is one already. */
async function askToMake(person: Person, token?: string) {
  const headers = token ? { authorization: `Bearer ${token}` } : {};
  return (await person.call('POST', `${path}/options`, { body: { password }, headers })).body;
}

async function make(person: Person, authenticator: Authenticator, lies: Lies = {}, token?: string) {
  const name = 'Phone';
  const { challengeId, options } = await askToMake(person, token);
  const credential = authenticator.make(options, lies);
  return person.call('POST', path, { body: { challengeId, name, credential } });
}

async function logIn(authenticator: Authenticator, lies: Lies = {}) {
  const { challengeId, options } = (await edge.call('POST', `${path}/login/options`, fresh())).body;
  const credential = authenticator.show(options, lies);
  return edge.call('POST', `${path}/login`, { body: { challengeId, credential }, ...fresh() });
}

async function enrolled() {
  const person = await edge.register();
  const authenticator = createAuthenticator(edge.url);
  const made = await make(person, authenticator);
  return { person, authenticator, made };
}

test('a passkey that was made logs its person in, and counts as a second factor', async () => {
  const { person, authenticator, made } = await enrolled();
  expect(made.status).toBe(201);
  expect(made.body.passkey).toMatchObject({
    id: authenticator.id,
    name: 'Phone',
    lastUsedAt: null,
  });
  const opened = await logIn(authenticator);
  expect(opened.status).toBe(200);
  expect(opened.body.user.id).toBe(person.session.user.id);
  const headers = { authorization: `Bearer ${opened.body.accessToken}` };
  // What asks for a proof takes it.
  const removed = await edge.call('DELETE', `${path}/${authenticator.id}`, { headers });
  expect(removed.status).toBe(204);
  expect(refused(await logIn(authenticator))).toEqual([401, 'passkey-wrong']);
});

test('it is made with the password, once, and beside another factor with that one', async () => {
  const stranger = await edge.register();
  const wrong = { body: { password: 'another one' } };
  expect(refused(await stranger.call('POST', `${path}/options`, wrong))).toEqual([
    403,
    'password-wrong',
  ]);
  const { person, authenticator, made } = await enrolled();
  const token = made.body.session.accessToken;
  const without = await person.call('POST', `${path}/options`, { body: { password } });
  expect(refused(without)).toEqual([403, 'step-up-needed']);
  const { options } = await askToMake(person, token);
  expect(options.excludeCredentials).toMatchObject([{ id: authenticator.id }]);
  expect(refused(await make(person, authenticator, {}, token))).toEqual([409, 'factor-exists']);
  // Nor is it taken over by somebody else who has seen its id.
  expect(refused(await make(stranger, authenticator))).toEqual([409, 'factor-exists']);
});

const lies: [string, Lies][] = [
  ['for another site', { origin: 'https://elsewhere.example' }],
  ['for another host', { host: 'elsewhere.example' }],
  ['for another challenge', { challenge: 'AAAA' }],
  ['for another purpose', { type: 'webauthn.other' }],
  ['without a finger, a face or a PIN', { isVerified: false }],
  ['with nobody there', { isPresent: false, isVerified: false }],
];

test.each(lies)('what is made %s is refused', async (_, lie) => {
  const person = await edge.register();
  expect(refused(await make(person, createAuthenticator(edge.url), lie))).toEqual([
    401,
    'passkey-wrong',
  ]);
  expect((await person.call('GET', path)).body.passkeys).toEqual([]);
});

test.each([
  ...lies,
  ['by another key', { key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }],
  ['by nobody', { signature: new Uint8Array(70) }],
  ['in the name of somebody else', { userHandle: 'c29tZWJvZHkgZWxzZQ' }],
] satisfies [string, Lies][])('what is signed %s logs nobody in', async (_, lie) => {
  const { authenticator } = await enrolled();
  expect(refused(await logIn(authenticator, lie))).toEqual([401, 'passkey-wrong']);
  expect((await logIn(authenticator)).status).toBe(200);
});

test('a challenge is answered once, by whom it was asked, for what it was asked', async () => {
  const { person, authenticator } = await enrolled();
  const asked = (await edge.call('POST', `${path}/login/options`, fresh())).body;
  const body = {
    challengeId: asked.challengeId,
    credential: authenticator.show(asked.options),
  };
  // At most one of many at once.
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => edge.call('POST', `${path}/login`, { body, ...fresh() })),
  );
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array(7).fill(401)]);
  // A challenge to log in proves nothing in a session, and the other way round.
  const login = (await edge.call('POST', `${path}/login/options`, fresh())).body;
  const swapped = await person.call('POST', `${path}/proof`, {
    body: { challengeId: login.challengeId, credential: authenticator.show(login.options) },
  });
  expect(refused(swapped)).toEqual([401, 'session-expired']);
  const proof = (await person.call('POST', `${path}/proof/options`)).body;
  const answer = { challengeId: proof.challengeId, credential: authenticator.show(proof.options) };
  const stranger = await edge.register();
  expect(refused(await stranger.call('POST', `${path}/proof`, { body: answer }))).toEqual([
    401,
    'session-expired',
  ]);
  expect((await person.call('POST', `${path}/proof`, { body: answer })).status).toBe(200);
});

test('the passkey of one person proves nothing for another', async () => {
  const { authenticator } = await enrolled();
  const { person } = await enrolled();
  const { challengeId, options } = (await person.call('POST', `${path}/proof/options`)).body;
  const credential = authenticator.show(options);
  const answer = await person.call('POST', `${path}/proof`, { body: { challengeId, credential } });
  expect(refused(answer)).toEqual([401, 'passkey-wrong']);
});

test('a counter that stands still tells of a copy, which is refused and noted', async () => {
  const { person, authenticator } = await enrolled();
  expect((await logIn(authenticator, { count: 7 })).status).toBe(200);
  expect(refused(await logIn(authenticator, { count: 7 }))).toEqual([401, 'passkey-wrong']);
  expect(refused(await logIn(authenticator, { count: 6 }))).toEqual([401, 'passkey-wrong']);
  const noted = await edge.database.asOwner(
    `select 1 from audit_log where actor_id = $1 and action = 'suspicion.passkey-copied'`,
    [person.session.user.id],
  );
  expect(noted).toHaveLength(2);
});

test('those that do not count go on without', async () => {
  const person = await edge.register();
  const authenticator = createAuthenticator(edge.url);
  await make(person, authenticator, { count: 0 });
  expect((await logIn(authenticator, { count: 0 })).status).toBe(200);
  expect((await logIn(authenticator, { count: 0 })).status).toBe(200);
});

test('somebody names and removes their own passkeys, and nobody else’s; twenty are the most', async () => {
  const { person, authenticator, made } = await enrolled();
  const other = (await enrolled()).person;
  const one = `${path}/${authenticator.id}`;
  const renamed = await person.call('PATCH', one, { body: { name: '  Laptop ' } });
  expect(renamed.body.name).toBe('Laptop');
  expect(refused(await other.call('PATCH', one, { body: { name: 'Mine' } }))).toEqual([
    404,
    'not-found',
  ]);
  // Whoever has shown nothing lately is asked to first.
  expect(refused(await person.call('DELETE', one))).toEqual([403, 'step-up-needed']);
  const headers = { authorization: `Bearer ${made.body.session.accessToken}` };
  await edge.database.asOwner(
    `insert into passkeys (credential_id, user_id, public_key, sign_count, backed_up, name)
      select decode(lpad(to_hex(n), 8, '0'), 'hex') || uuid_send(gen_random_uuid()), $1, '', 0, false, 'one more'
        from generate_series(1, 19) n`,
    [person.session.user.id],
  );
  const { accessToken } = made.body.session;
  const refusedOne = await make(person, createAuthenticator(edge.url), {}, accessToken);
  expect(refused(refusedOne)).toEqual([409, 'passkey-limit']);
  expect((await edge.call('DELETE', one, { headers })).status).toBe(204);
  expect((await person.call('GET', path)).body.passkeys).toHaveLength(19);
});

test('a ban keeps a passkey from logging in', async () => {
  const { person, authenticator } = await enrolled();
  await edge.database.asOwner('update users set banned_at = now() where id = $1', [
    person.session.user.id,
  ]);
  expect(refused(await logIn(authenticator))).toEqual([403, 'account-banned']);
});

test('a request that has waited while its session ended adds nothing', async () => {
  const person = await edge.register();
  const { challengeId, options } = await askToMake(person);
  const credential = createAuthenticator(edge.url).make(options);
  // As if the session had ended between the look at the token and the act.
  await edge.database.asOwner('update sessions set revoked_at = now() where user_id = $1', [
    person.session.user.id,
  ]);
  const late = await person.call('POST', path, { body: { challengeId, name: 'Late', credential } });
  expect(refused(late)).toEqual([401, 'session-expired']);
  const kept = await edge.database.asOwner('select from passkeys where user_id = $1', [
    person.session.user.id,
  ]);
  expect(kept).toEqual([]);
});
