// Purchases: packages, orders, payments, invoices, and what of it can be given back, as the API says them.
import { z } from 'zod';
import { HumanText, Id, Instant } from './ids.ts';
import { Currency, Paise, Tokens } from './money.ts';

export const TokenPackage = z.object({
  id: Id,
  name: z.string(),
  tokens: Tokens.positive(),
  pricePaise: Paise.positive(),
  gstPaise: Paise.nonnegative(),
});
export type TokenPackage = z.infer<typeof TokenPackage>;
export const TokenPackageList = z.object({ packages: z.array(TokenPackage) });

export const OrderState = z.enum(['created', 'attempted', 'paid']);
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

/** What a verified payment has done; `credited` is false when it had been credited before. */
export const VerifiedPayment = z.object({
  orderId: Id,
  credited: z.boolean(),
  balanceTokens: Tokens.nonnegative(),
});

/** Why nothing of a purchase can be given back at this moment. */
export const RefundObstacle = z.enum([
  'not-captured',
  'too-late',
  'disputed',
  'spent',
  /** The money went back already, in another way. */
  'given-back',
]);
export type RefundObstacle = z.infer<typeof RefundObstacle>;

/** What of a purchase can be given back at this moment. */
export const Returnable = z.object({
  /** Bought with it in all. */
  tokens: Tokens.positive(),
  unspentTokens: Tokens.nonnegative(),
  /** What comes back for all that are unspent, GST included. */
  refundPaise: Paise.nonnegative(),
  obstacle: RefundObstacle.nullable(),
});
export type Returnable = z.infer<typeof Returnable>;

export const Invoice = z.object({
  number: z.string(),
  kind: z.enum(['invoice', 'credit-note']),
  gatewayPaymentId: z.string(),
  /** Bought, or given back. */
  tokens: Tokens.nonnegative(),
  netPaise: Paise,
  gstPaise: Paise,
  totalPaise: Paise,
  issuedAt: Instant,
  /** Null on a credit note. */
  returnable: Returnable.nullable(),
});
export type Invoice = z.infer<typeof Invoice>;
export const InvoiceList = z.object({
  invoices: z.array(Invoice),
  nextCursor: z.string().nullable(),
});
/** Of invoices and of refunds, newest first. */
export const ListPurchasesQuery = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(100).default(25),
});

/** Letters, digits, hyphens and slashes, at most 16 of them (CGST Rules, rule 46). */
export const InvoiceNumber = z
  .string()
  .regex(/^[A-Za-z0-9/-]{1,16}$/, 'not a number of an invoice');
/** `cursor` is the number of the last one on the page before. */
export const ListInvoicesQuery = ListPurchasesQuery.extend({ cursor: InvoiceNumber.optional() });

/** What became of a payment that failed, whatever the gateway calls it. */
export const PaymentFailure = z.enum([
  'declined',
  'cancelled',
  'timed-out',
  'insufficient-funds',
  'limit-exceeded',
  'wrong-details',
  /** The card or account is expired, blocked, or not let pay like this. */
  'not-usable',
  'bank-unavailable',
  'unknown',
]);
export type PaymentFailure = z.infer<typeof PaymentFailure>;

/** `failed` and `expired` are no ends: whoever pays the order after all, or has paid it late, makes it `paid`. */
export const OrderStanding = z.enum([...OrderState.options, 'failed', 'expired']);
export type OrderStanding = z.infer<typeof OrderStanding>;

/** How an order stands, for whoever waits for it. */
export const OrderStatus = z.object({
  id: Id,
  state: OrderStanding,
  /** The payment that failed last; only of an order that is `failed`. */
  failure: z.object({ gatewayPaymentId: z.string(), reason: PaymentFailure }).nullable(),
  tokens: Tokens.positive(),
  amountPaise: Paise.positive(),
  balanceTokens: Tokens.nonnegative(),
});
export type OrderStatus = z.infer<typeof OrderStatus>;

/** `upi://pay?…`: a QR code on a desktop, a link into a UPI app on a phone. */
export const UpiIntent = z.object({
  gatewayPaymentId: z.string(),
  link: z.string(),
  /** The same payment for one app each. */
  apps: z.array(z.object({ name: z.string(), link: z.string() })),
  expiresAt: Instant,
});
export type UpiIntent = z.infer<typeof UpiIntent>;

export const refundReasonCharsMax = 500;
export const RequestRefundBody = z.strictObject({
  /** Left out: all that are unspent. */
  tokens: Tokens.positive().optional(),
  reason: HumanText.trim().min(1).max(refundReasonCharsMax),
});
export const Refund = z.object({
  id: Id,
  gatewayPaymentId: z.string(),
  tokens: Tokens.nonnegative(),
  amountPaise: Paise,
  state: z.enum(['requested', 'rejected', 'approved', 'sent', 'processed', 'failed']),
  reason: z.string(),
  createdAt: Instant,
});
export type Refund = z.infer<typeof Refund>;
export const RefundList = z.object({
  refunds: z.array(Refund),
  nextCursor: z.string().nullable(),
});
