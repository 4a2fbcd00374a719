// The life of a payment: begun, authorized, captured or failed, and what happens when it waits too long.
import { z } from 'zod';
import type { Account, Accounts } from './accounts.ts';
import type { Clock } from './clock.ts';
import {
  acquirerData,
  type MethodChoice,
  methodFields,
  noFailure,
  type OrderEntity,
  type PaymentEntity,
  type PaymentMethod,
  paymentFailures,
} from './entities.ts';
import { newEntityId } from './entity-id.ts';
import type { EventName, Publish } from './event.ts';
import { badField, GatewayRefusal } from './refusal.ts';

const paymentsPerOrderMax = 20;

const feeRate = 0.02;
const feeTaxRate = 0.18;

/** A payment that the buyer leaves open fails after this. */
const openPaymentMinutes = 10;
/** An authorized payment that nobody captures is refunded after this. */
const captureMinutes = 3 * 24 * 60;

/** When an open payment fails, or an authorized one is refunded. */
export const Deadline = z.object({ paymentId: z.string(), at: z.int() });
export type Deadline = z.infer<typeof Deadline>;

export interface PaymentAttempt extends MethodChoice {
  method: PaymentMethod;
  email?: string | undefined;
  contact?: string | undefined;
  description?: string | undefined;
}

export type PaymentLife = ReturnType<typeof createPaymentLife>;

/** `publish` hears of every change, in order. */
export function createPaymentLife(options: {
  accounts: Accounts;
  deadlines: readonly Deadline[];
  clock: Clock;
  publish: Publish;
  /** The money of a captured payment is on its way to the merchant. */
  captured: (payment: PaymentEntity, order: OrderEntity) => void;
  /** Gives an authorized payment back that is never captured. */
  refundUncaptured: (payment: PaymentEntity) => void;
}) {
  const { accounts, clock } = options;
  const deadlines = new Map(options.deadlines.map(({ paymentId, at }) => [paymentId, at]));

  function tell(name: EventName, payment: PaymentEntity, order: OrderEntity | null = null): void {
    options.publish({
      name,
      payload: order ? { payment, order } : { payment },
      about: { entityId: payment.id, paymentId: payment.id, orderId: payment.order_id },
    });
  }

  function setDeadline(payment: PaymentEntity, minutes: number): void {
    deadlines.set(payment.id, clock.nowSeconds() + minutes * 60);
  }

  function begin(account: Account, attempt: PaymentAttempt): PaymentEntity {
    const { order } = account;
    if (order.status === 'paid' || account.payments.some(({ status }) => status === 'authorized')) {
      throw new GatewayRefusal(400, {
        description: 'Payment already done for this order.',
        source: 'customer',
        step: 'payment_initiation',
        reason: 'order_already_paid',
        metadata: { order_id: order.id },
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
      ...methodFields(attempt.method, attempt),
      email: attempt.email ?? 'void@razorpay.com',
      contact: attempt.contact ?? '+919999999999',
      notes: order.notes,
      fee: null,
      tax: null,
      ...noFailure,
      acquirer_data: {},
      created_at: clock.nowSeconds(),
    };
    accounts.addPayment(account, payment);
    order.attempts += 1;
    order.status = 'attempted';
    return payment;
  }

  function fail(payment: PaymentEntity, why: keyof typeof paymentFailures): void {
    deadlines.delete(payment.id);
    payment.status = 'failed';
    Object.assign(payment, paymentFailures[why]);
    tell('payment.failed', payment);
  }

  function authorize(account: Account, payment: PaymentEntity): void {
    const { order, capture: rule } = account;
    payment.status = 'authorized';
    Object.assign(payment, noFailure);
    payment.acquirer_data = acquirerData(payment.method);
    if (payment.method === 'upi') payment.vpa ??= 'success@razorpay';
    tell('payment.authorized', payment);
    // Another payment was faster: this one goes back at once.
    if (order.status === 'paid') {
      options.refundUncaptured(payment);
      return;
    }
    const ageMinutes = (clock.nowSeconds() - payment.created_at) / 60;
    const inTime = ageMinutes <= (rule.automaticExpiryMinutes ?? Number.POSITIVE_INFINITY);
    if (rule.automatic && inTime) capture(account, payment);
    else setDeadline(payment, rule.manualExpiryMinutes ?? captureMinutes);
  }

  function capture(account: Account, payment: PaymentEntity): void {
    const { order } = account;
    deadlines.delete(payment.id);
    payment.status = 'captured';
    payment.captured = true;
    const fee = Math.round(payment.amount * feeRate);
    payment.tax = Math.round(fee * feeTaxRate);
    payment.fee = fee + payment.tax;
    order.status = 'paid';
    order.amount_paid = payment.amount;
    order.amount_due = order.amount - payment.amount;
    options.captured(payment, order);
    tell('payment.captured', payment);
    tell('order.paid', payment, order);
    // Whatever else was authorized for the order goes back.
    for (const other of account.payments) {
      if (other.status === 'authorized') options.refundUncaptured(other);
    }
  }

  return {
    begin,
    fail,
    authorize,
    capture,

    /** The buyer has not decided yet. */
    leaveOpen: (payment: PaymentEntity, minutes = openPaymentMinutes): void =>
      setDeadline(payment, minutes),

    /** Fails and refunds what has waited too long. */
    sweep(): void {
      for (const [paymentId, at] of deadlines) {
        if (at > clock.nowSeconds()) continue;
        deadlines.delete(paymentId);
        const payment = accounts.findPayment(paymentId);
        if (payment?.status === 'created') fail(payment, 'timed-out');
        else if (payment?.status === 'authorized') options.refundUncaptured(payment);
      }
    },

    deadlines: (): Deadline[] => [...deadlines].map(([paymentId, at]) => ({ paymentId, at })),
  };
}
