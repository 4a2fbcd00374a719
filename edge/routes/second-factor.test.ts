// Second factors: without the code a password alone opens nothing, and each code opens once.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  cookiesOf,
  newAddress,
  type Person,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { totpAt } from '../services/totp.ts';
import { refused } from '../testing/cast.ts';

let edge: TestEdge;
/** Where the clock of the edge stands, besides the usual. */
let ahead = 0;
beforeAll(async () => {
  edge = await startTestEdge();
  edge.parts.deps.now = () => new Date(Date.now() + ahead);
});
beforeEach(() => {
  ahead = 0;
});
afterAll(() => edge.close());

const path = '/v1/auth/second-factor';
/** Every code of an app is taken once: the next one comes half a minute later. */
const nextCode = (secret: string) => {
  ahead += 30_000;
  return totpAt(secret, edge.parts.deps.now());
};
const begin = (person: Person, password = 'a long enough password') =>
  person.call('POST', `${path}/totp`, { body: { password } });
async function enrolled() {
  const person = await edge.register();
  const begun = await begin(person);
  const { secret, uri } = begun.body;
  const confirmed = await person.call('POST', `${path}/totp/confirmation`, {
    body: { code: await nextCode(secret) },
  });
  return { person, secret: secret as string, uri: uri as string, confirmed };
}
const logIn = (person: Person, password = 'a long enough password') =>
  edge.call('POST', '/v1/auth/login', {
    body: { email: person.session.user.email, password },
    headers: { 'x-test-address': newAddress() },
  });
const answer = (challengeId: string, code: string) =>
  edge.call('POST', `${path}/login`, {
    body: { challengeId, code },
    headers: { 'x-test-address': newAddress() },
  });
const asSession = (token: string) => ({ authorization: `Bearer ${token}` });

test('an app counts once it has shown a code, and its secret is shown once and kept sealed', async () => {
  const person = await edge.register();
  const { body } = await begin(person);
  expect(body.uri).toContain(body.secret);
  // Until then a password is enough, and it can be begun anew.
  expect((await logIn(person)).status).toBe(200);
  const again = await begin(person);
  expect(again.body.secret).not.toBe(body.secret);
  const wrong = await person.call('POST', `${path}/totp/confirmation`, {
    body: { code: await nextCode(body.secret) },
  });
  expect(refused(wrong)).toEqual([401, 'second-factor-wrong']);
  const confirmed = await person.call('POST', `${path}/totp/confirmation`, {
    body: { code: await nextCode(again.body.secret) },
  });
  expect(new Set(confirmed.body.recoveryCodes).size).toBe(10);
  expect((await person.call('GET', path)).body).toEqual({
    totp: true,
    passkeys: 0,
    recoveryCodesLeft: 10,
  });
  expect(refused(await begin(person))).toEqual([403, 'step-up-needed']);
  const proven = await person.call('POST', `${path}/totp`, {
    body: { password: 'a long enough password' },
    headers: asSession(confirmed.body.session.accessToken),
  });
  expect(refused(proven)).toEqual([409, 'factor-exists']);
  const kept = await edge.database.asOwner(
    `select t::text || coalesce((select string_agg(hash, ' ') from recovery_codes), '') as text from totp_factors t`,
  );
  expect(JSON.stringify(kept)).not.toContain(again.body.secret);
  for (const code of confirmed.body.recoveryCodes) expect(JSON.stringify(kept)).not.toContain(code);
});

test('the right password opens nothing until a code is shown, and then a session that says so', async () => {
  const { person, secret } = await enrolled();
  const asked = await logIn(person);
  expect(refused(asked)).toEqual([401, 'second-factor-needed']);
  expect(asked.headers.getSetCookie()).toEqual([]);
  // A wrong password does not tell whether there is a second factor.
  expect(refused(await logIn(person, 'a wrong password'))).toEqual([401, 'invalid-credentials']);
  const { challengeId } = asked.body;
  expect(refused(await answer(challengeId, '000000'))).toEqual([401, 'second-factor-wrong']);
  const opened = await answer(challengeId, await nextCode(secret));
  expect(opened.status).toBe(200);
  const { body } = await edge.call('GET', '/v1/auth/sessions', {
    headers: asSession(opened.body.accessToken),
  });
  expect(body.devices[0].methods).toEqual(['password', 'totp']);
  // The challenge is over.
  expect(refused(await answer(challengeId, await nextCode(secret)))).toEqual([
    401,
    'session-expired',
  ]);
});

test('a code is taken once, also by many at the same moment', async () => {
  const { person, secret } = await enrolled();
  const code = await nextCode(secret);
  const proofs = await Promise.all(
    Array.from({ length: 8 }, () => person.call('POST', `${path}/proof`, { body: { code } })),
  );
  expect(proofs.filter(({ status }) => status === 200)).toHaveLength(1);
  expect(
    new Set(proofs.filter(({ status }) => status !== 200).map((one) => one.body.code)),
  ).toEqual(new Set(['second-factor-wrong']));
});

test('five wrong codes end a challenge, and guessing ends soon whatever is asked anew', async () => {
  const { person, secret } = await enrolled();
  const { challengeId } = (await logIn(person)).body;
  for (let guess = 0; guess < 5; guess += 1) await answer(challengeId, `00000${guess}`);
  expect(refused(await answer(challengeId, await nextCode(secret)))).toEqual([
    401,
    'session-expired',
  ]);
  const codes: string[] = [];
  for (let challenge = 0; challenge < 2; challenge += 1) {
    const next = (await logIn(person)).body.challengeId;
    for (let guess = 0; guess < 5; guess += 1) {
      codes.push((await answer(next, `00000${guess}`)).body.code);
    }
  }
  expect(new Set(codes)).toEqual(new Set(['second-factor-wrong', 'rate-limited']));
});

test('a newer challenge ends the one before, and none lives long', async () => {
  const { person, secret } = await enrolled();
  const [older, newer] = [(await logIn(person)).body, (await logIn(person)).body];
  expect(refused(await answer(older.challengeId, await nextCode(secret)))).toEqual([
    401,
    'session-expired',
  ]);
  await edge.database.asOwner('update challenges set expires_at = now() where id = $1', [
    newer.challengeId,
  ]);
  expect(refused(await answer(newer.challengeId, await nextCode(secret)))).toEqual([
    401,
    'session-expired',
  ]);
});

test('a recovery code works once in place of the app, and new ones replace all of before', async () => {
  const { person, confirmed } = await enrolled();
  const [first, second] = confirmed.body.recoveryCodes;
  const { challengeId } = (await logIn(person)).body;
  // As somebody would copy it from paper.
  const typed = first.toUpperCase().replace(/(.{4})(?=.)/g, '$1-');
  const opened = await answer(challengeId, typed);
  expect(opened.status).toBe(200);
  expect(refused(await person.call('POST', `${path}/proof`, { body: { code: first } }))).toEqual([
    401,
    'second-factor-wrong',
  ]);
  const headers = asSession(opened.body.accessToken);
  const fresh = await edge.call('POST', `${path}/recovery-codes`, { headers });
  expect(fresh.body.recoveryCodes).toHaveLength(10);
  expect(refused(await person.call('POST', `${path}/proof`, { body: { code: second } }))).toEqual([
    401,
    'second-factor-wrong',
  ]);
  expect(
    (await person.call('POST', `${path}/proof`, { body: { code: fresh.body.recoveryCodes[0] } }))
      .status,
  ).toBe(200);
});

test('taking the app off needs a code that was shown a short while ago', async () => {
  const { person, secret } = await enrolled();
  // The session of before has shown nothing.
  expect(refused(await person.call('DELETE', `${path}/totp`))).toEqual([403, 'step-up-needed']);
  await edge.database.asOwner(
    `update sessions set second_factor_at = now() - interval '16 minutes' where user_id = $1`,
    [person.session.user.id],
  );
  const renewed = await edge.call('POST', '/v1/auth/refresh', {
    headers: { cookie: person.cookie },
  });
  const late = asSession(renewed.body.accessToken);
  expect(refused(await edge.call('DELETE', `${path}/totp`, { headers: late }))).toEqual([
    403,
    'step-up-needed',
  ]);
  const proof = await edge.call('POST', `${path}/proof`, {
    headers: late,
    body: { code: await nextCode(secret) },
  });
  const proven = asSession(proof.body.accessToken);
  expect((await edge.call('DELETE', `${path}/totp`, { headers: proven })).status).toBe(204);
  expect((await logIn(person)).status).toBe(200);
  expect((await edge.call('GET', path, { headers: proven })).body).toMatchObject({
    totp: false,
    recoveryCodesLeft: 0,
  });
});

test('an app that was begun and never confirmed proves nothing', async () => {
  const person = await edge.register();
  const { secret } = (await begin(person)).body;
  const proof = await person.call('POST', `${path}/proof`, {
    body: { code: await nextCode(secret) },
  });
  expect(refused(proof)).toEqual([401, 'second-factor-wrong']);
});

test('an app is begun with the password alone, and guessing it from a stolen session ends soon', async () => {
  const person = await edge.register();
  const codes: string[] = [];
  for (let guess = 0; guess < 12; guess += 1) {
    codes.push((await begin(person, `guess number ${guess}`)).body.code);
  }
  expect(codes).toEqual([...Array(10).fill('password-wrong'), ...Array(2).fill('rate-limited')]);
  expect((await begin(person)).body.code).toBe('rate-limited');
  expect((await edge.register().then(begin)).status).toBe(201);
});

test('without the app what was shown in a session counts no more', async () => {
  const { person, secret } = await enrolled();
  const login = (await logIn(person)).body;
  const opened = await answer(login.challengeId, await nextCode(secret));
  const headers = asSession(opened.body.accessToken);
  const ended = await edge.call('DELETE', `${path}/totp`, { headers });
  expect(ended.status).toBe(204);
  const cookie = cookiesOf(opened);
  const renewed = await edge.call('POST', '/v1/auth/refresh', { headers: { cookie } });
  const again = await edge.call('POST', `${path}/recovery-codes`, {
    headers: asSession(renewed.body.accessToken),
  });
  expect(refused(again)).toEqual([403, 'step-up-needed']);
});

test('whoever changes how they log in is told by mail', async () => {
  const { person, secret, confirmed } = await enrolled();
  const { email } = person.session.user;
  const told = async () => (await edge.mailbox.list(email)).map(({ text }) => text).join();
  await expect.poll(told).toContain('An authenticator app was added');
  const { challengeId } = (await logIn(person)).body;
  const opened = await answer(challengeId, confirmed.body.recoveryCodes[0]);
  await expect.poll(told).toContain('one of your recovery codes');
  const headers = asSession(opened.body.accessToken);
  await edge.call('POST', `${path}/recovery-codes`, { headers });
  await expect.poll(told).toContain('new recovery codes');
  await edge.call('POST', `${path}/proof`, { headers, body: { code: await nextCode(secret) } });
  await edge.call('DELETE', `${path}/totp`, { headers });
  await expect.poll(told).toContain('was removed from your account');
});

test('an app that was begun and not shown is none after a while, nor behind the back of a passkey', async () => {
  const person = await edge.register();
  const { secret } = (await begin(person)).body;
  const confirm = async () =>
    person.call('POST', `${path}/totp/confirmation`, { body: { code: await nextCode(secret) } });
  const { id } = person.session.user;
  const age = (interval: string) =>
    edge.database.asOwner(
      `update totp_factors set created_at = now() - $2::interval where user_id = $1`,
      [id, interval],
    );
  await age('15 minutes');
  expect(refused(await confirm())).toEqual([401, 'second-factor-wrong']);
  await age('1 minute');
  await edge.database.asOwner(
    `insert into passkeys (credential_id, user_id, public_key, sign_count, backed_up, name)
      values (uuid_send(gen_random_uuid()), $1, '', 0, false, 'Phone')`,
    [id],
  );
  expect(refused(await confirm())).toEqual([403, 'step-up-needed']);
});
