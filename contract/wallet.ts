// Wallet: the balance, the statement, limits, tips and earnings, as the API says them.
import { z } from 'zod';
import { CalendarDate, HumanText, Id, Instant } from './ids.ts';
import { FeePolicy, Paise, TipAmount, Tokens, tipMessageCharsMax } from './money.ts';
import { Returnable } from './purchases.ts';

export const Wallet = z.object({ balanceTokens: Tokens.nonnegative() });
export type Wallet = z.infer<typeof Wallet>;

/** What moved a wallet, by what it was for the viewer. */
export const WalletMove = z.enum([
  'purchase',
  'tip',
  'hold',
  'goal',
  'refund',
  'dispute',
  'promotion',
  'other',
]);
export type WalletMove = z.infer<typeof WalletMove>;

export const WalletTransaction = z.object({
  id: Id,
  kind: WalletMove,
  /** Positive into the wallet, negative out of it. */
  amountTokens: Tokens,
  at: Instant,
  /** The performer of a tip, or the package of a purchase; empty where there is neither. */
  subject: z.string(),
  /** Of a purchase: its payment, by which its invoice and a refund are asked for. */
  gatewayPaymentId: z.string().nullable(),
  returnable: Returnable.nullable(),
});
export type WalletTransaction = z.infer<typeof WalletTransaction>;
export const WalletTransactionList = z.object({
  transactions: z.array(WalletTransaction),
  nextCursor: z.string().nullable(),
});
export const walletPageMax = 100;
/** Filters of the statement; days are India's, `to` is included. */
export const StatementFilter = z.object({
  kind: WalletMove.optional(),
  from: CalendarDate.optional(),
  to: CalendarDate.optional(),
});
export type StatementFilter = z.infer<typeof StatementFilter>;
export const ListTransactionsQuery = StatementFilter.extend({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(walletPageMax).default(25),
});
export const ExportStatementQuery = StatementFilter.extend({ format: z.enum(['csv', 'json']) });

const limit = z.int().min(0).max(1_000_000_000).nullable();
/** What a viewer allows themselves to spend; null is no limit. Lowering counts at once, raising waits. */
export const SetLimitsBody = z.strictObject({
  dayTokens: limit,
  monthTokens: limit,
  dayPaise: limit,
  monthPaise: limit,
});
export type SetLimitsBody = z.infer<typeof SetLimitsBody>;
export const SpendingLimits = z.object({
  ...SetLimitsBody.shape,
  /** Raised limits that do not count yet. */
  next: z.object({ ...SetLimitsBody.shape, from: Instant }).nullable(),
  /** Spent in the running day and month, by India's clock. */
  spent: z.object({
    dayTokens: Tokens,
    monthTokens: Tokens,
    dayPaise: Paise,
    monthPaise: Paise,
  }),
});
export type SpendingLimits = z.infer<typeof SpendingLimits>;

export const TipBody = z.strictObject({
  streamId: Id,
  amountTokens: TipAmount,
  message: HumanText.trim().max(tipMessageCharsMax).default(''),
  anonymous: z.boolean().default(false),
});
export type TipBody = z.infer<typeof TipBody>;

export const TipReceipt = z.object({
  tipId: Id,
  eventId: z.int(),
  amountTokens: TipAmount,
  balanceTokens: Tokens.nonnegative(),
  /** True when the same idempotency key had been carried out before. */
  replayed: z.boolean(),
});
export type TipReceipt = z.infer<typeof TipReceipt>;

export const EarnedTip = z.object({
  tipId: Id,
  streamId: Id,
  username: z.string().nullable(),
  amountTokens: TipAmount,
  earnedPaise: Paise,
  message: z.string(),
  at: Instant,
});

/** A performer's earnings: what waits, what can be asked for, what was paid, and the newest tips. */
export const Earnings = z.object({
  /** Earned, in its waiting time of `holdHours`. */
  pendingPaise: Paise,
  availablePaise: Paise,
  /** Made with tokens whose payment is disputed. */
  heldPaise: Paise,
  /** Asked for and on its way. */
  payoutPendingPaise: Paise,
  /** Paid out in all, tax that was kept back included. */
  paidPaise: Paise,
  /** Earned in all. */
  earnedPaise: Paise,
  holdHours: z.int(),
  /** When the oldest earnings that wait can be asked for; null when none do. */
  nextReleaseAt: Instant.nullable(),
  tokensReceived: Tokens,
  tips: z.int().nonnegative(),
  feePolicy: FeePolicy,
  recent: z.array(EarnedTip),
});
export type Earnings = z.infer<typeof Earnings>;

/** One row per class of account; debits and credits are equal in each currency when the books balance. */
export const TrialBalance = z.object({
  balanced: z.boolean(),
  rows: z.array(
    z.object({
      accountClass: z.string(),
      currency: z.string(),
      debit: z.int().nonnegative(),
      credit: z.int().nonnegative(),
    }),
  ),
});
export type TrialBalance = z.infer<typeof TrialBalance>;
