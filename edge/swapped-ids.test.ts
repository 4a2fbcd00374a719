// Ids of others: every route that names a thing is asked by somebody else with the same role, and tells and changes nothing.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestEdge, type TestEdge } from '../testing/edge.ts';
import { createApi } from './app.ts';
import { ruleOf } from './services/operation.ts';
import { createAuthenticator } from './testing/authenticator.ts';
import { type Cast, createCast, type Member } from './testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
/** Whose everything is, and who reaches for it. */
let owner: Member;
let other: Member;
/** Ids of the owner's things, by the path up to them. */
let things: Record<string, string>;

const password = 'a long enough password';

beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  [owner, other] = [await cast.member('performer'), await cast.member('performer')];
  things = await makeThings();
});
afterAll(() => edge.close());

async function makeThings(): Promise<Record<string, string>> {
  const stream = await owner.act('POST', '/v1/streams', { title: 'Mine', category: 'music' });
  const announced = await owner.act('POST', '/v1/users/me/schedule', {
    title: 'Mine',
    category: 'music',
    startsAt: new Date(Date.now() + 86_400_000).toISOString(),
    minutes: 60,
  });
  const key = await owner.act('POST', '/v1/stream-keys', { name: 'Mine' });
  const order = await cast.order(owner);
  const person = await edge.register('performer');
  const session = await person.call('GET', '/v1/auth/sessions');
  const fan = await cast.fan();
  return {
    '/v1/streams/': stream.body.id,
    '/v1/users/me/schedule/': announced.body.id,
    '/v1/stream-keys/': key.body.key.id,
    '/v1/payments/orders/': order.id,
    '/v1/payments/': fan.gatewayPaymentId,
    '/v1/auth/sessions/': session.body.devices[0].id,
    '/v1/auth/passkeys/': await passkeyOf(person),
  };
}

async function passkeyOf(person: Awaited<ReturnType<TestEdge['register']>>): Promise<string> {
  const authenticator = createAuthenticator(edge.url);
  const path = '/v1/auth/passkeys';
  const asked = await person.call('POST', `${path}/options`, { body: { password } });
  const { challengeId, options } = asked.body;
  const credential = authenticator.make(options);
  const made = await person.call('POST', path, { body: { challengeId, name: 'Mine', credential } });
  expect(made.status).toBe(201);
  return authenticator.id;
}

/** Bodies that would be taken from the owner. */
const bodies: Record<string, object> = {
  'PATCH /v1/streams/:id': { title: 'Not yours' },
  'POST /v1/streams/:id/raid': { to: crypto.randomUUID() },
  'PUT /v1/streams/:id/bans/:userId': { kind: 'banned', minutes: 5 },
  'POST /v1/streams/:id/stage': { username: 'somebody' },
  'POST /v1/streams/:id/stage/answer': { accept: true },
  'PUT /v1/streams/:id/stage/:userId/hold': { sound: true, picture: true },
  'PATCH /v1/users/me/schedule/:id': { minutes: 90 },
  'POST /v1/payments/:gatewayPaymentId/refunds': { tokens: 1, reason: 'not mine' },
  'PATCH /v1/auth/passkeys/:id': { name: 'Not yours' },
};

/** What is meant for others: watching, talking, paying, following, and what people show of themselves. */
const open = new Set([
  'GET /v1/streams/:id',
  'POST /v1/streams/:id/tickets',
  'GET /v1/streams/:id/events',
  'GET /v1/streams/:id/moderators',
  // Tells whether oneself was invited.
  'GET /v1/streams/:id/stage',
  'POST /v1/streams/:id/messages',
  'POST /v1/streams/:id/entry',
  'POST /v1/whep/:streamId',
  'GET /v1/users/:who',
  'GET /v1/users/:who/schedule.ics',
  'GET /v1/avatars/:id',
  ...['following', 'blocks', 'mutes'].flatMap((kind) =>
    ['PUT', 'DELETE'].map((method) => `${method} /v1/users/me/${kind}/:userId`),
  ),
]);

/** Routes of people that name a thing; those of staff name things of everybody. */
function namingRoutes(): string[] {
  const found = createApi(edge.parts.deps)
    .routes.filter(({ handler, path }) => ruleOf(handler) && path.includes(':'))
    .map(({ method, path }) => `${method} ${path}`)
    .filter((name) => !name.includes('/v1/admin/') && !open.has(name));
  return [...new Set(found)];
}

function pathOf(template: string): string {
  const begin = Object.keys(things)
    .filter((start) => template.startsWith(`${start}:`))
    .toSorted((a, b) => b.length - a.length)[0];
  if (!begin) throw new Error(`nothing of somebody is named by ${template}`);
  return template
    .replace(/:\w+/, things[begin] ?? '')
    .replaceAll(/:\w+/g, () => crypto.randomUUID());
}

/** Everything that the owner would see changed. */
async function kept(): Promise<unknown> {
  return edge.database.asOwner(
    `select (select jsonb_agg(to_jsonb(s) order by id) from streams s) as streams,
      (select jsonb_agg(to_jsonb(s) order by id) from schedule s) as schedule,
      (select jsonb_agg(to_jsonb(k) order by id) from stream_keys k) as keys,
      (select jsonb_agg(to_jsonb(p) order by credential_id) from passkeys p) as passkeys,
      (select jsonb_agg(jsonb_build_array(id, revoked_at) order by id) from sessions) as sessions,
      (select jsonb_agg(to_jsonb(b) order by user_id) from room_bans b) as bans,
      (select jsonb_agg(to_jsonb(g)) from stage_guests g) as stage,
      (select jsonb_agg(to_jsonb(h)) from media_holds h) as holds,
      (select count(*) from refunds) as refunds,
      (select jsonb_agg(jsonb_build_array(id, state) order by id) from orders) as orders`,
  );
}

test('somebody else is told that there is nothing, or that it is not theirs, and nothing changes', async () => {
  const routes = namingRoutes();
  expect(routes.length).toBeGreaterThan(20);
  const before = await kept();
  const answers: Record<string, [number, string]> = {};
  for (const name of routes) {
    const [method = '', template = ''] = name.split(' ');
    const { status, body } = await other.call(method, pathOf(template), {
      ...(method === 'GET' ? {} : { body: bodies[name] ?? {} }),
      headers: { 'idempotency-key': crypto.randomUUID(), 'if-match': '"1"' },
    });
    answers[name] = [status, body?.code];
  }
  // What is not there is gone already, and tells as little.
  const isToldNothing = (name: string, [status, code]: [number, string]) =>
    code === 'not-found' || code === 'forbidden' || (status === 204 && name.startsWith('DELETE '));
  const wrong = Object.entries(answers).filter(([name, answer]) => !isToldNothing(name, answer));
  expect(wrong).toEqual([]);
  expect(await kept()).toEqual(before);
});
