// Disputes and settlement reports, read to their end.
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  startTestSandbox,
  type TestSandbox,
  testKeyId,
  testKeySecret,
} from '../../scripts/local/razorpay-sandbox/test-sandbox.ts';
import { createRazorpayGateway, type PaymentGateway } from './gateway.ts';

const keys = { keyId: testKeyId, keySecret: testKeySecret };
const unavailable = expect.objectContaining({ code: 'gateway-unavailable' });
/** 2 March 2026 in India, while it is still the first in UTC. */
const now = new Date('2026-03-01T20:00:00Z');
const date = { year: 2026, month: 3, day: 2 };

let t: TestSandbox;
let gateway: PaymentGateway;
beforeEach(async () => {
  t = await startTestSandbox({ now: () => now });
  gateway = createRazorpayGateway({ ...keys, apiUrl: t.sandbox.url, settlementPageItems: 7 });
});
afterEach(() => t.close());

test('a dispute is found by its id, and in the list newest first', async () => {
  const payment = await t.newPayment();
  const first = await t.control.openDispute(payment.id, { amount_deducted: 59_000 });
  const second = await t.control.openDispute(payment.id, { phase: 'retrieval' });
  expect(await gateway.fetchDispute(first.id)).toMatchObject({
    id: first.id,
    payment_id: payment.id,
    amount: 59_000,
    amount_deducted: 59_000,
    reason_code: expect.any(String),
    respond_by: first.respond_by,
    status: 'open',
    phase: 'chargeback',
    created_at: first.created_at,
  });
  await t.control.stepDispute(first.id, 'won');
  expect(await gateway.listDisputes()).toMatchObject([
    { id: second.id, status: 'open', phase: 'retrieval' },
    { id: first.id, status: 'won', amount_deducted: 0 },
  ]);
  expect(await gateway.fetchDispute('disp_00000000000000')).toBeNull();
});

test('all disputes are listed, however many pages they are', async () => {
  const { id } = await t.newPayment();
  const opened = [];
  for (let count = 0; count < 120; count += 1) opened.push(await t.control.openDispute(id));
  const listed = await gateway.listDisputes();
  expect(listed.map((dispute) => dispute.id)).toEqual(opened.map((one) => one.id).reverse());
});

test('a settlement is the sum of its report', async () => {
  const paid = await t.newPayment();
  const disputed = await t.newPayment('card');
  const refund = await gateway.refund({
    gatewayPaymentId: paid.id,
    amountPaise: 9_000,
    idempotencyKey: crypto.randomUUID(),
  });
  const dispute = await t.control.openDispute(disputed.id, { amount: 1_000 });
  await t.control.stepDispute(dispute.id, 'lost');
  await t.control.settled();
  const { settlement } = await t.control.settle();

  const items = await gateway.listSettlementItems(date);
  const sum = items.reduce((total, { credit, debit }) => total + credit - debit, 0);
  expect(sum).toBe(settlement.amount);
  const settled = {
    settled: true,
    settlement_id: settlement.id,
    settlement_utr: settlement.utr,
    settled_at: settlement.created_at,
  };
  expect(items.find(({ entity_id }) => entity_id === paid.id)).toMatchObject({
    ...settled,
    type: 'payment',
    amount: 59_000,
    credit: 59_000 - 1_392,
    debit: 0,
    fee: 1_392,
    tax: 212,
    order_id: paid.order_id,
    method: 'upi',
  });
  expect(items.find(({ entity_id }) => entity_id === refund.id)).toMatchObject({
    ...settled,
    type: 'refund',
    debit: 9_000,
    payment_id: paid.id,
  });
  expect(items.find(({ dispute_id }) => dispute_id === dispute.id)).toMatchObject({
    ...settled,
    type: 'adjustment',
    debit: 1_000,
  });
});

test('a report is read to its end, in order, and only that of its day', async () => {
  await t.newPayment();
  const add = Array.from({ length: 40 }, () => ({ type: 'payment' as const, amount: 100 }));
  const { items } = await t.control.settle({ add });
  expect(items).toHaveLength(41);
  const listed = await gateway.listSettlementItems(date);
  expect(listed.map(({ entity_id }) => entity_id)).toEqual(items.map((item) => item.entity_id));
  expect(await gateway.listSettlementItems({ ...date, day: 1 })).toEqual([]);
  const whole = createRazorpayGateway({ ...keys, apiUrl: t.sandbox.url });
  expect(await whole.listSettlementItems(date)).toEqual(listed);
});

test('a report of which a page is missing is no report, and a day that is none is refused', async () => {
  await t.newPayment();
  const add = Array.from({ length: 10 }, () => ({ type: 'payment' as const, amount: 100 }));
  await t.control.settle({ add });
  await t.control.setFaults({
    answers: {
      rules: [
        { fault: 'late', times: 1 },
        { fault: 'cut-after', times: 1 },
      ],
    },
  });
  await expect(gateway.listSettlementItems(date)).rejects.toEqual(unavailable);
  expect(await gateway.listSettlementItems(date)).toHaveLength(11);
  await expect(gateway.listSettlementItems({ ...date, month: 13 })).rejects.toMatchObject({
    name: 'GatewayRefusal',
    field: 'month',
  });
});
