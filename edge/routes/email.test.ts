// E-mail addresses: who has not shown that theirs is theirs looks round only, and each link works once.
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { linkPages } from '#contract';
import { newKey, type Person, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { createAccountActs, password } from '../testing/accounts.ts';
import { createCast, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: ReturnType<typeof createCast>;
let acts: ReturnType<typeof createAccountActs>;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  acts = createAccountActs(edge);
});
afterAll(() => edge.close());

const post = (path: string, body: object) => acts.post(`/email${path}`, body);
/** Links about one's own account are opened by whoever is logged in to it. */
const verify = (person: Person, token: string) =>
  person.call('POST', '/v1/auth/email/verification', { body: { token } });
const change = (person: Person, token: string) =>
  person.call('POST', '/v1/auth/email/change', { body: { token } });
const isVerified = async (person: Person) =>
  (await person.call('GET', '/v1/auth/me')).body.emailVerified;

/** Somebody who has not opened the mail of their registration. */
async function newcomer(role?: 'performer'): Promise<Person> {
  const person = await edge.register(role);
  await edge.database.asOwner('update users set email_verified_at = null where id = $1', [
    person.session.user.id,
  ]);
  return person;
}

test('registering mails a link whose secret stands behind the #, and opening it shows the mailbox is theirs', async () => {
  const person = await newcomer();
  expect(await isVerified(person)).toBe(false);
  const link = await edge.mailbox.linkFor(acts.emailOf(person), 'verify');
  expect(link.pathname).toBe(linkPages.verify);
  expect(link.search).toBe('');
  // 256 bits.
  expect(link.hash).toMatch(/^#[A-Za-z0-9_-]{43}$/);
  expect((await verify(person, link.hash.slice(1))).status).toBe(204);
  expect(await isVerified(person)).toBe(true);
  expect(refused(await verify(person, link.hash.slice(1)))).toEqual([410, 'link-over']);
});

test('only a hash of the secret is kept', async () => {
  const person = await newcomer();
  const token = await acts.tokenFor(acts.emailOf(person), 'verify');
  const rows = await edge.database.asOwner('select t::text from mail_tokens t');
  expect(JSON.stringify(rows)).not.toContain(token);
  const [row] = await edge.database.asOwner<{ there: boolean }>(
    `select exists (select from mail_tokens where hash = sha256(convert_to($1, 'UTF8'))) as there`,
    [token],
  );
  expect(row?.there).toBe(true);
});

test('the newest link is the only one that works, for its time', async () => {
  const person = await newcomer();
  const first = await acts.tokenFor(acts.emailOf(person), 'verify');
  expect((await person.call('POST', '/v1/auth/email/verification-mail')).status).toBe(202);
  const second = await acts.tokenFor(acts.emailOf(person), 'verify');
  expect(second).not.toBe(first);
  expect(refused(await verify(person, first))).toEqual([410, 'link-over']);
  await acts.expire(person.session.user.id);
  expect(refused(await verify(person, second))).toEqual([410, 'link-over']);
  expect(await isVerified(person)).toBe(false);
});

test('nobody is mailed who has shown it, and others are not mailed often', async () => {
  const shown = await edge.register();
  const before = await edge.mailbox.list(acts.emailOf(shown));
  expect((await shown.call('POST', '/v1/auth/email/verification-mail')).status).toBe(202);
  expect(await edge.mailbox.list(acts.emailOf(shown))).toHaveLength(before.length);

  const person = await newcomer();
  const statuses: number[] = [];
  for (let turn = 0; turn < 7; turn += 1) {
    statuses.push((await person.call('POST', '/v1/auth/email/verification-mail')).status);
  }
  expect(statuses).toEqual([202, 202, 202, 202, 202, 429, 429]);
});

test('of several who open a link at once one is let through', async () => {
  const person = await newcomer();
  const token = await acts.tokenFor(acts.emailOf(person), 'verify');
  const answers = await Promise.all(Array.from({ length: 8 }, () => verify(person, token)));
  expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.code === 'link-over')).toHaveLength(7);
});

test.each(['', 'short', `${'x'.repeat(42)}!`, 'x'.repeat(44)])('%o is no secret', async (token) => {
  expect((await verify(await edge.register(), token)).status).toBe(422);
});

test('until then they look round, and neither buy, tip, speak, stream nor are paid', async () => {
  const { streamId } = await edge.goLive();
  const person = await newcomer('performer');
  const keyed = (path: string, body: object) =>
    person.call('POST', path, { body, headers: { 'idempotency-key': newKey() } });
  const { body: offer } = await edge.call('GET', '/v1/payments/packages');
  const [pack] = offer.packages;
  const attempts = {
    buy: () => keyed('/v1/payments/orders', { packageId: pack.id }),
    tip: () => keyed('/v1/tips', { streamId, amountTokens: 1 }),
    speak: () => keyed(`/v1/streams/${streamId}/messages`, { body: 'hello' }),
    stream: () => keyed('/v1/streams', { title: 'x', category: 'music' }),
    'be paid': () => keyed('/v1/payouts', { amountPaise: 100_000 }),
  };
  for (const [name, attempt] of Object.entries(attempts)) {
    expect(refused(await attempt()), name).toEqual([403, 'email-unverified']);
  }
  const looks = {
    me: person.call('GET', '/v1/auth/me'),
    wallet: person.call('GET', '/v1/wallet'),
    streams: person.call('GET', '/v1/streams'),
    ticket: person.call('POST', `/v1/streams/${streamId}/tickets`, { body: { intent: 'watch' } }),
  };
  for (const [name, look] of Object.entries(looks))
    expect((await look).status, name).toBeLessThan(300);

  await verify(person, await acts.tokenFor(acts.emailOf(person), 'verify'));
  expect((await attempts.buy()).status).toBe(201);
  expect((await attempts.speak()).status).toBe(201);
  expect((await attempts.stream()).status).toBe(201);
});

test('an entry, a hold and a start are refused by the database as well', async () => {
  const { performer, streamId } = await cast.live();
  const fan = await cast.fan();
  const created = await performer.act('POST', '/v1/streams', { title: 'Next', category: 'music' });
  await edge.database.asOwner('update users set email_verified_at = null where id = any ($1)', [
    [fan.id, performer.id],
  ]);
  expect(refused(await fan.act('POST', '/v1/tips', { streamId, amountTokens: 1 }))).toEqual([
    403,
    'email-unverified',
  ]);
  expect(refused(await performer.call('POST', `/v1/streams/${created.body.id}/start`))).toEqual([
    403,
    'email-unverified',
  ]);
  await expect(
    edge.database.asOwner(
      `select ledger.hold($1, $2, $3, 1, now() + interval '1 hour', 'key-of-a-hold')`,
      [fan.id, performer.id, streamId],
    ),
  ).rejects.toThrow('email-unverified');
});

/** Asks for another address, which nobody has. */
async function askChange(person: Person, word = password) {
  const to = `new-${randomUUID()}@example.com`;
  const answer = await person.call('POST', '/v1/auth/email', {
    body: { email: to, password: word },
  });
  return { to, answer };
}
const addressOf = async (userId: string) => {
  const [row] = await edge.database.asOwner<{ email: string }>(
    'select email from users where id = $1',
    [userId],
  );
  return row?.email;
};
/** Somebody who has moved to another address, and the link that takes it back. */
async function moved() {
  const person = await edge.register();
  const from = acts.emailOf(person);
  const { to } = await askChange(person);
  const changed = await change(person, await acts.tokenFor(to, 'change'));
  expect(changed.status).toBe(204);
  return { person, from, to, undo: await acts.tokenFor(from, 'changed') };
}

describe('another address', () => {
  test('becomes the account’s once the link that is mailed to it is opened', async () => {
    const person = await edge.register();
    const { id, email: from } = person.session.user;
    expect(refused((await askChange(person, 'not the password')).answer)).toEqual([
      403,
      'password-wrong',
    ]);
    const { to, answer } = await askChange(person);
    expect(answer.status).toBe(202);
    expect(await addressOf(id)).toBe(from);
    const link = await edge.mailbox.linkFor(to, 'change');
    expect(link.pathname).toBe(linkPages.change);
    const token = link.hash.slice(1);
    expect((await change(person, token)).status).toBe(204);
    expect(await addressOf(id)).toBe(to);
    expect(await isVerified(person)).toBe(true);
    expect(refused(await change(person, token))).toEqual([410, 'link-over']);
    expect((await acts.logIn(to)).status).toBe(200);
    expect((await acts.logIn(from)).body.code).toBe('invalid-credentials');
    // The one of before is told, without the whole of the new one.
    const { text } = await edge.mailbox.newest(from);
    expect(text).toContain('Take the change back');
    expect(text).not.toContain(to);
  });

  test('that somebody has taken meanwhile is refused, and the link still works', async () => {
    const person = await edge.register();
    const { to } = await askChange(person);
    const token = await acts.tokenFor(to, 'change');
    const other = await edge.register();
    await edge.database.asOwner('update users set email = $2 where id = $1', [
      other.session.user.id,
      to,
    ]);
    expect(refused(await change(person, token))).toEqual([409, 'email-taken']);
    expect(
      refused(
        await person.call('POST', '/v1/auth/email', {
          body: { email: to, password },
        }),
      ),
    ).toEqual([409, 'email-taken']);
    await edge.database.asOwner('update users set email = $2 where id = $1', [
      other.session.user.id,
      acts.emailOf(other),
    ]);
    expect((await change(person, token)).status).toBe(204);
  });

  test('of two who move to one address at once one gets it', async () => {
    const people = [await edge.register(), await edge.register()];
    const to = `wanted-${randomUUID()}@example.com`;
    const tokens: string[] = [];
    for (const person of people) {
      await person.call('POST', '/v1/auth/email', { body: { email: to, password } });
      tokens.push(await acts.tokenFor(to, 'change'));
    }
    const answers = await Promise.all(people.map((person, at) => change(person, tokens[at] ?? '')));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 409]);
    expect(answers.map(({ body }) => body.code)).toContain('email-taken');
  });

  test('is taken back by the address of before: it returns, everybody is logged out, nothing begun goes on', async () => {
    const { person, from, to, undo } = await moved();
    await acts.post('/password/reset', { email: to });
    await expect
      .poll(async () => (await edge.mailbox.list(to)).map(({ subject }) => subject))
      .toContain('Choose a new password');
    const reset = await acts.tokenFor(to, 'reset');
    expect((await post('/undo', { token: undo })).status).toBe(204);
    expect(await addressOf(person.session.user.id)).toBe(from);
    expect((await person.call('GET', '/v1/auth/me')).status).toBe(401);
    expect(
      refused(
        await acts.post('/password/reset/confirmation', {
          token: reset,
          password: 'a password of somebody else',
        }),
      ),
    ).toEqual([410, 'link-over']);
    expect(refused(await post('/undo', { token: undo }))).toEqual([410, 'link-over']);
    expect((await acts.logIn(from)).status).toBe(200);
  });

  test('cannot be followed by a third while it can be taken back: the first address keeps its way home', async () => {
    const { person, from, undo } = await moved();
    expect(refused((await askChange(person)).answer)).toEqual([409, 'email-changed-lately']);
    expect((await post('/undo', { token: undo })).status).toBe(204);
    expect(await addressOf(person.session.user.id)).toBe(from);
  });

  test('of an account that nobody has confirmed leaves nobody a way back to it', async () => {
    const person = await newcomer();
    const { to } = await askChange(person);
    const confirmation = await acts.tokenFor(acts.emailOf(person), 'verify');
    expect((await change(person, await acts.tokenFor(to, 'change'))).status).toBe(204);
    await expect(acts.tokenFor(acts.emailOf(person), 'changed')).rejects.toThrow('no link');
    expect(refused(await verify(person, confirmation))).toEqual([410, 'link-over']);
    expect(await isVerified(person)).toBe(true);
  });

  test('needs a second factor that was just shown, where there is one', async () => {
    const person = await edge.register();
    await acts.enrol(person);
    expect(refused((await askChange(person)).answer)).toEqual([403, 'step-up-needed']);
  });
});

test('whoever has registered with the address of somebody else does not get it confirmed by them', async () => {
  const stranger = await newcomer();
  const token = await acts.tokenFor(acts.emailOf(stranger), 'verify');
  // Its owner opens the mail: logged in to nothing, or to another account.
  expect(refused(await post('/verification', { token }))).toEqual([401, 'unauthenticated']);
  expect(refused(await verify(await edge.register(), token))).toEqual([410, 'link-over']);
  expect(await isVerified(stranger)).toBe(false);
  // Nor is a link to log in sent there, however often somebody guesses at the password.
  for (let guess = 0; guess < 12; guess += 1) await acts.logIn(acts.emailOf(stranger), 'a guess');
  await expect(acts.tokenFor(acts.emailOf(stranger), 'login')).rejects.toThrow('no link');
});

test('a change that was asked for before a new password moves nothing any more', async () => {
  const person = await edge.register();
  const { to } = await askChange(person);
  const token = await acts.tokenFor(to, 'change');
  const email = acts.emailOf(person);
  await acts.post('/password/reset', { email });
  await expect
    .poll(async () => (await edge.mailbox.list(email)).map(({ subject }) => subject))
    .toContain('Choose a new password');
  const chosen = { token: await acts.tokenFor(email, 'reset'), password: 'quite another long one' };
  expect((await acts.post('/password/reset/confirmation', chosen)).status).toBe(204);
  const again = await acts.logIn(email, 'quite another long one');
  const headers = { authorization: `Bearer ${again.body.accessToken}` };
  const answer = await edge.call('POST', '/v1/auth/email/change', { body: { token }, headers });
  expect(refused(answer)).toEqual([410, 'link-over']);
});

test('an address that can still be taken back is nobody else’s, and what was added since goes', async () => {
  const { person, from, undo } = await moved();
  const taken = await acts.post('/register', {
    email: from,
    username: `u${randomUUID().replaceAll('-', '').slice(0, 16)}`,
    password,
    dateOfBirth: '1990-05-05',
    country: 'IN',
  });
  expect(refused(taken)).toEqual([409, 'email-taken']);
  await acts.enrol(person);
  expect((await post('/undo', { token: undo })).status).toBe(204);
  // The app of whoever had moved the account asks for no code any more.
  expect((await acts.logIn(from)).status).toBe(200);
});

test('an address that is nobody’s is not written to without end', async () => {
  const to = `target-${randomUUID()}@example.com`;
  const codes: string[] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const person = await edge.register();
    const answer = await person.call('POST', '/v1/auth/email', { body: { email: to, password } });
    codes.push(answer.body?.code ?? String(answer.status));
  }
  expect(codes).toEqual([...Array(8).fill('202'), ...Array(2).fill('rate-limited')]);
});
