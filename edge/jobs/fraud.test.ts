// Fraud: patterns of money that a person must look at are found by what the edge knows of people, and hold payouts.
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findFraud, verifyBooks } from '#db';
import {
  newAddress,
  newKey,
  type Person,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import { type Cast, createCast, type Member, refused } from '../testing/cast.ts';
import { lookForFraud } from './fraud.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterEach(() => edge.control.resetFaults());
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

/** Logs in from an address, as people do; the header is the trusted proxy's. */
async function loginFrom(who: Person | { session: { user: { email: string } } }, address: string) {
  const answer = await edge.call('POST', '/v1/auth/login', {
    body: { email: who.session.user.email, password: 'a long enough password' },
    headers: { 'x-test-address': address },
  });
  expect(answer.status).toBe(200);
}

const hashesOf = async (userId: string) =>
  (
    await edge.database.asOwner<{ address_hash: string | null }>(
      'select address_hash from sessions where user_id = $1 order by id',
      [userId],
    )
  ).map((row) => row.address_hash);

const casesOf = (performerId: string, viewerId: string) => cast.cases(`${performerId}:${viewerId}`);
const holdsOf = async (performerId: string) =>
  (
    await edge.database.asOwner<{ reason: string }>(
      'select reason from payout_holds where performer_id = $1 and lifted_at is null order by reason',
      [performerId],
    )
  ).map(({ reason }) => reason);

/** Buys enough for one large tip and gives it. */
async function tipMuch(viewerId: string, streamId: string, tokens = 5_000): Promise<void> {
  for (const index of [5, 5]) await cast.pay(await cast.orderOf(viewerId, index));
  await cast.tip(viewerId, streamId, tokens);
}

/** Buys tokens with a card, an account or a UPI address, by its hash. */
async function payWith(userId: string, instrumentHash: string): Promise<void> {
  const paymentId = await cast.pay(await cast.orderOf(userId, 0));
  await edge.database.asOwner(
    'update payments set instrument_hash = $2 where gateway_payment_id = $1',
    [paymentId, instrumentHash],
  );
}

/** Others tip as well, so that nobody's earnings come from one viewer alone. */
async function tippedByOthers(streamId: string): Promise<void> {
  for (let n = 0; n < 2; n += 1) await tipMuch((await cast.member()).id, streamId, 5_900);
}

async function registered(role: 'viewer' | 'performer'): Promise<Person & { id: string }> {
  const person = await edge.register(role);
  return { ...person, id: person.session.user.id };
}

/** Has money to ask for, and asks for it. */
async function askedBy(performer: Person & { id: string }) {
  await cast.verifiedAccount(performer.id);
  await cast.earn([performer.id], 100_000);
  return performer.call('POST', '/v1/payouts', {
    body: { amountPaise: 100_000 },
    headers: { 'idempotency-key': newKey() },
  });
}

async function liveAs(person: { id: string; session: { user: { username: string } } }) {
  const member = await cast.asMember({
    id: person.id,
    username: person.session.user.username,
    role: 'performer',
  });
  return cast.live(member);
}

describe('where people come from', () => {
  test('each log-in keeps the address as a keyed hash: equal ones can be seen, none can be read', async () => {
    const [one, other] = [await registered('viewer'), await registered('viewer')];
    const address = newAddress();
    await loginFrom(one, address);
    await loginFrom(other, address);
    await loginFrom(one, '203.0.113.7');
    const [, first, second] = await hashesOf(one.id);
    const [, same] = await hashesOf(other.id);
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect([same, second === first]).toEqual([first, false]);
    const rows = await edge.database.asOwner(
      `select from sessions s where s::text like '%198.51.100.%' or s::text like '%203.0.113.7%'`,
    );
    expect(rows).toEqual([]);
  });

  test('an address that everybody has, or nobody, is nobody’s', async () => {
    const one = await registered('viewer');
    for (const address of ['127.0.0.1', '::1', '::ffff:127.0.0.1']) await loginFrom(one, address);
    const unknown = await edge.parts.fetch(
      new Request(`${edge.url}/v1/auth/login`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          email: one.session.user.email,
          password: 'a long enough password',
        }),
      }),
      '',
    );
    expect(unknown.status).toBe(200);
    expect((await hashesOf(one.id)).slice(1)).toEqual([null, null, null, null]);
  });
});

describe('rings', () => {
  test('viewer and performer at one address: a case for each who gives much, and payouts go on', async () => {
    const [viewer, performer] = [await registered('viewer'), await registered('performer')];
    const [stranger, modest] = [await registered('viewer'), await registered('viewer')];
    const { streamId } = await liveAs(performer);
    await tippedByOthers(streamId);
    const address = newAddress();
    await loginFrom(performer, address);
    await loginFrom(viewer, address);
    await loginFrom(modest, address);
    await loginFrom(stranger, newAddress());
    await tipMuch(viewer.id, streamId);
    await tipMuch(stranger.id, streamId);
    await tipMuch(modest.id, streamId, 4_999);
    await lookForFraud(edge.parts.deps);
    expect(await casesOf(performer.id, viewer.id)).toEqual(['ring-shared-address']);
    expect(await casesOf(performer.id, stranger.id)).toEqual([]);
    expect(await casesOf(performer.id, modest.id)).toEqual([]);
    expect(await holdsOf(performer.id)).toEqual([]);
    expect((await askedBy(performer)).status).toBe(201);
  });

  test('a carrier’s address, which many honest people have: nobody is held', async () => {
    const address = newAddress();
    const performers = [await registered('performer'), await registered('performer')];
    const neighbours = [];
    for (const performer of performers) {
      await loginFrom(performer, address);
      const { streamId } = await liveAs(performer);
      await tippedByOthers(streamId);
      const neighbour = await registered('viewer');
      await loginFrom(neighbour, address);
      // Each pays with their own.
      for (const { id } of [performer, neighbour]) await payWith(id, newKey());
      await tipMuch(neighbour.id, streamId, 5_500);
      neighbours.push(neighbour);
    }
    await lookForFraud(edge.parts.deps);
    for (const [place, performer] of performers.entries()) {
      const neighbour = neighbours[place]?.id ?? '';
      expect(await casesOf(performer.id, neighbour)).toEqual(['ring-shared-address']);
      expect(await holdsOf(performer.id)).toEqual([]);
    }
  });

  test('at one address, and paying with one instrument: a case, and no payout until somebody has looked', async () => {
    const [viewer, performer] = [await registered('viewer'), await registered('performer')];
    const stranger = await registered('viewer');
    const { streamId } = await liveAs(performer);
    await tippedByOthers(streamId);
    const address = newAddress();
    await loginFrom(performer, address);
    await loginFrom(viewer, address);
    await loginFrom(stranger, newAddress());
    const instrument = newKey();
    for (const { id } of [viewer, performer, stranger]) await payWith(id, instrument);
    await tipMuch(viewer.id, streamId);
    await tipMuch(stranger.id, streamId);
    await lookForFraud(edge.parts.deps);
    expect(await casesOf(performer.id, viewer.id)).toEqual([
      'ring-address-and-instrument',
      'ring-shared-address',
    ]);
    // One instrument without one address is no ring either: friends lend each other a card.
    expect(await casesOf(performer.id, stranger.id)).toEqual([]);
    expect(await holdsOf(performer.id)).toEqual(['ring-address-and-instrument']);
    expect(refused(await askedBy(performer))).toEqual([409, 'payout-on-hold']);
  });

  test('earnings that come mostly from their own address, however many share them out: a case and a hold', async () => {
    const performer = await registered('performer');
    const { streamId } = await liveAs(performer);
    const address = newAddress();
    await loginFrom(performer, address);
    const feed = async (tokens: number) => {
      const viewer = await registered('viewer');
      await loginFrom(viewer, address);
      await tipMuch(viewer.id, streamId, tokens);
      return viewer;
    };
    // 11,800 from elsewhere; none of them gives enough to be looked at alone.
    await tippedByOthers(streamId);
    const feeders = [await feed(4_000), await feed(4_000), await feed(3_799)];
    await lookForFraud(edge.parts.deps);
    expect(await cast.cases(performer.id)).toEqual([]);
    expect(await holdsOf(performer.id)).toEqual([]);
    const [last] = feeders;
    await cast.tip(last?.id ?? '', streamId, 1);
    await lookForFraud(edge.parts.deps);
    for (const { id } of feeders) expect(await casesOf(performer.id, id)).toEqual([]);
    expect(await cast.cases(performer.id)).toEqual(['ring-address-earnings']);
    expect(await holdsOf(performer.id)).toEqual(['ring-address-earnings']);
    const [found] = await edge.database.asOwner<{ details: object }>(
      'select details from cases where subject = $1',
      [performer.id],
    );
    expect(found?.details).toEqual({
      performerId: performer.id,
      viewers: 3,
      tokens: 11_800,
      ringPaise: 590_000,
      earnedPaise: 1_180_000,
    });
    expect(refused(await askedBy(performer))).toEqual([409, 'payout-on-hold']);
  });

  test('all of little is little: below the least sum of a ring nobody is held', async () => {
    const performer = await registered('performer');
    const { streamId } = await liveAs(performer);
    const viewer = await registered('viewer');
    const address = newAddress();
    for (const who of [performer, viewer]) await loginFrom(who, address);
    await tipMuch(viewer.id, streamId, 4_999);
    await lookForFraud(edge.parts.deps);
    expect(await holdsOf(performer.id)).toEqual([]);
    await cast.tip(viewer.id, streamId, 1);
    await lookForFraud(edge.parts.deps);
    expect(await holdsOf(performer.id)).toEqual(['ring-address-earnings']);
  });

  test('how much is mostly is a rule', async () => {
    const performer = await registered('performer');
    const { streamId } = await liveAs(performer);
    await tippedByOthers(streamId);
    const viewer = await registered('viewer');
    const address = newAddress();
    for (const who of [performer, viewer]) await loginFrom(who, address);
    await tipMuch(viewer.id, streamId, 5_900);
    await lookForFraud(edge.parts.deps);
    expect(await holdsOf(performer.id)).toEqual([]);
    await cast.setRule('ring_address_percent', 33);
    await lookForFraud(edge.parts.deps);
    await cast.setRule('ring_address_percent', 50);
    expect(await holdsOf(performer.id)).toEqual(['ring-address-earnings']);
  });

  test('who is paid to the UPI address that pays the tips: a case and a hold, however small the sum', async () => {
    const viewer = await cast.member();
    const { performer, streamId } = await cast.live();
    await tippedByOthers(streamId);
    const address = `${performer.username.replaceAll('_', '.')}@okaxis`;
    await performer.call('PUT', '/v1/payouts/account', {
      body: { kind: 'upi', address, accountHolder: 'Asha Rao' },
    });
    const order = await cast.order(viewer);
    const begun = await viewer.call('POST', `/v1/payments/orders/${order.id}/upi`);
    await edge.control.approve(begun.body.gatewayPaymentId, ` ${address.toUpperCase()} `);
    await edge.control.settled();
    await cast.tip(viewer.id, streamId, 10);

    const honest = await cast.member();
    const other = await cast.order(honest);
    const fair = await honest.call('POST', `/v1/payments/orders/${other.id}/upi`);
    await edge.control.approve(fair.body.gatewayPaymentId, 'somebody@okaxis');
    await edge.control.settled();
    await cast.tip(honest.id, streamId, 10);

    await lookForFraud(edge.parts.deps);
    expect(await casesOf(performer.id, viewer.id)).toEqual(['ring-shared-instrument']);
    expect(await casesOf(performer.id, honest.id)).toEqual([]);
    expect(await holdsOf(performer.id)).toEqual(['ring-shared-instrument']);
  });

  test('tips that come back, at once or over a third: everybody of the circle', async () => {
    const circle = async (size: number) => {
      const members: { performer: Member; streamId: string }[] = [];
      for (let n = 0; n < size; n += 1) members.push(await cast.live());
      for (const [place, { performer }] of members.entries()) {
        const next = members[(place + 1) % size];
        await tippedByOthers(next?.streamId ?? '');
        await tipMuch(performer.id, next?.streamId ?? '');
      }
      return members.map(({ performer }) => performer);
    };
    const [pair, three, four] = [await circle(2), await circle(3), await circle(4)];
    await lookForFraud(edge.parts.deps);
    for (const members of [pair, three]) {
      for (const [place, viewer] of members.entries()) {
        const performer = members[(place + 1) % members.length];
        expect(await casesOf(performer?.id ?? '', viewer.id)).toEqual(['ring-circle']);
        expect(await holdsOf(performer?.id ?? '')).toEqual(['ring-circle']);
      }
    }
    // Fans are fans of other performers' fans: longer ways prove nothing.
    for (const member of four) expect(await holdsOf(member.id)).toEqual([]);
  });

  test('one viewer who pays nearly all is looked at, and nothing is held', async () => {
    const { performer, streamId } = await cast.live();
    const viewer = await cast.member();
    await tipMuch(viewer.id, streamId);
    await lookForFraud(edge.parts.deps);
    expect(await casesOf(performer.id, viewer.id)).toEqual(['ring-one-viewer']);
    expect(await holdsOf(performer.id)).toEqual([]);
  });

  test('what is found again is one case; what was resolved is not, until it is twice as much', async () => {
    const { performer, streamId } = await cast.live();
    const viewer = await cast.member();
    await tipMuch(viewer.id, streamId);
    await lookForFraud(edge.parts.deps);
    await Promise.all([findFraud(edge.database.db), findFraud(edge.database.db)]);
    const subject = `${performer.id}:${viewer.id}`;
    const rows = () =>
      edge.database.asOwner<{ id: string }>('select id from cases where subject = $1', [subject]);
    expect(await rows()).toHaveLength(1);
    const staff = await cast.member('admin');
    const [found] = await rows();
    const resolved = await staff.call('POST', `/v1/admin/cases/${found?.id}/resolution`, {
      body: { resolution: 'a true fan' },
    });
    expect(resolved.status).toBe(204);
    await lookForFraud(edge.parts.deps);
    expect(await rows()).toHaveLength(1);
    const [before] = await edge.database.asOwner<{ tokens: number }>(
      `select (details->>'tokens')::int as tokens from cases where subject = $1`,
      [subject],
    );
    await tipMuch(viewer.id, streamId, (before?.tokens ?? 0) - 1);
    await lookForFraud(edge.parts.deps);
    expect(await rows()).toHaveLength(1);
    await cast.tip(viewer.id, streamId, 1);
    await lookForFraud(edge.parts.deps);
    expect(await rows()).toHaveLength(2);
  });

  test('thresholds are rows: with another one, others are found', async () => {
    const { performer, streamId } = await cast.live();
    const fan = await cast.fan(2);
    await cast.tip(fan.id, streamId, 200);
    await lookForFraud(edge.parts.deps);
    expect(await casesOf(performer.id, fan.id)).toEqual([]);
    const rule = (value: number) =>
      edge.database.asOwner(
        `insert into rules (name, value, meaning) values ('ring_min_tokens', $1, 'for a test')`,
        [value],
      );
    await rule(200);
    await lookForFraud(edge.parts.deps);
    expect(await casesOf(performer.id, fan.id)).toEqual(['ring-one-viewer']);
    await rule(5_000);
  });
});

test('a performer whose earnings are disputed too often is held', async () => {
  const buyer = await cast.member();
  const order = await cast.order(buyer, 1);
  const { payment } = await edge.control.pay(order.gatewayOrderId);
  await edge.control.settled();
  const { performer, streamId } = await cast.live();
  await cast.tip(buyer.id, streamId, 100);
  await lookForFraud(edge.parts.deps);
  expect(await holdsOf(performer.id)).toEqual([]);
  await edge.control.openDispute(payment.id);
  await edge.control.settled();
  await lookForFraud(edge.parts.deps);
  expect(await holdsOf(performer.id)).toEqual(['disputed-earnings']);
  expect(await cast.cases(performer.id)).toEqual(['disputed-earnings']);
});
