// Refunds through the official package, and the events that tell of them.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from './test-sandbox.ts';

let t: TestSandbox;
beforeAll(async () => {
  t = await startTestSandbox();
});
afterAll(() => t.close());
beforeEach(async () => {
  await t.control.resetFaults();
  t.receiver.received.length = 0;
});

test('a full refund is pending, then processed, and the payment is refunded', async () => {
  const payment = await t.newPayment();
  const refund = await t.razorpay.payments.refund(payment.id, {
    notes: { why: 'asked for' },
    receipt: 'back-1',
  });
  expect(refund).toEqual({
    id: expect.stringMatching(/^rfnd_[A-Za-z0-9]{14}$/),
    entity: 'refund',
    amount: 59_000,
    currency: 'INR',
    payment_id: payment.id,
    notes: { why: 'asked for' },
    receipt: 'back-1',
    acquirer_data: { arn: null },
    created_at: expect.any(Number),
    batch_id: null,
    status: 'pending',
    speed_processed: 'normal',
    speed_requested: 'normal',
  });
  await t.control.settled();
  expect(await t.razorpay.refunds.fetch(refund.id)).toMatchObject({
    status: 'processed',
    acquirer_data: { arn: expect.stringMatching(/^\d{14}$/) },
  });
  expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({
    status: 'refunded',
    captured: true,
    amount_refunded: 59_000,
    refund_status: 'full',
  });
});

test('parts are refunded until nothing is left, and never more', async () => {
  const payment = await t.newPayment();
  await t.razorpay.payments.refund(payment.id, { amount: 20_000 });
  expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({
    status: 'captured',
    amount_refunded: 20_000,
    refund_status: 'partial',
  });
  for (const [amount, description] of [
    [39_001, 'The total refund amount is greater than the refund payment amount'],
    [59_001, 'The refund amount provided is greater than amount captured'],
    [99, 'The amount must be at least INR 1.00'],
  ] as const) {
    await expect(t.razorpay.payments.refund(payment.id, { amount })).rejects.toMatchObject({
      statusCode: 400,
      error: { description },
    });
  }
  await t.razorpay.payments.refund(payment.id, {});
  await expect(t.razorpay.payments.refund(payment.id, { amount: 100 })).rejects.toMatchObject({
    error: { description: 'The payment has been fully refunded already' },
  });
  const { items } = await t.razorpay.payments.fetchMultipleRefund(payment.id, { count: 5 });
  expect(items.map(({ amount }) => amount)).toEqual([39_000, 20_000]);
  expect((await t.razorpay.refunds.all({ count: 2 })).items).toEqual(items);
});

test('what was not captured cannot be refunded', async () => {
  const order = await t.newOrder({ payment: { capture: 'manual' } });
  const { payment } = await t.control.pay(order.id);
  await expect(t.razorpay.payments.refund(payment.id, {})).rejects.toMatchObject({
    error: { description: 'The payment status should be captured for action to be taken' },
  });
});

test('the same idempotency key refunds once, and refuses another body or payment', async () => {
  const payment = await t.newPayment();
  const refund = (id: string, body: object, key = 'refund-key-0001') =>
    t.rest('POST', `/payments/${id}/refund`, body, { 'x-refund-idempotency': key });
  const first = await refund(payment.id, { amount: 10_000 });
  const [again, sameTime] = await Promise.all([
    refund(payment.id, { amount: 10_000 }),
    refund(payment.id, { amount: 10_000 }),
  ]);
  expect(again.json.id).toBe(first.json.id);
  expect(sameTime.json.id).toBe(first.json.id);
  expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({ amount_refunded: 10_000 });

  const other = await t.newPayment();
  for (const answer of [
    await refund(payment.id, { amount: 10_001 }),
    await refund(other.id, { amount: 10_000 }),
  ]) {
    expect(answer.status).toBe(400);
    expect(answer.json.error.description).toBe(
      'Different request body sent for the same Idempotency Header',
    );
  }
  expect((await refund(payment.id, { amount: 10_000 }, 'short')).status).toBe(400);
});

test('a failed refund gives the amount back to the payment, and each step is told', async () => {
  const payment = await t.newPayment();
  await t.control.setFaults({ refunds: { failRate: 1 } });
  const { id } = await t.razorpay.payments.refund(payment.id, { amount: 9_000 });
  await t.control.settled();
  expect(await t.razorpay.refunds.fetch(id)).toMatchObject({ status: 'failed' });
  expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({
    status: 'captured',
    amount_refunded: 0,
    refund_status: null,
  });
  const events = await t.control.events(id);
  expect(events.map(({ name }) => name)).toEqual(['refund.created', 'refund.failed']);
  const [created, failed] = events.map(({ body }) => JSON.parse(body));
  expect(created).toMatchObject({
    contains: ['refund', 'payment'],
    payload: {
      refund: { entity: { id, status: 'pending', amount: 9_000 } },
      payment: { entity: { id: payment.id, amount_refunded: 9_000, refund_status: 'partial' } },
    },
  });
  expect(failed.payload.refund.entity.status).toBe('failed');
  expect(failed.payload.payment.entity.amount_refunded).toBe(0);
});

test('a held refund waits until a control ends it, once', async () => {
  const payment = await t.newPayment();
  await t.control.setFaults({ refunds: { holdRate: 1 } });
  const { id } = await t.razorpay.payments.refund(payment.id, {});
  await t.control.settled();
  expect(await t.razorpay.refunds.fetch(id)).toMatchObject({ status: 'pending' });
  expect(await t.control.endRefund(id, 'processed')).toMatchObject({ status: 'processed' });
  await expect(t.control.endRefund(id, 'failed')).rejects.toThrow(/is processed/);
});
