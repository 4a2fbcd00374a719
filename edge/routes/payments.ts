// Payments: packages, orders, the client's verification and the gateway's webhooks.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  CreateOrderBody,
  Order,
  TokenPackageList,
  VerifiedPayment,
  VerifyPaymentBody,
} from '#contract';
import {
  createOrder,
  findOrderByGatewayId,
  listPackages,
  markWebhookProcessed,
  type PlacedOrder,
  Refusal,
  readBalance,
  recordWebhook,
  setGatewayOrder,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { Problem, problem } from '../problem.ts';
import { idempotencyKey, requireUser } from '../services/access.ts';
import { creditPayment } from '../services/captures.ts';
import { GatewayPayment } from '../services/gateway.ts';
import { operation } from '../services/operation.ts';
import { limitRate, limits } from '../services/rate-limit.ts';
import { verifyHmac } from '../services/secrets.ts';
import { validate } from '../services/validate.ts';

const tag = 'Payments';

/** Events after which there may be money to credit; an authorised payment is captured first. */
const capturingEvents = new Set(['payment.authorized', 'payment.captured', 'order.paid']);

/** The envelope of every webhook; what is inside depends on the event. */
const Webhook = z.looseObject({
  event: z.string().max(100),
  payload: z.looseObject({ payment: z.object({ entity: z.unknown() }).optional() }).optional(),
});

export function paymentRoutes(deps: Deps) {
  const { config } = deps;
  return new Hono<AppEnv>()
    .get(
      '/packages',
      operation({ summary: 'Token packages on sale', tag, answers: [200, TokenPackageList] }),
      async (c) => {
        const packages = (await listPackages(deps.db)).map((row) => ({
          id: row.id,
          name: row.name,
          tokens: row.tokens,
          pricePaise: row.pricePaise,
          gstPaise: row.gstPaise,
        }));
        return c.json({ packages }, 200);
      },
    )
    .post(
      '/orders',
      operation({
        summary: 'Order a package; the answer is what the gateway’s Checkout needs',
        tag,
        answers: [201, Order],
        problems: [
          'invalid-request',
          'package-unavailable',
          'idempotency-key-reused',
          'gateway-unavailable',
          'rate-limited',
        ],
        access: 'user',
        idempotent: true,
      }),
      requireUser(deps),
      limitRate(deps, limits.order),
      validate('json', CreateOrderBody),
      async (c) => {
        const order = await createOrder(deps.db, {
          userId: c.var.identity.userId,
          packageId: c.req.valid('json').packageId,
          idempotencyKey: idempotencyKey(c),
        });
        const opened = order.gatewayOrderId ? order : await openAtGateway(deps, order);
        return c.json(
          {
            id: opened.id,
            gatewayOrderId: opened.gatewayOrderId ?? '',
            gatewayKeyId: config.RAZORPAY_KEY_ID,
            checkoutScriptUrl: config.RAZORPAY_CHECKOUT_URL,
            tokens: opened.tokens,
            amountPaise: opened.amountPaise,
            currency: 'INR' as const,
            state: opened.state,
          },
          201,
        );
      },
    )
    .post(
      '/verify',
      operation({
        summary: 'Verify what Checkout handed to the page, and credit the payment',
        tag,
        answers: [200, VerifiedPayment],
        problems: [
          'invalid-request',
          'invalid-signature',
          'not-found',
          'payment-not-captured',
          'payment-mismatch',
          'gateway-unavailable',
        ],
        access: 'user',
      }),
      requireUser(deps),
      validate('json', VerifyPaymentBody),
      async (c) => {
        const body = c.req.valid('json');
        const order = await findOrderByGatewayId(deps.db, body.gatewayOrderId);
        if (!order || order.userId !== c.var.identity.userId) throw problem('not-found');
        const signed = new TextEncoder().encode(`${body.gatewayOrderId}|${body.gatewayPaymentId}`);
        if (!(await verifyHmac(config.RAZORPAY_KEY_SECRET, signed, body.signature))) {
          c.var.log.warn('payment signature refused', { orderId: order.id });
          throw problem('invalid-signature');
        }
        const payment = await deps.gateway.fetchPayment(body.gatewayPaymentId);
        if (!payment || payment.order_id !== body.gatewayOrderId) throw problem('payment-mismatch');
        const { credited } = await creditPayment(deps, payment);
        const balanceTokens = await readBalance(deps.db, order.userId);
        return c.json({ orderId: order.id, credited, balanceTokens }, 200);
      },
    )
    .post(
      '/webhooks/razorpay',
      operation({
        summary: 'For the payment gateway: what happened to a payment',
        tag,
        answers: [200, z.object({ received: z.literal(true) })],
        problems: ['invalid-signature', 'malformed-body'],
      }),
      async (c) => {
        const raw = new Uint8Array(await c.req.arrayBuffer());
        const signature = c.req.header('x-razorpay-signature') ?? '';
        if (!(await signedByGateway(config.RAZORPAY_WEBHOOK_SECRET, raw, signature))) {
          throw problem('invalid-signature');
        }
        const { text, webhook } = parseWebhook(raw);
        const gatewayEventId = c.req.header('x-razorpay-event-id');
        if (!gatewayEventId) throw problem('malformed-body');
        const fresh = await recordWebhook(deps.db, {
          gatewayEventId,
          type: webhook.event,
          body: text,
        });
        if (fresh && (await applyWebhook(deps, webhook, c.var.log))) {
          await markWebhookProcessed(deps.db, gatewayEventId);
        }
        return c.json({ received: true as const }, 200);
      },
    );
}

/**
 * A key that comes again before the gateway has answered may open a second order there; only one of
 * the two is kept and shown, the other can never be paid.
 */
async function openAtGateway(deps: Deps, order: PlacedOrder): Promise<PlacedOrder> {
  const { gatewayOrderId } = await deps.gateway.createOrder({
    amountPaise: order.amountPaise,
    receipt: order.id,
  });
  return setGatewayOrder(deps.db, order.id, gatewayOrderId);
}

/** During a rotation both secrets count. */
async function signedByGateway(
  secrets: readonly string[],
  raw: Uint8Array<ArrayBuffer>,
  signature: string,
): Promise<boolean> {
  for (const secret of secrets) {
    if (await verifyHmac(secret, raw, signature)) return true;
  }
  return false;
}

function parseWebhook(raw: Uint8Array): { text: string; webhook: z.infer<typeof Webhook> } {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(raw);
    return { text, webhook: Webhook.parse(JSON.parse(text)) };
  } catch {
    // Signed but not what we were promised; the gateway will say it again.
    throw problem('malformed-body');
  }
}

/** True when nothing is left to do. What is refused stays unprocessed, for staff to look at. */
async function applyWebhook(
  deps: Deps,
  webhook: z.infer<typeof Webhook>,
  log: AppEnv['Variables']['log'],
): Promise<boolean> {
  if (!capturingEvents.has(webhook.event)) return true;
  const payment = GatewayPayment.safeParse(webhook.payload?.payment?.entity);
  if (!payment.success) {
    log.error('webhook without a payment', { event: webhook.event });
    return false;
  }
  try {
    await creditPayment(deps, payment.data);
    return true;
  } catch (error) {
    if (error instanceof Problem || error instanceof Refusal) {
      log.error('webhook refused', {
        event: webhook.event,
        paymentId: payment.data.id,
        error: String(error),
      });
      return false;
    }
    throw error;
  }
}
