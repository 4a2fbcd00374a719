// Reservations: tokens set aside for private shows and goals, and tokens that were given away.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  captureHold,
  closeGoals,
  contributeToGoal,
  expirePromotions,
  grantTokens,
  holdTokens,
  openGoal,
  readBalance,
  readEarnings,
  readLimits,
  relate,
  releaseHold,
  requestRefund,
  setLimits,
  settleReservations,
  unrelate,
  verifyBooks,
} from './index.ts';

/** What a performer is credited for a token. */
const payoutPaise = 50;
const hourMs = 3_600_000;
const roundMax = 100;
const unknownId = '01980000-0000-7000-8000-000000000000';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(async () => {
  await database.close();
});

const inAnHour = () => new Date(Date.now() + hourMs);

function hold(
  viewerId: string,
  performerId: string,
  tokens: number,
  more: { key?: string; streamId?: string; expiresAt?: Date } = {},
) {
  return holdTokens(database.db, {
    viewerId,
    performerId,
    streamId: more.streamId ?? null,
    tokens,
    expiresAt: more.expiresAt ?? inAnHour(),
    idempotencyKey: more.key ?? cast.unique('key'),
  });
}

/** A viewer with 50 tokens at 100 paise and 100 at 97.46. */
async function mixedBuyer(): Promise<string> {
  const { user } = await cast.buyer(0);
  await cast.pay(await cast.orderOf(user.id, 1));
  return user.id;
}

/** Lets the time of a reservation, a lot or a goal be over. */
async function expire(table: 'reservations' | 'lots' | 'goals', id: string): Promise<void> {
  const column = table === 'goals' ? 'deadline' : 'expires_at';
  await database.asOwner(
    `update ledger.${table} set ${column} = now() - interval '1 second' where id = $1`,
    [id],
  );
}

async function grant(viewerId: string, tokens: number, expiresAt = inAnHour()): Promise<string> {
  const staff = await cast.person('admin');
  const granted = await grantTokens(database.db, {
    staffId: staff.id,
    viewerId,
    tokens,
    expiresAt,
    reason: 'a gift',
    idempotencyKey: cast.unique('key'),
  });
  return granted.lotId ?? '';
}

describe('holds', () => {
  test('held tokens cannot be spent, and go back to the very lots that they came from', async () => {
    const viewerId = await mixedBuyer();
    const performer = await cast.person('performer');
    const before = await cast.lotsOf(viewerId);
    const held = await hold(viewerId, performer.id, 60);
    expect(await readBalance(database.db, viewerId)).toBe(90);
    expect(await cast.accountsOf(viewerId)).toMatchObject({
      viewer_held: 60,
      reserved_prepaid: 5000 + 974,
    });
    expect((await refusalOf(hold(viewerId, performer.id, 91))).details).toEqual({
      neededTokens: 91,
      availableTokens: 90,
    });
    expect(await releaseHold(database.db, held.reservationId)).toEqual({
      tokens: 60,
      replayed: false,
    });
    expect(await cast.lotsOf(viewerId)).toEqual(before);
    expect(await releaseHold(database.db, held.reservationId)).toEqual({
      tokens: 60,
      replayed: true,
    });
  });

  test('a hold captured in part pays the performer for that part and gives the rest back', async () => {
    const viewerId = await mixedBuyer();
    const { performer, streamId } = await cast.liveStream();
    const held = await hold(viewerId, performer.id, 60, { streamId });
    const moved = await cast.movedBy(() => captureHold(database.db, held.reservationId, 55));
    // 50 tokens at 100 paise, and 5 of 10 that carry 974 paise.
    const paid = 5000 + 487;
    expect(moved).toEqual({
      viewer_held: -60,
      reserved_prepaid: -(5000 + 974),
      viewer_tokens: 5,
      viewer_prepaid: 974 - 487,
      tokens_outstanding: -55,
      performer_pending: 55 * payoutPaise,
      platform_revenue: paid - 55 * payoutPaise,
    });
    expect(await readBalance(database.db, viewerId)).toBe(95);
    expect(await readEarnings(database.db, performer.id)).toMatchObject({
      pendingPaise: 55 * payoutPaise,
      tokensReceived: 55,
      tips: 1,
    });
  });

  test('a hold ends once, however often and in whatever ways it is ended at the same time', async () => {
    const { user, order } = await cast.buyer();
    const performer = await cast.person('performer');
    const { reservationId } = await hold(user.id, performer.id, 30);
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 5 }, () => captureHold(database.db, reservationId, 30)),
      ...Array.from({ length: 5 }, () => releaseHold(database.db, reservationId)),
      ...Array.from({ length: 5 }, () => captureHold(database.db, reservationId, 29)),
    ]);
    const done = outcomes.flatMap((outcome) =>
      outcome.status === 'fulfilled' ? [outcome.value] : [],
    );
    expect(done.filter((result) => !result.replayed)).toHaveLength(1);
    const [first] = done;
    const spent = first && 'tipId' in first ? first.tokens : 0;
    expect(await readBalance(database.db, user.id)).toBe(order.tokens - spent);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(['reservation-closed', 'idempotency-key-reused']).toContain(outcome.reason.code);
      }
    }
  });

  test('a hold whose time is over cannot be captured any more and goes back by itself', async () => {
    const { user, order } = await cast.buyer();
    const performer = await cast.person('performer');
    const { reservationId } = await hold(user.id, performer.id, 30);
    await expire('reservations', reservationId);
    expect((await refusalOf(captureHold(database.db, reservationId, 30))).code).toBe(
      'reservation-closed',
    );
    await settleReservations(database.db, roundMax);
    expect(await readBalance(database.db, user.id)).toBe(order.tokens);
    expect(await releaseHold(database.db, reservationId)).toEqual({ tokens: 30, replayed: true });
  });

  test('the same key holds once, and is refused for another hold', async () => {
    const { user, order } = await cast.buyer();
    const performer = await cast.person('performer');
    const same = { key: cast.unique('key'), expiresAt: inAnHour() };
    const results = await Promise.all(
      Array.from({ length: 8 }, () => hold(user.id, performer.id, 5, same)),
    );
    expect(new Set(results.map((result) => result.reservationId)).size).toBe(1);
    expect(results.filter((result) => !result.replayed)).toHaveLength(1);
    expect(await readBalance(database.db, user.id)).toBe(order.tokens - 5);
    expect((await refusalOf(hold(user.id, performer.id, 6, same))).code).toBe(
      'idempotency-key-reused',
    );
  });

  test('a repeated key is known again by a session of another time zone', async () => {
    const { user } = await cast.buyer();
    const performer = await cast.person('performer');
    const same = { key: cast.unique('key'), expiresAt: inAnHour() };
    const first = await hold(user.id, performer.id, 5, same);
    const [row] = await database.asOwner<{ result: unknown }>(
      `select ledger.hold($1, $2, null, 5, $3, $4) as result
        from (select set_config('timezone', 'Asia/Kolkata', true)) zone`,
      [user.id, performer.id, same.expiresAt.toISOString(), same.key],
    );
    expect(row?.result).toMatchObject({ reservationId: first.reservationId, replayed: true });
  });

  test('oneself, strangers, banned people, other people’s streams and nothing: each has its refusal', async () => {
    const { user } = await cast.buyer();
    const { performer, streamId } = await cast.liveStream();
    const other = await cast.liveStream();
    const code = async (promise: Promise<unknown>) => (await refusalOf(promise)).code;
    expect(await code(hold(user.id, user.id, 1))).toBe('self-tip');
    expect(await code(hold(user.id, unknownId, 1))).toBe('not-found');
    expect(await code(hold(user.id, performer.id, 1, { streamId: other.streamId }))).toBe(
      'not-found',
    );
    expect(await code(hold(user.id, performer.id, 0))).toBe('invalid-request');
    expect(await code(hold(user.id, performer.id, -5))).toBe('invalid-request');
    expect(await code(hold(user.id, performer.id, 1, { expiresAt: new Date(0) }))).toBe(
      'invalid-request',
    );
    expect(await code(releaseHold(database.db, unknownId))).toBe('not-found');
    const { reservationId } = await hold(user.id, performer.id, 5, { streamId });
    for (const tokens of [0, -1, 6]) {
      expect(await code(captureHold(database.db, reservationId, tokens))).toBe('invalid-request');
    }
    const block = { fromId: performer.id, kind: 'block', toId: user.id } as const;
    await relate(database.db, block);
    expect(await code(hold(user.id, performer.id, 1))).toBe('blocked');
    await unrelate(database.db, block);
    await database.asOwner('update users set banned_at = now() where id = $1', [performer.id]);
    expect(await code(hold(user.id, performer.id, 1))).toBe('performer-unavailable');
    await database.asOwner('update users set banned_at = now() where id = $1', [user.id]);
    expect(await code(hold(user.id, other.performer.id, 1))).toBe('account-banned');
  });

  test('what is held counts towards the viewer’s limit; what comes back later gives a later day no more', async () => {
    const { user } = await cast.buyer();
    const { performer, streamId } = await cast.liveStream();
    const none = { dayTokens: null, monthTokens: null, dayPaise: null, monthPaise: null };
    await setLimits(database.db, user.id, { ...none, dayTokens: 10 });
    const today = await hold(user.id, performer.id, 8);
    expect((await refusalOf(hold(user.id, performer.id, 3))).details).toEqual({
      period: 'day',
      limitTokens: 10,
      spentTokens: 8,
    });
    await captureHold(database.db, today.reservationId, 2);
    expect((await readLimits(database.db, user.id)).spent.dayTokens).toBe(2);
    const { reservationId } = await hold(user.id, performer.id, 8);
    await releaseHold(database.db, await cast.backdate(reservationId, '1 day'));
    expect((await readLimits(database.db, user.id)).spent.dayTokens).toBe(2);
    expect((await refusalOf(cast.tipped(user.id, streamId, 9))).code).toBe('spending-limit');
    await cast.tipped(user.id, streamId, 8);
  });

  test('holds, captures and releases in any sizes leave no paisa behind when the wallet is empty', async () => {
    const viewerId = await mixedBuyer();
    const performer = await cast.person('performer');
    let spent = 0;
    for (let size = 7; ; size = (size * 5) % 23) {
      const left = await readBalance(database.db, viewerId);
      if (left === 0) break;
      const tokens = Math.min(size + 1, left);
      const { reservationId } = await hold(viewerId, performer.id, tokens);
      if (size % 3 === 0) await releaseHold(database.db, reservationId);
      else {
        const captured = Math.max(1, tokens - (size % 4));
        await captureHold(database.db, reservationId, captured);
        spent += captured;
      }
      if (size % 3 === 0 && tokens === left)
        await cast.tipped(viewerId, (await cast.liveStream()).streamId, left);
    }
    expect(await cast.accountsOf(viewerId)).toEqual({});
    expect(spent).toBeGreaterThan(100);
  });
});

describe('goals', () => {
  const openFor = (performerId: string, targetTokens: number, streamId: string | null = null) =>
    openGoal(database.db, {
      performerId,
      streamId,
      title: 'A song',
      targetTokens,
      deadline: inAnHour(),
    });
  const give = (viewerId: string, goalId: string, tokens: number, key = cast.unique('key')) =>
    contributeToGoal(database.db, { viewerId, goalId, tokens, idempotencyKey: key });

  test('a reached goal pays everything that was given, what came late included', async () => {
    const { performer, streamId } = await cast.liveStream();
    const [one, other] = [await cast.buyer(), await cast.buyer()];
    const goalId = await openFor(performer.id, 40, streamId);
    expect(await give(one.user.id, goalId, 30)).toMatchObject({
      goalTokens: 30,
      targetTokens: 40,
      balanceTokens: 20,
    });
    expect(await closeGoals(database.db, roundMax)).toEqual([]);
    await give(other.user.id, goalId, 10);
    await give(other.user.id, goalId, 7);
    expect(await cast.accountsOf(goalId)).toEqual({ goal_escrow: 47 });
    expect(await closeGoals(database.db, roundMax)).toEqual([{ goalId, state: 'reached' }]);
    expect((await refusalOf(give(one.user.id, goalId, 1))).code).toBe('goal-closed');
    const moved = await cast.movedBy(async () => {
      expect(await settleReservations(database.db, roundMax)).toBe(3);
    });
    expect(moved).toEqual({
      goal_escrow: -47,
      reserved_prepaid: -4700,
      tokens_outstanding: -47,
      performer_pending: 47 * payoutPaise,
      platform_revenue: 4700 - 47 * payoutPaise,
    });
    expect(await settleReservations(database.db, roundMax)).toBe(0);
  });

  test('a goal that is missed gives everything back', async () => {
    const performer = await cast.person('performer');
    const { user, order } = await cast.buyer();
    const goalId = await openFor(performer.id, 1_000);
    await give(user.id, goalId, 20);
    await expire('goals', goalId);
    expect((await refusalOf(give(user.id, goalId, 1))).code).toBe('goal-closed');
    expect(await closeGoals(database.db, roundMax)).toEqual([{ goalId, state: 'missed' }]);
    await settleReservations(database.db, roundMax);
    expect(await readBalance(database.db, user.id)).toBe(order.tokens);
    expect(await cast.accountsOf(goalId)).toEqual({});
    expect(await cast.accountsOf(performer.id)).toEqual({});
  });

  test('contributions that race the closing of their goal are all paid or all refused', async () => {
    const performer = await cast.person('performer');
    const buyers = await Promise.all(Array.from({ length: 8 }, () => cast.buyer()));
    const goalId = await openFor(performer.id, 60);
    const given = await Promise.allSettled([
      ...buyers.flatMap(({ user }) => [give(user.id, goalId, 6), give(user.id, goalId, 5)]),
      ...Array.from({ length: 4 }, () => closeGoals(database.db, roundMax)),
      ...buyers.map(({ user }) => give(user.id, goalId, 4)),
      ...Array.from({ length: 4 }, () => settleReservations(database.db, roundMax)),
    ]);
    for (const outcome of given) {
      if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('goal-closed');
    }
    await closeGoals(database.db, roundMax);
    await settleReservations(database.db, roundMax);
    const taken = given.reduce(
      (sum, outcome) =>
        outcome.status === 'fulfilled' &&
        typeof outcome.value === 'object' &&
        'tokens' in outcome.value
          ? sum + outcome.value.tokens
          : sum,
      0,
    );
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_pending: taken * payoutPaise });
    expect(await cast.accountsOf(goalId)).toEqual({});
    const balances = await Promise.all(buyers.map(({ user }) => readBalance(database.db, user.id)));
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(8 * 50 - taken);
  });

  test('one’s own goal, an unknown one, too much and nothing are refused; the same key gives once', async () => {
    const { user } = await cast.buyer();
    const performer = await cast.person('performer');
    const goalId = await openFor(performer.id, 40);
    const code = async (promise: Promise<unknown>) => (await refusalOf(promise)).code;
    expect(await code(give(performer.id, goalId, 1))).toBe('self-tip');
    expect(await code(give(user.id, unknownId, 1))).toBe('not-found');
    expect(await code(give(user.id, goalId, 0))).toBe('invalid-request');
    expect(await code(give(user.id, goalId, 10_001))).toBe('invalid-request');
    expect(await code(give(user.id, goalId, 51))).toBe('insufficient-balance');
    const key = cast.unique('key');
    const given = await Promise.all(Array.from({ length: 6 }, () => give(user.id, goalId, 3, key)));
    expect(given.filter((result) => !result.replayed)).toHaveLength(1);
    expect(await code(give(user.id, goalId, 4, key))).toBe('idempotency-key-reused');
    expect(await code(openFor(performer.id, 0))).toBe('invalid-request');
    expect(await code(openFor(unknownId, 5))).toBe('not-found');
  });
});

describe('promotional tokens', () => {
  test('they are spent before paid ones, those that expire first before others, at the platform’s expense', async () => {
    const { user } = await cast.buyer();
    const { streamId } = await cast.liveStream();
    await grant(user.id, 10, new Date(Date.now() + 2 * hourMs));
    await grant(user.id, 5);
    expect(await readBalance(database.db, user.id)).toBe(65);
    const moved = await cast.movedBy(() => cast.tipped(user.id, streamId, 7));
    expect(moved).toEqual({
      viewer_promo: -7,
      tokens_outstanding: -7,
      performer_pending: 7 * payoutPaise,
      promotion_expense: 7 * payoutPaise,
    });
    expect(await cast.lotsOf(user.id)).toEqual([
      { tokens: 50, paise: 5000 },
      { tokens: 8, paise: 0 },
      { tokens: 0, paise: 0 },
    ]);
    const mixed = await cast.movedBy(() => cast.tipped(user.id, streamId, 10));
    expect(mixed).toEqual({
      viewer_promo: -8,
      viewer_tokens: -2,
      viewer_prepaid: -200,
      tokens_outstanding: -10,
      performer_pending: 10 * payoutPaise,
      promotion_expense: 8 * payoutPaise,
      platform_revenue: 200 - 2 * payoutPaise,
    });
  });

  test('their time over, they are not spendable at once and taken back once', async () => {
    const { user } = await cast.buyer();
    const { streamId } = await cast.liveStream();
    const lotId = await grant(user.id, 10);
    await cast.tipped(user.id, streamId, 4);
    await expire('lots', lotId);
    expect(await readBalance(database.db, user.id)).toBe(50);
    expect((await refusalOf(cast.tipped(user.id, streamId, 51))).code).toBe('insufficient-balance');
    const moved = await cast.movedBy(() =>
      Promise.all(Array.from({ length: 5 }, () => expirePromotions(database.db, roundMax))),
    );
    expect(moved).toEqual({ viewer_promo: -6, tokens_outstanding: -6 });
  });

  test('held when their time ends, they can be captured; given back, they are gone', async () => {
    const user = await cast.person();
    const performer = await cast.person('performer');
    const lotId = await grant(user.id, 10);
    const captured = await hold(user.id, performer.id, 6);
    const released = await hold(user.id, performer.id, 4);
    await expire('lots', lotId);
    await expirePromotions(database.db, roundMax);
    await captureHold(database.db, captured.reservationId, 5);
    await releaseHold(database.db, released.reservationId);
    expect(await readBalance(database.db, user.id)).toBe(0);
    const moved = await cast.movedBy(() => expirePromotions(database.db, roundMax));
    expect(moved).toEqual({ viewer_promo: -5, tokens_outstanding: -5 });
    expect(await cast.accountsOf(user.id)).toEqual({});
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_pending: 5 * payoutPaise });
  });

  test('tips that race the end of a promotion spend each token once', async () => {
    const user = await cast.person();
    const { performer, streamId } = await cast.liveStream();
    await grant(user.id, 20);
    const lotId = await grant(user.id, 20, new Date(Date.now() + hourMs / 2));
    const outcomes = await Promise.allSettled([
      ...Array.from({ length: 20 }, () => cast.tipped(user.id, streamId, 1)),
      expire('lots', lotId),
      ...Array.from({ length: 5 }, () => expirePromotions(database.db, roundMax)),
      ...Array.from({ length: 20 }, () => cast.tipped(user.id, streamId, 1)),
    ]);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('insufficient-balance');
    }
    await expirePromotions(database.db, roundMax);
    const { performer_pending: earned = 0 } = await cast.accountsOf(performer.id);
    expect(earned / payoutPaise + (await readBalance(database.db, user.id))).toBeLessThanOrEqual(
      40,
    );
    expect((await readEarnings(database.db, performer.id)).tokensReceived).toBe(
      earned / payoutPaise,
    );
  });

  test('they are given by staff, to others than themselves, once for each key, and never paid back', async () => {
    const staff = await cast.person('admin');
    const { user, gatewayPaymentId } = await cast.buyer();
    const asked = {
      staffId: staff.id,
      viewerId: user.id,
      tokens: 10,
      expiresAt: inAnHour(),
      reason: 'a gift',
      idempotencyKey: cast.unique('key'),
    };
    const code = async (change: Partial<typeof asked>) =>
      (await refusalOf(grantTokens(database.db, { ...asked, ...change }))).code;
    const given = await Promise.all(
      Array.from({ length: 6 }, () => grantTokens(database.db, asked)),
    );
    expect(given.filter((result) => !result.replayed)).toHaveLength(1);
    expect(await code({ tokens: 11 })).toBe('idempotency-key-reused');
    const other = { idempotencyKey: cast.unique('key') };
    expect(await code({ ...other, staffId: user.id })).toBe('forbidden');
    expect(await code({ ...other, viewerId: staff.id })).toBe('second-person-needed');
    expect(await code({ ...other, viewerId: unknownId })).toBe('not-found');
    expect(await code({ ...other, tokens: 0 })).toBe('invalid-request');
    expect(await code({ ...other, tokens: 100_001 })).toBe('invalid-request');
    expect(await code({ ...other, expiresAt: new Date(0) })).toBe('invalid-request');
    const refusal = await refusalOf(
      requestRefund(database.db, {
        by: user.id,
        gatewayPaymentId,
        tokens: 51,
        reason: 'all of it',
        idempotencyKey: cast.unique('key'),
      }),
    );
    expect(refusal.details).toMatchObject({ unspentTokens: 50 });
  });
});

test('after all of this every invariant holds', async () => {
  // Acts that were put into the past have a place in the chain by now.
  await cast.sealAll();
  expect(await verifyBooks(database.db)).toEqual([]);
});
