// Wallet: packages, orders, payments, tips and earnings, as the API says them.
import { z } from 'zod';
import { HumanText, Id, Instant } from './ids.ts';
import { Currency, FeePolicy, Paise, TipAmount, Tokens, tipMessageCharsMax } from './money.ts';

export const TokenPackage = z.object({
  id: Id,
  name: z.string(),
  tokens: Tokens.positive(),
  pricePaise: Paise.positive(),
  gstPaise: Paise.nonnegative(),
});
export type TokenPackage = z.infer<typeof TokenPackage>;
export const TokenPackageList = z.object({ packages: z.array(TokenPackage) });

export const OrderState = z.enum(['created', 'paid']);
export type OrderState = z.infer<typeof OrderState>;

export const CreateOrderBody = z.strictObject({ packageId: Id });

/** Everything that the gateway's Checkout script needs to take the payment. */
export const Order = z.object({
  id: Id,
  gatewayOrderId: z.string(),
  gatewayKeyId: z.string(),
  checkoutScriptUrl: z.string(),
  tokens: Tokens.positive(),
  amountPaise: Paise.positive(),
  currency: Currency,
  state: OrderState,
});
export type Order = z.infer<typeof Order>;

export const VerifyPaymentBody = z.strictObject({
  gatewayOrderId: z.string().min(1).max(64),
  gatewayPaymentId: z.string().min(1).max(64),
  signature: z.string().regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits'),
});

export const Wallet = z.object({ balanceTokens: Tokens.nonnegative() });
export type Wallet = z.infer<typeof Wallet>;

/** What a verified payment has done; `credited` is false when it had been credited before. */
export const VerifiedPayment = z.object({
  orderId: Id,
  credited: z.boolean(),
  balanceTokens: Tokens.nonnegative(),
});

export const WalletTransaction = z.object({
  id: Id,
  kind: z.enum(['purchase', 'tip']),
  /** Positive into the wallet, negative out of it. */
  amountTokens: Tokens,
  at: Instant,
  /** The performer of a tip, or the package of a purchase. */
  subject: z.string(),
});
export type WalletTransaction = z.infer<typeof WalletTransaction>;
export const WalletTransactionList = z.object({
  transactions: z.array(WalletTransaction),
  nextCursor: z.string().nullable(),
});
export const walletPageMax = 100;
export const ListTransactionsQuery = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(walletPageMax).default(25),
});

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

/** A performer's earnings: what is owed to them, and the newest tips. */
export const Earnings = z.object({
  payablePaise: Paise,
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
