// Claims: tokens whose money went back otherwise, or is wanted back, are nobody's to spend, however late they come back.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
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
  type RefundRow,
  readBalance,
  releaseEarnings,
  releaseHold,
  requestRefund,
  settleReservations,
  takeRefundsToSend,
  verifyBooks,
} from './index.ts';

/** The package that is bought here: 100 tokens. */
const starter = { tokens: 100, netPaise: 9746, gstPaise: 1754, pricePaise: 11_500 };
/** What a performer is credited for a token. */
const payoutPaise = 50;
const tomorrow = new Date(Date.now() + 24 * 3_600_000);

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
let staffId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  staffId = (await cast.person('admin')).id;
});
afterAll(async () => {
  await database.close();
});

async function buyer() {
  const { user, gatewayPaymentId } = await cast.buyer(1);
  return { userId: user.id, gatewayPaymentId };
}
type Buyer = Awaited<ReturnType<typeof buyer>>;

/** A refund of ours whose first attempt was made, and whose answer was lost. */
async function sent(of: Buyer, tokens: number): Promise<RefundRow> {
  const refund = await requestRefund(database.db, {
    by: of.userId,
    gatewayPaymentId: of.gatewayPaymentId,
    tokens,
    reason: 'changed my mind',
    idempotencyKey: cast.unique('key'),
  });
  await decideRefund(database.db, { refundId: refund.id, staffId, approve: true });
  await takeRefundsToSend(database.db, 1_000);
  return refund;
}

/** What the gateway says of a refund of ours. */
const tell = (refund: RefundRow, status: 'processed' | 'failed') =>
  observeRefund(database.db, {
    refundId: refund.id,
    gatewayRefundId: `rfnd_${refund.id}`,
    gatewayPaymentId: refund.gatewayPaymentId,
    amountPaise: refund.amountPaise,
    status,
  });
const fail = (refund: RefundRow) => tell(refund, 'failed');

/** What the gateway says of a refund that was made there. */
const made = (
  of: Buyer,
  gatewayRefundId: string,
  status: 'created' | 'processed' | 'failed',
  amountPaise = starter.pricePaise,
) =>
  observeRefund(database.db, {
    gatewayRefundId,
    gatewayPaymentId: of.gatewayPaymentId,
    amountPaise,
    status,
  });

const dispute = (
  of: Buyer,
  gatewayDisputeId: string,
  status: 'open' | 'under_review' | 'won' | 'closed' | 'lost',
  amountPaise = starter.pricePaise,
) =>
  observeDispute(database.db, {
    gatewayDisputeId,
    gatewayPaymentId: of.gatewayPaymentId,
    amountPaise,
    phase: 'chargeback',
    reasonCode: 'fraud',
    status,
    respondBy: null,
  });

const hold = (of: Buyer, to: { performer: { id: string }; streamId: string }, tokens: number) =>
  holdTokens(database.db, {
    viewerId: of.userId,
    performerId: to.performer.id,
    streamId: to.streamId,
    tokens,
    expiresAt: tomorrow,
    idempotencyKey: cast.unique('key'),
  });

const stateOf = async (id: string) =>
  (await listDisputes(database.db, { onlyOpen: false, limit: 1_000 })).find(
    ({ gatewayDisputeId }) => gatewayDisputeId === id,
  );

/** All that is owned by some people and by the house. */
const booksOf = (...ownerIds: string[]) =>
  Promise.all([...ownerIds, null].map((id) => cast.accountsOf(id)));

describe('a refund made at the gateway', () => {
  test('calls tokens back that wait for a show or a goal, and they never become spendable', async () => {
    const of = await buyer();
    const stream = await cast.liveStream();
    const held = await hold(of, stream, 60);
    const goalId = await openGoal(database.db, {
      performerId: stream.performer.id,
      streamId: stream.streamId,
      title: 'A song',
      targetTokens: 40,
      deadline: tomorrow,
    });
    await contributeToGoal(database.db, {
      viewerId: of.userId,
      goalId,
      tokens: 40,
      idempotencyKey: cast.unique('key'),
    });
    const moved = await cast.movedBy(() => made(of, cast.unique('rfnd'), 'processed'));
    expect(moved).toEqual({
      viewer_held: -60,
      goal_escrow: -40,
      tokens_outstanding: -starter.tokens,
      reserved_prepaid: -starter.netPaise,
      gst_payable: -starter.gstPaise,
      gateway_clearing: -starter.pricePaise,
    });
    expect((await refusalOf(captureHold(database.db, held.reservationId, 60))).code).toBe(
      'reservation-closed',
    );
    expect(await releaseHold(database.db, held.reservationId)).toMatchObject({ replayed: true });
    expect(await closeGoals(database.db, 100)).toEqual([]);
    await settleReservations(database.db, 100);
    expect(await cast.accountsOf(of.userId)).toEqual({});
    expect(await cast.accountsOf(stream.performer.id)).toEqual({});
  });

  test('of a part calls back no more than it needs', async () => {
    const of = await buyer();
    const stream = await cast.liveStream();
    const [first, second] = [await hold(of, stream, 30), await hold(of, stream, 40)];
    // 30 are unspent, 20 more are wanted.
    await made(of, cast.unique('rfnd'), 'processed', starter.pricePaise / 2);
    expect(await readBalance(database.db, of.userId)).toBe(10);
    expect((await refusalOf(captureHold(database.db, first.reservationId, 1))).code).toBe(
      'reservation-closed',
    );
    expect(await captureHold(database.db, second.reservationId, 25)).toMatchObject({
      releasedTokens: 15,
    });
    expect(await readBalance(database.db, of.userId)).toBe(25);
  });

  test('calls nothing back when what is unspent is just enough', async () => {
    const of = await buyer();
    const { reservationId } = await hold(of, await cast.liveStream(), 50);
    await made(of, cast.unique('rfnd'), 'processed', starter.pricePaise / 2);
    expect(await readBalance(database.db, of.userId)).toBe(0);
    expect(await captureHold(database.db, reservationId, 50)).toMatchObject({ releasedTokens: 0 });
  });

  test('takes what comes back from a refund of ours that fails; when it fails itself, all comes back', async () => {
    const of = await buyer();
    const lots = await cast.lotsOf(of.userId);
    const before = await booksOf(of.userId);
    const ours = await sent(of, starter.tokens);
    const id = cast.unique('rfnd');
    await made(of, id, 'created');
    const moved = await cast.movedBy(() => fail(ours));
    expect(await cast.accountsOf(of.userId)).toEqual({});
    // The tokens pay for what was booked as a loss when they were not there.
    expect(moved).toEqual({ refunds: -starter.pricePaise, dispute_losses: -starter.pricePaise });
    await made(of, id, 'failed');
    expect(await booksOf(of.userId)).toEqual(before);
    expect(await cast.lotsOf(of.userId)).toEqual(lots);
  });

  test('takes only what its money paid for: the rest of what comes back can be spent', async () => {
    const of = await buyer();
    const { streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 10);
    const ours = await sent(of, 40);
    // 50 tokens are left, and 60 are wanted.
    await made(of, cast.unique('rfnd'), 'processed', 6_900);
    expect(await readBalance(database.db, of.userId)).toBe(0);
    await fail(ours);
    expect(await readBalance(database.db, of.userId)).toBe(30);
    const rest = await requestRefund(database.db, {
      by: of.userId,
      gatewayPaymentId: of.gatewayPaymentId,
      reason: 'the rest',
      idempotencyKey: cast.unique('key'),
    });
    expect(Math.abs(rest.amountPaise - 30 * 115)).toBeLessThanOrEqual(1);
  });

  test.each(['won', 'closed'] as const)(
    'takes what comes back from a dispute that is %s',
    async (end) => {
      const of = await buyer();
      const id = cast.unique('disp');
      await dispute(of, id, 'open');
      await made(of, cast.unique('rfnd'), 'processed');
      expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: starter.tokens });
      await dispute(of, id, end);
      expect(await cast.accountsOf(of.userId)).toEqual({});
    },
  );

  test('leaves the tokens of other payments alone', async () => {
    const of = await buyer();
    await cast.pay(await cast.orderOf(of.userId, 1));
    const ours = await sent(of, starter.tokens);
    await made(of, cast.unique('rfnd'), 'processed');
    await fail(ours);
    expect(await readBalance(database.db, of.userId)).toBe(starter.tokens);
  });

  test('is told with its payment: what it takes is in no wallet for a moment', async () => {
    const { streamId } = await cast.liveStream();
    for (let turn = 0; turn < 5; turn += 1) {
      const user = await cast.person();
      const order = await cast.orderOf(user.id, 1);
      const gatewayPaymentId = cast.unique('pay');
      const gatewayRefundId = cast.unique('rfnd');
      const told = {
        gatewayPaymentId,
        gatewayOrderId: order.gatewayOrderId ?? '',
        amountPaise: starter.pricePaise,
        currency: 'INR',
        status: 'refunded' as const,
        refunds: [
          {
            gatewayRefundId,
            gatewayPaymentId,
            amountPaise: starter.pricePaise,
            status: 'processed' as const,
          },
        ],
      };
      const [first, again, ...tips] = await Promise.allSettled([
        observePayment(database.db, told),
        observePayment(database.db, told),
        ...Array.from({ length: 10 }, () => cast.tipped(user.id, streamId, 1)),
      ]);
      const results = [first, again].map((one) => (one?.status === 'fulfilled' ? one.value : null));
      expect(results.map((one) => one?.balanceTokens)).toEqual([0, 0]);
      expect(results.filter((one) => one?.credited)).toHaveLength(1);
      for (const outcome of tips) {
        expect(outcome).toMatchObject({ reason: { code: 'insufficient-balance' } });
      }
      expect(await cast.accountsOf(user.id)).toEqual({});
      expect(await cast.casesOf(gatewayRefundId)).toEqual(['refund-made-at-gateway']);
    }
  });

  test('is told with a payment that was not captured: it is nothing of ours, and nobody’s case', async () => {
    for (const status of ['created', 'authorized', 'failed'] as const) {
      const user = await cast.person();
      const order = await cast.orderOf(user.id, 1);
      const [gatewayPaymentId, gatewayRefundId] = [cast.unique('pay'), cast.unique('rfnd')];
      const { pricePaise: amountPaise } = starter;
      const moved = await cast.movedBy(() =>
        observePayment(database.db, {
          gatewayPaymentId,
          gatewayOrderId: order.gatewayOrderId ?? '',
          amountPaise,
          currency: 'INR',
          status,
          refunds: [{ gatewayRefundId, gatewayPaymentId, amountPaise, status: 'processed' }],
        }),
      );
      expect([moved, await cast.casesOf(gatewayRefundId)]).toEqual([{}, []]);
    }
  });

  test('is asked about until its end is known', async () => {
    const of = await buyer();
    const { id } = await made(of, cast.unique('rfnd'), 'created');
    const isTaken = async () =>
      (await takeRefundsToSend(database.db, 1_000)).some((refund) => refund.id === id);
    const age = () =>
      database.asOwner(
        `update refunds set next_attempt_at = next_attempt_at - interval '1 hour' where id = $1`,
        [id],
      );
    expect(await isTaken()).toBe(true);
    expect(await isTaken()).toBe(false);
    await age();
    expect(await isTaken()).toBe(true);
    const [row] = await database.asOwner<{ name: string }>(
      'select gateway_refund_id as name from refunds where id = $1',
      [id],
    );
    await made(of, row?.name ?? '', 'processed');
    await age();
    expect(await isTaken()).toBe(false);
  });

  test('whose end is not known for days is a case, until it is', async () => {
    const of = await buyer();
    const name = cast.unique('rfnd');
    const { id } = await made(of, name, 'created');
    const cases = () =>
      database.asOwner(
        `select state, resolution from cases where kind = 'refund-late' and subject = $1`,
        [id],
      );
    await takeRefundsToSend(database.db, 1_000);
    expect(await cases()).toEqual([]);
    await database.asOwner(
      `update refunds set next_attempt_at = now(), created_at = now() - interval '11 days' where id = $1`,
      [id],
    );
    await takeRefundsToSend(database.db, 1_000);
    expect(await cases()).toEqual([{ state: 'open', resolution: null }]);
    await made(of, name, 'processed');
    expect(await cases()).toEqual([{ state: 'resolved', resolution: 'processed' }]);
  });
});

describe('a refund of ours that fails while its payment is disputed', () => {
  test('its tokens wait with the others, and are taken with them', async () => {
    const of = await buyer();
    const ours = await sent(of, 40);
    const id = cast.unique('disp');
    await dispute(of, id, 'open');
    expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: 60 });
    await fail(ours);
    expect(await cast.accountsOf(of.userId)).toEqual({
      disputed: starter.tokens,
      reserved_prepaid: starter.netPaise,
    });
    expect(await dispute(of, id, 'lost')).toMatchObject({
      recoveredPaise: starter.pricePaise,
      lostPaise: 0,
    });
    expect(await cast.accountsOf(of.userId)).toEqual({});
  });

  test.each(['open', 'under_review'] as const)(
    'they wait as well when no others did, while it is %s; when it is won they can be spent',
    async (status) => {
      const of = await buyer();
      const lots = await cast.lotsOf(of.userId);
      const ours = await sent(of, starter.tokens);
      const id = cast.unique('disp');
      await dispute(of, id, status);
      await fail(ours);
      expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: starter.tokens });
      await dispute(of, id, 'won');
      expect(await cast.lotsOf(of.userId)).toEqual(lots);
    },
  );

  test('as far as the dispute wants them: what it has of tokens and held earnings counts', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 50);
    const ours = await sent(of, 40);
    const id = cast.unique('disp');
    // 80 are wanted: 10 are unspent, the earnings of 50 are held.
    await dispute(of, id, 'open', 9_200);
    expect(await cast.accountsOf(performer.id)).toEqual({ performer_held: 50 * payoutPaise });
    await fail(ours);
    expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: 30, viewer_tokens: 20 });
  });

  test.each([
    ['all its tokens were in the refund', 100],
    ['some were with the dispute', 40],
  ])('after it was lost they are taken as by a lost one: %s', async (_, tokens) => {
    const of = await buyer();
    const ours = await sent(of, tokens);
    const id = cast.unique('disp');
    await dispute(of, id, 'open');
    const lost = await dispute(of, id, 'lost');
    expect(lost.lostPaise).toBe(ours.amountPaise);
    expect(await cast.casesOf(id)).toEqual(['dispute-loss']);
    const moved = await cast.movedBy(() => fail(ours));
    expect(moved).toEqual({ refunds: -ours.amountPaise, dispute_losses: -ours.amountPaise });
    expect(await cast.accountsOf(of.userId)).toEqual({});
    expect(await stateOf(id)).toMatchObject({
      recoveredPaise: starter.pricePaise,
      lostPaise: 0,
    });
    expect(await cast.casesOf(id)).toEqual([]);
  });

  test('after it was lost they come back one after the other: it is a loss until the last has', async () => {
    const of = await buyer();
    const [one, other] = [await sent(of, 60), await sent(of, 40)];
    const id = cast.unique('disp');
    await dispute(of, id, 'lost');
    await fail(one);
    expect(await stateOf(id)).toMatchObject({ lostPaise: other.amountPaise });
    expect(await cast.casesOf(id)).toEqual(['dispute-loss']);
    await fail(other);
    expect(await stateOf(id)).toMatchObject({ lostPaise: 0 });
    expect(await cast.casesOf(id)).toEqual([]);
  });

  test('after it was lost with earnings taken, only what nobody paid for is taken', async () => {
    const of = await buyer();
    const { performer, streamId } = await cast.liveStream();
    await cast.tipped(of.userId, streamId, 30);
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    await cast.tipped(of.userId, streamId, 30);
    const ours = await sent(of, 40);
    const id = cast.unique('disp');
    // 60 are wanted, and the earnings of 30 are there to be held.
    await dispute(of, id, 'open', 6_900);
    await dispute(of, id, 'lost', 6_900);
    await fail(ours);
    expect(await readBalance(database.db, of.userId)).toBe(10);
    expect(await cast.accountsOf(performer.id)).toEqual({
      performer_available: 30 * payoutPaise,
    });
  });

  test('of two disputes the lost one takes before the open one waits', async () => {
    const of = await buyer();
    const ours = await sent(of, starter.tokens);
    const [open, lost] = [cast.unique('disp'), cast.unique('disp')];
    await dispute(of, open, 'open', 6_900);
    await dispute(of, lost, 'lost', 6_900);
    await fail(ours);
    expect(await cast.accountsOf(of.userId)).toMatchObject({ disputed: 40 });
    await dispute(of, open, 'won', 6_900);
    expect(await readBalance(database.db, of.userId)).toBe(40);
  });

  test('tips that race it find nothing to spend', async () => {
    for (let turn = 0; turn < 10; turn += 1) {
      const of = await buyer();
      const { streamId } = await cast.liveStream();
      const ours = await sent(of, starter.tokens);
      await dispute(of, cast.unique('disp'), 'open');
      const [, ...tips] = await Promise.allSettled([
        fail(ours),
        ...Array.from({ length: 10 }, () => cast.tipped(of.userId, streamId, 1)),
      ]);
      for (const outcome of tips) {
        expect(outcome).toMatchObject({ reason: { code: 'insufficient-balance' } });
      }
    }
  });
});

test('a refund of ours that was rounded up to a paisa claims no token more than it gave back', async () => {
  const { user, gatewayPaymentId } = await cast.buyer(4);
  const of = { userId: user.id, gatewayPaymentId };
  // A token of these costs 104.17 paise.
  const [down, up, failing] = [await sent(of, 5), await sent(of, 5), await sent(of, 20)];
  expect([down.amountPaise, up.amountPaise]).toEqual([520, 521]);
  await tell(down, 'processed');
  await tell(up, 'processed');
  await fail(failing);
  expect(await readBalance(database.db, of.userId)).toBe(1_200 - 10);
});

test('after all of this every invariant holds', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
});
