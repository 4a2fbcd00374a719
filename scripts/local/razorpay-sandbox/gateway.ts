// The gateway itself: orders and payments, their states, and the events that tell of them.
import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { assert } from '#contract';
import {
  methodDetails,
  newEntityId,
  OrderEntity,
  PaymentEntity,
  type PaymentMethod,
} from './entities.ts';
import type { OrderRequest } from './order-request.ts';
import { badField, GatewayRefusal, unknownId } from './refusal.ts';

/** The oldest orders are forgotten first, with their payments. */
const ordersMax = 20_000;
const paymentsPerOrderMax = 20;

const feeRate = 0.02;
const feeTaxRate = 0.18;

const Account = z.object({
  order: OrderEntity,
  autoCapture: z.boolean(),
  payments: z.array(PaymentEntity),
});
type Account = z.infer<typeof Account>;

/** The gateway's memory, as it is written to a file. */
export const GatewayState = z.object({ accounts: z.array(Account) });
export type GatewayState = z.infer<typeof GatewayState>;

export type GatewayEventName =
  | 'payment.authorized'
  | 'payment.captured'
  | 'payment.failed'
  | 'order.paid';

export interface GatewayEvent {
  name: GatewayEventName;
  payment: PaymentEntity;
  order: OrderEntity | null;
}

export interface PaymentAttempt {
  outcome: 'success' | 'failure';
  method: PaymentMethod;
  bank?: string | undefined;
  email?: string | undefined;
  contact?: string | undefined;
  description?: string | undefined;
}

/** What Checkout hands to the page after a success. */
export interface CheckoutSuccess {
  razorpay_payment_id: string;
  razorpay_order_id: string;
  razorpay_signature: string;
}

export interface ListQuery {
  count: number;
  skip: number;
  from?: number | undefined;
  to?: number | undefined;
}

export type Gateway = ReturnType<typeof createGateway>;

/** Keeps orders and payments in memory; `publish` hears of every change, in order. */
export function createGateway(options: {
  keySecret: string;
  state: GatewayState | null;
  now: () => Date;
  publish: (event: GatewayEvent) => void;
}) {
  const accounts = new Map<string, Account>();
  const orderOfPayment = new Map<string, string>();
  for (const account of options.state?.accounts ?? []) remember(account);

  const nowSeconds = () => Math.floor(options.now().getTime() / 1000);

  function remember(account: Account): void {
    accounts.set(account.order.id, account);
    for (const payment of account.payments) orderOfPayment.set(payment.id, account.order.id);
    const [oldest] = accounts.keys();
    if (accounts.size > ordersMax && oldest) {
      for (const payment of accounts.get(oldest)?.payments ?? []) orderOfPayment.delete(payment.id);
      accounts.delete(oldest);
    }
  }

  function accountOf(orderId: string): Account {
    const account = accounts.get(orderId);
    if (!account) throw unknownId();
    return account;
  }

  function findPayment(paymentId: string): { account: Account; payment: PaymentEntity } {
    const account = accounts.get(orderOfPayment.get(paymentId) ?? '');
    const payment = account?.payments.find(({ id }) => id === paymentId);
    if (!account || !payment) throw unknownId();
    return { account, payment };
  }

  function tell(name: GatewayEventName, payment: PaymentEntity, order: OrderEntity | null = null) {
    // A snapshot: the entity as it was when the event happened.
    options.publish(structuredClone({ name, payment, order }));
  }

  function settle(account: Account, payment: PaymentEntity): void {
    const { order } = account;
    payment.status = 'captured';
    payment.captured = true;
    const fee = Math.round(payment.amount * feeRate);
    payment.tax = Math.round(fee * feeTaxRate);
    payment.fee = fee + payment.tax;
    order.status = 'paid';
    order.amount_paid = payment.amount;
    order.amount_due = order.amount - payment.amount;
    tell('payment.captured', payment);
    tell('order.paid', payment, order);
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
        notes: Object.keys(request.notes).length > 0 ? request.notes : [],
        created_at: nowSeconds(),
      };
      remember({ order, autoCapture: request.autoCapture, payments: [] });
      return order;
    },

    order: (orderId: string): OrderEntity => accountOf(orderId).order,
    paymentsOf: (orderId: string): PaymentEntity[] => accountOf(orderId).payments,
    payment: (paymentId: string): PaymentEntity => findPayment(paymentId).payment,

    /** Tries to pay an order, as the buyer does in Checkout. */
    pay(orderId: string, attempt: PaymentAttempt): PaymentEntity {
      const account = accountOf(orderId);
      const { order } = account;
      if (account.payments.some(({ status }) => status === 'authorized' || status === 'captured')) {
        throw new GatewayRefusal(400, {
          description: 'Payment already done for this order.',
          source: 'customer',
          step: 'payment_initiation',
          reason: 'order_already_paid',
          metadata: { order_id: orderId },
        });
      }
      if (account.payments.length >= paymentsPerOrderMax) {
        throw badField('order_id', 'Too many payment attempts for this order.');
      }
      const payment: PaymentEntity = {
        id: newEntityId('pay'),
        entity: 'payment',
        amount: order.amount,
        currency: order.currency,
        status: 'created',
        order_id: order.id,
        invoice_id: null,
        international: false,
        method: attempt.method,
        amount_refunded: 0,
        refund_status: null,
        captured: false,
        description: attempt.description ?? null,
        wallet: null,
        email: attempt.email ?? 'void@razorpay.com',
        contact: attempt.contact ?? '+919999999999',
        notes: order.notes,
        fee: null,
        tax: null,
        error_code: null,
        error_description: null,
        error_source: null,
        error_step: null,
        error_reason: null,
        created_at: nowSeconds(),
        ...methodDetails(attempt.method, attempt.bank),
      };
      account.payments.push(payment);
      orderOfPayment.set(payment.id, order.id);
      order.attempts += 1;
      order.status = 'attempted';
      if (attempt.outcome === 'failure') {
        payment.status = 'failed';
        payment.error_code = 'BAD_REQUEST_ERROR';
        payment.error_description =
          'Your payment was declined by the bank. Try another method, or try again later.';
        payment.error_source = 'bank';
        payment.error_step = 'payment_authorization';
        payment.error_reason = 'payment_failed';
        tell('payment.failed', payment);
        return payment;
      }
      payment.status = 'authorized';
      tell('payment.authorized', payment);
      if (account.autoCapture) settle(account, payment);
      return payment;
    },

    capture(paymentId: string, amount: unknown, currency: unknown): PaymentEntity {
      const { account, payment } = findPayment(paymentId);
      if (currency !== undefined && currency !== payment.currency) {
        throw badField('currency', 'Payment currency does not match');
      }
      if (amount !== payment.amount) {
        throw badField('amount', 'Capture amount must be equal to the amount authorized');
      }
      if (payment.status === 'captured') {
        throw badField('payment_id', 'This payment has already been captured');
      }
      if (payment.status !== 'authorized') {
        throw badField(
          'payment_id',
          'Only payments which have been authorized and not yet captured can be captured',
        );
      }
      settle(account, payment);
      return payment;
    },

    listOrders: (query: ListQuery): OrderEntity[] =>
      page(
        [...accounts.values()].map(({ order }) => order),
        query,
      ),

    listPayments: (query: ListQuery): PaymentEntity[] =>
      page(
        [...accounts.values()].flatMap(({ payments }) => payments),
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

    state: (): GatewayState => ({ accounts: [...accounts.values()] }),
  };
}

/** Newest first, as Razorpay lists. */
function page<T extends { created_at: number }>(all: T[], query: ListQuery): T[] {
  const { from = 0, to = Number.MAX_SAFE_INTEGER, skip, count } = query;
  return all
    .filter(({ created_at }) => created_at >= from && created_at <= to)
    .reverse()
    .slice(skip, skip + count);
}
