// The body of `POST /v1/payments/create/upi`, and the link that opens a UPI app to pay it.
import { z } from 'zod';
import type { OrderEntity, PaymentEntity } from './entities.ts';
import { parseInteger, parseText, requireText } from './fields.ts';
import { badField } from './refusal.ts';

const expiryMinutesMax = 45;
const descriptionCharsMax = 255;
const headerCharsMax = 1_000;

/** The merchant, as UPI apps show it. */
const payee = { address: 'livepanty.rzp@sandbox', name: 'LivePanty', categoryCode: '5815' };

export interface UpiRequest {
  order_id: string;
  email: string;
  contact: string;
  description: string | undefined;
  /** Undefined: as long as any other open payment. */
  expiryMinutes: number | undefined;
}

const unknown = z.unknown().optional();
const Body = z
  .looseObject({
    method: unknown,
    upi: z.looseObject({ flow: unknown, expiry_time: unknown }).optional().catch(undefined),
    order_id: unknown,
    amount: unknown,
    currency: unknown,
    email: unknown,
    contact: unknown,
    ip: unknown,
    referer: unknown,
    user_agent: unknown,
    description: unknown,
  })
  .catch({});

/**
 * `orderOf` finds the order that is to be paid.
 * @throws GatewayRefusal that names the first field that does not fit.
 */
export function parseUpiRequest(json: unknown, orderOf: (id: string) => OrderEntity): UpiRequest {
  const body = Body.parse(json);
  if (body.method !== 'upi') throw badField('method', 'The method field is invalid');
  // NPCI has ended collect requests: buyers start in their own app.
  if (body.upi?.flow !== 'intent') {
    throw badField('flow', 'UPI collect transactions are not enabled for the merchant');
  }
  const order = orderOf(requireText('order_id', body.order_id, 64));
  if (body.currency !== order.currency) throw badField('currency', 'Currency is not supported');
  if (parseInteger('amount', body.amount) !== order.amount) {
    throw badField(
      'amount',
      'Your payment amount is different from your order amount. To pay successfully, please try using right amount.',
    );
  }
  for (const field of ['ip', 'referer', 'user_agent'] as const) {
    requireText(field, body[field], headerCharsMax);
  }
  const expiry = body.upi.expiry_time;
  const expiryMinutes = expiry === undefined ? undefined : parseInteger('expiry_time', expiry);
  if (expiryMinutes !== undefined && (expiryMinutes < 1 || expiryMinutes > expiryMinutesMax)) {
    throw badField('expiry_time', `The expiry time must be between 1 and ${expiryMinutesMax}.`);
  }
  return {
    order_id: order.id,
    email: requireText('email', body.email, 254),
    // A number is a contact to Razorpay.
    contact: requireText('contact', String(body.contact ?? ''), 20),
    description: parseText('description', body.description, descriptionCharsMax) ?? undefined,
    expiryMinutes,
  };
}

/** Such as `upi://pay?pa=shop@bank&pn=Shop&tr=FVmAstJWfsD3SO&tn=500%20tokens&am=590.00&cu=INR&mc=5815`. */
export function upiLink(payment: PaymentEntity): string {
  const words = {
    pa: payee.address,
    pn: payee.name,
    tr: payment.id.slice('pay_'.length),
    tn: payment.description ?? 'Payment',
    am: (payment.amount / 100).toFixed(2),
    cu: payment.currency,
    mc: payee.categoryCode,
  };
  const query = Object.entries(words).map(([name, word]) => `${name}=${encodeURIComponent(word)}`);
  // Apps expect the @ of an address as it is.
  return `upi://pay?${query.join('&').replace('%40', '@')}`;
}
