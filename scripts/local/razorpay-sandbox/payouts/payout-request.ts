// The body and header of `POST /v1/payouts`, checked with RazorpayX's rules and refused in its words.
import { z } from 'zod';
import { type Notes, parseInteger, parseNotes, parseText, requireText } from '../fields.ts';
import { badField, GatewayRefusal } from '../refusal.ts';
import type { FundAccountEntity } from './fund-accounts.ts';

const amountPaiseMin = 100;
const amountPaiseMax = 10_000_000_000;
const referenceCharsMax = 40;
const narrationCharsMax = 30;
const purposeCharsMax = 30;

/** The most that a payment system carries at once. */
const modePaiseMax = { IMPS: 50_000_000, UPI: 10_000_000, NEFT: amountPaiseMax } as const;

export const PayoutMode = z.enum(['IMPS', 'NEFT', 'UPI']);
export type PayoutMode = z.infer<typeof PayoutMode>;

export interface PayoutRequest {
  account_number: string;
  fund_account_id: string;
  amount: number;
  currency: string;
  mode: PayoutMode;
  purpose: string;
  queue_if_low_balance: boolean;
  reference_id: string | null;
  narration: string | null;
  notes: Notes;
}

const unknown = z.unknown().optional();
const Body = z
  .looseObject({
    account_number: unknown,
    fund_account_id: unknown,
    amount: unknown,
    currency: unknown,
    mode: unknown,
    purpose: unknown,
    queue_if_low_balance: unknown,
    reference_id: unknown,
    narration: unknown,
    notes: unknown,
  })
  .catch({});

/** @throws GatewayRefusal that names the first field that does not fit. */
export function parsePayoutRequest(json: unknown): PayoutRequest {
  const body = Body.parse(json);
  const accountNumber = requireText('account_number', body.account_number, 40);
  const fundAccountId = requireText('fund_account_id', body.fund_account_id, 64);
  if (body.amount === undefined) throw badField('amount', 'The amount field is required.');
  const amount = parseInteger('amount', body.amount);
  if (amount < amountPaiseMin) {
    throw badField('amount', 'Minimum transaction amount should be 100 paise');
  }
  if (body.currency !== 'INR') throw badField('currency', 'The selected currency is invalid.');
  const mode = PayoutMode.safeParse(body.mode);
  if (!mode.success) throw badField('mode', 'Payout mode is invalid');
  if (amount > modePaiseMax[mode.data]) {
    throw badField('amount', `The amount exceeds the limit of ${mode.data} payouts.`);
  }
  const narration = parseText('narration', body.narration, narrationCharsMax);
  if (narration !== null && !/^[A-Za-z0-9 ]*$/.test(narration)) {
    throw badField('narration', 'The narration format is invalid.');
  }
  return {
    account_number: accountNumber,
    fund_account_id: fundAccountId,
    amount,
    currency: body.currency,
    mode: mode.data,
    purpose: requireText('purpose', body.purpose, purposeCharsMax),
    queue_if_low_balance: body.queue_if_low_balance === true || body.queue_if_low_balance === 1,
    reference_id: parseText('reference_id', body.reference_id, referenceCharsMax),
    narration,
    notes: parseNotes(body.notes),
  };
}

/** The header `X-Payout-Idempotency`, without which nothing is paid. */
export function parsePayoutKey(header: string | undefined): string {
  if (header === undefined || header === '') {
    throw new GatewayRefusal(400, {
      description: 'Idempotency key is missing. Include idempotency header and key in the request.',
      field: 'X-Payout-Idempotency',
      source: 'business',
    });
  }
  if (!/^[A-Za-z0-9_ -]{4,36}$/.test(header)) {
    throw new GatewayRefusal(400, {
      description: 'Idempotency key must be between 4 and 36 characters',
      field: 'X-Payout-Idempotency',
      source: 'business',
    });
  }
  return header;
}

/** @throws GatewayRefusal when a payment system does not reach the fund account. */
export function checkMode(mode: PayoutMode, fundAccount: FundAccountEntity): void {
  const isUpi = fundAccount.account_type === 'vpa';
  if (isUpi !== (mode === 'UPI')) {
    const kind = isUpi ? 'vpa' : 'bank_account';
    throw badField('mode', `${mode} is not a valid mode for a fund account of type ${kind}`);
  }
  if (!fundAccount.active) {
    throw badField('fund_account_id', 'Payouts cannot be created on an inactive fund account');
  }
}
