import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { Order, TokenPackage } from '#contract';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createCheckout, pendingPollMs, verifyRetriesMax } from './checkout.ts';
import type { CheckoutOptions } from './gateway-script.ts';

const what: TokenPackage = {
  id: 'p1',
  name: 'Fan',
  tokens: 500,
  pricePaise: 54_500,
  gstPaise: 8_314,
};
const order: Order = {
  id: 'o1',
  gatewayOrderId: 'order_1',
  gatewayKeyId: 'key_1',
  checkoutScriptUrl: 'https://gateway.example/checkout.js',
  tokens: 500,
  amountPaise: 54_500,
  currency: 'INR',
  state: 'created',
};
const payment = {
  razorpay_payment_id: 'pay_1',
  razorpay_order_id: 'order_1',
  razorpay_signature: 'a'.repeat(64),
};

function createScene(verify: () => Promise<{ balanceTokens: number }>) {
  const clock = createManualClock();
  const opened: CheckoutOptions[] = [];
  const balance = signal<number | null>(100);
  let verified = 0;
  let credits = 0;
  let balanceAtEdge = 100;
  const checkout = createCheckout({
    api: {
      payments: {
        order: async () => order,
        async verify() {
          verified += 1;
          return { orderId: 'o1', credited: true, ...(await verify()) };
        },
      },
    },
    wallet: {
      balanceTokens: balance,
      confirm: (tokens) => {
        balance.value = tokens;
      },
      refresh: async () => {
        balance.value = balanceAtEdge;
      },
    },
    loadCheckout: async () =>
      class {
        constructor(options: CheckoutOptions) {
          opened.push(options);
        }
        open(): void {}
      },
    buyer: { username: 'ann', email: 'a@b.c' },
    clock,
    newKey: () => 'key-1',
    onCredited: () => {
      credits += 1;
    },
  });
  return {
    checkout,
    clock,
    opened,
    balance,
    verified: () => verified,
    credits: () => credits,
    creditAtEdge: (tokens: number) => {
      balanceAtEdge = tokens;
    },
  };
}

const notCaptured = () => new ApiError('payment-not-captured', 409, null, 'not yet');

test('a paid order is verified and shows the new balance', async () => {
  const { checkout, opened, balance, credits } = createScene(async () => ({ balanceTokens: 600 }));
  checkout.buy(what);
  await settled();
  expect(opened[0]).toMatchObject({ key: 'key_1', order_id: 'order_1', amount: 54_500 });
  opened[0]?.handler(payment);
  await settled();
  expect(checkout.step.value).toEqual({ name: 'credited', tokens: 500, balanceTokens: 600 });
  expect(balance.value).toBe(600);
  expect(credits()).toBe(1);
});

test('a verification that gets no answer is repeated until it does', async () => {
  let fails = 3;
  const { checkout, clock, opened, verified } = createScene(async () => {
    fails -= 1;
    if (fails >= 0) throw fails === 1 ? notCaptured() : new ApiError('timeout', 0, null, 'late');
    return { balanceTokens: 600 };
  });
  checkout.buy(what);
  await settled();
  opened[0]?.handler(payment);
  await clock.advance(20_000);
  expect(verified()).toBe(4);
  expect(checkout.step.value.name).toBe('credited');
});

test('a payment that stays unconfirmed is waited for, and shows when it is credited', async () => {
  const { checkout, clock, opened, verified, creditAtEdge, credits } = createScene(async () => {
    throw notCaptured();
  });
  checkout.buy(what);
  await settled();
  opened[0]?.handler(payment);
  await clock.advance(90_000);
  expect(verified()).toBe(verifyRetriesMax + 1);
  expect(checkout.step.value.name).toBe('pending');
  creditAtEdge(600);
  await clock.advance(pendingPollMs);
  expect(checkout.step.value.name).toBe('idle');
  expect(credits()).toBe(1);
  expect(clock.waiting).toBe(0);
});

test('a payment that does not fit is refused at once', async () => {
  const { checkout, opened, verified } = createScene(async () => {
    throw new ApiError('invalid-signature', 400, null, 'no');
  });
  checkout.buy(what);
  await settled();
  opened[0]?.handler(payment);
  await settled();
  expect(verified()).toBe(1);
  expect(checkout.step.value.name).toBe('failed');
});

test('a closed window buys nothing, and one window is open at a time', async () => {
  const { checkout, opened } = createScene(async () => ({ balanceTokens: 600 }));
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
