// The orders with the payments made for each, found by either id; the oldest orders are forgotten first.
import { z } from 'zod';
import { OrderEntity, PaymentEntity } from './entities.ts';
import { createEntityStore } from './entity-store.ts';
import { unknownId } from './refusal.ts';

const ordersMax = 20_000;

/** When payments of an order are captured, and until when they can be. */
export const CaptureRule = z.object({
  automatic: z.boolean(),
  /** A payment that is authorized later than this is not captured by itself; null: no such limit. */
  automaticExpiryMinutes: z.int().nullable(),
  /** A payment that is not captured by then is refunded; null: after the usual days. */
  manualExpiryMinutes: z.int().nullable(),
});
export type CaptureRule = z.infer<typeof CaptureRule>;

export const Account = z.object({
  order: OrderEntity,
  capture: CaptureRule,
  payments: z.array(PaymentEntity),
});
export type Account = z.infer<typeof Account>;

export interface Accounts {
  add(account: Account): void;
  /** @throws GatewayRefusal when there is no such order. */
  ofOrder(orderId: string): Account;
  addPayment(account: Account, payment: PaymentEntity): void;
  /** @throws GatewayRefusal when there is no such payment. */
  ofPayment(paymentId: string): { account: Account; payment: PaymentEntity };
  findPayment(paymentId: string): PaymentEntity | undefined;
  all(): Account[];
}

export function createAccounts(restored: readonly Account[]): Accounts {
  const orderOfPayment = new Map<string, string>();
  const store = createEntityStore({
    max: ordersMax,
    entities: restored.map((account) => ({ id: account.order.id, account })),
    forget({ account }) {
      for (const payment of account.payments) orderOfPayment.delete(payment.id);
    },
  });
  for (const { order, payments } of restored) {
    for (const payment of payments) orderOfPayment.set(payment.id, order.id);
  }

  function find(paymentId: string) {
    const account = store.find(orderOfPayment.get(paymentId) ?? '')?.account;
    return { account, payment: account?.payments.find(({ id }) => id === paymentId) };
  }

  return {
    add: (account) => store.add({ id: account.order.id, account }),
    ofOrder: (orderId) => store.get(orderId).account,
    addPayment(account, payment) {
      account.payments.push(payment);
      orderOfPayment.set(payment.id, account.order.id);
    },
    ofPayment(paymentId) {
      const { account, payment } = find(paymentId);
      if (!account || !payment) throw unknownId();
      return { account, payment };
    },
    findPayment: (paymentId) => find(paymentId).payment,
    all: () => store.all().map(({ account }) => account),
  };
}
