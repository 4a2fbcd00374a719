import { expect, test } from 'vitest';
import {
  createCheckoutScene,
  failed,
  lost,
  notCaptured,
  order,
  paid,
  payment,
  what,
} from '../testing/checkout-scene.ts';
import { settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { verifyRetriesMax } from './checkout.ts';
import { latePace } from './order-watch.ts';

test('a paid order is verified and shows the new balance', async () => {
  const { checkout, opened, confirmed } = createCheckoutScene();
  checkout.buy(what);
  await settled();
  expect(opened[0]).toMatchObject({ key: 'key_1', order_id: 'order_1', amount: 54_500 });
  opened[0]?.handler(payment);
  await settled();
  expect(checkout.step.value).toEqual({ name: 'credited', tokens: 500, balanceTokens: 600 });
  expect(confirmed).toEqual([600]);
});

test('a verification that gets no answer is repeated until it does', async () => {
  let fails = 3;
  const { clock, checkout, opened, asked, step } = createCheckoutScene({
    async verify() {
      fails -= 1;
      if (fails >= 0) throw fails === 1 ? notCaptured() : new ApiError('timeout', 0, null, 'late');
      return { balanceTokens: 600 };
    },
  });
  checkout.buy(what);
  await settled();
  opened[0]?.handler(payment);
  await clock.advance(20_000);
  expect(asked.verify).toBe(4);
  expect(step()).toBe('credited');
});

test('a payment that stays unconfirmed is waited for, and shows when it is credited', async () => {
  const { checkout, clock, opened, asked, edge, confirmed, step } = createCheckoutScene({
    verify: () => Promise.reject(notCaptured()),
  });
  checkout.buy(what);
  await settled();
  opened[0]?.handler(payment);
  await clock.advance(60_000);
  expect(asked.verify).toBe(verifyRetriesMax + 1);
  expect(step()).toBe('pending');
  edge.status = paid;
  await clock.advance(latePace.maxMs);
  expect(step()).toBe('credited');
  expect(confirmed).toEqual([600]);
  expect(clock.waiting).toBe(0);
});

test('a payment that failed after all is waited for no longer; one of before says nothing of it', async () => {
  const { checkout, clock, opened, asked, edge, step } = createCheckoutScene({
    verify: () => Promise.reject(notCaptured()),
    status: failed('declined', 'pay_of_before'),
  });
  checkout.buy(what);
  await settled();
  opened[0]?.handler(payment);
  await clock.advance(60_000);
  expect(asked.status).toBeGreaterThan(0);
  expect(step()).toBe('pending');
  edge.status = failed('insufficient-funds');
  await clock.advance(latePace.maxMs);
  expect(checkout.step.value).toMatchObject({
    name: 'failed',
    text: expect.stringContaining('not enough money'),
  });
  expect(clock.waiting).toBe(0);
});

test('what the gateway says is paid is no failure when the order expires, but nobody asks on', async () => {
  const { checkout, clock, opened, asked, edge, step } = createCheckoutScene({
    verify: () => Promise.reject(notCaptured()),
    status: async () => ({ state: 'expired' }),
  });
  checkout.buy(what);
  await settled();
  opened[0]?.handler(payment);
  await clock.advance(90_000);
  expect(step()).toBe('pending');
  expect(asked.status).toBe(1);
  expect(clock.waiting).toBe(0);
  edge.status = paid;
  checkout.wake();
  await settled();
  expect(step()).toBe('credited');
});

test('a payment that does not fit is refused at once', async () => {
  const { checkout, opened, asked, step } = createCheckoutScene({
    verify: () => Promise.reject(new ApiError('invalid-signature', 400, null, 'no')),
  });
  checkout.buy(what);
  await settled();
  opened[0]?.handler(payment);
  await settled();
  expect(asked.verify).toBe(1);
  expect(step()).toBe('failed');
});

test('a closed window buys nothing, and one window is open at a time', async () => {
  const { checkout, opened } = createCheckoutScene();
  checkout.buy(what);
  checkout.buy(what);
  await settled();
  checkout.buy(what);
  await settled();
  expect(opened).toHaveLength(1);
  opened[0]?.modal.ondismiss();
  await settled();
  expect(checkout.step.value).toEqual({ name: 'idle' });
});

test('a window that was closed although the money was under way still brings the tokens', async () => {
  const { checkout, opened, step } = createCheckoutScene({ status: paid });
  checkout.buy(what);
  await settled();
  opened[0]?.modal.ondismiss();
  await settled();
  expect(step()).toBe('credited');
});

test('trying again, in whatever way, pays the same order, and the next purchase is a new one', async () => {
  const { checkout, clock, opened, asked, edge } = createCheckoutScene({
    order: () => Promise.reject(lost()),
  });
  checkout.buy(what);
  await clock.advance(20_000);
  expect(checkout.step.value.name).toBe('failed');
  edge.order = async () => order;
  checkout.buy(what);
  await settled();
  opened[0]?.modal.ondismiss();
  await settled();
  checkout.buy(what);
  await settled();
  expect(new Set(asked.orderKeys)).toEqual(new Set(['key-1']));
  opened[1]?.handler(payment);
  await settled();
  checkout.buy(what);
  await settled();
  expect(asked.orderKeys.at(-1)).toBe('key-2');
});

test('an order that an earlier attempt has paid is not paid again', async () => {
  const { checkout, opened } = createCheckoutScene({
    order: async () => ({ ...order, state: 'paid' }),
    status: paid,
  });
  checkout.buy(what);
  await settled();
  expect(opened).toHaveLength(0);
  expect(checkout.step.value).toMatchObject({ name: 'credited', tokens: 500, earlier: true });
});

test('refusals of an order are said in words, and the next attempt is a new order', async () => {
  const { checkout, asked } = createCheckoutScene({
    order: () => Promise.reject(new ApiError('spending-limit', 409, null, 'Too much')),
  });
  checkout.buy(what);
  await settled();
  expect(checkout.step.value).toMatchObject({ name: 'failed' });
  expect(asked.orderKeys).toEqual(['key-1']);
  checkout.buy(what);
  await settled();
  expect(asked.orderKeys).toEqual(['key-1', 'key-2']);
});
