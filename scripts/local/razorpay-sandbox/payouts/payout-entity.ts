// A RazorpayX payout, with its field names, its states, and what it costs.
import { z } from 'zod';
import { Notes } from '../fields.ts';
import { PayoutMode } from './payout-request.ts';
import { StatusDetails } from './status-details.ts';

const feePaise = 500;
const feeTaxRate = 0.18;

const PayoutStatus = z.enum([
  'pending',
  'queued',
  'processing',
  'processed',
  'failed',
  'reversed',
  'rejected',
]);
export type PayoutStatus = z.infer<typeof PayoutStatus>;

export const PayoutEntity = z.object({
  id: z.string(),
  entity: z.literal('payout'),
  fund_account_id: z.string(),
  amount: z.int(),
  currency: z.string(),
  notes: Notes,
  /** Charged beside the amount from `processing` on; the tax is part of it. */
  fees: z.int(),
  tax: z.int(),
  status: PayoutStatus,
  purpose: z.string(),
  utr: z.string().nullable(),
  mode: PayoutMode,
  reference_id: z.string().nullable(),
  narration: z.string().nullable(),
  debit_account_number: z.string(),
  batch_id: z.null(),
  failure_reason: z.string().nullable(),
  status_details: StatusDetails,
  created_at: z.int(),
  fee_type: z.literal(''),
});
export type PayoutEntity = z.infer<typeof PayoutEntity>;

/** A payout, with the idempotency key by which it was asked for. */
export const PayoutRecord = z.object({ id: z.string(), key: z.string(), payout: PayoutEntity });
export type PayoutRecord = z.infer<typeof PayoutRecord>;

/** What a control can make of a payout; `processing` approves one that is pending. */
export const PayoutStep = z.enum(['processing', 'processed', 'failed', 'reversed', 'rejected']);
export type PayoutStep = z.infer<typeof PayoutStep>;

/** Where a payout can go from each of its states. */
export const nextSteps: Record<PayoutStatus, readonly PayoutStep[]> = {
  pending: ['processing', 'rejected'],
  queued: ['failed'],
  processing: ['processed', 'failed', 'reversed'],
  processed: ['reversed'],
  // The money had left after all, and came back.
  failed: ['reversed'],
  reversed: [],
  rejected: [],
};

/** What is charged beside the amount of any payout. */
export const payoutTaxPaise = Math.round(feePaise * feeTaxRate);
export const payoutFeesPaise = feePaise + payoutTaxPaise;
