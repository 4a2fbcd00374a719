// Refunds and invoices: unspent tokens given back, and the papers of what was bought.
import { Hono } from 'hono';
import { z } from 'zod';
import { InvoiceList, invoicesMax, Refund, RefundList, RequestRefundBody } from '#contract';
import {
  issueInvoices,
  listInvoices,
  listRefunds,
  type RefundRow,
  readInvoice,
  requestRefund,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey, requireUser } from '../services/access.ts';
import { invoiceHtml, invoiceStyleHash } from '../services/invoice-html.ts';
import { operation } from '../services/operation.ts';
import { presentInvoice } from '../services/present-invoice.ts';
import { limitRate, limits } from '../services/rate-limit.ts';
import { validate } from '../services/validate.ts';

const tag = 'Payments';
const refundsShownMax = 100;
/** Whoever asks for invoices gets the missing ones of this many purchases made at once. */
const invoicesIssuedMax = 50;
const gatewayId = z.string().regex(/^pay_[A-Za-z0-9_]{1,60}$/, 'not a payment');
const InvoiceQuery = z.object({
  number: z.string().max(16),
  format: z.enum(['html', 'pdf']),
});

const invoicePolicy = [
  "default-src 'none'",
  `style-src ${invoiceStyleHash}`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

export function refundRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .post(
      '/:gatewayPaymentId/refunds',
      operation({
        summary: 'Ask for unspent tokens of a payment back; somebody approves it',
        tag,
        answers: [201, Refund],
        problems: [
          'invalid-request',
          'not-found',
          'not-refundable',
          'idempotency-key-reused',
          'rate-limited',
        ],
        access: 'user',
        idempotent: true,
      }),
      requireUser(deps),
      limitRate(deps, limits.order),
      validate('param', z.object({ gatewayPaymentId: gatewayId })),
      validate('json', RequestRefundBody),
      async (c) => {
        const refund = await requestRefund(deps.db, {
          by: c.var.identity.userId,
          gatewayPaymentId: c.req.valid('param').gatewayPaymentId,
          ...c.req.valid('json'),
          idempotencyKey: idempotencyKey(c),
        });
        deps.failpoint('refund.requested');
        return c.json(presentRefund(refund), 201);
      },
    )
    .get(
      '/refunds',
      operation({ summary: 'My refunds', tag, answers: [200, RefundList], access: 'user' }),
      requireUser(deps),
      async (c) => {
        const refunds = await listRefunds(deps.db, {
          userId: c.var.identity.userId,
          limit: refundsShownMax,
        });
        return c.json({ refunds: refunds.map(presentRefund) }, 200);
      },
    )
    .get(
      '/invoices',
      operation({
        summary: 'My invoices',
        tag,
        answers: [200, InvoiceList],
        problems: ['rate-limited'],
        access: 'user',
      }),
      requireUser(deps),
      limitRate(deps, limits.invoices),
      async (c) => {
        await issueInvoices(deps.db, invoicesIssuedMax);
        const invoices = await listInvoices(deps.db, c.var.identity.userId, invoicesMax);
        return c.json({ invoices }, 200);
      },
    )
    .get(
      '/invoices/file',
      operation({
        summary: 'One of my invoices as a page or a PDF file',
        tag,
        answers: [200, null],
        problems: ['invalid-request', 'not-found', 'rate-limited'],
        access: 'user',
      }),
      requireUser(deps),
      limitRate(deps, limits.export),
      validate('query', InvoiceQuery),
      async (c) => {
        const { number, format } = c.req.valid('query');
        const facts = await readInvoice(deps.db, c.var.identity.userId, number);
        if (!facts) throw problem('not-found');
        const document = presentInvoice(facts);
        const name = number.replaceAll('/', '-');
        if (format === 'html') {
          return c.body(invoiceHtml(document), 200, {
            'content-type': 'text/html; charset=utf-8',
            'content-security-policy': invoicePolicy,
          });
        }
        // Loaded when it is needed: setting type takes more code than all routes together.
        const { invoicePdf } = await import('../services/invoice-pdf.ts');
        const bytes = await invoicePdf(document, await deps.invoiceFonts());
        return c.body(new Uint8Array(bytes), 200, {
          'content-type': 'application/pdf',
          'content-disposition': `attachment; filename="${name}.pdf"`,
        });
      },
    );
}

function presentRefund(row: RefundRow): z.infer<typeof Refund> {
  return {
    id: row.id,
    gatewayPaymentId: row.gatewayPaymentId,
    tokens: row.tokens,
    amountPaise: row.amountPaise,
    state: row.state,
    reason: row.reason,
    createdAt: row.createdAt,
  };
}
