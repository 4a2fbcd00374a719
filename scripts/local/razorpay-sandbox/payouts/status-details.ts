// Why a payout is in its state, in the words that RazorpayX documents.
import { z } from 'zod';

export const StatusDetails = z.object({
  reason: z.string().nullable(),
  description: z.string().nullable(),
  source: z.string().nullable(),
});
export type StatusDetails = z.infer<typeof StatusDetails>;

const details = {
  pending_approval: [
    'business',
    'Workflow for the payout is pending approval from the approver(s).',
  ],
  low_balance: [
    'business',
    'Payout is queued as there is insufficient balance in your account to process the payout.',
  ],
  payout_bank_processing: ['gateway', 'Payout is being processed by the partner bank.'],
  payout_processed: [
    'beneficiary_bank',
    "Payout is processed and the money has been credited into the beneficiary's account.",
  ],
  bank_account_closed: [
    'beneficiary_bank',
    'Payout failed as the beneficiary account is closed. Please contact the beneficiary bank.',
  ],
  bank_account_invalid: [
    'beneficiary_bank',
    'Payout failed due to invalid beneficiary account details.',
  ],
  beneficiary_bank_offline: [
    'beneficiary_bank',
    'Beneficiary bank systems are offline. Please retry after 30 min.',
  ],
  beneficiary_bank_rejected: [
    'beneficiary_bank',
    'Payout rejected by the beneficiary bank. Please contact the beneficiary bank.',
  ],
  beneficiary_vpa_invalid: [
    'business',
    'UPI validation failed. If the UPI ID is valid, please retry after sometime.',
  ],
  gateway_technical_error: [
    'gateway',
    'Payout failed due to a temporary technical issue at the partner bank. Please retry after 30 min.',
  ],
  payout_rejected: ['business', 'Payout was rejected by the approver.'],
} as const;

export const StatusReason = z.enum(Object.keys(details) as [keyof typeof details]);
export type StatusReason = keyof typeof details;

export function statusDetails(reason: StatusReason): StatusDetails {
  const [source, description] = details[reason];
  return { reason, description, source };
}
