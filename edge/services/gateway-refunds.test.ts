// Refunds: one for each key, through answers that are lost, late, errors or refusals.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  startTestSandbox,
  type TestSandbox,
  testKeyId,
  testKeySecret,
} from '../../scripts/local/razorpay-sandbox/test-sandbox.ts';
import { createRazorpayGateway, type PaymentGateway } from './gateway.ts';

const keys = { keyId: testKeyId, keySecret: testKeySecret };
const unavailable = expect.objectContaining({ code: 'gateway-unavailable' });

let t: TestSandbox;
let gateway: PaymentGateway;
/** Gives up at once, for answers that never come. */
let impatient: PaymentGateway;
beforeAll(async () => {
  t = await startTestSandbox();
  gateway = createRazorpayGateway({ ...keys, apiUrl: t.sandbox.url });
  impatient = createRazorpayGateway({ ...keys, apiUrl: t.sandbox.url, answerTimeoutMs: 150 });
});
afterAll(() => t.close());
beforeEach(() => t.control.resetFaults());

async function newRequest(amountPaise = 9_000) {
  const { id } = await t.newPayment();
  return { gatewayPaymentId: id, amountPaise, idempotencyKey: crypto.randomUUID() };
}

test('a refund is made, found by its id and its payment, and ends with the bank’s number', async () => {
  const request = await newRequest();
  const made = await gateway.refund({ ...request, notes: { case: 'c-1' } });
  expect(made).toMatchObject({
    payment_id: request.gatewayPaymentId,
    amount: 9_000,
    currency: 'INR',
    status: 'pending',
    notes: { case: 'c-1' },
    acquirer_data: { arn: null },
    created_at: expect.any(Number),
  });
  await t.control.settled();
  const done = await gateway.fetchRefund(made.id);
  expect(done).toMatchObject({ id: made.id, status: 'processed' });
  expect(done?.acquirer_data?.arn).toMatch(/^\d+$/);
  const other = await gateway.refund({ ...request, idempotencyKey: crypto.randomUUID() });
  await t.control.settled();
  const refunds = await gateway.listRefunds(request.gatewayPaymentId);
  expect(refunds.map(({ id }) => id)).toEqual([other.id, made.id]);
});

test('what is not there is null or refused, and a payment without refunds has none', async () => {
  expect(await gateway.fetchRefund('rfnd_00000000000000')).toBeNull();
  expect(await gateway.listRefunds((await t.newPayment()).id)).toEqual([]);
  await expect(gateway.listRefunds('pay_00000000000000')).rejects.toMatchObject({ status: 400 });
});

test.each(['cut-before', 'cut-after', 'error-before', 'error-after', 'hang'] as const)(
  'a refund whose answers are lost (%s) is asked for with the same key and made once',
  async (fault) => {
    const request = await newRequest();
    await t.control.setFaults({ answers: { rules: [{ fault, path: '/refund', times: 2 }] } });
    const patient = fault === 'hang' ? impatient : gateway;
    await expect(patient.refund(request)).rejects.toEqual(unavailable);
    await expect(patient.refund(request)).rejects.toEqual(unavailable);
    const made = await gateway.refund(request);
    expect(await gateway.listRefunds(request.gatewayPaymentId)).toHaveLength(1);
    expect((await gateway.refund(request)).id).toBe(made.id);
    expect(await gateway.fetchPayment(request.gatewayPaymentId)).toMatchObject({
      amount_refunded: 9_000,
    });
  },
);

test('a refund that is still being worked on is neither made nor refused', async () => {
  const request = await newRequest();
  const rule = { fault: 'error-after', status: 409, path: '/refund', times: 1 } as const;
  await t.control.setFaults({ answers: { rules: [rule] } });
  await expect(gateway.refund(request)).rejects.toEqual(unavailable);
  expect((await gateway.refund(request)).amount).toBe(9_000);
  expect(await gateway.listRefunds(request.gatewayPaymentId)).toHaveLength(1);
});

test('a key that comes many times at once makes one refund', async () => {
  const request = await newRequest();
  const made = await Promise.all(Array.from({ length: 10 }, () => gateway.refund(request)));
  expect(new Set(made.map(({ id }) => id)).size).toBe(1);
  expect(await gateway.listRefunds(request.gatewayPaymentId)).toHaveLength(1);
});

test('more than there is, or of a payment that is not there, is refused with the reason', async () => {
  const request = await newRequest(60_000);
  await expect(gateway.refund(request)).rejects.toMatchObject({
    name: 'GatewayRefusal',
    status: 400,
    reason: 'input_validation_failed',
    field: 'amount',
    description: 'The refund amount provided is greater than amount captured',
  });
  const nowhere = { ...request, gatewayPaymentId: 'pay_00000000000000' };
  await expect(gateway.refund(nowhere)).rejects.toMatchObject({ name: 'GatewayRefusal' });
  await expect(gateway.refund({ ...request, idempotencyKey: 'short' })).rejects.toThrow('a key');
});

test('a refusal is not believed when an earlier attempt has made the refund', async () => {
  const request = await newRequest(59_000);
  const made = await gateway.refund({ ...request, notes: { case: 'c-1' } });
  // Other notes under the same key: the gateway refuses, although the money is on its way.
  expect((await gateway.refund({ ...request, notes: { case: 'c-2' } })).id).toBe(made.id);
  // Another amount is another refund, and nothing is known of it.
  const less = { ...request, amountPaise: 100 };
  await expect(gateway.refund(less)).rejects.toEqual(unavailable);
  // Another key is refused for good: there is nothing left to refund.
  const other = { ...request, idempotencyKey: crypto.randomUUID() };
  await expect(gateway.refund(other)).rejects.toMatchObject({ name: 'GatewayRefusal' });
});

test('a refusal is not final while it is not known whether the refund exists', async () => {
  const request = await newRequest(60_000);
  const rule = { fault: 'error-before', method: 'GET', path: '/refunds' } as const;
  await t.control.setFaults({ answers: { rules: [rule] } });
  await expect(gateway.refund(request)).rejects.toEqual(unavailable);
});

test('a refund that the bank could not make has failed', async () => {
  await t.control.setFaults({ refunds: { holdRate: 1 } });
  const { id } = await gateway.refund(await newRequest());
  await t.control.endRefund(id, 'failed');
  expect(await gateway.fetchRefund(id)).toMatchObject({ status: 'failed' });
});
