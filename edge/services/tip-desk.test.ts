// The tip desk: many tips in few calls, each succeeding or failing alone, and none doubled when the database goes away.
import { DrizzleQueryError } from 'drizzle-orm/errors';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  type Db,
  isDatabaseUnavailable,
  Refusal,
  readBalance,
  type TipRequest,
  type TipResult,
  verifyBooks,
} from '#db';
import { newKey, startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { countRoundTrips } from '../../testing/round-trips.ts';
import { createServerParts } from '../runtime/server.ts';
import { type Cast, createCast } from '../testing/cast.ts';
import { createBatchingTipDesk, createDirectTipDesk, type TipDesk } from './tip-desk.ts';

let edge: TestEdge;
let cast: Cast;
let viewers: string[] = [];
let streamId = '';
let performerId = '';
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  viewers = await richViewers(200);
  const live = await cast.live();
  streamId = live.streamId;
  performerId = live.performer.id;
});
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

async function richViewers(count: number): Promise<string[]> {
  const made: string[] = [];
  for (let n = 0; n < count; n += 1) made.push((await cast.fan()).id);
  return made;
}

/** The database, with its calls counted, and carried out as `how` says. */
function watched(how: (call: () => Promise<unknown>) => Promise<unknown> = (call) => call()) {
  let calls = 0;
  const db: Db = new Proxy(edge.database.db, {
    get(target, name) {
      const value = Reflect.get(target, name);
      if (name !== 'execute') return value;
      return (...statement: unknown[]) => {
        calls += 1;
        return how(() => value.apply(target, statement));
      };
    },
  });
  return { db, calls: () => calls };
}

/** As the pool says it when the server is gone. */
const gone = () =>
  new DrizzleQueryError('select', [], new Error('Connection terminated unexpectedly'));

const request = (viewerId: string, changes: Partial<TipRequest> = {}): TipRequest => ({
  viewerId,
  streamId,
  amountTokens: 1,
  message: 'well played',
  anonymous: false,
  idempotencyKey: newKey(),
  ...changes,
});

const balances = (ids: readonly string[]) =>
  Promise.all(ids.map((id) => readBalance(edge.database.db, id)));
const tipAll = (desk: TipDesk, requests: readonly TipRequest[]) =>
  Promise.allSettled(requests.map((one) => desk.tip(one)));
const receipts = (outcomes: PromiseSettledResult<TipResult>[]) =>
  outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
const faults = (outcomes: PromiseSettledResult<TipResult>[]) =>
  outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));

describe('many at once', () => {
  test('200 tips take far fewer calls, and each has its own receipt and event', async () => {
    const { db, calls } = watched();
    const before = await balances(viewers);
    const outcomes = await tipAll(
      createBatchingTipDesk(db),
      viewers.map((viewer) => request(viewer)),
    );
    const done = receipts(outcomes);
    expect(done).toHaveLength(200);
    expect(calls()).toBeLessThan(30);
    expect(new Set(done.map(({ tipId }) => tipId)).size).toBe(200);
    expect(done.map(({ balanceTokens }) => balanceTokens)).toEqual(before.map((had) => had - 1));
    for (const { event, eventId } of done) expect(event?.id).toBe(eventId);
    expect(await balances(viewers)).toEqual(before.map((had) => had - 1));
  });

  test('one alone waits for nobody; the direct desk takes one call each', async () => {
    const { db, calls } = watched();
    const desk = createBatchingTipDesk(db);
    await desk.tip(request(viewers[0] ?? ''));
    await desk.tip(request(viewers[0] ?? ''));
    expect(calls()).toBe(2);
    const direct = createDirectTipDesk(db);
    await Promise.all(viewers.slice(0, 5).map((viewer) => direct.tip(request(viewer))));
    expect(calls()).toBe(7);
  });

  test('one viewer’s many never take more than there is, and a repeated key takes once', async () => {
    const [fan] = await richViewers(1);
    const key = newKey();
    const desk = createBatchingTipDesk(edge.database.db);
    const outcomes = await tipAll(desk, [
      ...Array.from({ length: 60 }, () => request(fan ?? '')),
      ...Array.from({ length: 20 }, () => request(fan ?? '', { idempotencyKey: key })),
    ]);
    const done = receipts(outcomes);
    const fresh = done.filter(({ replayed }) => !replayed);
    expect(fresh).toHaveLength(50);
    expect(new Set(done.map(({ tipId }) => tipId)).size).toBe(50);
    expect(await balances([fan ?? ''])).toEqual([0]);
  });

  test('each refusal is one tip’s alone', async () => {
    const broke = (await cast.member()).id;
    const wrong: [TipRequest, string][] = [
      [request(broke), 'insufficient-balance'],
      [request(performerId), 'self-tip'],
      [request(viewers[0] ?? '', { streamId: newKey() }), 'not-found'],
      [request(newKey()), 'not-found'],
      [request(viewers[1] ?? '', { amountTokens: 20_000 }), 'invalid-request'],
    ];
    const before = await balances(viewers);
    const good = viewers.map((viewer) => request(viewer));
    const mixed = [...good.slice(0, 100), ...wrong.map(([one]) => one), ...good.slice(100)];
    const outcomes = await tipAll(createBatchingTipDesk(edge.database.db), mixed);
    expect(receipts(outcomes)).toHaveLength(200);
    expect(faults(outcomes).map((fault) => fault instanceof Refusal && fault.code)).toEqual(
      wrong.map(([, code]) => code),
    );
    expect(await balances(viewers)).toEqual(before.map((had) => had - 1));
  });

  test('what nobody expected of one tip fails that one, and no other', async () => {
    const { db, calls } = watched();
    const before = await balances(viewers);
    const requests = viewers.map((viewer, index) =>
      // No text of a database: the whole call fails of it.
      request(viewer, index === 70 ? { message: 'a\u0000b' } : {}),
    );
    const outcomes = await tipAll(createBatchingTipDesk(db), requests);
    expect(receipts(outcomes)).toHaveLength(199);
    expect(outcomes[70]?.status).toBe('rejected');
    expect(faults(outcomes)[0]).not.toBeInstanceOf(Refusal);
    expect(await balances(viewers)).toEqual(
      before.map((had, index) => (index === 70 ? had : had - 1)),
    );
    // Only those of its own call went alone.
    expect(calls()).toBeLessThan(80);
  });
});

test('a viewer who is held up holds up nobody else', async () => {
  const [stuck = '', ...others] = viewers.slice(0, 60);
  const client = new pg.Client({ connectionString: edge.database.ownerUrl });
  await client.connect();
  await client.query('begin');
  await client.query('select ledger.lock_viewer($1)', [stuck]);
  const desk = createBatchingTipDesk(edge.database.db);
  const own = desk.tip(request(stuck));
  const outcomes = await tipAll(
    desk,
    others.map((viewer) => request(viewer)),
  );
  expect(receipts(outcomes)).toHaveLength(others.length);
  await client.query('rollback');
  await client.end();
  expect(await own).toMatchObject({ replayed: false });
});

describe('a database that is away', () => {
  test('is away for all at once, and nothing is doubled when they come again', async () => {
    let isAway = true;
    const { db, calls } = watched((call) => (isAway ? Promise.reject(gone()) : call()));
    const desk = createBatchingTipDesk(db);
    const before = await balances(viewers);
    const requests = viewers.map((viewer) => request(viewer));
    const outcomes = await tipAll(desk, requests);
    expect(faults(outcomes)).toHaveLength(200);
    for (const fault of faults(outcomes)) expect(isDatabaseUnavailable(fault)).toBe(true);
    // Whoever waits is not made to wait for one time-out after the other.
    expect(calls()).toBeLessThanOrEqual(4);
    expect(await balances(viewers)).toEqual(before);
    isAway = false;
    expect(receipts(await tipAll(desk, requests))).toHaveLength(200);
    expect(await balances(viewers)).toEqual(before.map((had) => had - 1));
  });

  test('also when it goes away under load', async () => {
    let good = 4;
    const { db, calls } = watched((call) => {
      good -= 1;
      return good >= 0 ? call() : Promise.reject(gone());
    });
    const requests = Array.from({ length: 600 }, (_, n) => request(viewers[n % 200] ?? ''));
    const outcomes = await tipAll(createBatchingTipDesk(db), requests);
    expect([receipts(outcomes).length, faults(outcomes).length]).toEqual([4, 596]);
    expect(calls()).toBeLessThanOrEqual(8);
  });

  test('and has carried out what it did not answer: the same keys get the same receipts', async () => {
    let isCut = true;
    const { db } = watched(async (call) => {
      const answer = await call();
      if (isCut) throw gone();
      return answer;
    });
    const desk = createBatchingTipDesk(db);
    const before = await balances(viewers);
    const requests = viewers.map((viewer) => request(viewer));
    expect(faults(await tipAll(desk, requests))).toHaveLength(200);
    isCut = false;
    const done = receipts(await tipAll(desk, requests));
    expect(done).toHaveLength(200);
    expect(done.some(({ replayed }) => replayed)).toBe(true);
    expect(await balances(viewers)).toEqual(before.map((had) => had - 1));
  });

  test('or too slow: beyond what can wait, a tip is refused and can be tried again', async () => {
    const goOn = Promise.withResolvers<void>();
    const { db } = watched((call) => goOn.promise.then(call));
    const desk = createBatchingTipDesk(db);
    const key = newKey();
    const same = request(viewers[0] ?? '', { idempotencyKey: key });
    const taken = Array.from({ length: 10_004 }, () => desk.tip(same));
    await expect(desk.tip(same)).rejects.toMatchObject({ code: 'unavailable' });
    goOn.resolve();
    const done = await Promise.all(taken);
    expect(new Set(done.map(({ tipId }) => tipId)).size).toBe(1);
  }, 60_000);
});

describe('over HTTP', () => {
  test('a tip costs one round trip to the database, and under load no more', async () => {
    const counter = await countRoundTrips(edge.database.url);
    const parts = await createServerParts({ ...edge.env, DATABASE_URL: counter.url }, 'edge');
    const fans = await Promise.all(
      viewers.map(async (id) => (await cast.asMember({ id, username: 'x', role: 'viewer' })).token),
    );
    const tip = async (token: string | undefined) => {
      const answer = await parts.fetch(
        new Request(`${edge.url}/v1/tips`, {
          method: 'POST',
          headers: {
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'idempotency-key': newKey(),
          },
          body: JSON.stringify({ streamId, amountTokens: 1 }),
        }),
        '127.0.0.1',
      );
      expect(answer.status).toBe(201);
    };
    await tip(fans[0]);
    counter.take();
    for (const token of fans.slice(0, 20)) await tip(token);
    expect(counter.take()).toBe(20);
    await Promise.all(fans.map(tip));
    expect(counter.take()).toBeLessThanOrEqual(fans.length);
    await parts.close();
    await counter.close();
  });
});
