// The body of `POST /v1/orders`, checked with Razorpay's rules and refused in its words.
import { z } from 'zod';
import type { CaptureRule } from './accounts.ts';
import { type Notes, parseInteger, parseNotes, parseText } from './fields.ts';
import { badField } from './refusal.ts';

const amountPaiseMin = 100;
/** The largest single payment of an account with default limits: 5 lakh rupees. */
const amountPaiseMax = 50_000_000;
const receiptCharsMax = 40;

export interface OrderRequest {
  amount: number;
  currency: string;
  receipt: string | null;
  notes: Notes;
  capture: CaptureRule;
}

const minutes = z.int().min(1).optional().catch(undefined);

const Body = z.looseObject({
  amount: z.unknown().optional(),
  currency: z.unknown().optional(),
  receipt: z.unknown().optional(),
  notes: z.unknown().optional(),
  payment: z
    .looseObject({
      capture: z.string().optional(),
      capture_options: z
        .looseObject({ automatic_expiry_period: minutes, manual_expiry_period: minutes })
        .optional()
        .catch(undefined),
    })
    .optional()
    .catch(undefined),
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
  const amount = parseInteger('amount', body.amount);
  if (amount < amountPaiseMin) {
    throw badField('amount', 'Order amount less than minimum amount allowed');
  }
  if (amount > amountPaiseMax) throw badField('amount', 'Amount exceeds maximum amount allowed.');

  if (body.currency !== 'INR') throw badField('currency', 'Currency is not supported');

  const periods = body.payment?.capture_options;
  return {
    amount,
    currency: body.currency,
    receipt: parseText('receipt', body.receipt, receiptCharsMax),
    notes: parseNotes(body.notes),
    capture: {
      automatic:
        body.payment?.capture !== 'manual' &&
        body.payment_capture !== 0 &&
        body.payment_capture !== false,
      automaticExpiryMinutes: periods?.automatic_expiry_period ?? null,
      manualExpiryMinutes: periods?.manual_expiry_period ?? null,
    },
  };
}
