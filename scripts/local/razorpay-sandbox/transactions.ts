// The movements of the merchant's balance that are still to be settled: payments, refunds and adjustments.
import { z } from 'zod';
import type { DisputeEntity } from './disputes.ts';
import { type OrderEntity, type PaymentEntity, PaymentMethod } from './entities.ts';
import { newEntityId } from './entity-id.ts';
import type { RefundEntity } from './refunds.ts';

/** A movement, with the fields that the reconciliation report has for it. */
export const Transaction = z.object({
  entity_id: z.string(),
  type: z.enum(['payment', 'refund', 'adjustment']),
  debit: z.int(),
  credit: z.int(),
  amount: z.int(),
  currency: z.string(),
  /** The tax is part of it. */
  fee: z.int(),
  tax: z.int(),
  on_hold: z.boolean(),
  created_at: z.int(),
  posted_at: z.null(),
  credit_type: z.literal('default'),
  description: z.string().nullable(),
  /** JSON in a string: so Razorpay reports. */
  notes: z.string().nullable(),
  payment_id: z.string().nullable(),
  order_id: z.string().nullable(),
  order_receipt: z.string().nullable(),
  method: PaymentMethod.nullable(),
  card_network: z.string().nullable(),
  card_issuer: z.string().nullable(),
  card_type: z.enum(['credit', 'debit']).nullable(),
  dispute_id: z.string().nullable(),
});
export type Transaction = z.infer<typeof Transaction>;

export interface Transactions {
  payment(payment: PaymentEntity, order: OrderEntity, at: number): void;
  refund(refund: RefundEntity, payment: PaymentEntity, order: OrderEntity, at: number): void;
  /** `amount` is credited when it is positive, and debited when it is negative. */
  adjustment(dispute: DisputeEntity, amount: number, description: string, at: number): void;
  /** What is not settled, oldest first. */
  waiting(): Transaction[];
  settled(transaction: Transaction): void;
}

export function createTransactions(restored: readonly Transaction[]): Transactions {
  const waiting = new Map(restored.map((transaction) => [transaction.entity_id, transaction]));
  const add = (transaction: Transaction) => waiting.set(transaction.entity_id, transaction);
  return {
    payment(payment, order, at) {
      const fee = payment.fee ?? 0;
      add({
        ...emptyTransaction(payment.id, 'payment', payment.currency, at),
        ...paidWith(payment, order),
        credit: payment.amount - fee,
        amount: payment.amount,
        fee,
        tax: payment.tax ?? 0,
        description: payment.description,
        notes: notesText(payment.notes),
      });
    },
    refund(refund, payment, order, at) {
      add({
        ...emptyTransaction(refund.id, 'refund', refund.currency, at),
        ...paidWith(payment, order),
        debit: refund.amount,
        amount: refund.amount,
        notes: notesText(refund.notes),
        payment_id: payment.id,
      });
    },
    adjustment(dispute, amount, description, at) {
      add({
        ...emptyTransaction(newEntityId('adj'), 'adjustment', dispute.currency, at),
        debit: Math.max(-amount, 0),
        credit: Math.max(amount, 0),
        amount: Math.abs(amount),
        description,
        dispute_id: dispute.id,
      });
    },
    waiting: () => [...waiting.values()],
    settled(transaction) {
      waiting.delete(transaction.entity_id);
    },
  };
}

/** A movement of nothing; whoever makes one fills in what applies. */
export function emptyTransaction(
  entityId: string,
  type: Transaction['type'],
  currency: string,
  at: number,
): Transaction {
  return {
    entity_id: entityId,
    type,
    debit: 0,
    credit: 0,
    amount: 0,
    currency,
    fee: 0,
    tax: 0,
    on_hold: false,
    created_at: at,
    posted_at: null,
    credit_type: 'default',
    description: null,
    notes: null,
    payment_id: null,
    order_id: null,
    order_receipt: null,
    method: null,
    card_network: null,
    card_issuer: null,
    card_type: null,
    dispute_id: null,
  };
}

function paidWith(payment: PaymentEntity, order: OrderEntity) {
  const isCard = payment.method === 'card';
  return {
    order_id: order.id,
    order_receipt: order.receipt,
    method: payment.method,
    card_network: isCard ? 'Visa' : null,
    card_issuer: isCard ? 'HDFC' : null,
    card_type: isCard ? ('credit' as const) : null,
  };
}

function notesText(notes: PaymentEntity['notes']): string {
  return JSON.stringify(Array.isArray(notes) ? {} : notes);
}
