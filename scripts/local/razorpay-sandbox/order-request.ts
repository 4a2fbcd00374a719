// The body of `POST /v1/orders`, checked with Razorpay's rules and refused in its words.
import { z } from 'zod';
import { badField } from './refusal.ts';

const amountPaiseMin = 100;
/** The largest single payment of an account with default limits: 5 lakh rupees. */
const amountPaiseMax = 50_000_000;
const receiptCharsMax = 40;
const notesMax = 15;
const noteCharsMax = 256;

export interface OrderRequest {
  amount: number;
  currency: string;
  receipt: string | null;
  notes: Record<string, string>;
  autoCapture: boolean;
}

const Body = z.looseObject({
  amount: z.unknown().optional(),
  currency: z.unknown().optional(),
  receipt: z.unknown().optional(),
  notes: z.unknown().optional(),
  payment: z.looseObject({ capture: z.string() }).optional().catch(undefined),
  payment_capture: z.unknown().optional(),
});

/** @throws GatewayRefusal that names the first field that does not fit. */
export function parseOrderRequest(json: unknown): OrderRequest {
  const parsed = Body.safeParse(json);
  if (!parsed.success) throw badField('amount', 'The amount field is required.');
  const body = parsed.data;

  if (body.amount === undefined || body.amount === null) {
    throw badField('amount', 'The amount field is required.');
  }
  // Digits in a string are an integer to Razorpay.
  const amount =
    typeof body.amount === 'string' && /^\d+$/.test(body.amount)
      ? Number(body.amount)
      : body.amount;
  if (typeof amount !== 'number' || !Number.isSafeInteger(amount)) {
    throw badField('amount', 'The amount must be an integer.');
  }
  if (amount < amountPaiseMin) {
    throw badField('amount', 'Order amount less than minimum amount allowed');
  }
  if (amount > amountPaiseMax) throw badField('amount', 'Amount exceeds maximum amount allowed.');

  if (body.currency !== 'INR') throw badField('currency', 'Currency is not supported');

  const receipt = body.receipt ?? null;
  if (receipt !== null && typeof receipt !== 'string') {
    throw badField('receipt', 'The receipt must be a string.');
  }
  if (receipt !== null && receipt.length > receiptCharsMax) {
    throw badField('receipt', `The receipt may not be greater than ${receiptCharsMax} characters.`);
  }

  return {
    amount,
    currency: body.currency,
    receipt,
    notes: parseNotes(body.notes),
    autoCapture:
      body.payment?.capture !== 'manual' &&
      body.payment_capture !== 0 &&
      body.payment_capture !== false,
  };
}

function parseNotes(given: unknown): Record<string, string> {
  if (given === undefined || given === null || (Array.isArray(given) && given.length === 0)) {
    return {};
  }
  const parsed = z.record(z.string(), z.union([z.string(), z.number()])).safeParse(given);
  if (!parsed.success) throw badField('notes', 'The notes must be an array.');
  const entries = Object.entries(parsed.data).map(([key, value]) => [key, String(value)] as const);
  if (entries.length > notesMax) {
    throw badField(
      'notes',
      `Number of fields in notes should be less than or equal to ${notesMax}`,
    );
  }
  if (entries.some(([, value]) => value.length > noteCharsMax)) {
    throw badField(
      'notes',
      `notes value should be less than or equal to ${noteCharsMax} characters`,
    );
  }
  return Object.fromEntries(entries);
}
