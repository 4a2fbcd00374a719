// The hosted checkout: the script that opens it, the page inside its frame, and the page's two requests.
import { readFile } from 'node:fs/promises';
import { Hono } from 'hono';
import { z } from 'zod';
import { equalSecrets } from '../equal-secrets.ts';
import { PaymentMethod } from './entities.ts';
import type { Gateway } from './gateway.ts';
import { badField, GatewayRefusal } from './refusal.ts';
import { jsonBody, type SandboxEnv } from './request.ts';

const text = (max: number) => z.string().max(max);

const PayBody = z.strictObject({
  key_id: text(64),
  order_id: text(64),
  outcome: z.enum(['success', 'failure']),
  method: PaymentMethod,
  bank: z
    .string()
    .regex(/^[A-Z]{4}$/)
    .optional(),
  wallet: z
    .string()
    .regex(/^[a-z]{3,20}$/)
    .optional(),
  email: text(254).optional(),
  contact: text(20).optional(),
  description: text(255).optional(),
});

const files = {
  'checkout.js': ['checkout.js', 'text/javascript; charset=utf-8'],
  'checkout/public': ['page.html', 'text/html; charset=utf-8'],
  'checkout/page.js': ['page.js', 'text/javascript; charset=utf-8'],
  'checkout/page.css': ['page.css', 'text/css; charset=utf-8'],
} as const;

/** The page runs its own files only; any page may frame it, as with the real gateway. */
const pagePolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');

/** The routes under `/v1` that buyers' browsers use, with the public key id only. */
export function createCheckout(gateway: Gateway, keyId: string) {
  const checkout = new Hono<SandboxEnv>();

  function checkKey(given: string): void {
    if (!equalSecrets(given, keyId)) {
      throw new GatewayRefusal(401, { description: 'The api key provided is invalid' });
    }
  }

  for (const [path, [name, type]] of Object.entries(files)) {
    checkout.get(`/${path}`, async (c) => {
      // Read each time: small, and always the newest.
      const body = await readFile(new URL(`browser/${name}`, import.meta.url), 'utf8');
      return c.body(body, 200, {
        'content-type': type,
        'content-security-policy': pagePolicy,
        'cross-origin-resource-policy': 'cross-origin',
        'cache-control': 'no-cache',
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
      });
    });
  }

  checkout.get('/checkout/order', (c) => {
    checkKey(c.req.query('key_id') ?? '');
    const { id, amount, currency, status } = gateway.order(c.req.query('order_id') ?? '');
    return c.json({ id, amount, currency, status });
  });

  checkout.post('/checkout/payments', async (c) => {
    // A form of another site cannot send this type, so it cannot pay for anybody.
    if (!c.req.header('content-type')?.startsWith('application/json')) {
      throw badField('content-type', 'The request must be JSON.');
    }
    const parsed = PayBody.safeParse(await jsonBody(c.req));
    if (!parsed.success) {
      const field = parsed.error.issues[0]?.path.join('.') ?? '';
      throw badField(field, `The ${field} is not valid.`);
    }
    const { key_id, order_id, outcome, ...attempt } = parsed.data;
    checkKey(key_id);
    const payment = gateway.pay(order_id, outcome, attempt);
    if (payment.status !== 'failed') return c.json(gateway.receiptOf(payment));
    throw new GatewayRefusal(400, {
      code: payment.error_code ?? 'BAD_REQUEST_ERROR',
      description: payment.error_description ?? '',
      source: payment.error_source ?? 'NA',
      step: payment.error_step ?? 'NA',
      reason: payment.error_reason ?? 'NA',
      metadata: { payment_id: payment.id, order_id },
    });
  });
  return checkout;
}
