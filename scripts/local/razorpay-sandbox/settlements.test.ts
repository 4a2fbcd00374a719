// Settlements and their reconciliation report, through the official package.
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ReconItem } from './settlements.ts';
import { startTestSandbox, type TestSandbox } from './test-sandbox.ts';

const daySeconds = 24 * 60 * 60;

let t: TestSandbox;
beforeEach(async () => {
  t = await startTestSandbox();
});
afterEach(() => t.close());

/** The report, of which the package's types know one line only. */
async function report(parameters: {
  year: number;
  month?: number;
  day?: number;
  count?: number;
  skip?: number;
}) {
  const answer: unknown = await t.razorpay.settlements.reports(parameters);
  return Reflect.get(answer as object, 'items') as ReconItem[];
}

/** Today in India. */
async function today() {
  const { now } = await t.control.moveClock(0);
  const [year, month, day] = new Date(now.getTime() + 19_800_000)
    .toISOString()
    .slice(0, 10)
    .split('-')
    .map(Number);
  return { year: year ?? 0, month: month ?? 0, day: day ?? 0 };
}

test('a settlement is the sum of its report: payments less fees, refunds and adjustments', async () => {
  const kept = await t.newPayment('card', { notes: { order: 'o-1' } });
  const refunded = await t.newPayment();
  const refund = await t.razorpay.payments.refund(refunded.id, { amount: 9_000 });
  const disputed = await t.newPayment();
  const dispute = await t.control.openDispute(disputed.id, { amount: 1_000 });
  await t.control.stepDispute(dispute.id, 'lost');
  await t.control.settled();
  const { settlement } = await t.control.settle();
  expect(settlement).toEqual({
    id: expect.stringMatching(/^setl_[A-Za-z0-9]{14}$/),
    entity: 'settlement',
    amount: 3 * (59_000 - 1_392) - 9_000 - 1_000,
    status: 'processed',
    fees: 0,
    tax: 0,
    utr: expect.any(String),
    created_at: expect.any(Number),
  });
  expect(await t.razorpay.settlements.fetch(settlement.id)).toEqual(settlement);
  expect((await t.razorpay.settlements.all()).items).toEqual([settlement]);

  const items = await report({ ...(await today()), count: 100 });
  expect(items).toHaveLength(5);
  const common = {
    currency: 'INR',
    on_hold: false,
    settled: true,
    settled_at: settlement.created_at,
    settlement_id: settlement.id,
    settlement_utr: settlement.utr,
  };
  expect(items.find(({ entity_id }) => entity_id === kept.id)).toEqual({
    ...common,
    entity_id: kept.id,
    type: 'payment',
    debit: 0,
    credit: 57_608,
    amount: 59_000,
    fee: 1_392,
    tax: 212,
    created_at: kept.created_at,
    posted_at: null,
    credit_type: 'default',
    description: null,
    notes: '{"order":"o-1"}',
    payment_id: null,
    order_id: kept.order_id,
    order_receipt: expect.any(String),
    method: 'card',
    card_network: 'Visa',
    card_issuer: 'HDFC',
    card_type: 'credit',
    dispute_id: null,
  });
  expect(items.find(({ type }) => type === 'refund')).toMatchObject({
    ...common,
    entity_id: refund.id,
    debit: 9_000,
    credit: 0,
    fee: 0,
    payment_id: refunded.id,
    order_id: refunded.order_id,
    method: 'upi',
  });
  expect(items.find(({ type }) => type === 'adjustment')).toMatchObject({
    ...common,
    entity_id: expect.stringMatching(/^adj_/),
    debit: 1_000,
    credit: 0,
    dispute_id: dispute.id,
    payment_id: null,
  });
  const [event] = await t.control.events(settlement.id);
  expect(JSON.parse(event?.body ?? '')).toMatchObject({
    event: 'settlement.processed',
    contains: ['settlement'],
    payload: { settlement: { entity: settlement } },
  });
});

test('nothing is settled twice, and nothing that is not there', async () => {
  await expect(t.control.settle()).rejects.toThrow(/nothing to settle/);
  const payment = await t.newPayment();
  await t.control.settle();
  await expect(t.control.settle()).rejects.toThrow(/nothing to settle/);
  // A refund after the settlement is taken from the next one, which has to be able to pay it.
  await t.razorpay.payments.refund(payment.id, {});
  await t.control.settled();
  await expect(t.control.settle()).rejects.toThrow(/nothing to settle/);
  await t.newPayment();
  await t.newPayment();
  const { settlement, items } = await t.control.settle();
  expect(settlement.amount).toBe(2 * 57_608 - 59_000);
  expect(items).toHaveLength(3);
});

test('a failed or pending refund is not settled', async () => {
  const payment = await t.newPayment();
  await t.control.setFaults({ refunds: { failRate: 1 } });
  await t.razorpay.payments.refund(payment.id, { amount: 1_000 });
  await t.control.setFaults({ refunds: { failRate: 0, holdRate: 1 } });
  await t.razorpay.payments.refund(payment.id, { amount: 1_000 });
  await t.control.settled();
  const { items } = await t.control.settle();
  expect(items.map(({ entity_id }) => entity_id)).toEqual([payment.id]);
});

test('the report goes by India’s days and months, page by page', async () => {
  // 18:29 and 18:31 UTC on 31 January 2030 are two days, months apart, in India.
  const at = (time: string) =>
    Math.floor(Date.parse(`2030-01-31T${time}Z`) / 1000) - Math.floor(Date.now() / 1000);
  await t.control.moveClock(at('18:29:00'));
  for (let n = 0; n < 12; n += 1) await t.newPayment();
  await t.control.settle();
  await t.control.moveClock(at('18:31:00'));
  const last = await t.newPayment();
  await t.control.settle();

  expect(await report({ year: 2030, month: 1, day: 31, count: 100 })).toHaveLength(12);
  expect(await report({ year: 2030, month: 1, day: 30 })).toHaveLength(0);
  const february = await report({ year: 2030, month: 2 });
  expect(february.map(({ entity_id }) => entity_id)).toEqual([last.id]);
  // Ten, unless more are asked for.
  const first = await report({ year: 2030, month: 1 });
  const second = await report({ year: 2030, month: 1, skip: 10 });
  expect(first).toHaveLength(10);
  expect(second).toHaveLength(2);
  expect(new Set([...first, ...second].map(({ entity_id }) => entity_id)).size).toBe(12);
  await expect(t.razorpay.settlements.reports({ year: 2030 })).rejects.toMatchObject({
    statusCode: 400,
  });
});

test('on request it leaves out, changes and invents items, and pays another sum', async () => {
  const [left, changed, kept] = [await t.newPayment(), await t.newPayment(), await t.newPayment()];
  const { settlement, items } = await t.control.settle({
    leave_out: [left.id],
    change: [{ entity_id: changed.id, amount: -100, fee: 7 }],
    add: [{ type: 'payment', amount: 4_200 }],
    total: -5,
  });
  expect(items.map(({ entity_id }) => entity_id)).toEqual([
    changed.id,
    kept.id,
    expect.stringMatching(/^pay_/),
  ]);
  expect(items[0]).toMatchObject({ amount: 58_900, fee: 1_399, credit: 57_501 });
  expect(settlement.amount).toBe(57_501 + 57_608 + 4_200 - 5);
  await expect(t.razorpay.payments.fetch(items[2]?.entity_id ?? '')).rejects.toMatchObject({
    statusCode: 400,
  });
  // What was left out comes late.
  await t.control.moveClock(daySeconds);
  const next = await t.control.settle();
  expect(next.items.map(({ entity_id }) => entity_id)).toEqual([left.id]);
  await expect(t.control.settle({ leave_out: ['pay_00000000000000'] })).rejects.toThrow(
    /not waiting/,
  );
});
