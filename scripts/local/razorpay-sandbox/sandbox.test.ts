// The official `razorpay` package against the sandbox, and the webhooks that the sandbox sends.
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import Razorpay from 'razorpay';
import { validatePaymentVerification } from 'razorpay/dist/utils/razorpay-utils.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requestBodyBytesMax, type Sandbox, type SandboxOptions, startSandbox } from './server.ts';
import { signed, startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

const keyId = 'rzp_test_0123456789abcd';
const keySecret = 'a-key-secret-for-tests';
const webhookSecret = 'a-webhook-secret-for-tests';

let receiver: WebhookReceiver;
let sandbox: Sandbox;
let razorpay: Razorpay;
let options: SandboxOptions;

beforeEach(async () => {
  receiver = await startWebhookReceiver();
  options = {
    port: 0,
    keyId,
    keySecret,
    webhookSecret,
    webhookUrl: receiver.url,
    stateFile: null,
    webhookRetryBaseMs: 5,
    log: pino({ level: 'silent' }),
  };
  sandbox = await startSandbox(options);
  razorpay = client(sandbox.url);
});

afterEach(async () => {
  await sandbox.close();
  await receiver.close();
});

/** The package has its host built in; its HTTP client can be pointed elsewhere. */
function client(url: string, secret = keySecret): Razorpay {
  const razorpay = new Razorpay({ key_id: keyId, key_secret: secret });
  Reflect.get(razorpay.api, 'rq').defaults.baseURL = url;
  return razorpay;
}

async function control(method: string, path: string, body?: unknown) {
  const answer = await fetch(`${sandbox.url}/sandbox${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`${keyId}:${keySecret}`).toString('base64')}`,
      'content-type': 'application/json',
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: answer.status, json: await answer.json() };
}

const pay = async (orderId: string, outcome = 'success') =>
  (await control('POST', `/orders/${orderId}/pay`, { outcome })).json;
const settled = async () =>
  expect((await control('GET', '/settled')).json).toEqual({ settled: true, pending: 0 });
const newOrder = (more: object = {}) =>
  razorpay.orders.create({ amount: 59_000, currency: 'INR', receipt: 'r-1', ...more });

describe('orders and payments', () => {
  test('an order is answered with the fields and id format of the gateway', async () => {
    const order = await newOrder({ notes: { orderId: 'abc', tokens: 500 } });
    expect(order).toEqual({
      id: expect.stringMatching(/^order_[A-Za-z0-9]{14}$/),
      entity: 'order',
      amount: 59_000,
      amount_paid: 0,
      amount_due: 59_000,
      currency: 'INR',
      receipt: 'r-1',
      offer_id: null,
      status: 'created',
      attempts: 0,
      notes: { orderId: 'abc', tokens: '500' },
      created_at: expect.any(Number),
    });
    expect(await razorpay.orders.fetch(order.id)).toEqual(order);
    expect((await newOrder()).notes).toEqual([]);
  });

  test('a successful payment is captured by itself, and its signature verifies', async () => {
    const order = await newOrder();
    const { receipt } = await pay(order.id);
    expect(receipt.razorpay_payment_id).toMatch(/^pay_[A-Za-z0-9]{14}$/);
    const verify = (signature: string) =>
      validatePaymentVerification(
        { order_id: order.id, payment_id: receipt.razorpay_payment_id },
        signature,
        keySecret,
      );
    expect(verify(receipt.razorpay_signature)).toBe(true);
    expect(verify(receipt.razorpay_signature.replace(/./, 'x'))).toBe(false);

    const payment = await razorpay.payments.fetch(receipt.razorpay_payment_id);
    expect(payment).toMatchObject({
      entity: 'payment',
      status: 'captured',
      captured: true,
      amount: 59_000,
      currency: 'INR',
      order_id: order.id,
      fee: 1_392,
      tax: 212,
      error_code: null,
    });
    expect(await razorpay.orders.fetch(order.id)).toMatchObject({
      status: 'paid',
      attempts: 1,
      amount_paid: 59_000,
      amount_due: 0,
    });
    expect((await pay(order.id)).error.description).toMatch(/already done/);
  });

  test('a failed payment leaves the order open for another attempt', async () => {
    const order = await newOrder();
    const { payment, receipt } = await pay(order.id, 'failure');
    expect(receipt).toBeNull();
    expect(payment).toMatchObject({ status: 'failed', error_code: 'BAD_REQUEST_ERROR' });
    expect(await razorpay.orders.fetch(order.id)).toMatchObject({
      status: 'attempted',
      attempts: 1,
    });
    await pay(order.id);
    const payments = await razorpay.orders.fetchPayments(order.id);
    expect(payments.count).toBe(2);
    expect(payments.items.map(({ status }) => status)).toEqual(['captured', 'failed']);
  });

  test('a payment of an order with manual capture waits to be captured, once and in full', async () => {
    const order = await newOrder({ payment: { capture: 'manual', capture_options: {} } });
    const { payment } = await pay(order.id);
    expect(payment.status).toBe('authorized');
    await expect(razorpay.payments.capture(payment.id, 100, 'INR')).rejects.toMatchObject({
      statusCode: 400,
    });
    for (const body of ['[]', '"all of it"', '{']) {
      const answer = await fetch(`${sandbox.url}/v1/payments/${payment.id}/capture`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${keyId}:${keySecret}`)}` },
        body,
      });
      expect(answer.status, body).toBe(400);
    }
    expect(await razorpay.payments.capture(payment.id, 59_000, 'INR')).toMatchObject({
      status: 'captured',
    });
    await expect(razorpay.payments.capture(payment.id, 59_000, 'INR')).rejects.toMatchObject({
      error: { description: 'This payment has already been captured' },
    });
  });

  test('lists are newest first and paged', async () => {
    const ids = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const order = await newOrder();
      ids.push((await pay(order.id)).payment.id);
    }
    const all = await razorpay.payments.all({ count: 2, skip: 1 });
    expect(all.items.map(({ id }) => id)).toEqual([ids[1], ids[0]]);
    expect((await razorpay.orders.all({ count: 100 })).count).toBe(3);
  });

  test.each([
    [{ amount: undefined }, 'amount', 'The amount field is required.'],
    [{ amount: 99 }, 'amount', 'Order amount less than minimum amount allowed'],
    [{ amount: 590.5 }, 'amount', 'The amount must be an integer.'],
    [{ amount: -59_000 }, 'amount', 'Order amount less than minimum amount allowed'],
    [{ amount: 'lots' }, 'amount', 'The amount must be an integer.'],
    [{ currency: 'EUR' }, 'currency', 'Currency is not supported'],
    [{ receipt: 'x'.repeat(41) }, 'receipt', 'The receipt may not be greater than 40 characters.'],
    [
      { notes: Object.fromEntries(Array.from({ length: 16 }, (_, n) => [`n${n}`, 'x'])) },
      'notes',
      'Number of fields in notes should be less than or equal to 15',
    ],
  ])(
    'an order with %o is refused in the error shape of the gateway',
    async (change, field, description) => {
      await expect(newOrder(change)).rejects.toMatchObject({
        statusCode: 400,
        error: {
          code: 'BAD_REQUEST_ERROR',
          description,
          field,
          source: 'business',
          step: 'payment_initiation',
          reason: 'input_validation_failed',
          metadata: {},
        },
      });
    },
  );

  test('a wrong secret, an unknown id and a large body are refused', async () => {
    await expect(client(sandbox.url, 'guess').orders.all()).rejects.toMatchObject({
      statusCode: 401,
      error: { description: 'Authentication failed' },
    });
    await expect(razorpay.orders.fetch('order_00000000000000')).rejects.toMatchObject({
      statusCode: 400,
      error: { description: 'The id provided does not exist' },
    });
    await expect(
      newOrder({ notes: { long: 'x'.repeat(requestBodyBytesMax) } }),
    ).rejects.toMatchObject({ statusCode: 413 });
    const unsigned = await fetch(`${sandbox.url}/sandbox/faults`);
    expect(unsigned.status).toBe(401);
  });
});

describe('webhooks', () => {
  test('each step is told in its order, signed over the raw body, with an event id', async () => {
    const order = await newOrder();
    await pay(order.id, 'failure');
    await settled();
    await pay(order.id);
    await settled();
    expect(receiver.received.map(({ event }) => event).toSorted()).toEqual([
      'order.paid',
      'payment.authorized',
      'payment.captured',
      'payment.failed',
    ]);
    for (const { raw, signature, eventId } of receiver.received) {
      expect(Razorpay.validateWebhookSignature(raw, signature, webhookSecret)).toBe(true);
      expect(eventId).toMatch(/^[A-Za-z0-9]{14}$/);
    }
    expect(new Set(receiver.received.map(({ eventId }) => eventId)).size).toBe(4);
    const authorized = receiver.received.find(({ event }) => event === 'payment.authorized');
    expect(JSON.parse(authorized?.raw ?? '')).toEqual({
      entity: 'event',
      account_id: expect.stringMatching(/^acc_[A-Za-z0-9]{14}$/),
      event: 'payment.authorized',
      contains: ['payment'],
      // As it was when it was authorized, though it has been captured since.
      payload: {
        payment: { entity: expect.objectContaining({ status: 'authorized', order_id: order.id }) },
      },
      created_at: expect.any(Number),
    });
    const paid = receiver.received.find(({ event }) => event === 'order.paid');
    expect(JSON.parse(paid?.raw ?? '')).toMatchObject({
      contains: ['payment', 'order'],
      payload: {
        payment: { entity: { status: 'captured' } },
        order: { entity: { id: order.id, status: 'paid', amount_paid: 59_000 } },
      },
    });
  });

  test('an event that is not taken comes again, the same, until it is taken', async () => {
    receiver.answerWith((_, count) => (count < 4 ? 500 : 204));
    await pay((await newOrder()).id, 'failure');
    await settled();
    expect(receiver.received).toHaveLength(4);
    expect(new Set(receiver.received.map(({ raw, eventId }) => raw + eventId)).size).toBe(1);
    const { events } = (await control('GET', '/events')).json;
    expect(events[0].deliveries).toMatchObject([
      { state: 'delivered', attempts: 4, lastStatus: 204 },
    ]);
  });

  test('on request, events are repeated, lost, late and wrongly signed', async () => {
    await control('POST', '/faults', { webhooks: { copies: 3 } });
    await pay((await newOrder()).id, 'failure');
    await settled();
    expect(receiver.received).toHaveLength(3);
    expect(new Set(receiver.received.map(({ eventId }) => eventId)).size).toBe(1);

    receiver.received.length = 0;
    await control('POST', '/faults', { webhooks: { copies: 1, secret: 'the-old-secret' } });
    await pay((await newOrder()).id, 'failure');
    await settled();
    expect(receiver.received).toHaveLength(1);
    const [old] = receiver.received;
    expect(old?.signature).toBe(signed(old?.raw ?? '', 'the-old-secret'));

    receiver.received.length = 0;
    await control('POST', '/faults', { webhooks: { dropRate: 1, secret: null } });
    await pay((await newOrder()).id, 'failure');
    await settled();
    expect(receiver.received).toHaveLength(0);

    await control('DELETE', '/faults');
    await control('POST', '/faults', { webhooks: { delayMs: 60_000 } });
    await pay((await newOrder()).id, 'failure');
    expect((await control('GET', '/settled?timeout_ms=50')).json).toEqual({
      settled: false,
      pending: 1,
    });
    expect((await control('POST', '/faults', { webhooks: { copies: 99 } })).status).toBe(400);
  });

  test('shuffled deliveries overtake each other', async () => {
    await control('POST', '/faults', { webhooks: { shuffleMs: 100 }, seed: 7 });
    for (let turn = 0; turn < 8; turn += 1) await pay((await newOrder()).id);
    await settled();
    const order = receiver.received.map(({ raw }) => JSON.parse(raw).payload.payment.entity.id);
    const inSequence = (await control('GET', '/events')).json.events.map(
      ({ paymentId }: { paymentId: string }) => paymentId,
    );
    expect(order.toSorted()).toEqual(inSequence.toSorted());
    expect(order).not.toEqual(inSequence);
  });

  test('an event can be delivered again later', async () => {
    await pay((await newOrder()).id, 'failure');
    await settled();
    const { events } = (await control('GET', '/events')).json;
    await control('POST', `/events/${events[0].id}/deliver`, { copies: 2 });
    await settled();
    expect(receiver.received.map(({ eventId }) => eventId)).toEqual(Array(3).fill(events[0].id));
  });
});

test('an answer can be cut off although the request was carried out', async () => {
  await control('POST', '/faults', { answers: { cutRate: 1 } });
  await expect(newOrder({ receipt: 'cut' })).rejects.toThrow();
  await control('DELETE', '/faults');
  const { items } = await razorpay.orders.all();
  expect(items.map(({ receipt }) => receipt)).toEqual(['cut']);
});

test('orders and undelivered webhooks survive a restart', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'livepanty-sandbox-'));
  const stateFile = join(directory, 'state.json');
  try {
    const first = await startSandbox({ ...options, stateFile, webhookRetryBaseMs: 60_000 });
    receiver.answerWith(() => 503);
    const order = await client(first.url).orders.create({ amount: 11_800, currency: 'INR' });
    await fetch(`${first.url}/v1/checkout/payments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        key_id: keyId,
        order_id: order.id,
        outcome: 'failure',
        method: 'upi',
      }),
    });
    await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(1);
    await first.close();

    receiver.answerWith(() => 200);
    const second = await startSandbox({ ...options, stateFile });
    expect(await client(second.url).orders.fetch(order.id)).toMatchObject({ status: 'attempted' });
    await expect.poll(() => receiver.received.length, { timeout: 10_000 }).toBe(2);
    expect(receiver.received[1]).toEqual(receiver.received[0]);
    await second.close();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});

test('it does not start in production, and lists what it lacks elsewhere', () => {
  const start = (env: Record<string, string>) =>
    spawnSync(process.execPath, [new URL('main.ts', import.meta.url).pathname], {
      env,
      encoding: 'utf8',
    });
  const production = start({ ENVIRONMENT: 'production', RAZORPAY_KEY_ID: keyId });
  expect(production.status).toBe(1);
  expect(production.stderr).toBe(
    'The payment sandbox is for development and tests: it does not start when ENVIRONMENT=production.\n',
  );
  const bare = start({ RAZORPAY_KEY_ID: 'rzp_live_0123456789abcd' });
  expect(bare.status).toBe(1);
  for (const name of ['RAZORPAY_KEY_ID', 'RAZORPAY_KEY_SECRET', 'RAZORPAY_WEBHOOK_SECRET']) {
    expect(bare.stderr).toContain(name);
  }
  const half = start({
    RAZORPAY_KEY_ID: keyId,
    RAZORPAY_KEY_SECRET: keySecret,
    RAZORPAY_WEBHOOK_SECRET: webhookSecret,
    RAZORPAYX_KEY_ID: keyId,
  });
  expect(half.status).toBe(1);
  expect(half.stderr).toContain('RAZORPAYX_KEY_SECRET');
});
