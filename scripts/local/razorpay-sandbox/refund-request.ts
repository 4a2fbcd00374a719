// The body and header of `POST /v1/payments/:id/refund`, checked with Razorpay's rules and refused in its words.
import { z } from 'zod';
import { type Notes, parseInteger, parseNotes, parseText } from './fields.ts';
import { badField } from './refusal.ts';

const amountPaiseMin = 100;
const receiptCharsMax = 40;

export interface RefundRequest {
  /** Null: all that is left. */
  amount: number | null;
  speed: 'normal' | 'optimum';
  receipt: string | null;
  notes: Notes;
}

/** What is no object has no fields. */
const Body = z
  .looseObject({
    amount: z.unknown().optional(),
    speed: z.unknown().optional(),
    receipt: z.unknown().optional(),
    notes: z.unknown().optional(),
  })
  .catch({});
const Speed = z.enum(['normal', 'optimum']).default('normal');
const KeyHeader = z.string().regex(/^[A-Za-z0-9_-]{10,}$/);

/** @throws GatewayRefusal that names the first field that does not fit. */
export function parseRefundRequest(json: unknown): RefundRequest {
  const body = Body.parse(json);
  const amount =
    body.amount === undefined || body.amount === null ? null : parseInteger('amount', body.amount);
  if (amount !== null && amount < amountPaiseMin) {
    throw badField('amount', 'The amount must be at least INR 1.00');
  }
  const speed = Speed.safeParse(body.speed ?? undefined);
  if (!speed.success) throw badField('speed', 'The selected speed is invalid.');
  return {
    amount,
    speed: speed.data,
    receipt: parseText('receipt', body.receipt, receiptCharsMax),
    notes: parseNotes(body.notes),
  };
}

/** The header `X-Refund-Idempotency`; null when it was not sent. */
export function parseRefundKey(header: string | undefined): string | null {
  if (header === undefined) return null;
  const parsed = KeyHeader.safeParse(header);
  if (parsed.success) return parsed.data;
  throw badField('X-Refund-Idempotency', 'The idempotency key is invalid.');
}
