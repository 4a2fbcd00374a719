// Passwords: who has forgotten theirs gets in by their mailbox and nobody else does, and nobody learns who is there.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Person, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { createAccountActs, password } from '../testing/accounts.ts';
import { refused } from '../testing/cast.ts';

const next = 'another long password';

let edge: TestEdge;
let acts: ReturnType<typeof createAccountActs>;
beforeAll(async () => {
  edge = await startTestEdge();
  acts = createAccountActs(edge);
});
afterAll(() => edge.close());

const askReset = (email: string) => acts.post('/password/reset', { email });
const reset = (token: string, word = next) =>
  acts.post('/password/reset/confirmation', { token, password: word });
const change = (person: Person, currentPassword: string, newPassword = next) =>
  person.call('POST', '/v1/auth/password', { body: { currentPassword, newPassword } });
const me = async (person: Person) => (await person.call('GET', '/v1/auth/me')).status;
/** Deferred work leaves a mail, or is over without one. */
const openLinks = async (person: Person, purpose: string) =>
  edge.database.asOwner(
    'select hash from mail_tokens where user_id = $1 and purpose = $2 and used_at is null',
    [person.session.user.id, purpose],
  );
async function resetToken(person: Person): Promise<string> {
  const email = acts.emailOf(person);
  expect((await askReset(email)).status).toBe(202);
  await expect.poll(() => openLinks(person, 'reset')).toHaveLength(1);
  return acts.tokenFor(email, 'reset');
}

test('a mailed link chooses a new password, logs all devices out, and nobody in', async () => {
  const person = await edge.register();
  const other = await acts.logIn(acts.emailOf(person));
  const answer = await reset(await resetToken(person));
  expect(answer.status).toBe(204);
  expect(answer.headers.getSetCookie()).toEqual([]);
  expect(await me(person)).toBe(401);
  expect((await acts.refresh(person.cookie)).status).toBe(401);
  expect((await acts.refresh(acts.cookiesOf(other))).status).toBe(401);
  expect((await acts.logIn(acts.emailOf(person))).body.code).toBe('invalid-credentials');
  expect((await acts.logIn(acts.emailOf(person), next)).status).toBe(200);
  const [row] = await edge.database.asOwner(
    `select ended_for from sessions where user_id = $1 and ended_for is not null limit 1`,
    [person.session.user.id],
  );
  expect(row).toEqual({ ended_for: 'password' });
  expect((await edge.mailbox.list(acts.emailOf(person))).map(({ subject }) => subject)).toContain(
    'Your password was changed',
  );
});

test('a link works once, for its time, and for what it was mailed for', async () => {
  const person = await edge.register();
  const token = await resetToken(person);
  expect(refused(await acts.post('/login-link', { token }))).toEqual([410, 'link-over']);
  const verified = await person.call('POST', '/v1/auth/email/verification', { body: { token } });
  expect(refused(verified)).toEqual([410, 'link-over']);
  expect((await reset(token)).status).toBe(204);
  expect(refused(await reset(token, 'a third long password'))).toEqual([410, 'link-over']);
  const late = await resetToken(person);
  await acts.expire(person.session.user.id);
  expect(refused(await reset(late))).toEqual([410, 'link-over']);
});

test('of two who use a link at once one chooses the password', async () => {
  const person = await edge.register();
  const token = await resetToken(person);
  const words = ['first of two words', 'second of two words'];
  const answers = await Promise.all(words.map((word) => reset(token, word)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 410]);
  const won = words[answers.findIndex(({ status }) => status === 204)] ?? '';
  expect((await acts.logIn(acts.emailOf(person), won)).status).toBe(200);
});

test('a refused password leaves the link as it was', async () => {
  const person = await edge.register();
  const token = await resetToken(person);
  expect(refused(await reset(token, 'password123'))).toEqual([422, 'password-common']);
  expect(refused(await reset(token, `${person.session.user.username}!`))).toEqual([
    422,
    'password-common',
  ]);
  expect((await reset(token, 'short')).status).toBe(422);
  expect((await reset(token)).status).toBe(204);
});

test('a new password goes past no second factor', async () => {
  const person = await edge.register();
  const nextCode = await acts.enrol(person);
  const halfDone = await acts.logIn(acts.emailOf(person));
  expect((await reset(await resetToken(person))).status).toBe(204);
  const asked = await acts.logIn(acts.emailOf(person), next);
  expect(refused(asked)).toEqual([401, 'second-factor-needed']);
  const answer = async (challengeId: string) =>
    acts.post('/second-factor/login', { challengeId, code: await nextCode() });
  // A log-in that was begun with the password of before does not go on.
  expect(refused(await answer(halfDone.body.challengeId))).toEqual([401, 'session-expired']);
  expect((await answer(asked.body.challengeId)).status).toBe(200);
});

test('a stranger who has registered with somebody’s address does not keep them out by a second factor', async () => {
  const person = await edge.register();
  await acts.enrol(person);
  await edge.database.asOwner('update users set email_verified_at = null where id = $1', [
    person.session.user.id,
  ]);
  expect((await reset(await resetToken(person))).status).toBe(204);
  const answer = await acts.logIn(acts.emailOf(person), next);
  expect(answer.status).toBe(200);
  expect(answer.body.user.emailVerified).toBe(true);
  expect(await me(person)).toBe(401);
});

test('one mailbox is not flooded, and nobody else’s is written to', async () => {
  const person = await edge.register();
  const stranger = `nobody-${person.session.user.username}@example.com`;
  for (let turn = 0; turn < 5; turn += 1) {
    expect((await askReset(acts.emailOf(person))).status).toBe(202);
    expect((await askReset(stranger)).status).toBe(202);
  }
  const resets = async (to: string) =>
    (await edge.mailbox.list(to)).filter(({ subject }) => subject === 'Choose a new password')
      .length;
  await expect.poll(() => resets(acts.emailOf(person))).toBe(3);
  expect(await resets(stranger)).toBe(0);
  expect(await edge.mailbox.list(stranger)).toEqual([]);
});

test('a password is changed with the present one; this device stays logged in and all others do not', async () => {
  const person = await edge.register();
  const other = await acts.logIn(acts.emailOf(person));
  const pending = await resetToken(person);
  expect(refused(await change(person, 'not the present one'))).toEqual([403, 'password-wrong']);
  expect(refused(await change(person, password, 'password123'))).toEqual([422, 'password-common']);
  expect((await change(person, password)).status).toBe(204);
  expect(await me(person)).toBe(200);
  expect((await acts.refresh(person.cookie)).status).toBe(200);
  expect((await acts.refresh(acts.cookiesOf(other))).status).toBe(401);
  expect((await acts.logIn(acts.emailOf(person), next)).status).toBe(200);
  expect(refused(await reset(pending))).toEqual([410, 'link-over']);
});

test('of two changes at once the second is told that its present password is none any more', async () => {
  const person = await edge.register();
  const answers = await Promise.all([
    change(person, password, 'first of two words'),
    change(person, password, 'second of two words'),
  ]);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 403]);
});

test('whoever has got hold of a session does not find the password out by it', async () => {
  const person = await edge.register();
  const codes = [];
  for (let turn = 0; turn < 12; turn += 1) {
    codes.push((await change(person, `a guess ${turn}`)).body.code);
  }
  expect(codes).toEqual([...Array(10).fill('password-wrong'), 'rate-limited', 'rate-limited']);
});

test('with a second factor a password is changed by whoever has just shown it', async () => {
  const person = await edge.register();
  const nextCode = await acts.enrol(person);
  // The token is of before the code was shown.
  expect(refused(await change(person, password))).toEqual([403, 'step-up-needed']);
  const proven = await person.call('POST', '/v1/auth/second-factor/proof', {
    body: { code: await nextCode() },
  });
  const answer = await edge.call('POST', '/v1/auth/password', {
    body: { currentPassword: password, newPassword: next },
    headers: { authorization: `Bearer ${proven.body.accessToken}` },
  });
  expect(answer.status).toBe(204);
});

test('where many have guessed at a password a mailed link logs in, once', async () => {
  const person = await edge.register();
  const email = acts.emailOf(person);
  for (let guess = 0; guess < 10; guess += 1) await acts.logIn(email, `guess ${guess}`);
  expect(refused(await acts.logIn(email))).toEqual([403, 'login-confirmation-needed']);
  await expect.poll(() => openLinks(person, 'login')).toHaveLength(1);
  const token = await acts.tokenFor(email, 'login');
  const answer = await acts.post('/login-link', { token });
  expect(answer.status).toBe(200);
  expect(answer.body.user.email).toBe(email);
  expect(refused(await acts.post('/login-link', { token }))).toEqual([410, 'link-over']);
  // From now on the browser is known, and strangers' guesses keep it out no more.
  const again = await acts.logIn(email, password, { cookie: acts.cookiesOf(answer) });
  expect(again.status).toBe(200);
});

test('a link that logs in asks for the second factor as well', async () => {
  const person = await edge.register();
  const nextCode = await acts.enrol(person);
  const email = acts.emailOf(person);
  for (let guess = 0; guess < 11; guess += 1) await acts.logIn(email, `guess ${guess}`);
  await expect.poll(() => openLinks(person, 'login')).toHaveLength(1);
  const asked = await acts.post('/login-link', { token: await acts.tokenFor(email, 'login') });
  expect(refused(asked)).toEqual([401, 'second-factor-needed']);
  expect(asked.headers.getSetCookie()).toEqual([]);
  const { challengeId } = asked.body;
  const answer = await acts.post('/second-factor/login', { challengeId, code: await nextCode() });
  expect(answer.status).toBe(200);
});

test('a log-in from a browser that is new to somebody is mailed to them, one from a known browser is not', async () => {
  const person = await edge.register();
  const email = acts.emailOf(person);
  const told = async () =>
    (await edge.mailbox.list(email)).filter(({ subject }) => subject.startsWith('New log-in'));
  expect(await told()).toEqual([]);
  const firefox = { 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0' };
  const answer = await acts.logIn(email, password, firefox);
  expect((await edge.mailbox.newest(email)).text).toContain('Firefox on Linux');
  expect(await told()).toHaveLength(1);
  await acts.logIn(email, password, { ...firefox, cookie: acts.cookiesOf(answer) });
  await edge.mailbox.newest(email);
  expect(await told()).toHaveLength(1);
});

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

describe('how long an answer takes does not tell who has an account:', () => {
  const differenceMsMax = 5;
  const turnsPerRound = 48;
  /** Noise goes with more samples, and a difference that is there stays. */
  const roundsMax = 5;

  test.each([
    ['a log-in', (email: string) => acts.logIn(email, 'a wrong password')],
    ['a new password', (email: string) => askReset(email)],
  ])(
    '%s',
    async (_, ask) => {
      const timesMs: Record<'known' | 'unknown', number[]> = { known: [], unknown: [] };
      const statuses = new Set<number>();
      const timed = async (who: 'known' | 'unknown', email: string) => {
        const askedAt = performance.now();
        statuses.add((await ask(email)).status);
        timesMs[who].push(performance.now() - askedAt);
      };
      let differenceMs = Number.POSITIVE_INFINITY;
      for (let round = 0; round < roundsMax && differenceMs >= differenceMsMax; round += 1) {
        // So many that no limit of one address is reached.
        const people = await Promise.all(Array.from({ length: 24 }, () => edge.register()));
        const emails = people.map(acts.emailOf);
        for (let turn = 0; turn < turnsPerRound; turn += 1) {
          const known = emails[turn % emails.length] ?? '';
          const pair = [
            ['known', known],
            ['unknown', `nobody-${known}`],
          ] as const;
          // In turns, and each of them first as often as second.
          for (const [who, email] of turn % 2 ? pair : pair.toReversed()) await timed(who, email);
        }
        differenceMs = Math.abs(median(timesMs.known) - median(timesMs.unknown));
      }
      expect(statuses.size).toBe(1);
      expect(differenceMs).toBeLessThan(differenceMsMax);
    },
    180_000,
  );
});
