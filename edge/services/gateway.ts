// The payment gateway: Razorpay, through its official package; its address decides whether it is the real one.
import { z } from 'zod';
import { GatewayPaise, GatewayRefusal, nullWhenRefused, unavailable } from './gateway-answer.ts';
import { createGatewayDisputes, type GatewayDisputes } from './gateway-disputes.ts';
import { createGatewayHttp } from './gateway-http.ts';
import { createGatewayPackage, type GatewayPackage } from './gateway-package.ts';
import { createGatewayRefunds, type GatewayRefunds } from './gateway-refunds.ts';
import {
  createGatewaySettlements,
  type GatewaySettlements,
  settlementPageItemsMax,
} from './gateway-settlements.ts';

const answerTimeoutMsDefault = 8_000;

/** The gateway wants a number with a UPI payment; buyers who gave none have the one it uses itself. */
const contactOfNobody = '+919999999999';

const maybeText = z.string().nullable().default(null);
const maybePaise = GatewayPaise.nullable().default(null);

/** A payment as the gateway's API and its webhooks show it. */
export const GatewayPayment = z.looseObject({
  id: z.string(),
  order_id: z.string().nullable(),
  amount: GatewayPaise,
  /** By refunds that were made, whatever the bank does with them, and have not failed. */
  amount_refunded: maybePaise,
  currency: z.string(),
  status: z.enum(['created', 'authorized', 'captured', 'refunded', 'failed']),
  /** Older webhooks say it as text. */
  captured: z.union([z.boolean(), z.stringbool()]).default(false),
  /** Such as `upi`, `card`, `netbanking`, `wallet`. */
  method: maybeText,
  vpa: maybeText,
  /** A bank's code, as `HDFC`: not an account. */
  bank: maybeText,
  /** A wallet's name: not whose it is. */
  wallet: maybeText,
  card_id: maybeText,
  /** Webhooks have it, and answers only when they are asked for it. What is odd about it is no reason not to credit. */
  card: z
    .looseObject({ id: maybeText, last4: maybeText, network: maybeText })
    .nullable()
    .default(null)
    .catch(null),
  /** Where the gateway tells it: only of transfers, and of orders that name the payer's account. */
  bank_account: z
    .looseObject({ account_number: maybeText, ifsc: maybeText })
    .nullable()
    .default(null)
    .catch(null),
  /** Null until it is captured; the tax is part of it. */
  fee: maybePaise,
  tax: maybePaise,
  error_reason: maybeText,
  /** Seconds since 1970. */
  created_at: z.int().nullable().default(null),
});
export type GatewayPayment = z.infer<typeof GatewayPayment>;

/**
 * Names what the payer paid with, the same for every payment with it; null when the gateway does not
 * tell. To be kept only as a keyed hash. Cards of one network may share their last four digits, and
 * without them a card is named by an id that may be another one for each payment: a hint, no proof.
 */
export function instrumentOf(
  payment: Pick<GatewayPayment, 'vpa' | 'card' | 'card_id' | 'bank_account'>,
): string | null {
  const { vpa, card, bank_account: account } = payment;
  if (vpa) return `upi:${vpa.trim().toLowerCase()}`;
  if (card?.network && card.last4) return `card:${card.network.toLowerCase()}:${card.last4}`;
  const cardId = card?.id ?? payment.card_id;
  if (cardId) return `card:${cardId}`;
  if (!account?.account_number) return null;
  return `bank:${(account.ifsc ?? '').toUpperCase()}:${account.account_number}`;
}

interface GatewayPayments {
  /** Opens an order; `receipt` is our own order id. Throws `gateway-unavailable`. */
  createOrder(order: { amountPaise: number; receipt: string }): Promise<{ gatewayOrderId: string }>;
  /**
   * Begins a UPI payment of an order; `link` opens a UPI app on the buyer's phone and must not be
   * changed. Asked again it begins another payment, of which the order takes only one. Throws
   * GatewayRefusal, as when the order is paid, and `gateway-unavailable`.
   */
  createUpiIntent(request: {
    gatewayOrderId: string;
    amountPaise: number;
    email: string;
    contact?: string;
    /** Of the buyer's browser, as the next two. */
    ip: string;
    userAgent: string;
    referer: string;
  }): Promise<{ gatewayPaymentId: string; link: string }>;
  /** A payment by its id; null when the gateway knows none. Throws `gateway-unavailable`. */
  fetchPayment(gatewayPaymentId: string): Promise<GatewayPayment | null>;
  /** Captures an authorised payment; one that is captured already is answered as it is. Throws `gateway-unavailable`. */
  capturePayment(gatewayPaymentId: string, amountPaise: number): Promise<GatewayPayment>;
  /** All payments tried for an order. Throws GatewayRefusal, `gateway-unavailable`. */
  listPayments(gatewayOrderId: string): Promise<GatewayPayment[]>;
}

export interface PaymentGateway
  extends GatewayPayments,
    GatewayRefunds,
    GatewayDisputes,
    GatewaySettlements {}

export function createRazorpayGateway(options: {
  keyId: string;
  keySecret: string;
  apiUrl: string;
  /** For tests, as the next one. */
  answerTimeoutMs?: number;
  settlementPageItems?: number;
}): PaymentGateway {
  const access = { answerTimeoutMs: answerTimeoutMsDefault, ...options };
  const razorpay = createGatewayPackage(access);
  return {
    ...createGatewayPayments(razorpay),
    ...createGatewayRefunds(razorpay, createGatewayHttp(access)),
    ...createGatewayDisputes(razorpay),
    ...createGatewaySettlements(razorpay, {
      pageItems: options.settlementPageItems ?? settlementPageItemsMax,
    }),
  };
}

const MadeOrder = z.object({ id: z.string() });
const MadeUpiPayment = z.object({
  razorpay_payment_id: z.string(),
  // It becomes a link on a page of ours.
  link: z.string().startsWith('upi://'),
});
const PaymentList = z.object({ items: z.array(GatewayPayment) });

function createGatewayPayments(razorpay: GatewayPackage): GatewayPayments {
  const fetchPayment = (gatewayPaymentId: string) =>
    razorpay.ask(GatewayPayment, ({ payments }) => payments.fetch(gatewayPaymentId));

  return {
    async createOrder({ amountPaise, receipt }) {
      try {
        const order = { amount: amountPaise, currency: 'INR', receipt };
        const made = await razorpay.ask(MadeOrder, ({ orders }) => orders.create(order));
        return { gatewayOrderId: made.id };
      } catch (error) {
        // Nothing that the buyer could mend: wrong keys, or a gateway that changed its mind.
        if (error instanceof GatewayRefusal) throw unavailable(error);
        throw error;
      }
    },
    async createUpiIntent(request) {
      const made = await razorpay.ask(MadeUpiPayment, ({ payments }) =>
        payments.createUpi({
          method: 'upi',
          upi: { flow: 'intent' },
          order_id: request.gatewayOrderId,
          amount: request.amountPaise,
          currency: 'INR',
          email: request.email,
          contact: request.contact ?? contactOfNobody,
          ip: request.ip,
          user_agent: request.userAgent,
          referer: request.referer,
          notes: {},
        }),
      );
      return { gatewayPaymentId: made.razorpay_payment_id, link: made.link };
    },
    fetchPayment: (gatewayPaymentId) => nullWhenRefused(fetchPayment(gatewayPaymentId)),
    async capturePayment(gatewayPaymentId, amountPaise) {
      try {
        return await razorpay.ask(GatewayPayment, ({ payments }) =>
          payments.capture(gatewayPaymentId, amountPaise, 'INR'),
        );
      } catch (error) {
        // Somebody else was faster, or it cannot be captured any more: its state tells.
        if (!(error instanceof GatewayRefusal)) throw error;
        return fetchPayment(gatewayPaymentId);
      }
    },
    async listPayments(gatewayOrderId) {
      const list = await razorpay.ask(PaymentList, ({ orders }) =>
        orders.fetchPayments(gatewayOrderId),
      );
      return list.items;
    },
  };
}
