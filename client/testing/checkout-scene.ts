// A checkout for tests: an edge that answers as the test says, and a gateway's window that the test pays in.
import { signal } from '@preact/signals';
import type { Order, OrderStatus, PaymentFailure, TokenPackage, UpiIntent } from '#contract';
import { ApiError } from '../models/api-error.ts';
import { createCheckout } from '../models/checkout.ts';
import type { CheckoutOptions } from '../models/gateway-script.ts';
import type { PayWay } from '../models/pay-way.ts';
import { createManualClock } from './manual-clock.ts';

export const what: TokenPackage = {
  id: 'p1',
  name: 'Fan',
  tokens: 500,
  pricePaise: 54_500,
  gstPaise: 8_314,
};
export const order: Order = {
  id: 'o1',
  gatewayOrderId: 'order_1',
  gatewayKeyId: 'key_1',
  checkoutScriptUrl: 'https://gateway.example/checkout.js',
  tokens: 500,
  amountPaise: 54_500,
  currency: 'INR',
  state: 'created',
};
export const payment = {
  razorpay_payment_id: 'pay_1',
  razorpay_order_id: 'order_1',
  razorpay_signature: 'a'.repeat(64),
};
export const linkLifeMs = 600_000;

export const lost = () => new ApiError('network', 0, null, 'lost');
export const notCaptured = () => new ApiError('payment-not-captured', 409, null, 'not yet');

type Edge = {
  verify: () => Promise<{ balanceTokens: number }>;
  order: () => Promise<Order>;
  status: () => Promise<Partial<OrderStatus>>;
  upi: (key: string) => Promise<Partial<UpiIntent>>;
};

export function createCheckoutScene(given: Partial<Edge> = {}, way: PayWay = 'gateway') {
  const clock = createManualClock();
  const opened: CheckoutOptions[] = [];
  const confirmed: number[] = [];
  const asked = { verify: 0, status: 0, orderKeys: [] as string[], upiKeys: [] as string[] };
  let keys = 0;
  let isLookedAt = true;
  const edge: Edge = {
    verify: async () => ({ balanceTokens: 600 }),
    order: async () => order,
    status: async () => ({}),
    upi: async () => ({}),
    ...given,
  };
  const checkout = createCheckout({
    api: {
      payments: {
        order(_packageId, key) {
          asked.orderKeys.push(key);
          return edge.order();
        },
        async verify() {
          asked.verify += 1;
          return { orderId: 'o1', credited: true, ...(await edge.verify()) };
        },
      },
    },
    money: {
      async orderStatus(id) {
        asked.status += 1;
        const shown = { id, state: 'created' as const, failure: null, tokens: 500 };
        return { ...shown, amountPaise: 54_500, balanceTokens: 100, ...(await edge.status()) };
      },
      async upiIntent(_id, key) {
        asked.upiKeys.push(key);
        return {
          gatewayPaymentId: 'pay_1',
          link: 'upi://pay?pa=shop@bank&am=545.00',
          apps: [{ name: 'PhonePe', link: 'phonepe://pay?pa=shop@bank' }],
          expiresAt: new Date(clock.now() + linkLifeMs).toISOString(),
          ...(await edge.upi(key)),
        };
      },
    },
    wallet: { confirm: (tokens) => void confirmed.push(tokens) },
    loadCheckout: async () =>
      class {
        constructor(options: CheckoutOptions) {
          opened.push(options);
        }
        open(): void {}
      },
    buyer: { username: 'ann', email: 'a@b.c' },
    way: signal(way),
    clock,
    isLookedAt: () => isLookedAt,
    newKey: () => `key-${++keys}`,
  });
  return {
    checkout,
    clock,
    opened,
    confirmed,
    asked,
    edge,
    step: () => checkout.step.value.name,
    upiStep: () => checkout.purchase.value?.upi?.step.value.name,
    lookAt: (page: boolean) => {
      isLookedAt = page;
    },
  };
}

/** The answer of an edge that has heard that a payment failed. */
export const failed =
  (reason: PaymentFailure, gatewayPaymentId = 'pay_1') =>
  async () => ({ state: 'failed' as const, failure: { gatewayPaymentId, reason } });

/** The answer of an edge that has the money. */
export const paid = async () => ({ state: 'paid' as const, balanceTokens: 600 });
