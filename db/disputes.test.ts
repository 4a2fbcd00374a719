// Disputes: tokens and earnings wait for the outcome; won, everything is as before; lost, what can be is recovered.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { somebodyElse, waits } from '../testing/locks.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  captureHold,
  closeGoals,
  contributeToGoal,
  decideRefund,
  holdTokens,
  listDisputes,
  observeDispute,
  observePayment,
  observeRefund,
  openGoal,
  readBalance,
  releaseEarnings,
  releaseHold,
  requestRefund,
  settleReservations,
  takeRefundsToSend,
  verifyBooks,
} from './index.ts';

/** The package that is bought here: 100 tokens at 97.46 paise, with 17.54 paise of tax each. */
const starter = { tokens: 100, netPaise: 9746, gstPaise: 1754, pricePaise: 11_500 };
/** What a performer is credited for a token. */
const payoutPaise = 50;
const dayMs = 24 * 3_600_000;
const tomorrow = new Date(Date.now() + dayMs);

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(async () => {
  await database.close();
});

async function buyer() {
  const { user, gatewayPaymentId } = await cast.buyer(1);
  return { userId: user.id, gatewayPaymentId };
}
type Buyer = Awaited<ReturnType<typeof buyer>>;

type Facts = Parameters<typeof observeDispute>[1];
function say(of: Buyer, id: string, status: Facts['status'], change: Partial<Facts> = {}) {
  return observeDispute(database.db, {
    gatewayDisputeId: id,
    gatewayPaymentId: of.gatewayPaymentId,
    amountPaise: starter.pricePaise,
    phase: 'chargeback',
    reasonCode: 'fraud',
    status,
    respondBy: tomorrow,
    ...change,
  });
}

/** When somebody must have looked at it. */
async function deadlineOf(id: string): Promise<number | undefined> {
  const [row] = await database.asOwner<{ due_at: Date }>(
    `select due_at from cases where kind = 'dispute' and subject = $1 and state = 'open'`,
    [id],
  );
  return row?.due_at?.getTime();
}

/** All that is owned by some people and by the house. */
const booksOf = (...ownerIds: string[]) =>
  Promise.all([...ownerIds, null].map((id) => cast.accountsOf(id)));

function ordersOf<T>(items: readonly T[]): T[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((first, index) =>
    ordersOf(items.toSpliced(index, 1)).map((others) => [first, ...others]),
  );
}

describe('while it is open', () => {
  test('the unspent tokens wait, and what performers earned with the spent ones', async () => {
    const of = await buyer();
    const [one, other] = [await cast.liveStream(), await cast.liveStream()];
    await cast.tipped(of.userId, one.streamId, 30, 10);
    await cast.tipped(of.userId, other.streamId, 20);
    const id = cast.unique('disp');
    const moved = await cast.movedBy(() => say(of, id, 'open'));
    const [left = 0] = [starter.netPaise - 3898 - 1949];
    expect(moved).toEqual({
      viewer_tokens: -40,
      disputed: 40,
      viewer_prepaid: -left,
      reserved_prepaid: left,
      performer_pending: -60 * payoutPaise,
      performer_held: 60 * payoutPaise,
      disputes: starter.pricePaise,
      gateway_clearing: -starter.pricePaise,
    });
    expect(await cast.accountsOf(one.performer.id)).toEqual({ performer_held: 40 * payoutPaise });
    expect((await refusalOf(cast.tipped(of.userId, one.streamId, 1))).code).toBe(
      'insufficient-balance',
    );
    // The waiting time of held earnings does not end while they are held.
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    expect(await cast.accountsOf(one.performer.id)).toEqual({ performer_held: 40 * payoutPaise });
    expect(await cast.casesOf(id)).toEqual(['dispute']);
    expect(await deadlineOf(id)).toBe(tomorrow.getTime());
    const later = new Date(tomorrow.getTime() + dayMs);
    await say(of, id, 'open', { respondBy: later });
    expect(await deadlineOf(id)).toBe(later.getTime());
    const open = await listDisputes(database.db, { onlyOpen: true, limit: 100 });
    expect(open.find(({ gatewayDisputeId }) => gatewayDisputeId === id)).toMatchObject({
      state: 'open',
      respondBy: later.toISOString(),
    });
  });

  test('tokens that were set aside for a show or a goal come back and wait with the others', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    const held = await holdTokens(database.db, {
      viewerId: of.userId,
      performerId: performer.id,
      streamId,
      tokens: 30,
      expiresAt: tomorrow,
      idempotencyKey: cast.unique('key'),
    });
    const goalId = await openGoal(database.db, {
      performerId: performer.id,
      streamId,
      title: 'A song',
      targetTokens: 20,
      deadline: tomorrow,
    });
    await contributeToGoal(database.db, {
      viewerId: of.userId,
      goalId,
      tokens: 20,
      idempotencyKey: cast.unique('key'),
    });
    const id = cast.unique('disp');
    await say(of, id, 'open');
    expect(await cast.accountsOf(of.userId)).toEqual({
      disputed: 100,
      reserved_prepaid: starter.netPaise,
    });
    expect((await refusalOf(captureHold(database.db, held.reservationId, 30))).code).toBe(
      'reservation-closed',
    );
    expect(await releaseHold(database.db, held.reservationId)).toMatchObject({ replayed: true });
    // What was called back does not count for the goal any more.
    expect(await closeGoals(database.db, 100)).toEqual([]);
    await settleReservations(database.db, 100);
    expect(await cast.accountsOf(performer.id)).toEqual({});
    await say(of, id, 'won');
    expect(await readBalance(database.db, of.userId)).toBe(100);
  });

  test('what was set aside of another payment stays where it is', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    const hold = (tokens: number) =>
      holdTokens(database.db, {
        viewerId: of.userId,
        performerId: performer.id,
        streamId,
        tokens,
        expiresAt: tomorrow,
        idempotencyKey: cast.unique('key'),
      });
    const whole = await hold(100);
    await cast.pay(await cast.orderOf(of.userId, 1));
    // The older one is of the second payment alone, the newer one of the first.
    const { reservationId } = await hold(70);
    await releaseHold(database.db, whole.reservationId);
    await hold(60);
    await say(of, cast.unique('disp'), 'open');
    expect(await cast.accountsOf(of.userId)).toMatchObject({
      disputed: 100,
      viewer_held: 70,
      viewer_tokens: 30,
    });
    expect(await captureHold(database.db, reservationId, 70)).toMatchObject({ releasedTokens: 0 });
  });

  test('of a hold that was captured in part no more is held than it has earned', async () => {
    const of = await buyer();
    const [one, other] = [await cast.liveStream(), await cast.liveStream()];
    await cast.tipped(of.userId, other.streamId, 40);
    const { reservationId } = await holdTokens(database.db, {
      viewerId: of.userId,
      performerId: one.performer.id,
      streamId: one.streamId,
      tokens: 50,
      expiresAt: tomorrow,
      idempotencyKey: cast.unique('key'),
    });
    await captureHold(database.db, reservationId, 10);
    await say(of, cast.unique('disp'), 'open');
    expect(await cast.accountsOf(one.performer.id)).toEqual({ performer_held: 10 * payoutPaise });
    expect(await cast.accountsOf(other.performer.id)).toEqual({ performer_held: 40 * payoutPaise });
  });

  test('of a tip that two payments have paid no more is held than the disputed one has', async () => {
    const of = await buyer();
    await cast.pay(await cast.orderOf(of.userId, 1));
    const [older, newer] = [await cast.liveStream(), await cast.liveStream()];
    await cast.tipped(of.userId, older.streamId, 60);
    await cast.tipped(of.userId, newer.streamId, 80);
    await say(of, cast.unique('disp'), 'open');
    expect(await cast.accountsOf(older.performer.id)).toEqual({ performer_held: 60 * payoutPaise });
    expect(await cast.accountsOf(newer.performer.id)).toEqual({
      performer_held: 40 * payoutPaise,
      performer_pending: 40 * payoutPaise,
    });
  });

  test('what was earned by captured holds and reached goals is held like what was tipped', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    const held = await holdTokens(database.db, {
      viewerId: of.userId,
      performerId: performer.id,
      streamId,
      tokens: 50,
      expiresAt: tomorrow,
      idempotencyKey: cast.unique('key'),
    });
    await captureHold(database.db, held.reservationId, 40);
    const goalId = await openGoal(database.db, {
      performerId: performer.id,
      streamId,
      title: 'A song',
      targetTokens: 25,
      deadline: tomorrow,
    });
    await contributeToGoal(database.db, {
      viewerId: of.userId,
      goalId,
      tokens: 25,
      idempotencyKey: cast.unique('key'),
    });
    await closeGoals(database.db, 100);
    await settleReservations(database.db, 100);
    await say(of, cast.unique('disp'), 'open');
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_held: 65 * payoutPaise });
    expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: 35 });
  });

  test('tips that race it are held or refused, whichever came first', async () => {
    for (let turn = 0; turn < 10; turn += 1) {
      const of = await buyer();
      const { performer, streamId } = await cast.liveStream();
      await Promise.allSettled([
        ...Array.from({ length: 10 }, () => cast.tipped(of.userId, streamId, 3)),
        say(of, cast.unique('disp'), 'open'),
        ...Array.from({ length: 10 }, () => cast.tipped(of.userId, streamId, 3)),
      ]);
      const { disputed = 0 } = await cast.accountsOf(of.userId);
      const spent = starter.tokens - disputed;
      expect(await cast.accountsOf(performer.id)).toEqual(
        spent > 0 ? { performer_held: spent * payoutPaise } : {},
      );
    }
  });
});

describe('whom it waits for', () => {
  const ends = ['won', 'lost'] as const;

  test.each(ends)('%s, it locks the viewer before their tokens, as a tip does', async (end) => {
    const of = await buyer();
    const id = cast.unique('disp');
    await say(of, id, 'open');
    const other = await somebodyElse(database);
    await other.query('select ledger.lock_viewer($1)', [of.userId]);
    const told = say(of, id, end);
    await waits(database, told);
    await other.query('select from ledger.lots where owner_id = $1 for no key update nowait', [
      of.userId,
    ]);
    await other.end();
    expect(await told).toMatchObject({ state: end });
  });

  test.each(['open', 'won'] as const)(
    '%s, it waits for whoever releases earnings, and sees what is released then',
    async (status) => {
      const of = await buyer();
      const id = cast.unique('disp');
      if (status === 'won') await say(of, id, 'open');
      const other = await somebodyElse(database);
      await other.query('select from ledger.sealer for no key update');
      const told = say(of, id, status);
      await waits(database, told);
      await other.end();
      expect(await told).toMatchObject({ state: status });
    },
  );
});

describe('when it ends', () => {
  test.each(['won', 'closed'] as const)('%s, everybody has what they had before', async (end) => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 45);
    const before = await booksOf(of.userId, performer.id);
    const lots = await cast.lotsOf(of.userId);
    const id = cast.unique('disp');
    await say(of, id, 'open');
    await say(of, id, end);
    expect(await booksOf(of.userId, performer.id)).toEqual(before);
    expect(await cast.lotsOf(of.userId)).toEqual(lots);
    expect(await cast.casesOf(id)).toEqual([]);
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_available: 45 * payoutPaise });
  });

  test.each(['won', 'closed'] as const)(
    'lost, and then said to be %s, it stays as it was, and is looked at once',
    async (other) => {
      const of = await buyer();
      const id = cast.unique('disp');
      await say(of, id, 'lost');
      const moved = await cast.movedBy(async () => {
        expect(await say(of, id, other)).toMatchObject({ state: 'lost' });
        await say(of, id, other);
      });
      expect(moved).toEqual({});
      expect(await cast.casesOf(id)).toContain('dispute-contradiction');
      // The gateway is asked again and again, and says the same.
      await database.asOwner(`update cases set state = 'resolved' where subject = $1`, [id]);
      await say(of, id, other);
      expect(await cast.casesOf(id)).toEqual([]);
    },
  );

  test('won after the waiting time is over, its earnings can be asked for at once', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 45);
    const id = cast.unique('disp');
    await say(of, id, 'open');
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    await say(of, id, 'won');
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_available: 45 * payoutPaise });
  });

  test('won after the last act that was released, its earnings do not wait for ever', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 45);
    await cast.sealAll();
    const id = cast.unique('disp');
    await say(of, id, 'open');
    await cast.ageBlocks();
    await releaseEarnings(database.db);
    await say(of, id, 'won');
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_available: 45 * payoutPaise });
  });

  test('lost, tokens are burnt, tax is not owed, held earnings are taken, and the rest is a loss', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 60);
    const [lot] = await cast.lotsOf(of.userId);
    const id = cast.unique('disp');
    await say(of, id, 'open');
    const recovered = (lot?.paise ?? 0) + starter.gstPaise + 60 * payoutPaise;
    const moved = await cast.movedBy(async () => {
      expect(await say(of, id, 'lost')).toMatchObject({
        state: 'lost',
        recoveredPaise: recovered,
        lostPaise: starter.pricePaise - recovered,
      });
    });
    expect(moved).toEqual({
      disputed: -40,
      tokens_outstanding: -40,
      reserved_prepaid: -(lot?.paise ?? 0),
      gst_payable: -starter.gstPaise,
      performer_held: -60 * payoutPaise,
      disputes: -starter.pricePaise,
      dispute_losses: starter.pricePaise - recovered,
    });
    expect(await cast.accountsOf(of.userId)).toEqual({});
    expect(await cast.accountsOf(performer.id)).toEqual({});
    expect(await cast.casesOf(id)).toEqual(['dispute-loss']);
    // Nothing of it is released later.
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    expect(await cast.accountsOf(performer.id)).toEqual({});
  });

  test('lost after earnings were released, they stay with the performer, and are the platform’s loss', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 30);
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    await cast.tipped(of.userId, streamId, 20);
    const id = cast.unique('disp');
    await say(of, id, 'open');
    expect(await cast.accountsOf(performer.id)).toEqual({
      performer_available: 30 * payoutPaise,
      performer_held: 20 * payoutPaise,
    });
    const [lot] = [{ paise: starter.netPaise - 4873 }];
    await say(of, id, 'lost');
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_available: 30 * payoutPaise });
    const [dispute] = await listDisputes(database.db, { onlyOpen: false, limit: 1 });
    expect(dispute?.recoveredPaise).toBe(lot.paise + starter.gstPaise + 20 * payoutPaise);
  });

  test.each(['won', 'lost', 'closed'] as const)(
    'told in any order, and again and again, it is %s with one phase, one deadline and one set of books',
    async (end) => {
      const later = new Date(tomorrow.getTime() + 5 * dayMs);
      const events: [Facts['status'], Partial<Facts>][] = [
        ['open', { phase: 'retrieval' }],
        ['under_review', { phase: 'chargeback' }],
        ['open', { phase: 'pre_arbitration', respondBy: later }],
        [end, { phase: 'chargeback', respondBy: null }],
      ];
      const ends = new Set<string>();
      for (const told of ordersOf(events)) {
        const of = await buyer();
        const { performer, streamId } = await cast.liveStream();
        await cast.tipped(of.userId, streamId, 45);
        const before = await cast.accountsOf(null);
        const id = cast.unique('disp');
        for (const [status, change] of told) await say(of, id, status, change);
        await Promise.all(told.map(([status, change]) => say(of, id, status, change)));
        const found = (await listDisputes(database.db, { onlyOpen: false, limit: 1 }))[0];
        const after = await cast.accountsOf(null);
        ends.add(
          JSON.stringify({
            dispute: {
              ...found,
              gatewayDisputeId: '',
              gatewayPaymentId: '',
              userId: '',
              openedAt: '',
              closedAt: typeof found?.closedAt,
            },
            viewer: await cast.accountsOf(of.userId),
            performer: await cast.accountsOf(performer.id),
            house: Object.entries(after).map(([name, held]) => [name, held - (before[name] ?? 0)]),
          }),
        );
      }
      expect([...ends]).toHaveLength(1);
      expect(JSON.parse([...ends][0] ?? '')).toMatchObject({
        dispute: { state: end, phase: 'pre_arbitration', respondBy: later.toISOString() },
      });
    },
  );
});

describe('how much', () => {
  test('a dispute of a part takes the tokens that its money paid for, and no more', async () => {
    const of = await buyer();
    const id = cast.unique('disp');
    await say(of, id, 'open', { amountPaise: 1150 });
    expect(await readBalance(database.db, of.userId)).toBe(90);
    const lost = await say(of, id, 'lost', { amountPaise: 1150 });
    expect(lost).toMatchObject({ recoveredPaise: 974 + 176, lostPaise: 0 });
    // Nothing is lost: there is nothing to look at.
    expect(await cast.casesOf(id)).toEqual([]);
  });

  test('performers pay at most what they earned with the disputed tokens, newest tips first, and never the tax', async () => {
    const of = await buyer();
    const [older, newer] = [await cast.liveStream(), await cast.liveStream()];
    await cast.tipped(of.userId, older.streamId, 93);
    await cast.tipped(of.userId, newer.streamId, 7);
    const id = cast.unique('disp');
    await say(of, id, 'open', { amountPaise: 1150 });
    expect(await cast.accountsOf(newer.performer.id)).toEqual({ performer_held: 7 * payoutPaise });
    expect(await cast.accountsOf(older.performer.id)).toEqual({
      performer_held: 3 * payoutPaise,
      performer_pending: 90 * payoutPaise,
    });
    expect(await say(of, id, 'lost')).toMatchObject({
      recoveredPaise: 10 * payoutPaise + 176,
      lostPaise: 1150 - 10 * payoutPaise - 176,
    });
  });

  test('several disputes of one payment hold no token and no earning twice, and end each by itself', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 60);
    const [first, second] = [cast.unique('disp'), cast.unique('disp')];
    const half = { amountPaise: starter.pricePaise / 2 };
    await say(of, first, 'open', half);
    expect(await cast.accountsOf(performer.id)).toMatchObject({
      performer_held: 10 * payoutPaise,
      performer_pending: 50 * payoutPaise,
    });
    await say(of, second, 'open', half);
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_held: 60 * payoutPaise });
    await say(of, first, 'won', half);
    expect(await cast.accountsOf(performer.id)).toEqual({
      performer_held: 50 * payoutPaise,
      performer_pending: 10 * payoutPaise,
    });
    expect(await readBalance(database.db, of.userId)).toBe(40);
    await say(of, second, 'lost', half);
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_pending: 10 * payoutPaise });
    expect(await readBalance(database.db, of.userId)).toBe(40);
  });

  test('several disputes of one payment hold of each performer what was earned, and no more', async () => {
    const of = await buyer();
    const [older, newer] = [await cast.liveStream(), await cast.liveStream()];
    await cast.tipped(of.userId, older.streamId, 30);
    await cast.tipped(of.userId, newer.streamId, 30);
    const half = { amountPaise: starter.pricePaise / 2 };
    // 40 tokens and 10 of the newer tip; then what is left of it, and the older one.
    await say(of, cast.unique('disp'), 'open', half);
    await say(of, cast.unique('disp'), 'open', half);
    for (const { performer } of [older, newer]) {
      expect(await cast.accountsOf(performer.id)).toEqual({ performer_held: 30 * payoutPaise });
    }
  });

  test('a tip that was paid from two disputed payments is held for each by its part', async () => {
    const of = await buyer();
    const second = { ...of, gatewayPaymentId: await cast.pay(await cast.orderOf(of.userId, 1)) };
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 150);
    const [first, other] = [cast.unique('disp'), cast.unique('disp')];
    await say(of, first, 'open');
    expect(await cast.accountsOf(performer.id)).toEqual({
      performer_held: 100 * payoutPaise,
      performer_pending: 50 * payoutPaise,
    });
    await say(second, other, 'open');
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_held: 150 * payoutPaise });
    await say(of, first, 'lost');
    await say(second, other, 'won');
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_pending: 50 * payoutPaise });
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_available: 50 * payoutPaise });
  });

  test('on a payment that was partly given back, and for more than is left, it takes what is there', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 10);
    const refund = await requestRefund(database.db, {
      by: of.userId,
      gatewayPaymentId: of.gatewayPaymentId,
      tokens: 50,
      reason: 'too many',
      idempotencyKey: cast.unique('key'),
    });
    const staff = await cast.person('admin');
    await decideRefund(database.db, { refundId: refund.id, staffId: staff.id, approve: true });
    await takeRefundsToSend(database.db, 100);
    await observeRefund(database.db, {
      refundId: refund.id,
      gatewayRefundId: cast.unique('rfnd'),
      gatewayPaymentId: of.gatewayPaymentId,
      amountPaise: refund.amountPaise,
      status: 'processed',
    });
    const [lot] = await cast.lotsOf(of.userId);
    const id = cast.unique('disp');
    await say(of, id, 'open');
    expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: 40 });
    const lost = await say(of, id, 'lost');
    const recovered = (lot?.paise ?? 0) + (starter.gstPaise - refund.gstPaise) + 10 * payoutPaise;
    expect(lost).toMatchObject({
      recoveredPaise: recovered,
      lostPaise: starter.pricePaise - recovered,
    });
    expect(await cast.accountsOf(performer.id)).toEqual({});
  });
});

test('a dispute of a payment that nobody knows opens a case and books nothing', async () => {
  const unknown = { userId: '', gatewayPaymentId: 'pay_unknown' };
  const moved = await cast.movedBy(async () => {
    expect((await refusalOf(say(unknown, 'disp_unknown', 'open'))).code).toBe('not-found');
  });
  expect(moved).toEqual({});
  expect(await cast.casesOf('disp_unknown')).toEqual(['dispute-of-unknown-payment']);
});

test('a dispute of a payment that is not captured yet opens a case and books nothing', async () => {
  const user = await cast.person();
  const order = await cast.orderOf(user.id, 1);
  const of = { userId: user.id, gatewayPaymentId: cast.unique('pay') };
  await observePayment(database.db, {
    gatewayPaymentId: of.gatewayPaymentId,
    gatewayOrderId: order.gatewayOrderId ?? '',
    amountPaise: order.amountPaise,
    currency: 'INR',
    status: 'authorized',
  });
  const id = cast.unique('disp');
  const moved = await cast.movedBy(async () => {
    expect((await refusalOf(say(of, id, 'open'))).code).toBe('not-found');
  });
  expect(moved).toEqual({});
  expect(await cast.casesOf(id)).toEqual(['dispute-of-unknown-payment']);
});

describe('when it turns after it was over', () => {
  test.each(['won', 'closed'] as const)(
    '%s, and then lost, it takes what a lost one takes, once, and is looked at',
    async (end) => {
      const [straight, turned] = [await buyer(), await buyer()];
      const { streamId } = await cast.liveStream();
      await cast.tipped(straight.userId, streamId, 30);
      await cast.tipped(turned.userId, streamId, 30);
      const lost = await cast.movedBy(() => say(straight, cast.unique('disp'), 'lost'));
      const id = cast.unique('disp');
      await say(turned, id, end);
      expect(await readBalance(database.db, turned.userId)).toBe(70);
      const taken = await cast.movedBy(async () => {
        await Promise.all(Array.from({ length: 4 }, () => say(turned, id, 'lost')));
        await say(turned, id, 'lost');
      });
      expect(taken).toEqual(lost);
      expect(await cast.casesOf(id)).toEqual(['dispute-loss', 'dispute-turned']);
    },
  );

  test('what was spent and released meanwhile is lost, and somebody hears of it', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    const id = cast.unique('disp');
    await say(of, id, 'won');
    await cast.tipped(of.userId, streamId, 60);
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    await cast.tipped(of.userId, streamId, 30);
    expect(await say(of, id, 'lost')).toMatchObject({ state: 'lost' });
    expect(await cast.accountsOf(of.userId)).toEqual({});
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_available: 60 * payoutPaise });
    expect(await cast.casesOf(id)).toEqual(['dispute-loss', 'dispute-turned']);
  });

  test('goes on in a later phase, it waits again, with its deadline; won again, all is as it was', async () => {
    const of = await buyer();
    const { streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 30);
    const books = () => Promise.all([of.userId, null].map((id) => cast.accountsOf(id)));
    const before = await books();
    const id = cast.unique('disp');
    const phases = ['retrieval', 'fraud', 'chargeback', 'pre_arbitration', 'arbitration'];
    for (const [index, phase] of phases.entries()) {
      const respondBy = new Date(Date.now() + 2 * dayMs);
      const status = index % 2 === 0 ? 'open' : 'under_review';
      expect(await say(of, id, status, { phase, respondBy })).toMatchObject({
        state: status,
        respondBy: respondBy.toISOString(),
        closedAt: null,
      });
      expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: 70 });
      expect(await cast.casesOf(id)).toContain('dispute');
      await say(of, id, 'won', { phase });
      expect(await books()).toEqual(before);
      // What comes late of a phase that is over opens nothing.
      expect(await say(of, id, status, { phase })).toMatchObject({ state: 'won' });
      expect(await books()).toEqual(before);
    }
  });

  test('tips that race it are held or refused, whichever came first', async () => {
    for (let turn = 0; turn < 3; turn += 1) {
      const of = await buyer();
      const { performer, streamId } = await cast.liveStream();
      const id = cast.unique('disp');
      await say(of, id, 'won');
      const [, ...tips] = await Promise.allSettled([
        say(of, id, 'lost'),
        ...Array.from({ length: 5 }, () => cast.tipped(of.userId, streamId, 1)),
      ]);
      for (const outcome of tips) {
        if (outcome.status === 'rejected') {
          expect(outcome).toMatchObject({ reason: { code: 'insufficient-balance' } });
        }
      }
      expect(await cast.accountsOf(of.userId)).toEqual({});
      expect(await cast.accountsOf(performer.id)).toEqual({});
    }
  });
});

describe('a dispute that is told otherwise than before', () => {
  test('with another payment closes nothing, moves nothing, and is a case, once', async () => {
    const [of, other] = [await buyer(), await buyer()];
    const id = cast.unique('disp');
    await say(of, id, 'open');
    for (const status of ['lost', 'won', 'open'] as const) {
      const moved = await cast.movedBy(async () => {
        expect((await refusalOf(say(other, id, status))).code).toBe('payment-mismatch');
      });
      expect(moved).toEqual({});
    }
    expect(await cast.casesOf(id)).toEqual(['dispute', 'dispute-mismatch']);
    expect(await readBalance(database.db, other.userId)).toBe(starter.tokens);
    // Its own payment's word counts as ever.
    expect(await say(of, id, 'won')).toMatchObject({ state: 'won' });
    expect(await readBalance(database.db, of.userId)).toBe(starter.tokens);
  });

  test('with another amount stays as it was booked, and is a case', async () => {
    const of = await buyer();
    const id = cast.unique('disp');
    await say(of, id, 'open');
    const moved = await cast.movedBy(() => say(of, id, 'open', { amountPaise: 100 }));
    expect(moved).toEqual({});
    expect(await cast.casesOf(id)).toEqual(['dispute', 'dispute-mismatch']);
    await say(of, id, 'won');
  });
});

test('after all of this every invariant holds', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
});
