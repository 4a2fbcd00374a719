// Payments that do not end at once: UPI apps, late successes, manual captures, and what is never captured.
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestSandbox, type TestSandbox } from './test-sandbox.ts';

const daySeconds = 24 * 60 * 60;

let t: TestSandbox;
beforeEach(async () => {
  t = await startTestSandbox();
});
afterEach(() => t.close());

const names = async (id: string) => (await t.control.events(id)).map(({ name }) => name);

function startUpi(orderId: string, more: object = {}) {
  return t.razorpay.payments.createUpi({
    amount: 59_000,
    currency: 'INR',
    order_id: orderId,
    email: 'asha@example.com',
    contact: '9876543210',
    method: 'upi',
    ip: '192.0.2.1',
    referer: 'https://example.com/',
    user_agent: 'Mozilla/5.0',
    description: '500 tokens',
    notes: {},
    upi: { flow: 'intent' },
    ...more,
  });
}

describe('UPI intent', () => {
  test('the link carries the amount and a reference, and the payment waits for the buyer', async () => {
    const order = await t.newOrder();
    const { razorpay_payment_id: id, link } = await startUpi(order.id);
    const address = new URL(link ?? '');
    expect(link).toMatch(/^upi:\/\/pay\?pa=[^&%]+@[a-z]+&pn=LivePanty&tr=/);
    expect(Object.fromEntries(address.searchParams)).toMatchObject({
      tr: id.slice('pay_'.length),
      tn: '500 tokens',
      am: '590.00',
      cu: 'INR',
      mc: expect.stringMatching(/^\d{4}$/),
    });
    expect(await t.razorpay.payments.fetch(id)).toMatchObject({
      status: 'created',
      method: 'upi',
      vpa: null,
      email: 'asha@example.com',
      contact: '9876543210',
    });
    expect(await t.razorpay.orders.fetch(order.id)).toMatchObject({ status: 'attempted' });
    expect(await names(order.id)).toEqual([]);
  });

  test('an approval captures it, and the UPI address becomes known', async () => {
    const order = await t.newOrder();
    const { razorpay_payment_id: id } = await startUpi(order.id);
    const { receipt } = await t.control.approve(id, 'asha@examplebank');
    expect(receipt).toMatchObject({ razorpay_order_id: order.id, razorpay_payment_id: id });
    expect(await t.razorpay.payments.fetch(id)).toMatchObject({
      status: 'captured',
      vpa: 'asha@examplebank',
    });
    expect(await names(order.id)).toEqual(['payment.authorized', 'payment.captured', 'order.paid']);
    await expect(t.control.approve(id)).rejects.toThrow(/is captured, not created/);
  });

  test('a refusal or the clock fails it, and the order stays open', async () => {
    const order = await t.newOrder();
    const first = await startUpi(order.id);
    const { payment } = await t.control.decline(first.razorpay_payment_id);
    expect(payment).toMatchObject({ status: 'failed', error_reason: 'payment_cancelled' });

    const second = await startUpi(order.id);
    const third = await startUpi(order.id, { upi: { flow: 'intent', expiry_time: 20 } });
    await t.control.moveClock(11 * 60);
    expect(await t.razorpay.payments.fetch(second.razorpay_payment_id)).toMatchObject({
      status: 'failed',
      error_reason: 'payment_timed_out',
    });
    expect(await t.razorpay.payments.fetch(third.razorpay_payment_id)).toMatchObject({
      status: 'created',
    });
    await t.control.approve(third.razorpay_payment_id);
    expect(await t.razorpay.orders.fetch(order.id)).toMatchObject({ status: 'paid', attempts: 3 });
  });

  test.each([
    [{ amount: 100 }, /different from your order amount/],
    [{ upi: { flow: 'collect', vpa: 'asha@bank' } }, /UPI collect transactions are not enabled/],
    [{ order_id: 'order_00000000000000' }, /does not exist/],
    [{ ip: undefined }, /The ip field is required/],
    [{ currency: 'USD' }, /Currency is not supported/],
  ])('%o is refused', async (change, description) => {
    const order = await t.newOrder();
    await expect(startUpi(order.id, change)).rejects.toMatchObject({
      statusCode: 400,
      error: { description: expect.stringMatching(description) },
    });
    expect(await t.razorpay.orders.fetch(order.id)).toMatchObject({ attempts: 0 });
  });
});

test('a wallet payment says which wallet, and nothing of banks or UPI', async () => {
  expect(await t.newPayment('wallet')).toMatchObject({
    method: 'wallet',
    wallet: 'mobikwik',
    bank: null,
    vpa: null,
    card_id: null,
    acquirer_data: { transaction_id: null },
  });
});

describe('late successes', () => {
  test('a payment that failed first is captured later, and told in that order', async () => {
    const order = await t.newOrder();
    const { payment: failed } = await t.control.pay(order.id, { outcome: 'failure' });
    await t.control.authorizeLate(failed.id);
    expect(await t.razorpay.payments.fetch(failed.id)).toMatchObject({
      status: 'captured',
      late_authorized: true,
      error_code: null,
      error_reason: null,
    });
    const events = await t.control.events(order.id);
    expect(events.map(({ name }) => name)).toEqual([
      'payment.failed',
      'payment.authorized',
      'payment.captured',
      'order.paid',
    ]);
    const authorized = JSON.parse(events[1]?.body ?? '').payload.payment.entity;
    expect(authorized).toMatchObject({
      id: failed.id,
      status: 'authorized',
      late_authorized: true,
    });
  });

  test('after another payment of the order was captured, it goes back at once', async () => {
    const order = await t.newOrder();
    const { payment: first } = await t.control.pay(order.id, { outcome: 'failure' });
    const { payment: second } = await t.control.pay(order.id);
    await t.control.authorizeLate(first.id);
    await t.control.settled();
    expect(await t.razorpay.payments.fetch(first.id)).toMatchObject({
      status: 'refunded',
      captured: false,
      amount_refunded: 59_000,
    });
    expect(await t.razorpay.payments.fetch(second.id)).toMatchObject({ status: 'captured' });
    expect(await names(first.id)).toEqual([
      'payment.failed',
      'payment.authorized',
      'refund.created',
      'refund.processed',
    ]);
    // The merchant never had the money of the first.
    const waiting = await t.control.waitingToSettle();
    expect(waiting.map(({ entity_id }) => entity_id)).toEqual([second.id]);
  });

  test('after the time for automatic captures it waits, and is refunded when nobody captures it', async () => {
    const order = await t.newOrder({
      payment: {
        capture: 'automatic',
        capture_options: { automatic_expiry_period: 12, manual_expiry_period: 7_200 },
      },
    });
    const { payment } = await t.control.pay(order.id, { outcome: 'failure' });
    await t.control.moveClock(13 * 60);
    await t.control.authorizeLate(payment.id);
    expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({ status: 'authorized' });
    await t.control.moveClock(13 * 60 + 4 * daySeconds);
    expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({ status: 'authorized' });
    await t.control.moveClock(13 * 60 + 5 * daySeconds + 1);
    expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({ status: 'refunded' });
  });
});

describe('manual capture', () => {
  const manual = { payment: { capture: 'manual' } };

  test('what is never captured is refunded after days of the clock', async () => {
    const order = await t.newOrder(manual);
    const { payment } = await t.control.pay(order.id, { method: 'card' });
    await t.control.moveClock(3 * daySeconds - 60);
    expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({ status: 'authorized' });
    await t.control.moveClock(3 * daySeconds + 1);
    await t.control.settled();
    expect(await t.razorpay.payments.fetch(payment.id)).toMatchObject({
      status: 'refunded',
      captured: false,
    });
    const [, created] = await t.control.events(payment.id);
    expect(JSON.parse(created?.body ?? '').payload.payment.entity.captured).toBe(false);
    await expect(t.razorpay.payments.capture(payment.id, 59_000, 'INR')).rejects.toMatchObject({
      statusCode: 400,
    });
    expect(await t.control.waitingToSettle()).toEqual([]);
  });

  test('the capture of one authorized payment gives back the others of the order', async () => {
    const order = await t.newOrder(manual);
    const { payment: late } = await t.control.pay(order.id, { outcome: 'failure' });
    const { payment } = await t.control.pay(order.id);
    await t.control.authorizeLate(late.id);
    await t.razorpay.payments.capture(payment.id, 59_000, 'INR');
    const { items } = await t.razorpay.orders.fetchPayments(order.id);
    expect(items.map(({ status }) => status)).toEqual(['captured', 'refunded']);
  });
});

test('the clock moves every date that the gateway writes', async () => {
  const before = await t.newOrder();
  const { now } = await t.control.moveClock(10 * daySeconds);
  const after = await t.newOrder();
  expect(after.created_at - before.created_at).toBeGreaterThanOrEqual(10 * daySeconds);
  expect(after.created_at - Math.floor(now.getTime() / 1000)).toBeLessThan(60);
  const { payment } = await t.control.pay(after.id);
  const [event] = await t.control.events(payment.id);
  expect(JSON.parse(event?.body ?? '').created_at).toBeGreaterThanOrEqual(after.created_at);
  const { items } = await t.razorpay.orders.all({ to: before.created_at });
  expect(items.map(({ id }) => id)).toEqual([before.id]);
});
