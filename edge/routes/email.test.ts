// E-mail addresses: who has not shown that theirs is theirs looks round only, and each link works once.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { linkPages } from '#contract';
import {
  newAddress,
  newKey,
  type Person,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { createCast, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: ReturnType<typeof createCast>;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(() => edge.close());

const emailOf = ({ session }: Person) => session.user.email;
/** The secret of a link is behind the `#`, which no server is sent. */
const tokenFor = async (to: string, kind: Parameters<TestEdge['mailbox']['linkFor']>[1]) =>
  (await edge.mailbox.linkFor(to, kind)).hash.slice(1);
const post = (path: string, body: object) =>
  edge.call('POST', `/v1/auth/email${path}`, {
    body,
    headers: { 'x-test-address': newAddress() },
  });
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
  const link = await edge.mailbox.linkFor(emailOf(person), 'verify');
  expect(link.pathname).toBe(linkPages.verify);
  expect(link.search).toBe('');
  // 256 bits.
  expect(link.hash).toMatch(/^#[A-Za-z0-9_-]{43}$/);
  expect((await post('/verification', { token: link.hash.slice(1) })).status).toBe(204);
  expect(await isVerified(person)).toBe(true);
  expect(refused(await post('/verification', { token: link.hash.slice(1) }))).toEqual([
    410,
    'link-over',
  ]);
});

test('only a hash of the secret is kept', async () => {
  const person = await newcomer();
  const token = await tokenFor(emailOf(person), 'verify');
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
  const first = await tokenFor(emailOf(person), 'verify');
  expect((await person.call('POST', '/v1/auth/email/verification-mail')).status).toBe(202);
  const second = await tokenFor(emailOf(person), 'verify');
  expect(second).not.toBe(first);
  expect(refused(await post('/verification', { token: first }))).toEqual([410, 'link-over']);
  await edge.database.asOwner(
    `update mail_tokens set expires_at = now() - interval '1 second' where user_id = $1 and used_at is null`,
    [person.session.user.id],
  );
  expect(refused(await post('/verification', { token: second }))).toEqual([410, 'link-over']);
  expect(await isVerified(person)).toBe(false);
});

test('nobody is mailed who has shown it, and others are not mailed often', async () => {
  const shown = await edge.register();
  const before = await edge.mailbox.list(emailOf(shown));
  expect((await shown.call('POST', '/v1/auth/email/verification-mail')).status).toBe(202);
  expect(await edge.mailbox.list(emailOf(shown))).toHaveLength(before.length);

  const person = await newcomer();
  const statuses: number[] = [];
  for (let turn = 0; turn < 7; turn += 1) {
    statuses.push((await person.call('POST', '/v1/auth/email/verification-mail')).status);
  }
  expect(statuses).toEqual([202, 202, 202, 202, 202, 429, 429]);
});

test('of several who open a link at once one is let through', async () => {
  const person = await newcomer();
  const token = await tokenFor(emailOf(person), 'verify');
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => post('/verification', { token })),
  );
  expect(answers.filter(({ status }) => status === 204)).toHaveLength(1);
  expect(answers.filter(({ body }) => body.code === 'link-over')).toHaveLength(7);
});

test.each(['', 'short', `${'x'.repeat(42)}!`, 'x'.repeat(44)])('%o is no secret', async (token) => {
  expect((await post('/verification', { token })).status).toBe(422);
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

  await post('/verification', { token: await tokenFor(emailOf(person), 'verify') });
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
