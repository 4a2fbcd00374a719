// Settlements: every paisa that the gateway brings to the bank is explained, or somebody looks at it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  decideAdjustment,
  decideRefund,
  findLateSettlements,
  observeDispute,
  observePayment,
  observeRefund,
  observeSettlement,
  proposeAdjustment,
  readClearing,
  requestRefund,
  type SettlementFacts,
  verifyBooks,
} from './index.ts';

const pricePaise = 11_500;
/** What the gateway keeps of a payment, tax included. */
const fee = { feePaise: 271, taxPaise: 41 };

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

type Item = SettlementFacts['items'][number];

function lineOf(entityId: string, change: Partial<Item> = {}): Item {
  const amountPaise = change.amountPaise ?? pricePaise;
  const { feePaise, taxPaise } = { ...fee, ...change };
  return {
    entityId,
    type: 'payment',
    creditPaise: amountPaise - feePaise,
    debitPaise: 0,
    amountPaise,
    feePaise,
    taxPaise,
    disputeId: null,
    ...change,
  };
}

/** A line that takes something. */
function debitOf(entityId: string, amountPaise: number, change: Partial<Item> = {}): Item {
  return lineOf(entityId, {
    amountPaise,
    creditPaise: 0,
    debitPaise: amountPaise,
    feePaise: 0,
    taxPaise: 0,
    ...change,
  });
}

function settle(items: Item[], settlementId = cast.unique('setl')) {
  return observeSettlement(database.db, {
    settlementId,
    utr: 'UTR1',
    settledAt: new Date(),
    items,
  });
}

async function buyer() {
  const { user, order, gatewayPaymentId } = await cast.buyer(1);
  return { userId: user.id, order, gatewayPaymentId };
}
type Buyer = Awaited<ReturnType<typeof buyer>>;

async function refundOf(of: Buyer, tokens: number) {
  const refund = await requestRefund(database.db, {
    by: of.userId,
    gatewayPaymentId: of.gatewayPaymentId,
    tokens,
    reason: 'too many',
    idempotencyKey: cast.unique('key'),
  });
  await decideRefund(database.db, { refundId: refund.id, staffId, approve: true });
  const gatewayRefundId = cast.unique('rfnd');
  const say = (status: 'pending' | 'processed') =>
    observeRefund(database.db, {
      refundId: refund.id,
      gatewayRefundId,
      gatewayPaymentId: of.gatewayPaymentId,
      amountPaise: refund.amountPaise,
      status,
    });
  return { gatewayRefundId, amountPaise: refund.amountPaise, say };
}

function disputeOf(of: Buyer, status: 'open' | 'won' | 'lost', gatewayDisputeId: string) {
  return observeDispute(database.db, {
    gatewayDisputeId,
    gatewayPaymentId: of.gatewayPaymentId,
    amountPaise: pricePaise,
    phase: 'chargeback',
    reasonCode: 'fraud',
    status,
    respondBy: null,
  });
}

/** What the gateway owes, less what is named: nothing, when every paisa of it has a name. */
async function unnamedPaise(): Promise<number> {
  const clearing = await readClearing(database.db);
  return (
    clearing.balancePaise -
    clearing.unsettledPaymentsPaise +
    clearing.unsettledRefundsPaise -
    clearing.unsettledDisputesPaise -
    clearing.adjustedPaise
  );
}

describe('a settlement that is right', () => {
  test('empties what the gateway owed: payments less fees, refunds, disputes', async () => {
    const [one, other, disputed] = [await buyer(), await buyer(), await buyer()];
    const refund = await refundOf(other, 30);
    await refund.say('processed');
    const disputeId = cast.unique('disp');
    await disputeOf(disputed, 'lost', disputeId);
    const before = await readClearing(database.db);
    const moved = await cast.movedBy(async () => {
      const booked = await settle([
        lineOf(one.gatewayPaymentId),
        lineOf(other.gatewayPaymentId),
        lineOf(disputed.gatewayPaymentId),
        debitOf(refund.gatewayRefundId, refund.amountPaise, { type: 'refund' }),
        debitOf(cast.unique('adj'), pricePaise, { type: 'adjustment', disputeId }),
      ]);
      expect(booked).toMatchObject({ unexplainedPaise: 0, cases: 0, feePaise: 3 * fee.feePaise });
    });
    const brought = 3 * (pricePaise - fee.feePaise) - refund.amountPaise - pricePaise;
    expect(moved).toEqual({
      bank: brought,
      gateway_fees: 3 * (fee.feePaise - fee.taxPaise),
      gst_input: 3 * fee.taxPaise,
      gateway_clearing: -(2 * pricePaise - refund.amountPaise),
    });
    expect(before.balancePaise).toBe(2 * pricePaise - refund.amountPaise);
    expect(await readClearing(database.db)).toEqual({
      balancePaise: 0,
      unsettledPaymentsPaise: 0,
      unsettledRefundsPaise: 0,
      unsettledDisputesPaise: 0,
      adjustedPaise: 0,
    });
  });

  test('told again, at the same time and with its lines in another order, it is booked once', async () => {
    const buyers = [await buyer(), await buyer(), await buyer()];
    const items = buyers.map(({ gatewayPaymentId }) => lineOf(gatewayPaymentId));
    const id = cast.unique('setl');
    const moved = await cast.movedBy(async () => {
      const results = await Promise.all(
        Array.from({ length: 6 }, (_, turn) => settle(turn % 2 ? items : items.toReversed(), id)),
      );
      expect(results.filter(({ replayed }) => !replayed)).toHaveLength(1);
    });
    expect(moved).toMatchObject({ bank: 3 * (pricePaise - fee.feePaise) });
  });

  test('a dispute that was won brings back what it took', async () => {
    const of = await buyer();
    const disputeId = cast.unique('disp');
    await disputeOf(of, 'open', disputeId);
    const taken = debitOf(cast.unique('adj'), pricePaise, { type: 'adjustment', disputeId });
    await settle([lineOf(of.gatewayPaymentId), taken]);
    expect(await unnamedPaise()).toBe(0);
    await disputeOf(of, 'won', disputeId);
    const back = lineOf(cast.unique('adj'), {
      type: 'adjustment',
      disputeId,
      feePaise: 0,
      taxPaise: 0,
    });
    expect(await settle([back])).toMatchObject({ cases: 0, unexplainedPaise: 0 });
    expect(await readClearing(database.db)).toMatchObject({ balancePaise: 0 });
  });

  test('one whose lines take as much as they bring is booked as well', async () => {
    const of = await buyer();
    const refund = await refundOf(of, 100);
    await refund.say('processed');
    const free = { feePaise: 0, taxPaise: 0 };
    const moved = await cast.movedBy(() =>
      settle([
        lineOf(of.gatewayPaymentId, free),
        debitOf(refund.gatewayRefundId, refund.amountPaise, { type: 'refund' }),
      ]),
    );
    expect(moved).toEqual({});
    expect(await verifyBooks(database.db)).toEqual([]);
  });
});

describe('a settlement that is not', () => {
  test('a line of nothing that we know stands apart until somebody explains it', async () => {
    const id = cast.unique('setl');
    const moved = await cast.movedBy(async () => {
      const booked = await settle(
        [lineOf('pay_nobody'), debitOf('adj_what', 700, { type: 'adjustment' })],
        id,
      );
      expect(booked).toMatchObject({ cases: 2, unexplainedPaise: pricePaise - 700 });
    });
    expect(moved).toMatchObject({
      bank: pricePaise - fee.feePaise - 700,
      unexplained: pricePaise - 700,
    });
    expect(moved).not.toHaveProperty('gateway_clearing');
    expect(await cast.casesOf(`${id}/pay_nobody`)).toEqual(['settlement-unexplained']);
    expect(await cast.casesOf(`${id}/adj_what`)).toEqual(['settlement-unexplained']);
  });

  test('an amount that differs is booked as it came, and the difference stands apart', async () => {
    const of = await buyer();
    const id = cast.unique('setl');
    const line = lineOf(of.gatewayPaymentId, { creditPaise: pricePaise - fee.feePaise - 100 });
    const moved = await cast.movedBy(() => settle([line], id));
    expect(moved).toEqual({
      bank: pricePaise - fee.feePaise - 100,
      gateway_fees: fee.feePaise - fee.taxPaise,
      gst_input: fee.taxPaise,
      gateway_clearing: -pricePaise,
      unexplained: -100,
    });
    expect(await cast.casesOf(`${id}/${of.gatewayPaymentId}`)).toEqual(['settlement-difference']);
  });

  test('a fee that differs from the one that was told with the payment is looked at', async () => {
    const of = await buyer();
    await observePayment(database.db, {
      gatewayPaymentId: of.gatewayPaymentId,
      gatewayOrderId: of.order.gatewayOrderId ?? '',
      amountPaise: pricePaise,
      currency: 'INR',
      status: 'captured',
      feePaise: 271,
      feeTaxPaise: 41,
    });
    const id = cast.unique('setl');
    const dear = { feePaise: 371, taxPaise: 56 };
    const moved = await cast.movedBy(async () => {
      expect(await settle([lineOf(of.gatewayPaymentId, dear)], id)).toMatchObject({ cases: 1 });
    });
    expect(moved).toMatchObject({
      gateway_fees: 315,
      gst_input: 56,
      gateway_clearing: -pricePaise,
    });
    expect(await cast.casesOf(`${id}/${of.gatewayPaymentId}`)).toEqual(['settlement-fee']);
  });

  test('a line that comes twice, in one settlement or in two, is explained once', async () => {
    const of = await buyer();
    const id = cast.unique('setl');
    const line = lineOf(of.gatewayPaymentId);
    const moved = await cast.movedBy(() => settle([line, line], id));
    expect(moved).toMatchObject({ gateway_clearing: -pricePaise, unexplained: pricePaise });
    expect(await cast.casesOf(`${id}/${of.gatewayPaymentId}`)).toEqual(['settlement-unexplained']);
    expect(await settle([line])).toMatchObject({ cases: 1, unexplainedPaise: pricePaise });
  });

  test('a dispute that takes or brings its money twice is explained once each way', async () => {
    const of = await buyer();
    const disputeId = cast.unique('disp');
    await disputeOf(of, 'won', disputeId);
    const taken = debitOf(cast.unique('adj'), pricePaise, { type: 'adjustment', disputeId });
    const back = { ...taken, creditPaise: pricePaise, debitPaise: 0 };
    const twice = [taken, back].flatMap((line) => [
      line,
      { ...line, entityId: cast.unique('adj') },
    ]);
    expect(await settle(twice)).toMatchObject({ cases: 2, unexplainedPaise: 0 });
    expect(await unnamedPaise()).toBe(0);
  });

  test('one that says something else when it is told again is not believed, and is looked at', async () => {
    const of = await buyer();
    const id = cast.unique('setl');
    await settle([lineOf(of.gatewayPaymentId)], id);
    const moved = await cast.movedBy(async () => {
      const changed = settle([lineOf(of.gatewayPaymentId, { feePaise: 1, taxPaise: 0 })], id);
      expect((await refusalOf(changed)).code).toBe('idempotency-key-reused');
    });
    expect(moved).toEqual({});
    expect(await cast.casesOf(id)).toEqual(['settlement-changed']);
  });

  test('one without lines proves nothing and is refused', async () => {
    expect((await refusalOf(settle([]))).code).toBe('invalid-request');
  });
});

describe('late', () => {
  test('a payment that no settlement has brought in time is looked at until one does', async () => {
    const of = await buyer();
    expect(await cast.casesOf(of.gatewayPaymentId)).toEqual([]);
    await database.asOwner(
      `update payments set captured_at = now() - interval '8 days' where gateway_payment_id = $1`,
      [of.gatewayPaymentId],
    );
    expect(await findLateSettlements(database.db)).toBe(1);
    expect(await findLateSettlements(database.db)).toBe(1);
    expect(await cast.casesOf(of.gatewayPaymentId)).toEqual(['settlement-late']);
    await settle([lineOf(of.gatewayPaymentId)]);
    expect(await findLateSettlements(database.db)).toBe(0);
    expect(await cast.casesOf(of.gatewayPaymentId)).toEqual([]);
  });

  test('lines that come before what they are for are explained when that is known', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id, 1);
    const gatewayPaymentId = cast.unique('pay');
    const of = await buyer();
    const refund = await refundOf(of, 20);
    await refund.say('pending');
    const disputed = await buyer();
    const disputeId = cast.unique('disp');
    const id = cast.unique('setl');
    const items = [
      lineOf(gatewayPaymentId),
      debitOf(refund.gatewayRefundId, refund.amountPaise, { type: 'refund' }),
      debitOf('adj_early', pricePaise, { type: 'adjustment', disputeId }),
    ];
    expect(await settle(items, id)).toMatchObject({
      cases: 3,
      unexplainedPaise: -refund.amountPaise,
    });
    await findLateSettlements(database.db);
    expect(await cast.casesOf(`${id}/${gatewayPaymentId}`)).toEqual(['settlement-unexplained']);

    await observePayment(database.db, {
      gatewayPaymentId,
      gatewayOrderId: order.gatewayOrderId ?? '',
      amountPaise: pricePaise,
      currency: 'INR',
      status: 'captured',
    });
    await refund.say('processed');
    await disputeOf(disputed, 'open', disputeId);
    const moved = await cast.movedBy(() =>
      Promise.all(Array.from({ length: 4 }, () => findLateSettlements(database.db))),
    );
    expect(moved).toEqual({
      gateway_clearing: refund.amountPaise,
      unexplained: refund.amountPaise,
    });
    for (const { entityId } of items) expect(await cast.casesOf(`${id}/${entityId}`)).toEqual([]);
    expect(await unnamedPaise()).toBe(0);
  });
});

test('a change by hand of what the gateway owes has its name there as well', async () => {
  const other = await cast.person('admin');
  const { id } = await proposeAdjustment(database.db, {
    staffId,
    lines: [
      { class: 'gateway_clearing', ownerId: null, amount: 500 },
      { class: 'unexplained', ownerId: null, amount: -500 },
    ],
    reason: 'the gateway says that it owes this',
    idempotencyKey: cast.unique('key'),
  });
  await decideAdjustment(database.db, id, other.id, true);
  expect(await unnamedPaise()).toBe(0);
  expect(await readClearing(database.db)).toMatchObject({ adjustedPaise: 500 });
  expect(await verifyBooks(database.db)).toEqual([]);
  // Money of a payment that goes missing is not hidden by it.
  const of = await buyer();
  const found = await cast.whenForged(
    `update payments set settlement_id = 'setl_forged' where gateway_payment_id = '${of.gatewayPaymentId}'`,
  );
  expect(found).toEqual(['what the gateway owes is explained']);
});

test('after all of this every invariant holds', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
});
