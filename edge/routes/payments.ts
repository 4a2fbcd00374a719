// Payments: packages, orders and how they stand, the buyer's verification, and paying by a UPI app.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  CreateOrderBody,
  Id,
  Order,
  OrderStatus,
  TokenPackageList,
  UpiIntent,
  VerifiedPayment,
  VerifyPaymentBody,
} from '#contract';
import {
  createOrder,
  findAccount,
  findOrderByGatewayId,
  listPackages,
  type OrderProgress,
  observePayment,
  type PlacedOrder,
  Refusal,
  readOrderStatus,
  reopenOrder,
  setGatewayOrder,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey } from '../services/access.ts';
import { clientAddress } from '../services/client-address.ts';
import { GatewayRefusal } from '../services/gateway-answer.ts';
import { operation } from '../services/operation.ts';
import { paymentFailureOf } from '../services/payment-failure.ts';
import { takePayment, takePaymentsOf } from '../services/payment-life.ts';
import { limits } from '../services/rate-limit.ts';
import { verifyHmac } from '../services/secrets.ts';
import { noteSuspicion } from '../services/suspicion.ts';
import { upiApps, upiIntentTtlSeconds } from '../services/upi.ts';
import { validate } from '../services/validate.ts';

const tag = 'Payments';
const OrderParam = z.object({ orderId: Id });
/** The gateway wants both of every buyer, and takes no longer ones. */
const unknownAddress = '0.0.0.0';
const unknownBrowser = 'unknown';
const userAgentCharsMax = 500;

export function paymentRoutes(deps: Deps) {
  const { config } = deps;
  return new Hono<AppEnv>()
    .get(
      '/packages',
      operation(deps, {
        summary: 'Token packages on sale',
        tag,
        answers: [200, TokenPackageList],
        access: 'anyone',
      }),
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
      operation(deps, {
        summary: 'Order a package; the answer is what the gateway’s Checkout needs',
        tag,
        answers: [201, Order],
        problems: [
          'invalid-request',
          'package-unavailable',
          'account-banned',
          'account-closing',
          'email-unverified',
          'order-limit',
          'spending-limit',
          'idempotency-key-reused',
          'gateway-unavailable',
        ],
        idempotent: true,
        access: 'take-part',
        limit: limits.order,
      }),
      validate('json', CreateOrderBody),
      async (c) => {
        const order = await createOrder(deps.db, {
          userId: c.var.identity.userId,
          packageId: c.req.valid('json').packageId,
          idempotencyKey: idempotencyKey(c),
        });
        deps.failpoint('order.placed');
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
    .get(
      '/orders/:orderId',
      operation(deps, {
        summary: 'How an order stands; one that failed or expired can be paid all the same',
        tag,
        answers: [200, OrderStatus],
        problems: ['not-found', 'invalid-request'],
        access: 'take-part',
      }),
      validate('param', OrderParam),
      async (c) => {
        const order = await ownOrder(deps, c.req.valid('param').orderId, c.var.identity.userId);
        return c.json(presentOrder(order), 200);
      },
    )
    .post(
      '/orders/:orderId/upi',
      operation(deps, {
        summary: 'Begin a UPI payment: a link for apps on a phone, a QR code on a desktop',
        tag,
        answers: [201, UpiIntent],
        problems: [
          'not-found',
          'invalid-request',
          'already-decided',
          'account-banned',
          'account-closing',
          'email-unverified',
          'order-limit',
          'spending-limit',
          'gateway-unavailable',
        ],
        access: 'take-part',
        limit: limits.order,
      }),
      validate('param', OrderParam),
      async (c) => {
        const { userId } = c.var.identity;
        const order = await ownOrder(deps, c.req.valid('param').orderId, userId);
        if (order.state === 'paid') throw problem('already-decided', { state: order.state });
        if (!order.gatewayOrderId) throw problem('not-found');
        // An old order counts among what its buyer spends again, and may find no room.
        await reopenOrder(deps.db, order.id);
        deps.failpoint('upi.reopened');
        const buyer = await findAccount(deps.db, userId);
        const { gatewayOrderId, amountPaise } = order;
        const intent = await deps.gateway
          .createUpiIntent({
            gatewayOrderId,
            amountPaise,
            email: buyer?.email ?? '',
            ip: clientAddress(config, c) || unknownAddress,
            userAgent: (c.req.header('user-agent') || unknownBrowser).slice(0, userAgentCharsMax),
            referer: config.APP_ORIGIN,
          })
          .catch(async (error: unknown) => {
            if (!(error instanceof GatewayRefusal)) throw error;
            // Mostly because it is paid: what the gateway knows counts from now on.
            await takePaymentsOf(deps, gatewayOrderId);
            const { state } = await ownOrder(deps, order.id, userId);
            throw state === 'paid' ? problem('already-decided', { state }) : problem('order-limit');
          });
        deps.failpoint('upi.begun');
        const { gatewayPaymentId } = intent;
        // An order of which an earlier payment has failed waits again from now on.
        await observePayment(deps.db, {
          gatewayPaymentId,
          gatewayOrderId,
          amountPaise,
          currency: 'INR',
          status: 'created',
          method: 'upi',
        });
        deps.failpoint('upi.noted');
        return c.json(
          {
            ...intent,
            apps: upiApps(intent.link),
            expiresAt: new Date(deps.now().getTime() + upiIntentTtlSeconds * 1000).toISOString(),
          },
          201,
        );
      },
    )
    .post(
      '/verify',
      operation(deps, {
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
        access: 'take-part',
        limit: limits.verify,
      }),
      validate('json', VerifyPaymentBody),
      async (c) => {
        const body = c.req.valid('json');
        const order = await findOrderByGatewayId(deps.db, body.gatewayOrderId);
        deps.failpoint('verify.order-found');
        if (!order || order.userId !== c.var.identity.userId) {
          if (order) await noteSuspicion(deps, c, 'payment.of-another', { orderId: order.id });
          throw problem('not-found');
        }
        const signed = new TextEncoder().encode(`${body.gatewayOrderId}|${body.gatewayPaymentId}`);
        if (!(await verifyHmac(config.RAZORPAY_KEY_SECRET, signed, body.signature))) {
          await noteSuspicion(deps, c, 'payment.forged-signature', { orderId: order.id });
          throw problem('invalid-signature');
        }
        deps.failpoint('verify.signature-checked');
        const payment = await deps.gateway.fetchPayment(body.gatewayPaymentId);
        deps.failpoint('verify.payment-fetched');
        if (!payment || payment.order_id !== body.gatewayOrderId) {
          await noteSuspicion(deps, c, 'payment.mismatch', { orderId: order.id });
          throw problem('payment-mismatch');
        }
        const { state, credited, balanceTokens } = await takePayment(deps, payment).catch(
          async (error: unknown) => {
            if (error instanceof Refusal && error.code === 'payment-mismatch') {
              await noteSuspicion(deps, c, 'payment.mismatch', { orderId: order.id });
            }
            throw error;
          },
        );
        if (state !== 'captured') throw problem('payment-not-captured', { state });
        return c.json({ orderId: order.id, credited, balanceTokens }, 200);
      },
    );
}

async function ownOrder(deps: Deps, orderId: string, userId: string): Promise<OrderProgress> {
  const order = await readOrderStatus(deps.db, orderId);
  if (!order || order.userId !== userId) throw problem('not-found');
  return order;
}

function presentOrder({ id, state, failure, ...order }: OrderProgress): OrderStatus {
  return {
    id,
    state,
    failure: failure && {
      gatewayPaymentId: failure.gatewayPaymentId,
      reason: paymentFailureOf(failure.reason),
    },
    tokens: order.tokens,
    amountPaise: order.amountPaise,
    balanceTokens: order.balanceTokens,
  };
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
  deps.failpoint('order.opened');
  const kept = await setGatewayOrder(deps.db, order.id, gatewayOrderId);
  deps.failpoint('order.kept');
  return kept;
}
