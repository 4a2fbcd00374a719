// The REST API that the `razorpay` package speaks, behind Basic authentication.
import { Hono } from 'hono';
import { z } from 'zod';
import { parseContestRequest } from './contest-request.ts';
import { parseOrderRequest } from './order-request.ts';
import { parseRefundKey, parseRefundRequest } from './refund-request.ts';
import { collection, jsonBody, listQuery, parseQuery, type SandboxEnv } from './request.ts';
import type { SandboxParts } from './sandbox-parts.ts';
import { parseUpiRequest, upiLink } from './upi-request.ts';

const reconCountMax = 1_000;
const reconCountDefault = 10;

/** What is no object has no fields either. */
const CaptureBody = z
  .looseObject({ amount: z.unknown().optional(), currency: z.unknown().optional() })
  .catch({});

const ReconQueryText = z.object({
  year: z.coerce.number().int().min(2000).max(9999),
  month: z.coerce.number().int().min(1).max(12),
  day: z.coerce.number().int().min(1).max(31).nullable().default(null),
  count: z.coerce.number().int().min(1).max(reconCountMax).default(reconCountDefault),
  skip: z.coerce.number().int().min(0).default(0),
});

/** The routes under `/v1` that need the secret. */
export function createApi({ gateway, refunds, disputes, settlements }: SandboxParts) {
  return new Hono<SandboxEnv>()
    .post('/orders', async (c) =>
      c.json(gateway.createOrder(parseOrderRequest(await jsonBody(c.req)))),
    )
    .get('/orders', (c) => c.json(collection(gateway.listOrders(listQuery(c.req.query())))))
    .get('/orders/:id', (c) => c.json(gateway.order(c.req.param('id'))))
    .get('/orders/:id/payments', (c) =>
      c.json(collection(gateway.paymentsOf(c.req.param('id')).toReversed())),
    )

    .post('/payments/create/upi', async (c) => {
      const request = parseUpiRequest(await jsonBody(c.req), gateway.order);
      const { order_id, expiryMinutes, ...attempt } = request;
      const payment = gateway.open(order_id, { ...attempt, method: 'upi' }, expiryMinutes);
      return c.json({ razorpay_payment_id: payment.id, link: upiLink(payment) });
    })
    .get('/payments', (c) => c.json(collection(gateway.listPayments(listQuery(c.req.query())))))
    .get('/payments/:id', (c) => c.json(gateway.payment(c.req.param('id'))))
    .post('/payments/:id/capture', async (c) => {
      const { amount, currency } = CaptureBody.parse(await jsonBody(c.req));
      return c.json(gateway.capture(c.req.param('id'), amount, currency));
    })

    .post('/payments/:id/refund', async (c) => {
      const body = await jsonBody(c.req);
      const key = parseRefundKey(c.req.header('x-refund-idempotency'));
      const request = parseRefundRequest(body);
      return c.json(refunds.create(c.req.param('id'), request, key ? { key, body } : null));
    })
    .get('/payments/:id/refunds', (c) =>
      c.json(collection(refunds.listOf(c.req.param('id'), listQuery(c.req.query())))),
    )
    .get('/payments/:id/refunds/:refund', (c) => c.json(refunds.refund(c.req.param('refund'))))
    .get('/refunds', (c) => c.json(collection(refunds.list(listQuery(c.req.query())))))
    .get('/refunds/:id', (c) => c.json(refunds.refund(c.req.param('id'))))

    .get('/disputes', (c) => c.json(collection(disputes.list(listQuery(c.req.query())))))
    .get('/disputes/:id', (c) => c.json(disputes.dispute(c.req.param('id'))))
    .post('/disputes/:id/accept', (c) => c.json(disputes.accept(c.req.param('id'))))
    .patch('/disputes/:id/contest', async (c) =>
      c.json(disputes.contest(c.req.param('id'), parseContestRequest(await jsonBody(c.req)))),
    )

    .get('/settlements', (c) => c.json(collection(settlements.list(listQuery(c.req.query())))))
    .get('/settlements/recon/combined', (c) =>
      c.json(collection(settlements.recon(parseQuery(ReconQueryText, c.req.query())))),
    )
    .get('/settlements/:id', (c) => c.json(settlements.settlement(c.req.param('id'))));
}
