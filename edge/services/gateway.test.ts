// Payments at the gateway: what is read of them, UPI links, and answers that are none.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  startTestSandbox,
  type TestSandbox,
  testKeyId,
  testKeySecret,
} from '../../scripts/local/razorpay-sandbox/test-sandbox.ts';
import {
  createRazorpayGateway,
  GatewayPayment,
  instrumentOf,
  type PaymentGateway,
} from './gateway.ts';

const keys = { keyId: testKeyId, keySecret: testKeySecret };
const unavailable = expect.objectContaining({ code: 'gateway-unavailable' });
const refused = expect.objectContaining({ name: 'GatewayRefusal' });

let t: TestSandbox;
let gateway: PaymentGateway;
beforeAll(async () => {
  t = await startTestSandbox();
  gateway = createRazorpayGateway({ ...keys, apiUrl: t.sandbox.url });
});
afterAll(() => t.close());
beforeEach(() => t.control.resetFaults());

const buyer = {
  email: 'buyer@example.com',
  ip: '203.0.113.7',
  userAgent: 'Mozilla/5.0 (Linux; Android 16)',
  referer: 'https://livepanty.example/wallet',
};

async function newOrder(amountPaise = 59_000) {
  const order = await gateway.createOrder({ amountPaise, receipt: crypto.randomUUID() });
  return { ...order, amountPaise };
}

test('a UPI payment begins with a link, and is an open payment of the order until it is approved', async () => {
  const order = await newOrder();
  const { gatewayPaymentId, link } = await gateway.createUpiIntent({ ...order, ...buyer });
  expect(link).toMatch(/^upi:\/\/pay\?.*am=590\.00/);
  const open = { id: gatewayPaymentId, order_id: order.gatewayOrderId, status: 'created' };
  expect(await gateway.fetchPayment(gatewayPaymentId)).toMatchObject({
    ...open,
    method: 'upi',
    captured: false,
    vpa: null,
    fee: null,
    tax: null,
    email: buyer.email,
    contact: '+919999999999',
  });
  await t.control.approve(gatewayPaymentId, 'Asha@OkAxis');
  const [paid] = await gateway.listPayments(order.gatewayOrderId);
  expect(paid).toMatchObject({
    ...open,
    status: 'captured',
    captured: true,
    vpa: 'Asha@OkAxis',
    fee: 1_392,
    tax: 212,
    error_reason: null,
    created_at: expect.any(Number),
  });
  expect(paid && instrumentOf(paid)).toBe('upi:asha@okaxis');
});

test('a buyer who gave a telephone number is asked for under it', async () => {
  const order = await newOrder();
  const request = { ...order, ...buyer, contact: '+919876543210' };
  const { gatewayPaymentId } = await gateway.createUpiIntent(request);
  expect(await gateway.fetchPayment(gatewayPaymentId)).toMatchObject({ contact: '+919876543210' });
});

test('a UPI payment of an order that is paid, or of another amount, is refused with the reason', async () => {
  const order = await newOrder();
  await expect(
    gateway.createUpiIntent({ ...order, ...buyer, amountPaise: 100 }),
  ).rejects.toMatchObject({ name: 'GatewayRefusal', status: 400, field: 'amount' });
  await t.control.pay(order.gatewayOrderId);
  await expect(gateway.createUpiIntent({ ...order, ...buyer })).rejects.toMatchObject({
    name: 'GatewayRefusal',
    reason: 'order_already_paid',
    description: 'Payment already done for this order.',
  });
});

test('a payment that the buyer declined says why', async () => {
  const order = await newOrder();
  const { gatewayPaymentId } = await gateway.createUpiIntent({ ...order, ...buyer });
  await t.control.decline(gatewayPaymentId);
  const payment = await gateway.fetchPayment(gatewayPaymentId);
  expect(payment).toMatchObject({ status: 'failed', error_reason: expect.any(String) });
});

test('an unknown payment is null, and a captured one is captured again as it is', async () => {
  expect(await gateway.fetchPayment('pay_00000000000000')).toBeNull();
  const { id, amount } = await t.newPayment('card');
  const again = await gateway.capturePayment(id, amount);
  expect(again).toMatchObject({ id, status: 'captured', method: 'card' });
  await expect(gateway.listPayments('order_00000000000000')).rejects.toEqual(refused);
});

const smallest = { id: 'pay_1', order_id: null, amount: 100, currency: 'INR', status: 'captured' };

test('of a payment little has to be there, and both spellings of numbers and truth are read', () => {
  expect(GatewayPayment.parse(smallest)).toEqual({
    ...smallest,
    amount_refunded: null,
    captured: false,
    method: null,
    vpa: null,
    bank: null,
    wallet: null,
    card_id: null,
    card: null,
    bank_account: null,
    fee: null,
    tax: null,
    error_reason: null,
    created_at: null,
  });
  const texts = { ...smallest, amount: '100', fee: '2', captured: '1', card: [] };
  expect(GatewayPayment.parse(texts)).toMatchObject({
    amount: 100,
    fee: 2,
    captured: true,
    card: null,
  });
  for (const amount of [null, '', 1.5, -100, '1e3', undefined]) {
    expect(GatewayPayment.safeParse({ ...smallest, amount }).success, String(amount)).toBe(false);
  }
});

test.each([
  [{ vpa: ' Asha@OkAxis' }, 'upi:asha@okaxis'],
  [{ card_id: 'card_1', card: { id: 'card_1', last4: '1111', network: 'Visa' } }, 'card:visa:1111'],
  [{ card_id: 'card_2', card: { last4: '1111', network: 'Visa' } }, 'card:visa:1111'],
  [{ card_id: 'card_1', card: { id: 'card_1' } }, 'card:card_1'],
  [{ card_id: 'card_1' }, 'card:card_1'],
  [
    { bank_account: { account_number: '123456789', ifsc: 'hdfc0000053' } },
    'bank:HDFC0000053:123456789',
  ],
  [{ bank: 'HDFC' }, null],
  [{ wallet: 'mobikwik' }, null],
  [{ vpa: '' }, null],
])('%o was paid with %s', (fields, instrument) => {
  expect(instrumentOf(GatewayPayment.parse({ ...smallest, ...fields }))).toBe(instrument);
});

test('an answer that is cut, late, an error or none leaves the outcome unknown', async () => {
  const { gatewayOrderId } = await newOrder();
  for (const fault of ['cut-before', 'cut-after', 'error-before', 'error-after'] as const) {
    await t.control.setFaults({ answers: { rules: [{ fault, times: 1 }] } });
    await expect(gateway.listPayments(gatewayOrderId), fault).rejects.toEqual(unavailable);
    expect(await gateway.listPayments(gatewayOrderId), fault).toEqual([]);
  }
  const impatient = createRazorpayGateway({ ...keys, apiUrl: t.sandbox.url, answerTimeoutMs: 100 });
  await t.control.setFaults({ answers: { rules: [{ fault: 'hang' }] } });
  await expect(impatient.listPayments(gatewayOrderId)).rejects.toEqual(unavailable);
  await expect(impatient.fetchPayment('pay_00000000000000')).rejects.toEqual(unavailable);
});

test('wrong keys and busy signals are no answer, on any call', async () => {
  const stranger = createRazorpayGateway({ ...keys, keySecret: 'wrong', apiUrl: t.sandbox.url });
  const { id } = await t.newPayment();
  const refund = { gatewayPaymentId: id, amountPaise: 100, idempotencyKey: crypto.randomUUID() };
  await expect(stranger.fetchPayment(id)).rejects.toEqual(unavailable);
  await expect(stranger.refund(refund)).rejects.toEqual(unavailable);
  for (const status of [409, 429] as const) {
    await t.control.setFaults({ answers: { rules: [{ fault: 'error-before', status }] } });
    await expect(gateway.fetchPayment(id)).rejects.toEqual(unavailable);
    await expect(gateway.refund(refund)).rejects.toEqual(unavailable);
  }
});

/** Answers everything with this. */
async function startStub(status: number, body: string, headers: Record<string, string>) {
  const server = createServer((_, response) => {
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    apiUrl: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

test.each([
  [200, '<html>', {}],
  [200, '{"id":"pay_1"', {}],
  [200, '{}', {}],
  [200, 'null', {}],
  [302, '{}', { location: '/v1/other' }],
  [400, '<html>', {}],
  [400, '{}', {}],
  [400, 'null', {}],
  [404, '{"error":"not found"}', {}],
  [418, '', {}],
  [500, '{"error":{"description":"trouble"}}', {}],
])('%i with %s is not believed to be an answer', async (status, body, headers) => {
  const type = { 'content-type': 'application/json', ...headers };
  const stub = await startStub(status, body, type);
  const misled = createRazorpayGateway({ ...keys, apiUrl: stub.apiUrl });
  const refund = { gatewayPaymentId: 'pay_1', amountPaise: 100, idempotencyKey: 'key-0123456789' };
  const order = { gatewayOrderId: 'order_1', amountPaise: 100 };
  await expect(misled.fetchPayment('pay_1')).rejects.toEqual(unavailable);
  await expect(misled.createUpiIntent({ ...order, ...buyer })).rejects.toEqual(unavailable);
  await expect(misled.refund(refund)).rejects.toEqual(unavailable);
  await expect(misled.listDisputes()).rejects.toEqual(unavailable);
  await stub.close();
});

test('a link that opens no UPI app never reaches a page', async () => {
  const body = { razorpay_payment_id: 'pay_1', link: 'javascript:alert(1)' };
  const stub = await startStub(200, JSON.stringify(body), { 'content-type': 'application/json' });
  const misled = createRazorpayGateway({ ...keys, apiUrl: stub.apiUrl });
  const order = { gatewayOrderId: 'order_1', amountPaise: 100 };
  await expect(misled.createUpiIntent({ ...order, ...buyer })).rejects.toEqual(unavailable);
  await stub.close();
});
