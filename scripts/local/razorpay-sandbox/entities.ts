// Razorpay's entities, with its field names: an order, and the payments made for it.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { newEntityId, randomDigits } from './entity-id.ts';
import { Notes } from './fields.ts';

export const OrderEntity = z.object({
  id: z.string(),
  entity: z.literal('order'),
  amount: z.int(),
  amount_paid: z.int(),
  amount_due: z.int(),
  currency: z.string(),
  receipt: z.string().nullable(),
  offer_id: z.null(),
  status: z.enum(['created', 'attempted', 'paid']),
  attempts: z.int(),
  notes: Notes,
  created_at: z.int(),
});
export type OrderEntity = z.infer<typeof OrderEntity>;

export const PaymentMethod = z.enum(['upi', 'card', 'netbanking', 'wallet']);
export type PaymentMethod = z.infer<typeof PaymentMethod>;

export const PaymentEntity = z.object({
  id: z.string(),
  entity: z.literal('payment'),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(['created', 'authorized', 'captured', 'refunded', 'failed']),
  order_id: z.string(),
  invoice_id: z.null(),
  international: z.boolean(),
  method: PaymentMethod,
  amount_refunded: z.int(),
  refund_status: z.enum(['partial', 'full']).nullable(),
  captured: z.boolean(),
  description: z.string().nullable(),
  card_id: z.string().nullable(),
  bank: z.string().nullable(),
  wallet: z.string().nullable(),
  vpa: z.string().nullable(),
  email: z.string(),
  contact: z.string(),
  notes: Notes,
  fee: z.int().nullable(),
  tax: z.int().nullable(),
  error_code: z.string().nullable(),
  error_description: z.string().nullable(),
  error_source: z.string().nullable(),
  error_step: z.string().nullable(),
  error_reason: z.string().nullable(),
  acquirer_data: z.record(z.string(), z.string().nullable()),
  created_at: z.int(),
  /** Only there when the payment had failed before. */
  late_authorized: z.boolean().optional(),
});
export type PaymentEntity = z.infer<typeof PaymentEntity>;

/** What the buyer chose beside the method itself. */
export interface MethodChoice {
  bank?: string | undefined;
  wallet?: string | undefined;
  vpa?: string | undefined;
}

/** The fields of a payment that its method decides. */
export function methodFields(
  method: PaymentMethod,
  choice: MethodChoice,
): Pick<PaymentEntity, 'card_id' | 'bank' | 'wallet' | 'vpa'> {
  return {
    card_id: method === 'card' ? newEntityId('card') : null,
    bank: method === 'netbanking' ? (choice.bank ?? 'HDFC') : null,
    wallet: method === 'wallet' ? (choice.wallet ?? 'mobikwik') : null,
    vpa: method === 'upi' ? (choice.vpa ?? null) : null,
  };
}

/** What the bank or network answers with a payment. */
export function acquirerData(method: PaymentMethod): PaymentEntity['acquirer_data'] {
  switch (method) {
    case 'upi':
      return { rrn: randomDigits(12), upi_transaction_id: randomBytes(16).toString('hex') };
    case 'card':
      return { auth_code: randomDigits(6), rrn: randomDigits(12) };
    case 'netbanking':
      return { bank_transaction_id: randomDigits(7) };
    case 'wallet':
      return { transaction_id: null };
  }
}

/** Why a payment failed, in the fields that its entity has for it. */
type PaymentFailure = Pick<
  PaymentEntity,
  'error_code' | 'error_description' | 'error_source' | 'error_step' | 'error_reason'
>;

export const noFailure: PaymentFailure = {
  error_code: null,
  error_description: null,
  error_source: null,
  error_step: null,
  error_reason: null,
};

export const paymentFailures = {
  declined: {
    error_code: 'BAD_REQUEST_ERROR',
    error_description:
      'Your payment was declined by the bank. Try another method, or try again later.',
    error_source: 'bank',
    error_step: 'payment_authorization',
    error_reason: 'payment_failed',
  },
  cancelled: {
    error_code: 'BAD_REQUEST_ERROR',
    error_description: 'Your payment has been cancelled. Try again or complete the payment later.',
    error_source: 'customer',
    error_step: 'payment_authentication',
    error_reason: 'payment_cancelled',
  },
  'timed-out': {
    error_code: 'BAD_REQUEST_ERROR',
    error_description: 'Payment was not completed on time.',
    error_source: 'customer',
    error_step: 'payment_authentication',
    error_reason: 'payment_timed_out',
  },
} satisfies Record<string, PaymentFailure>;
