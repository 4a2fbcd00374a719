// Settlements: every paisa that the gateway brings to the bank is explained, or somebody looks at it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { somebodyElse, waits } from '../testing/locks.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  decideAdjustment,
  decideRefund,
  findLateSettlements,
  findUnknownEntities,
  observeDispute,
  observePayment,
  observeRefund,
  observeSettlement,
  proposeAdjustment,
  readClearing,
  requestRefund,
  type SettlementFacts,
  solveSettlementLine,
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

const factsOf = (items: Item[], settlementId = cast.unique('setl')): SettlementFacts => ({
  settlementId,
  utr: 'UTR1',
  settledAt: new Date(),
  items,
});

function settle(items: Item[], settlementId?: string) {
  return observeSettlement(database.db, factsOf(items, settlementId));
}

/** What is told while somebody else is about to book a settlement, and has not committed it. */
async function toldMeanwhile<T>(facts: SettlementFacts, tell: () => Promise<T>): Promise<T> {
  const other = await somebodyElse(database);
  await other.query('select ledger.settlement_observed($1)', [JSON.stringify(facts)]);
  const told = tell();
  await waits(database, told);
  await other.query('commit');
  await other.end();
  return told;
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

function disputeOf(
  of: Buyer,
  status: 'open' | 'won' | 'closed' | 'lost',
  gatewayDisputeId: string,
) {
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

/** Lines of the house, agreed on by two of the staff unless they only propose it. */
async function adjusted(amounts: Record<string, number>, approve = true): Promise<string> {
  const other = await cast.person('admin');
  const { id } = await proposeAdjustment(database.db, {
    staffId,
    lines: Object.entries(amounts).map(([name, amount]) => ({
      class: name,
      ownerId: null,
      amount,
    })),
    reason: 'the gateway says so',
    idempotencyKey: cast.unique('key'),
  });
  if (approve) await decideAdjustment(database.db, id, other.id, true);
  return id;
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

  test.each(['won', 'closed'] as const)(
    'a dispute that was %s brings back what it took',
    async (end) => {
      const of = await buyer();
      const disputeId = cast.unique('disp');
      await disputeOf(of, 'open', disputeId);
      const taken = debitOf(cast.unique('adj'), pricePaise, { type: 'adjustment', disputeId });
      await settle([lineOf(of.gatewayPaymentId), taken]);
      expect(await unnamedPaise()).toBe(0);
      await disputeOf(of, end, disputeId);
      const back = lineOf(cast.unique('adj'), {
        type: 'adjustment',
        disputeId,
        feePaise: 0,
        taxPaise: 0,
      });
      expect(await settle([back])).toMatchObject({ cases: 0, unexplainedPaise: 0 });
      expect(await readClearing(database.db)).toMatchObject({ balancePaise: 0 });
    },
  );

  test('told while it is being booked, it is a replay', async () => {
    const facts = factsOf([lineOf((await buyer()).gatewayPaymentId)]);
    const told = toldMeanwhile(facts, () => settle([...facts.items], facts.settlementId));
    expect(await told).toMatchObject({ replayed: true });
  });

  test('a dispute that turns takes its money again, and is explained each time', async () => {
    const of = await buyer();
    const disputeId = cast.unique('disp');
    const free = { feePaise: 0, taxPaise: 0 };
    const takes = () => debitOf(cast.unique('adj'), pricePaise, { type: 'adjustment', disputeId });
    const brings = () => lineOf(cast.unique('adj'), { type: 'adjustment', disputeId, ...free });
    await disputeOf(of, 'won', disputeId);
    expect(await unnamedPaise()).toBe(0);
    await settle([lineOf(of.gatewayPaymentId), takes()]);
    // It is told of the second time by a line alone.
    const id = cast.unique('setl');
    expect(await settle([brings(), takes()], id)).toMatchObject({ cases: 1 });
    await disputeOf(of, 'lost', disputeId);
    expect(await unnamedPaise()).toBe(0);
    await findLateSettlements(database.db);
    expect(await readClearing(database.db)).toMatchObject({
      balancePaise: 0,
      unsettledDisputesPaise: 0,
    });
    expect(await settle([takes()])).toMatchObject({ cases: 1, unexplainedPaise: -pricePaise });
    expect(await unnamedPaise()).toBe(0);
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

  test.each([-100, 100])(
    'an amount that differs by %i is booked as it came, and the difference stands apart',
    async (paise) => {
      const of = await buyer();
      const id = cast.unique('setl');
      const creditPaise = pricePaise - fee.feePaise + paise;
      const line = lineOf(of.gatewayPaymentId, { creditPaise });
      const moved = await cast.movedBy(() => settle([line], id));
      expect(moved).toEqual({
        bank: creditPaise,
        gateway_fees: fee.feePaise - fee.taxPaise,
        gst_input: fee.taxPaise,
        gateway_clearing: -pricePaise,
        unexplained: paise,
      });
      expect(await cast.casesOf(`${id}/${of.gatewayPaymentId}`)).toEqual(['settlement-difference']);
    },
  );

  test('a payment that is not captured explains nothing', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id, 1);
    const gatewayPaymentId = cast.unique('pay');
    await observePayment(database.db, {
      gatewayPaymentId,
      gatewayOrderId: order.gatewayOrderId ?? '',
      amountPaise: pricePaise,
      currency: 'INR',
      status: 'authorized',
    });
    const moved = await cast.movedBy(() => settle([lineOf(gatewayPaymentId)]));
    expect(moved).toMatchObject({ unexplained: pricePaise });
    expect(moved).not.toHaveProperty('gateway_clearing');
  });

  test('a refund whose line comes again is explained once', async () => {
    const of = await buyer();
    const refund = await refundOf(of, 20);
    await refund.say('processed');
    const { gatewayRefundId, amountPaise } = refund;
    const line = debitOf(gatewayRefundId, amountPaise, { type: 'refund' });
    expect(await settle([line])).toMatchObject({ cases: 0, unexplainedPaise: 0 });
    const again = await cast.movedBy(() => settle([line]));
    expect(again).toEqual({ bank: -amountPaise, unexplained: -amountPaise });
  });

  test('what two settlements bring at the same time is explained by one of them', async () => {
    const [paid, refunded, disputed] = [await buyer(), await buyer(), await buyer()];
    const refund = await refundOf(refunded, 20);
    await refund.say('processed');
    const disputeId = cast.unique('disp');
    await disputeOf(disputed, 'open', disputeId);
    const lines = [
      lineOf(paid.gatewayPaymentId),
      debitOf(refund.gatewayRefundId, refund.amountPaise, { type: 'refund' }),
      debitOf(cast.unique('adj'), pricePaise, { type: 'adjustment', disputeId }),
    ];
    for (const line of lines) {
      const told = await toldMeanwhile(factsOf([line]), () => settle([line]));
      expect(told).toMatchObject({ cases: 1, replayed: false });
    }
    expect(await unnamedPaise()).toBe(0);
  });

  test.each([
    [371, 56],
    [171, 26],
  ])(
    'a fee of %i that differs from the one that was told with the payment is looked at',
    async (feePaise, taxPaise) => {
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
      const other = { feePaise, taxPaise };
      const moved = await cast.movedBy(async () => {
        expect(await settle([lineOf(of.gatewayPaymentId, other)], id)).toMatchObject({ cases: 1 });
      });
      expect(moved).toMatchObject({
        gateway_fees: feePaise - taxPaise,
        gst_input: taxPaise,
        gateway_clearing: -pricePaise,
      });
      expect(await cast.casesOf(`${id}/${of.gatewayPaymentId}`)).toEqual(['settlement-fee']);
      const kept = await database.asOwner(
        `select fee_paise::int as "feePaise", fee_tax_paise::int as "taxPaise" from payments
        where gateway_payment_id = $1`,
        [of.gatewayPaymentId],
      );
      expect(kept).toEqual([other]);
    },
  );

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

describe('what a line is for', () => {
  const unknown = (items: Item[], settlementId = cast.unique('setl')) =>
    findUnknownEntities(database.db, { settlementId, utr: null, settledAt: new Date(), items });

  test('is asked about as long as nobody has told enough of it to explain the line', async () => {
    const [of, disputed] = [await buyer(), await buyer()];
    const refund = await refundOf(of, 20);
    await refund.say('pending');
    const disputeId = cast.unique('disp');
    const lines = [
      lineOf(of.gatewayPaymentId),
      lineOf('pay_nobody'),
      debitOf(refund.gatewayRefundId, refund.amountPaise, { type: 'refund' }),
      debitOf('adj_1', pricePaise, { type: 'adjustment', disputeId }),
      debitOf('adj_2', pricePaise, { type: 'adjustment' }),
    ];
    expect(await unknown(lines)).toEqual(
      expect.arrayContaining([
        { entityId: 'pay_nobody', type: 'payment' },
        { entityId: refund.gatewayRefundId, type: 'refund' },
        { entityId: disputeId, type: 'dispute' },
      ]),
    );
    expect(await unknown(lines)).toHaveLength(3);
    await refund.say('processed');
    await disputeOf(disputed, 'open', disputeId);
    expect(await unknown(lines)).toEqual([{ entityId: 'pay_nobody', type: 'payment' }]);
    const settlementId = cast.unique('setl');
    await settle(lines, settlementId);
    expect(await unknown(lines, settlementId)).toEqual([
      { entityId: 'pay_nobody', type: 'payment' },
    ]);
  });

  test('is not asked about where one line takes the money of a dispute and another brings it back', async () => {
    const disputeId = cast.unique('disp');
    await disputeOf(await buyer(), 'won', disputeId);
    const taken = debitOf('adj_1', pricePaise, { type: 'adjustment', disputeId });
    const back = { ...taken, entityId: 'adj_2', creditPaise: pricePaise, debitPaise: 0 };
    expect(await unknown([taken, back])).toEqual([]);
    const twice = [taken, { ...taken, entityId: 'adj_3' }];
    expect(await unknown(twice)).toEqual([{ entityId: disputeId, type: 'dispute' }]);
  });

  test.each(['when it comes', 'when it is explained late'])(
    'is locked in the order of payments %s, whatever the order of the lines',
    async (when) => {
      const made = await Promise.all(Array.from({ length: 5 }, () => buyer()));
      // The lines come in the opposite order.
      const buyers = made.toSorted((a, b) => (a.gatewayPaymentId < b.gatewayPaymentId ? 1 : -1));
      const disputed = buyers.map((of) => ({ of, id: cast.unique('disp') }));
      const open = () => Promise.all(disputed.map(({ of, id }) => disputeOf(of, 'open', id)));
      const brought = cast.unique('adj');
      const items = disputed.map(({ id }, index) =>
        debitOf(`${brought}_${index}`, pricePaise, { type: 'adjustment', disputeId: id }),
      );
      const isLate = when === 'when it is explained late';
      if (isLate) await settle(items);
      await open();
      const names = buyers.map(({ gatewayPaymentId }) => gatewayPaymentId);
      const lock = 'select from payments where gateway_payment_id = $1 for no key update nowait';
      const other = await somebodyElse(database);
      await other.query(lock, [names.pop()]);
      const told = isLate ? findLateSettlements(database.db) : settle(items);
      await waits(database, told);
      for (const name of names) await other.query(lock, [name]);
      await other.end();
      await told;
      expect(await unnamedPaise()).toBe(0);
    },
  );

  test('may be told at the same time as the line comes: neither waits for the other for ever', async () => {
    const disputed = await Promise.all(
      Array.from({ length: 6 }, async () => ({ of: await buyer(), id: cast.unique('disp') })),
    );
    await Promise.all(disputed.map(({ of, id }) => disputeOf(of, 'open', id)));
    // The lines of disputes come before those of their payments, the events the other way round.
    const lines = disputed.flatMap(({ of, id }) => [
      lineOf(of.gatewayPaymentId),
      debitOf(cast.unique('adj'), pricePaise, { type: 'adjustment', disputeId: id }),
    ]);
    const [booked] = await Promise.all([
      settle(lines),
      ...disputed.map(({ of, id }) => disputeOf(of, 'won', id)),
    ]);
    expect(booked).toMatchObject({ cases: 0 });
    expect(await unnamedPaise()).toBe(0);
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

  test('a payment that has gone back as a whole is not late, one that has in part is', async () => {
    const [whole, part] = [await buyer(), await buyer()];
    await (await refundOf(whole, 100)).say('processed');
    await (await refundOf(part, 99)).say('processed');
    await database.asOwner(
      `update payments set captured_at = now() - interval '8 days' where gateway_payment_id = any ($1)`,
      [[whole.gatewayPaymentId, part.gatewayPaymentId]],
    );
    expect(await findLateSettlements(database.db)).toBe(1);
    expect(await cast.casesOf(whole.gatewayPaymentId)).toEqual([]);
    expect(await cast.casesOf(part.gatewayPaymentId)).toEqual(['settlement-late']);
    await settle([lineOf(part.gatewayPaymentId)]);
  });

  test('a line that came twice is looked at until both are explained', async () => {
    const user = await cast.person();
    const order = await cast.orderOf(user.id, 1);
    const [gatewayPaymentId, id] = [cast.unique('pay'), cast.unique('setl')];
    await settle([lineOf(gatewayPaymentId), lineOf(gatewayPaymentId)], id);
    await observePayment(database.db, {
      gatewayPaymentId,
      gatewayOrderId: order.gatewayOrderId ?? '',
      amountPaise: pricePaise,
      currency: 'INR',
      status: 'captured',
    });
    expect(await cast.movedBy(() => findLateSettlements(database.db))).toEqual({
      gateway_clearing: -pricePaise,
      unexplained: -pricePaise,
    });
    expect(await cast.casesOf(`${id}/${gatewayPaymentId}`)).toEqual(['settlement-unexplained']);
  });

  test('one explains at a time, and solves at a time', async () => {
    const id = cast.unique('setl');
    await settle([lineOf(cast.unique('pay'))], id);
    const adjustmentId = await adjusted({
      unexplained: pricePaise,
      platform_revenue: -pricePaise,
    });
    const line = { staffId, adjustmentId, settlementId: id, line: 1 };
    for (const act of [findLateSettlements, () => solveSettlementLine(database.db, line)]) {
      const other = await somebodyElse(database);
      await other.query('select ledger.lock_explaining()');
      const told = act(database.db);
      await waits(database, told);
      await other.end();
      await told;
    }
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

describe('solved by hand', () => {
  /** A line of a payment that nobody knows yet; `bought` makes it known. */
  async function unknownLine() {
    const user = await cast.person();
    const order = await cast.orderOf(user.id, 1);
    const gatewayPaymentId = cast.unique('pay');
    const settlementId = cast.unique('setl');
    await settle([lineOf(gatewayPaymentId)], settlementId);
    const bought = () =>
      observePayment(database.db, {
        gatewayPaymentId,
        gatewayOrderId: order.gatewayOrderId ?? '',
        amountPaise: pricePaise,
        currency: 'INR',
        status: 'captured',
      });
    return { settlementId, subject: `${settlementId}/${gatewayPaymentId}`, bought };
  }
  const solve = (adjustmentId: string, settlementId: string, line = 1) =>
    solveSettlementLine(database.db, { staffId, adjustmentId, settlementId, line });

  test('a line is not booked again when it is known later: it is looked at, until it is opened again', async () => {
    const { settlementId, subject, bought } = await unknownLine();
    const adjustment = await adjusted({ unexplained: pricePaise, platform_revenue: -pricePaise });
    expect(await solve(adjustment, settlementId)).toMatchObject({ openPaise: 0, replayed: false });
    expect(await solve(adjustment, settlementId)).toMatchObject({ openPaise: 0, replayed: true });
    const told = await database.asOwner(
      `select actor_id, details from audit_log where action = 'settlement.solved' and subject = $1`,
      [subject],
    );
    expect(told).toEqual([{ actor_id: staffId, details: { line: 1, adjustmentId: adjustment } }]);
    // As long as nobody knows what it is for there is nothing to look at, nor to ask about.
    await findLateSettlements(database.db);
    expect(await cast.casesOf(subject)).toEqual([]);
    const [, entityId = ''] = subject.split('/');
    const again = factsOf([lineOf(entityId)], settlementId);
    expect(await findUnknownEntities(database.db, again)).toEqual([]);
    await bought();
    const late = () =>
      Promise.all([findLateSettlements(database.db), findLateSettlements(database.db)]);
    expect(await cast.movedBy(late)).toEqual({});
    expect(await cast.casesOf(subject)).toEqual(['settlement-solved-by-hand']);
    await database.asOwner(`update cases set state = 'resolved' where subject = $1`, [subject]);
    await late();
    expect(await cast.casesOf(subject)).toEqual([]);

    const back = await adjusted({ unexplained: -pricePaise, platform_revenue: pricePaise });
    expect(await solve(back, settlementId)).toMatchObject({ openPaise: pricePaise });
    expect(await cast.movedBy(late)).toEqual({
      unexplained: -pricePaise,
      gateway_clearing: -pricePaise,
    });
    expect(await unnamedPaise()).toBe(0);
  });

  test('as long as nobody has said which line an adjustment is for, none is booked late', async () => {
    const { settlementId, subject, bought } = await unknownLine();
    const other = await unknownLine();
    const adjustment = await adjusted({ unexplained: pricePaise, platform_revenue: -pricePaise });
    await bought();
    await other.bought();
    const late = () => findLateSettlements(database.db);
    expect(await cast.movedBy(late)).toEqual({});
    expect(await cast.casesOf(subject)).toEqual([
      'settlement-solved-by-hand',
      'settlement-unexplained',
    ]);
    await solve(adjustment, settlementId);
    expect(await cast.movedBy(late)).toEqual({
      unexplained: -pricePaise,
      gateway_clearing: -pricePaise,
    });
    expect(await cast.casesOf(subject)).toEqual(['settlement-solved-by-hand']);
    expect(await cast.casesOf(other.subject)).toEqual([]);
  });

  test('what differs can be solved, in parts, and never more than there is', async () => {
    const of = await buyer();
    const settlementId = cast.unique('setl');
    const credit = { creditPaise: pricePaise - fee.feePaise - 100 };
    await settle([lineOf(of.gatewayPaymentId, credit)], settlementId);
    const [part, rest, more] = [
      await adjusted({ unexplained: -60, gateway_fees: 60 }),
      await adjusted({ unexplained: -40, gateway_fees: 40 }),
      await adjusted({ unexplained: -1, gateway_fees: 1 }),
    ];
    const subject = `${settlementId}/${of.gatewayPaymentId}`;
    expect(await solve(part, settlementId)).toMatchObject({ openPaise: -40 });
    expect(await cast.casesOf(subject)).toEqual(['settlement-difference']);
    expect(await solve(rest, settlementId)).toMatchObject({ openPaise: 0 });
    expect(await cast.casesOf(subject)).toEqual([]);
    expect((await refusalOf(solve(more, settlementId))).code).toBe('invalid-request');
    const back = await adjusted({ unexplained: 1, gateway_fees: -1 });
    expect(await solve(back, settlementId)).toMatchObject({ openPaise: -1 });
    expect(await solve(more, settlementId)).toMatchObject({ openPaise: 0 });
  });

  test.each(['refund', 'taken', 'brought'] as const)(
    'what differs in a line of a %s can be solved to the last paisa, and no further',
    async (what) => {
      const of = await buyer();
      const disputeId = cast.unique('disp');
      let line: Item;
      if (what === 'refund') {
        const { gatewayRefundId, amountPaise, say } = await refundOf(of, 20);
        await say('processed');
        line = debitOf(gatewayRefundId, amountPaise + 70, { type: 'refund' });
      } else {
        await disputeOf(of, 'won', disputeId);
        const id = cast.unique('adj');
        line = debitOf(id, pricePaise + 70, { type: 'adjustment', disputeId });
        if (what === 'brought') {
          line = { ...line, debitPaise: 0, creditPaise: pricePaise - 70 };
        }
      }
      const settlementId = cast.unique('setl');
      await settle([line], settlementId);
      const [more, all] = [
        await adjusted({ unexplained: -71, gateway_fees: 71 }),
        await adjusted({ unexplained: -70, gateway_fees: 70 }),
      ];
      expect((await refusalOf(solve(more, settlementId))).code).toBe('invalid-request');
      expect(await solve(all, settlementId)).toMatchObject({ openPaise: 0 });
    },
  );

  test('of what a line has brought no more is solved than it has brought', async () => {
    const { settlementId } = await unknownLine();
    const more = await adjusted({
      unexplained: pricePaise + 1,
      platform_revenue: -pricePaise - 1,
    });
    expect((await refusalOf(solve(more, settlementId))).code).toBe('invalid-request');
  });

  test('each line of a settlement is solved for itself', async () => {
    const settlementId = cast.unique('setl');
    await settle([lineOf(cast.unique('pay')), lineOf(cast.unique('pay'))], settlementId);
    const amounts = { unexplained: pricePaise, platform_revenue: -pricePaise };
    const [one, other] = [await adjusted(amounts), await adjusted(amounts)];
    expect(await solve(one, settlementId, 1)).toMatchObject({ openPaise: 0 });
    expect((await refusalOf(solve(one, settlementId, 2))).details).toEqual({
      settlementId,
      line: 1,
    });
    expect(await solve(other, settlementId, 2)).toMatchObject({ openPaise: 0 });
  });

  test('an adjustment solves one line, and only one that was approved, moves it, and is named by staff', async () => {
    const [one, other] = [await unknownLine(), await unknownLine()];
    const adjustment = await adjusted({ unexplained: pricePaise, platform_revenue: -pricePaise });
    await solve(adjustment, one.settlementId);
    expect((await refusalOf(solve(adjustment, other.settlementId))).code).toBe('already-decided');
    const elsewhere = await adjusted({ bank: 5, platform_revenue: -5 });
    expect((await refusalOf(solve(elsewhere, other.settlementId))).code).toBe('invalid-request');
    const waiting = await adjusted({ unexplained: 5, platform_revenue: -5 }, false);
    expect((await refusalOf(solve(waiting, other.settlementId))).code).toBe('not-found');
    expect((await refusalOf(solve(elsewhere, other.settlementId, 2))).code).toBe('not-found');
    const { id: viewer } = await cast.person();
    const byViewer = solveSettlementLine(database.db, {
      staffId: viewer,
      adjustmentId: elsewhere,
      settlementId: other.settlementId,
      line: 1,
    });
    expect((await refusalOf(byViewer)).code).toBe('forbidden');
  });
});

test('a refund on its way is not named among what the gateway owes', async () => {
  const refund = await refundOf(await buyer(), 20);
  await refund.say('pending');
  expect(await unnamedPaise()).toBe(0);
  await refund.say('processed');
  expect(await unnamedPaise()).toBe(0);
});

test('a change by hand of what the gateway owes has its name there as well', async () => {
  await adjusted({ gateway_clearing: 500, platform_revenue: -500 });
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
