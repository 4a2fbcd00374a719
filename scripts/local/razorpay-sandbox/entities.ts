// Razorpay's entities, with its field names: an order, and the payments made for it.
import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** Notes are an object, or an empty list when there are none: so Razorpay answers. */
const NotesAnswer = z.union([z.record(z.string(), z.string()), z.tuple([])]);

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
  notes: NotesAnswer,
  created_at: z.int(),
});
export type OrderEntity = z.infer<typeof OrderEntity>;

export const PaymentMethod = z.enum(['upi', 'card', 'netbanking']);
export type PaymentMethod = z.infer<typeof PaymentMethod>;

export const PaymentEntity = z.object({
  id: z.string(),
  entity: z.literal('payment'),
  amount: z.int(),
  currency: z.string(),
  status: z.enum(['created', 'authorized', 'captured', 'failed']),
  order_id: z.string(),
  invoice_id: z.null(),
  international: z.boolean(),
  method: PaymentMethod,
  amount_refunded: z.int(),
  refund_status: z.null(),
  captured: z.boolean(),
  description: z.string().nullable(),
  card_id: z.string().nullable(),
  bank: z.string().nullable(),
  wallet: z.null(),
  vpa: z.string().nullable(),
  email: z.string(),
  contact: z.string(),
  notes: NotesAnswer,
  fee: z.int().nullable(),
  tax: z.int().nullable(),
  error_code: z.string().nullable(),
  error_description: z.string().nullable(),
  error_source: z.string().nullable(),
  error_step: z.string().nullable(),
  error_reason: z.string().nullable(),
  acquirer_data: z.record(z.string(), z.string()),
  created_at: z.int(),
});
export type PaymentEntity = z.infer<typeof PaymentEntity>;

const idCharacters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const idLength = 14;

/** An id as Razorpay makes them: a prefix and fourteen letters or digits. */
export function newEntityId(prefix: 'order' | 'pay' | 'card' | 'acc' | 'evt'): string {
  let id = '';
  while (id.length < idLength) {
    for (const byte of randomBytes(idLength)) {
      // Bytes beyond the last whole round of the alphabet would favour its first letters.
      if (byte < 248 && id.length < idLength) id += idCharacters[byte % idCharacters.length];
    }
  }
  return `${prefix}_${id}`;
}

/** The part of a payment that its method decides. */
export function methodDetails(
  method: PaymentMethod,
  bank: string | undefined,
): Pick<PaymentEntity, 'card_id' | 'bank' | 'vpa' | 'acquirer_data'> {
  const digits = (count: number) =>
    Array.from(randomBytes(count), (byte) => String(byte % 10)).join('');
  switch (method) {
    case 'upi':
      return {
        card_id: null,
        bank: null,
        vpa: 'success@razorpay',
        acquirer_data: { rrn: digits(12), upi_transaction_id: randomBytes(16).toString('hex') },
      };
    case 'card':
      return {
        card_id: newEntityId('card'),
        bank: null,
        vpa: null,
        acquirer_data: { auth_code: digits(6), rrn: digits(12) },
      };
    case 'netbanking':
      return {
        card_id: null,
        bank: bank ?? 'HDFC',
        vpa: null,
        acquirer_data: { bank_transaction_id: digits(7) },
      };
  }
}
