// Refunds: made for captured payments on request, and for payments that were never captured by themselves.
import { z } from 'zod';
import type { Agenda } from './agenda.ts';
import type { Clock } from './clock.ts';
import type { OrderEntity, PaymentEntity } from './entities.ts';
import { newEntityId, randomDigits } from './entity-id.ts';
import { createEntityStore, type ListQuery, page } from './entity-store.ts';
import type { EventName, Publish } from './event.ts';
import type { FaultSwitch } from './faults.ts';
import { Notes } from './fields.ts';
import type { Gateway } from './gateway.ts';
import { createIdempotencyKeys, IdempotencyKey } from './idempotency.ts';
import type { RefundRequest } from './refund-request.ts';
import { badField, GatewayRefusal } from './refusal.ts';

const refundsMax = 20_000;
const arnDigits = 14;

export const RefundEntity = z.object({
  id: z.string(),
  entity: z.literal('refund'),
  amount: z.int(),
  currency: z.string(),
  payment_id: z.string(),
  notes: Notes,
  receipt: z.string().nullable(),
  acquirer_data: z.object({ arn: z.string().nullable() }),
  created_at: z.int(),
  batch_id: z.null(),
  status: z.enum(['pending', 'processed', 'failed']),
  speed_processed: z.enum(['normal', 'instant']),
  speed_requested: z.enum(['normal', 'optimum']),
});
export type RefundEntity = z.infer<typeof RefundEntity>;

export const RefundsState = z.object({
  refunds: z.array(RefundEntity),
  keys: z.array(IdempotencyKey),
});
export type RefundsState = z.infer<typeof RefundsState>;

export type Refunds = ReturnType<typeof createRefunds>;

export function createRefunds(options: {
  state: RefundsState;
  gateway: Gateway;
  /** Whether a dispute forbids to refund this payment. */
  disputed: (paymentId: string) => boolean;
  /** The money of a captured payment has left the merchant. */
  refunded: (refund: RefundEntity, payment: PaymentEntity, order: OrderEntity) => void;
  faults: FaultSwitch;
  agenda: Agenda;
  clock: Clock;
  publish: Publish;
}) {
  const { gateway, faults, clock } = options;
  const byPayment = new Map<string, RefundEntity[]>();
  const store = createEntityStore({
    max: refundsMax,
    entities: options.state.refunds,
    forget: ({ payment_id }) => byPayment.get(payment_id)?.shift(),
  });
  const keys = createIdempotencyKeys({
    keys: options.state.keys,
    ttlSeconds: null,
    nowSeconds: clock.nowSeconds,
  });
  for (const refund of options.state.refunds) remember(refund);

  function remember(refund: RefundEntity): void {
    const known = byPayment.get(refund.payment_id);
    if (known) known.push(refund);
    else byPayment.set(refund.payment_id, [refund]);
  }

  function tell(name: EventName, refund: RefundEntity, payment: PaymentEntity): void {
    options.publish({
      name,
      payload: { refund, payment },
      about: { entityId: refund.id, paymentId: payment.id, orderId: payment.order_id },
    });
  }

  function giveBack(payment: PaymentEntity, amount: number): void {
    payment.amount_refunded += amount;
    const isFull = payment.amount_refunded === payment.amount;
    payment.refund_status = isFull ? 'full' : payment.amount_refunded > 0 ? 'partial' : null;
    payment.status = isFull ? 'refunded' : payment.captured ? 'captured' : 'authorized';
  }

  function start(payment: PaymentEntity, amount: number, request: RefundRequest): RefundEntity {
    const refund: RefundEntity = {
      id: newEntityId('rfnd'),
      entity: 'refund',
      amount,
      currency: payment.currency,
      payment_id: payment.id,
      notes: request.notes,
      receipt: request.receipt,
      acquirer_data: { arn: null },
      created_at: clock.nowSeconds(),
      batch_id: null,
      status: 'pending',
      speed_processed: request.speed === 'optimum' ? 'instant' : 'normal',
      speed_requested: request.speed,
    };
    store.add(refund);
    remember(refund);
    giveBack(payment, amount);
    tell('refund.created', refund, payment);
    const { delayMs, failRate, holdRate } = faults.current.refunds;
    const fate = faults.draw({ failed: failRate, held: holdRate }) ?? 'processed';
    if (fate !== 'held') {
      options.agenda.add({ kind: 'refund', id: refund.id, steps: [fate], delayMs });
    }
    return refund;
  }

  function finish(refund: RefundEntity, status: 'processed' | 'failed'): void {
    const payment = gateway.payment(refund.payment_id);
    refund.status = status;
    if (status === 'processed') {
      refund.acquirer_data.arn = randomDigits(arnDigits);
      // What was never captured never was the merchant's.
      if (payment.captured) options.refunded(refund, payment, gateway.orderOf(payment));
    } else {
      giveBack(payment, -refund.amount);
    }
    tell(`refund.${status}`, refund, payment);
  }

  return {
    /** @throws GatewayRefusal when the payment cannot be refunded, or not so much of it. */
    create(
      paymentId: string,
      request: RefundRequest,
      idempotency: { key: string; body: unknown } | null,
    ): RefundEntity {
      // The payment is part of what was asked for.
      const asked = { paymentId, body: idempotency?.body };
      const known = idempotency && keys.find(idempotency.key, asked);
      if (known) return store.get(known);
      const payment = gateway.payment(paymentId);
      const left = payment.amount - payment.amount_refunded;
      if (left === 0) refuse('The payment has been fully refunded already');
      if (!payment.captured) refuse('The payment status should be captured for action to be taken');
      if (options.disputed(paymentId)) {
        refuse('The refund on this payment is blocked due to ongoing dispute investigation');
      }
      const amount = request.amount ?? left;
      if (amount > payment.amount) {
        throw badField('amount', 'The refund amount provided is greater than amount captured');
      }
      if (amount > left) {
        refuse('The total refund amount is greater than the refund payment amount');
      }
      const refund = start(payment, amount, request);
      if (idempotency) keys.keep(idempotency.key, asked, refund.id);
      return refund;
    },

    /** Gives back a payment that was authorized and never captured. */
    createForUncaptured(payment: PaymentEntity): void {
      start(payment, payment.amount, { amount: null, speed: 'normal', receipt: null, notes: [] });
    },

    /** Ends a refund that is pending; false when it is not. */
    end(refundId: string, status: 'processed' | 'failed'): boolean {
      const refund = store.get(refundId);
      if (refund.status !== 'pending') return false;
      finish(refund, status);
      return true;
    },

    refund: (refundId: string): RefundEntity => store.get(refundId),
    list: (query: ListQuery): RefundEntity[] => page(store.all(), query),
    listOf(paymentId: string, query: ListQuery): RefundEntity[] {
      gateway.payment(paymentId);
      return page(byPayment.get(paymentId) ?? [], query);
    },
    state: (): RefundsState => ({ refunds: store.all(), keys: keys.all() }),
  };
}

function refuse(description: string): never {
  throw new GatewayRefusal(400, {
    description,
    source: 'business',
    step: 'payment_initiation',
    reason: 'input_validation_failed',
  });
}
