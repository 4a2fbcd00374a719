import { expect, test } from 'vitest';
import {
  createCheckoutScene,
  failed,
  linkLifeMs,
  lost,
  paid,
  what,
} from '../testing/checkout-scene.ts';
import { settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { lateLooksMax, latePace, payingPace } from './order-watch.ts';
import { linkLifeAssumedMs } from './upi-payment.ts';

test('a UPI payment shows its link, and is credited as soon as the order is paid', async () => {
  const { checkout, clock, edge, asked, confirmed, upiStep, step } = createCheckoutScene(
    {},
    'upi-app',
  );
  checkout.buy(what);
  expect(step()).toBe('ordering');
  await settled();
  expect(step()).toBe('upi');
  expect(upiStep()).toBe('waiting');
  expect(checkout.purchase.value?.upi?.leftMs.value).toBe(linkLifeMs);
  await clock.advance(payingPace.firstMs);
  expect(asked.status).toBeGreaterThan(0);
  expect(checkout.purchase.value?.upi?.leftMs.value).toBe(linkLifeMs - payingPace.firstMs);
  edge.status = paid;
  await clock.advance(payingPace.maxMs);
  expect(checkout.step.value).toEqual({ name: 'credited', tokens: 500, balanceTokens: 600 });
  expect(confirmed).toEqual([600]);
  expect(clock.waiting).toBe(0);
});

test('a link that ends is looked after once more, and a late payment is still credited', async () => {
  const { checkout, clock, edge, upiStep, step } = createCheckoutScene({}, 'upi-scan');
  checkout.buy(what);
  await clock.advance(linkLifeMs);
  expect(upiStep()).toBe('expired');
  expect(checkout.purchase.value?.watch.told.value).toEqual({ name: 'unpaid', atMs: clock.now() });
  expect(step()).toBe('upi');
  edge.status = paid;
  await clock.advance(latePace.maxMs);
  expect(step()).toBe('credited');
});

test('who asks is told that nothing is paid yet, or that no answer came', async () => {
  const { checkout, clock, edge } = createCheckoutScene({}, 'upi-scan');
  checkout.buy(what);
  await settled();
  const watch = checkout.purchase.value?.watch;
  expect(watch?.told.value).toBeNull();
  await watch?.check();
  expect(watch?.told.value?.name).toBe('unpaid');
  edge.status = () => Promise.reject(lost());
  await clock.advance(1_000);
  await watch?.check();
  expect(watch?.told.value).toEqual({ name: 'lost', atMs: clock.now() });
  checkout.close();
});

test('a new link after the end of the last one is for the same order and has a key of its own', async () => {
  const { checkout, clock, asked, upiStep } = createCheckoutScene({}, 'upi-scan');
  checkout.buy(what);
  await clock.advance(linkLifeMs);
  await checkout.purchase.value?.upi?.retry();
  expect(upiStep()).toBe('waiting');
  expect(asked.orderKeys).toHaveLength(1);
  expect(new Set(asked.upiKeys).size).toBe(2);
  checkout.close();
});

test('a link that gets no answer is asked for with the same key, and a refusal is said', async () => {
  let fails = 4;
  const { checkout, clock, asked, edge, upiStep } = createCheckoutScene(
    {
      async upi() {
        fails -= 1;
        if (fails >= 0) throw lost();
        return {};
      },
    },
    'upi-app',
  );
  checkout.buy(what);
  await clock.advance(10_000);
  expect(upiStep()).toBe('failed');
  checkout.purchase.value?.upi?.retry();
  await clock.advance(10_000);
  expect(upiStep()).toBe('waiting');
  expect(asked.upiKeys.length).toBeGreaterThan(3);
  expect(new Set(asked.upiKeys).size).toBe(1);
  checkout.cancel();

  edge.upi = () => Promise.reject(new ApiError('order-limit', 429, null, 'Too many'));
  checkout.buy(what);
  await settled();
  expect(checkout.purchase.value?.upi?.step.value).toMatchObject({ name: 'failed' });
  checkout.leave();
  expect(checkout.step.value).toEqual({ name: 'idle' });
  expect(clock.waiting).toBe(0);
});

test('a payment that failed says why, nothing is asked any more, and a new link is waited for as before', async () => {
  const { checkout, clock, asked, edge, upiStep, step } = createCheckoutScene({}, 'upi-scan');
  checkout.buy(what);
  await settled();
  edge.status = failed('declined');
  await clock.advance(payingPace.maxMs);
  expect(checkout.purchase.value?.upi?.step.value).toMatchObject({
    name: 'failed',
    text: expect.stringContaining('declined'),
  });
  await clock.advance(linkLifeMs);
  expect(upiStep()).toBe('failed');
  const before = asked.status;
  expect(clock.waiting).toBe(0);

  // The new link is for another payment, and the edge has heard nothing of it yet.
  edge.upi = async () => ({ gatewayPaymentId: 'pay_2' });
  await checkout.purchase.value?.upi?.retry();
  await clock.advance(payingPace.maxMs);
  expect(upiStep()).toBe('waiting');
  expect(asked.status).toBeGreaterThan(before);
  edge.status = paid;
  await clock.advance(payingPace.maxMs);
  expect(step()).toBe('credited');
});

test('an order that has expired is waited for no longer, and one that is paid late is credited all the same', async () => {
  const { checkout, clock, asked, edge, upiStep, step } = createCheckoutScene({}, 'upi-app');
  checkout.buy(what);
  await clock.advance(linkLifeMs);
  expect(upiStep()).toBe('expired');
  edge.status = async () => ({ state: 'expired' });
  await clock.advance(latePace.maxMs);
  expect(checkout.purchase.value?.upi?.step.value).toMatchObject({
    name: 'failed',
    text: expect.stringContaining('The time to pay is over'),
  });
  const before = asked.status;
  await clock.advance(10 * latePace.maxMs);
  expect(asked.status).toBe(before);
  edge.status = paid;
  checkout.wake();
  await settled();
  expect(step()).toBe('credited');
});

test('a payment that fails while its dialog is closed is told on the page', async () => {
  const { checkout, clock, edge } = createCheckoutScene({}, 'upi-app');
  checkout.buy(what);
  await settled();
  checkout.leave();
  edge.status = failed('timed-out');
  await clock.advance(payingPace.maxMs);
  expect(checkout.step.value).toMatchObject({
    name: 'failed',
    text: expect.stringContaining('not approved in time'),
  });
  expect(clock.waiting).toBe(0);
});

test('a dialog that is closed while its payment may come leaves it pending, and can be shown again', async () => {
  const { checkout, clock, edge, step } = createCheckoutScene({}, 'upi-app');
  checkout.buy(what);
  await settled();
  checkout.leave();
  expect(checkout.step.value).toEqual({ name: 'pending', tokens: 500 });
  checkout.resume();
  expect(step()).toBe('upi');
  checkout.leave();
  edge.status = paid;
  await clock.advance(payingPace.maxMs);
  expect(step()).toBe('credited');
});

test('who cancels waits no longer: nothing is asked any more', async () => {
  const { checkout, clock, asked, step } = createCheckoutScene({}, 'upi-app');
  checkout.buy(what);
  await settled();
  checkout.cancel();
  const before = asked.status;
  await clock.advance(linkLifeMs);
  expect(step()).toBe('idle');
  expect(asked.status).toBe(before);
  expect(clock.waiting).toBe(0);
});

test('a closed page asks nothing more', async () => {
  const { checkout, clock, asked } = createCheckoutScene({}, 'upi-app');
  checkout.buy(what);
  await settled();
  checkout.close();
  const before = asked.status;
  await clock.advance(linkLifeMs);
  expect(asked.status).toBe(before);
  expect(clock.waiting).toBe(0);
});

test('while the UPI app is in front nothing is asked, and at once when one comes back', async () => {
  const { checkout, clock, asked, edge, lookAt, step } = createCheckoutScene({}, 'upi-app');
  checkout.buy(what);
  await settled();
  lookAt(false);
  await clock.advance(60_000);
  expect(asked.status).toBe(0);
  edge.status = paid;
  lookAt(true);
  checkout.wake();
  await settled();
  expect(step()).toBe('credited');
});

test('an order that stays unpaid is not asked about for ever, unless somebody asks', async () => {
  const { checkout, clock, asked } = createCheckoutScene({}, 'upi-app');
  checkout.buy(what);
  await clock.advance(linkLifeMs);
  const before = asked.status;
  await clock.advance(3 * lateLooksMax * latePace.maxMs);
  expect(asked.status - before).toBeLessThanOrEqual(lateLooksMax);
  expect(clock.waiting).toBe(0);
  const last = asked.status;
  await checkout.purchase.value?.watch.check();
  expect(asked.status).toBe(last + 1);
  checkout.close();
});

test('an order that the edge knows nothing of is waited for no longer', async () => {
  const { checkout, clock, step } = createCheckoutScene(
    { status: () => Promise.reject(new ApiError('not-found', 404, null, 'No such order')) },
    'upi-app',
  );
  checkout.buy(what);
  await clock.advance(payingPace.maxMs);
  expect(step()).toBe('failed');
  expect(clock.waiting).toBe(0);
});

test('a link that seems to have ended when it comes is left to the gateway', async () => {
  const { checkout, upiStep } = createCheckoutScene(
    { upi: async () => ({ expiresAt: '2001-01-01T00:00:00Z' }) },
    'upi-app',
  );
  checkout.buy(what);
  await settled();
  expect(upiStep()).toBe('waiting');
  expect(checkout.purchase.value?.upi?.leftMs.value).toBe(linkLifeAssumedMs);
  checkout.close();
});
