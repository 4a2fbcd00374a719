// Payouts: where a performer is paid, what they ask for, and what became of it.
import { z } from 'zod';
import { Pan, PayoutDetails } from './bank.ts';
import { Id, Instant } from './ids.ts';
import { Paise } from './money.ts';

export const payoutPaiseMax = 1_000_000_000;

export const SetPayoutAccountBody = PayoutDetails;

/** Details are never told back; the mask shows enough to know them by. */
export const PayoutAccount = z.object({
  id: Id,
  kind: z.enum(['bank', 'upi']),
  mask: z.string(),
  state: z.enum(['pending', 'verified', 'failed', 'replaced']),
  failure: z.string().nullable(),
  /** Changed details are paid to from here on. */
  usableFrom: Instant,
  createdAt: Instant,
});
export type PayoutAccount = z.infer<typeof PayoutAccount>;

/** Given once by its owner; staff correct it, since certificates of tax are made out to it. */
export const SetTaxProfileBody = z.strictObject({ pan: Pan });

/** Income tax that is kept back from payouts (TDS), as it is at this moment. */
export const PayoutTax = z.object({
  section: z.string(),
  rateWithPanBp: z.int().nonnegative(),
  rateWithoutPanBp: z.int().nonnegative(),
  /** Who has given a PAN has nothing kept back until the payouts of a financial year exceed this. */
  thresholdPaise: Paise.nonnegative(),
  /** When the running financial year has begun, by India's clock. */
  yearFrom: Instant,
  /** Paid out in it so far, and on its way; what came back does not count. */
  yearPaise: Paise.nonnegative(),
  /** Kept back from a request of everything that is available. */
  availableTdsPaise: Paise.nonnegative(),
});
export type PayoutTax = z.infer<typeof PayoutTax>;

export const PayoutState = z.enum([
  'requested',
  'approved',
  'sending',
  'paid',
  'failed',
  'rejected',
  'reversed',
]);
export type PayoutState = z.infer<typeof PayoutState>;

export const Payout = z.object({
  id: Id,
  amountPaise: Paise.positive(),
  /** Income tax that is kept back, and what is left. */
  tdsPaise: Paise.nonnegative(),
  tdsSection: z.string(),
  tdsRateBp: z.int(),
  netPaise: Paise,
  state: PayoutState,
  account: z.string(),
  /** The bank's reference. */
  utr: z.string().nullable(),
  failure: z.string().nullable(),
  createdAt: Instant,
  endedAt: Instant.nullable(),
});
export type Payout = z.infer<typeof Payout>;

/** What a performer must know before asking: null where nothing stands in the way. */
export const PayoutOverview = z.object({
  account: PayoutAccount.nullable(),
  /** Such as ABC••••••F; null when none was given. */
  panMask: z.string().nullable(),
  minPaise: Paise,
  /** The most that the account is sent at once, tax kept back already; left out when nothing limits it. */
  maxNetPaise: Paise.optional(),
  availablePaise: Paise,
  tax: PayoutTax,
  /** A problem code, or null when a payout can be asked for. */
  blockedBy: z.string().nullable(),
  /** When that ends by itself; null when it does not. */
  blockedUntil: Instant.nullable(),
  /** The newest ones; `nextCursor` names where earlier ones go on. */
  payouts: z.array(Payout),
  nextCursor: z.string().nullable(),
});
export type PayoutOverview = z.infer<typeof PayoutOverview>;

export const EarlierPayouts = PayoutOverview.pick({ payouts: true, nextCursor: true });
export const EarlierPayoutsQuery = z.object({ cursor: z.string().max(200) });

export const RequestPayoutBody = z.strictObject({
  amountPaise: z.int().positive().max(payoutPaiseMax),
});
export type RequestPayoutBody = z.infer<typeof RequestPayoutBody>;
