// Sessions: renewed without losing anybody, and ended everywhere at once.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ControlMessage, controlChannel, type Revocation } from '#contract';
import { openSession, rotateSession, sessionsMax } from '#db';
import {
  cookiesOf,
  newAddress,
  newKey,
  type Person,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { redisUrl } from '../../testing/services.ts';
import { relayEvents } from '../jobs/relay.ts';
import { createServerParts, type ServerParts } from '../runtime/server.ts';
import { randomToken, sha256 } from '../services/secrets.ts';
import { createCast, refused } from '../testing/cast.ts';

let edge: TestEdge;
/** Another instance of the edge, which hears of nothing but by the database. */
let other: ServerParts;
let staff: Person;
let told: Revocation[];
let redis: Redis;
beforeAll(async () => {
  edge = await startTestEdge();
  other = await createServerParts(edge.env, 'edge');
  staff = await edge.register('admin');
  told = [];
  redis = new Redis(redisUrl());
  await redis.subscribe(controlChannel);
  redis.on('message', (_, text) => {
    const message = ControlMessage.parse(JSON.parse(text));
    if (message.type === 'revoked') told.push(message.revocation);
  });
});
afterAll(async () => {
  redis.disconnect();
  await other.close();
  await edge.close();
});

const me = async ({ session }: Pick<Person, 'session'>) =>
  (
    await other.fetch(
      new Request(`${edge.url}/v1/auth/me`, {
        headers: { authorization: `Bearer ${session.accessToken}` },
      }),
      '127.0.0.1',
    )
  ).status;
const refresh = (cookie: string) => edge.call('POST', '/v1/auth/refresh', { headers: { cookie } });
const logIn = async (person: Person) => {
  const answer = await edge.call('POST', '/v1/auth/login', {
    body: { email: person.session.user.email, password: 'a long enough password' },
    headers: {
      'x-test-address': newAddress(),
      'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0',
    },
  });
  return {
    status: answer.status,
    code: answer.body.code,
    session: answer.body,
    cookie: cookiesOf(answer),
  };
};
/** Within a second every instance knows. */
const refusedEverywhere = (person: Pick<Person, 'session'>) =>
  expect.poll(() => me(person), { timeout: 1_000, interval: 20 }).toBe(401);

test('who logs out is nobody any more on every instance of the edge, and media nodes are told', async () => {
  const person = await edge.register();
  expect(await me(person)).toBe(200);
  const left = await edge.call('POST', '/v1/auth/logout', { headers: { cookie: person.cookie } });
  expect(left.status).toBe(204);
  await refusedEverywhere(person);
  expect((await person.call('GET', '/v1/wallet')).status).toBe(401);
  const { sid } = JSON.parse(atob(person.session.accessToken.split('.')[1] ?? ''));
  await expect
    .poll(() => told)
    .toContainEqual(expect.objectContaining({ kind: 'session', subject: sid }));
});

test('an access token logs its own session out as well', async () => {
  const person = await edge.register();
  await person.call('POST', '/v1/auth/logout');
  await refusedEverywhere(person);
  expect((await refresh(person.cookie)).status).toBe(401);
});

test('a banned person can do nothing at all: not by a token of before, nor by logging in or renewing', async () => {
  const person = await edge.register('performer');
  const { body: stream } = await person.call('POST', '/v1/streams', {
    body: { title: 'Evening set', category: 'music' },
    headers: { 'idempotency-key': newKey() },
  });
  const path = `/v1/admin/users/${person.session.user.id}/ban`;
  expect((await staff.call('POST', path, { body: { reason: 'a reason' } })).status).toBe(204);
  await refusedEverywhere(person);
  expect((await person.call('POST', `/v1/streams/${stream.id}/start`)).status).toBe(401);
  expect(
    (await person.call('POST', `/v1/streams/${stream.id}/tickets`, { body: { intent: 'watch' } }))
      .status,
  ).toBe(401);
  expect((await refresh(person.cookie)).body.code).toBe('session-expired');
  expect(await logIn(person)).toMatchObject({ status: 403, code: 'account-banned' });
  await expect
    .poll(() => told)
    .toContainEqual(expect.objectContaining({ kind: 'user', subject: person.session.user.id }));

  await staff.call('DELETE', path);
  const again = await logIn(person);
  expect(again.status).toBe(200);
  // What was signed after the ban is believed, what was signed before is not.
  expect(await me(again)).toBe(200);
  expect(await me(person)).toBe(401);
});

test('whatever a token says, the database lets no banned person speak, open a stream or start one', async () => {
  const { live, member, asMember } = createCast(edge);
  const { streamId } = await live();
  const performer = await member('performer');
  const created = await performer.act('POST', '/v1/streams', { title: 'x', category: 'music' });
  await edge.database.asOwner('update users set banned_at = now() where id = $1', [performer.id]);
  const unheard = await asMember({ ...performer, role: 'performer' });
  const attempts = [
    unheard.act('POST', `/v1/streams/${streamId}/messages`, { body: 'hello' }),
    unheard.act('POST', '/v1/streams', { title: 'y', category: 'music' }),
    unheard.call('POST', `/v1/streams/${created.body.id}/start`),
  ];
  for (const { body } of await Promise.all(attempts)) expect(body.code).toBe('account-banned');
});

test('devices are listed, and logged out one by one or all but this one', async () => {
  const person = await edge.register();
  const [phone, laptop] = [await logIn(person), await logIn(person)];
  const { body } = await person.call('GET', '/v1/auth/sessions');
  expect(body.devices).toHaveLength(3);
  expect(body.devices[0]).toMatchObject({
    device: 'Firefox on Linux',
    methods: ['password'],
    current: false,
  });
  expect(body.devices.filter(({ current }: { current: boolean }) => current)).toHaveLength(1);

  await person.call('DELETE', `/v1/auth/sessions/${body.devices[0].id}`);
  await refusedEverywhere(laptop);
  expect(await me(phone)).toBe(200);
  await person.call('DELETE', '/v1/auth/sessions');
  await refusedEverywhere(phone);
  expect(await me(person)).toBe(200);
  expect((await refresh(phone.cookie)).status).toBe(401);
  expect((await refresh(person.cookie)).status).toBe(200);
});

test('a session of somebody else is not logged out', async () => {
  const [one, two] = [await edge.register(), await edge.register()];
  const { body } = await two.call('GET', '/v1/auth/sessions');
  await one.call('DELETE', `/v1/auth/sessions/${body.devices[0].id}`);
  expect((await refresh(two.cookie)).status).toBe(200);
});

test('a replayed refresh token ends its family on every instance within a second', async () => {
  const person = await edge.register();
  const renewed = await refresh(person.cookie);
  await edge.database.asOwner(
    `update sessions set rotated_at = rotated_at - interval '1 minute' where user_id = $1`,
    [person.session.user.id],
  );
  await edge.database.asOwner(
    `update refresh_tokens t set used_at = t.used_at - interval '1 minute', created_at = t.created_at - interval '1 minute'
      from sessions s where s.id = t.session_id and s.user_id = $1`,
    [person.session.user.id],
  );
  expect(await me(person)).toBe(200);
  expect((await refresh(person.cookie)).status).toBe(401);
  await refusedEverywhere(person);
  await refusedEverywhere({ session: renewed.body });
  expect((await refresh(cookiesOf(renewed))).status).toBe(401);
  expect(await createCast(edge).suspicions(person.session.user.id)).toEqual(['refresh-replayed']);
});

/** Rotations straight in the database, each a browser with one jar for its cookie. */
const rotate = async (token: string) => {
  const next = randomToken();
  const { outcome } = await rotateSession(edge.database.db, {
    hash: await sha256(token),
    nextHash: await sha256(next),
  });
  return { outcome, next };
};
const open = async (userId: string) => {
  const token = randomToken();
  await openSession(edge.database.db, {
    userId,
    tokenHash: await sha256(token),
    ttlSeconds: 3600,
    addressHash: null,
    device: '',
    deviceHash: await sha256(token),
    methods: ['password'],
    secondFactor: false,
  });
  return token;
};

test('2,000 lost answers and races of two tabs log out nobody', async () => {
  const people = await Promise.all(Array.from({ length: 20 }, () => createCast(edge).member()));
  const outcomes: Record<string, number> = {};
  async function life(userId: string): Promise<void> {
    let jar = await open(userId);
    for (let turn = 0; turn < 100; turn += 1) {
      const sent = jar;
      const isLost = turn % 2 === 0;
      // Either the answer is lost and the same is sent again, or two tabs send the same at once.
      const answers = isLost
        ? [await rotate(sent), await rotate(sent)]
        : await Promise.all([rotate(sent), rotate(sent)]);
      for (const { outcome, next } of isLost ? answers.slice(1) : answers) {
        outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
        if (outcome === 'rotated') jar = next;
      }
    }
    expect((await rotate(jar)).outcome).toBe('rotated');
  }
  await Promise.all(people.map(({ id }) => life(id)));
  expect(outcomes).toEqual({ rotated: 3_000 });
}, 60_000);

test('a tab that is two renewals behind a quicker one loses nothing', async () => {
  const { id } = await createCast(edge).member();
  const first = await open(id);
  const second = await rotate(first);
  const third = await rotate(second.next);
  expect((await rotate(first)).outcome).toBe('renewed');
  expect((await rotate(third.next)).outcome).toBe('rotated');
});

test('beyond the most that somebody may have, the session that was used longest ago ends', async () => {
  const { id } = await createCast(edge).member();
  const tokens: string[] = [];
  for (let count = 0; count <= sessionsMax; count += 1) tokens.push(await open(id));
  expect((await rotate(tokens[0] ?? '')).outcome).toBe('over');
  expect((await rotate(tokens[1] ?? '')).outcome).toBe('rotated');
});

test('a revocation that Redis lost is told by the relay', async () => {
  const person = await edge.register();
  const { publisher } = edge.parts.deps;
  const { revoke } = publisher;
  publisher.revoke = async () => false;
  await edge.call('POST', '/v1/auth/logout', { headers: { cookie: person.cookie } });
  publisher.revoke = revoke;
  const { sid } = JSON.parse(atob(person.session.accessToken.split('.')[1] ?? ''));
  expect(told.some(({ subject }) => subject === sid)).toBe(false);
  await relayEvents(edge.parts.deps);
  await expect.poll(() => told.some(({ subject }) => subject === sid)).toBe(true);
  const before = told.length;
  await relayEvents(edge.parts.deps);
  expect(told).toHaveLength(before);
});

test('a media node that reports hears what it has missed, and where it then stands', async () => {
  const report = async (revocationsKnown: number | null) =>
    (
      await edge.call('POST', '/internal/nodes/report', {
        headers: { authorization: `Bearer ${edge.env.NODE_SECRET}` },
        body: {
          nodeId: `node-${randomUUID()}`,
          url: 'ws://127.0.0.1:1/room',
          revocationsKnown,
          streams: [],
        },
      })
    ).body;
  const before = (await report(null)).revocationsKnown;
  const person = await edge.register();
  await edge.call('POST', '/v1/auth/logout', { headers: { cookie: person.cookie } });
  const { revocations, revocationsKnown } = await report(before);
  expect(revocations.at(-1)).toMatchObject({ number: revocationsKnown, kind: 'session' });
  expect(await report(revocationsKnown)).toMatchObject({ revocations: [], revocationsKnown });
});

test('without anybody to ask what was revoked nobody is believed', async () => {
  const person = await edge.register();
  const lonely = await createServerParts(
    { ...edge.env, DATABASE_URL: 'postgres://nobody@127.0.0.1:1/nothing' },
    'edge',
  );
  try {
    const answer = await lonely.fetch(
      new Request(`${edge.url}/v1/auth/me`, {
        headers: { authorization: `Bearer ${person.session.accessToken}` },
      }),
      '127.0.0.1',
    );
    expect(answer.status).toBe(503);
  } finally {
    await lonely.close();
  }
});

test('staff log somebody out everywhere, at once', async () => {
  const person = await edge.register();
  const staff = await edge.register('admin');
  const path = `/v1/admin/users/${person.session.user.id}/sessions`;
  expect(refused(await person.call('DELETE', path))).toEqual([403, 'forbidden']);
  expect((await staff.call('DELETE', path)).status).toBe(204);
  expect(refused(await person.call('GET', '/v1/auth/me'))).toEqual([401, 'unauthenticated']);
  const renewed = await edge.call('POST', '/v1/auth/refresh', {
    headers: { cookie: person.cookie },
  });
  expect(refused(renewed)).toEqual([401, 'session-expired']);
  expect(refused(await staff.call('DELETE', path.replace(/[0-9a-f]{12}/, 'ffffffffffff')))).toEqual(
    [404, 'not-found'],
  );
});

test.each([
  ['has not been used for two weeks', `rotated_at = now() - interval '14 days'`],
  ['is thirty days old', `expires_at = now()`],
])('a session that %s is over', async (_, change) => {
  const { session, cookie } = await edge.register();
  await edge.database.asOwner(`update sessions set ${change} where user_id = $1`, [
    session.user.id,
  ]);
  const renewed = await edge.call('POST', '/v1/auth/refresh', { headers: { cookie } });
  expect(refused(renewed)).toEqual([401, 'session-expired']);
});
