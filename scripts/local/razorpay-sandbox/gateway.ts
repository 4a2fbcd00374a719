// The gateway itself: orders, and the payments that buyers make for them.
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { assert } from '#contract';
import { Account, createAccounts } from './accounts.ts';
import type { Clock } from './clock.ts';
import type { OrderEntity, PaymentEntity } from './entities.ts';
import { newEntityId } from './entity-id.ts';
import { type ListQuery, page } from './entity-store.ts';
import type { Publish } from './event.ts';
import type { OrderRequest } from './order-request.ts';
import { createPaymentLife, Deadline, type PaymentAttempt } from './payment-life.ts';
import { badField } from './refusal.ts';

/** The gateway's memory, as it is written to a file. */
export const GatewayState = z.object({
  accounts: z.array(Account),
  deadlines: z.array(Deadline),
});
export type GatewayState = z.infer<typeof GatewayState>;

/** What Checkout hands to the page after a success. */
export interface CheckoutSuccess {
  razorpay_payment_id: string;
  razorpay_order_id: string;
  razorpay_signature: string;
}

export type Gateway = ReturnType<typeof createGateway>;

/** Keeps orders and payments in memory; the options after `clock` are those of a payment's life. */
export function createGateway(options: {
  keySecret: string;
  state: GatewayState;
  clock: Clock;
  publish: Publish;
  captured: (payment: PaymentEntity, order: OrderEntity) => void;
  refundUncaptured: (payment: PaymentEntity) => void;
}) {
  const { clock } = options;
  const accounts = createAccounts(options.state.accounts);
  const life = createPaymentLife({ ...options, accounts, deadlines: options.state.deadlines });

  /** @throws GatewayRefusal when the payment is in another state. */
  function inState(paymentId: string, status: PaymentEntity['status']) {
    const found = accounts.ofPayment(paymentId);
    if (found.payment.status === status) return found;
    throw badField('payment_id', `The payment is ${found.payment.status}, not ${status}`);
  }

  return {
    createOrder(request: OrderRequest): OrderEntity {
      const order: OrderEntity = {
        id: newEntityId('order'),
        entity: 'order',
        amount: request.amount,
        amount_paid: 0,
        amount_due: request.amount,
        currency: request.currency,
        receipt: request.receipt,
        offer_id: null,
        status: 'created',
        attempts: 0,
        notes: request.notes,
        created_at: clock.nowSeconds(),
      };
      accounts.add({ order, capture: request.capture, payments: [] });
      return order;
    },

    order: (orderId: string): OrderEntity => accounts.ofOrder(orderId).order,
    paymentsOf: (orderId: string): PaymentEntity[] => accounts.ofOrder(orderId).payments,
    payment: (paymentId: string): PaymentEntity => accounts.ofPayment(paymentId).payment,
    orderOf: (payment: PaymentEntity): OrderEntity => accounts.ofOrder(payment.order_id).order,

    /** Tries to pay an order, as the buyer does in Checkout. */
    pay(orderId: string, outcome: 'success' | 'failure', attempt: PaymentAttempt): PaymentEntity {
      const account = accounts.ofOrder(orderId);
      const payment = life.begin(account, attempt);
      if (outcome === 'failure') life.fail(payment, 'declined');
      else life.authorize(account, payment);
      return payment;
    },

    /** Begins a payment that the buyer decides later, in an app or on the bank's page. */
    open(orderId: string, attempt: PaymentAttempt, minutes?: number): PaymentEntity {
      const payment = life.begin(accounts.ofOrder(orderId), attempt);
      life.leaveOpen(payment, minutes);
      return payment;
    },

    /** The buyer approves an open payment. */
    approve(paymentId: string, vpa: string | undefined): PaymentEntity {
      const { account, payment } = inState(paymentId, 'created');
      if (vpa !== undefined && payment.method === 'upi') payment.vpa = vpa;
      life.authorize(account, payment);
      return payment;
    },

    /** The buyer declines an open payment, or lets it lapse. */
    abandon(paymentId: string, why: 'cancelled' | 'timed-out'): PaymentEntity {
      const { payment } = inState(paymentId, 'created');
      life.fail(payment, why);
      return payment;
    },

    /** The bank reports a success of a payment that was taken for failed. */
    authorizeLate(paymentId: string): PaymentEntity {
      const { account, payment } = inState(paymentId, 'failed');
      payment.late_authorized = true;
      life.authorize(account, payment);
      return payment;
    },

    capture(paymentId: string, amount: unknown, currency: unknown): PaymentEntity {
      const { account, payment } = accounts.ofPayment(paymentId);
      if (currency !== undefined && currency !== payment.currency) {
        throw badField('currency', 'Payment currency does not match');
      }
      if (amount !== payment.amount) {
        throw badField('amount', 'Capture amount must be equal to the amount authorized');
      }
      if (payment.captured) {
        throw badField('payment_id', 'This payment has already been captured');
      }
      if (payment.status !== 'authorized') {
        throw badField(
          'payment_id',
          'Only payments which have been authorized and not yet captured can be captured',
        );
      }
      life.capture(account, payment);
      return payment;
    },

    /** Fails and refunds what has waited too long. */
    sweep: life.sweep,

    listOrders: (query: ListQuery): OrderEntity[] =>
      page(
        accounts.all().map(({ order }) => order),
        query,
      ),

    listPayments: (query: ListQuery): PaymentEntity[] =>
      page(
        accounts.all().flatMap(({ payments }) => payments),
        query,
      ),

    /** What the page is given after a success, with the signature that it verifies. */
    receiptOf(payment: PaymentEntity): CheckoutSuccess {
      assert(payment.status !== 'failed', 'a failed payment has no receipt');
      return {
        razorpay_payment_id: payment.id,
        razorpay_order_id: payment.order_id,
        razorpay_signature: createHmac('sha256', options.keySecret)
          .update(`${payment.order_id}|${payment.id}`)
          .digest('hex'),
      };
    },

    state: (): GatewayState => ({
      accounts: accounts.all(),
      deadlines: life.deadlines(),
    }),
  };
}
