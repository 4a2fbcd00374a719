// Refunds and invoices: unspent tokens given back, and the papers of what was bought.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  InvoiceList,
  InvoiceNumber,
  ListInvoicesQuery,
  ListPurchasesQuery,
  Refund,
  RefundList,
  RequestRefundBody,
} from '#contract';
import {
  issueOwnInvoices,
  listInvoices,
  listRefunds,
  type RefundRow,
  readInvoice,
  requestRefund,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey } from '../services/access.ts';
import { parseCursor } from '../services/cursor.ts';
import { invoiceHtml, invoiceStyleHash } from '../services/invoice-html.ts';
import { operation } from '../services/operation.ts';
import { pageOf } from '../services/page.ts';
import { presentInvoice } from '../services/present-invoice.ts';
import { limits } from '../services/rate-limit.ts';
import { validate } from '../services/validate.ts';

const tag = 'Payments';
/** Whoever asks for invoices gets so many that they miss at once; mostly the job has numbered them before. */
const invoicesIssuedMax = 50;
const gatewayId = z.string().regex(/^pay_[A-Za-z0-9_]{1,60}$/, 'not a payment');
const InvoiceQuery = z.object({
  number: InvoiceNumber,
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
      operation(deps, {
        summary: 'Ask for unspent tokens of a payment back; somebody approves it',
        tag,
        answers: [201, Refund],
        problems: ['invalid-request', 'not-found', 'not-refundable', 'idempotency-key-reused'],
        idempotent: true,
        access: 'take-part',
        limit: limits.order,
      }),
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
      operation(deps, {
        summary: 'My refunds, newest first',
        tag,
        answers: [200, RefundList],
        problems: ['invalid-request'],
        access: 'take-part',
      }),
      validate('query', ListPurchasesQuery),
      async (c) => {
        const { cursor, limit } = c.req.valid('query');
        const rows = await listRefunds(deps.db, {
          userId: c.var.identity.userId,
          after: parseCursor(cursor),
          limit: limit + 1,
        });
        const { page, nextCursor } = pageOf(rows, limit, (row) => row.id);
        return c.json({ refunds: page.map(presentRefund), nextCursor }, 200);
      },
    )
    .get(
      '/invoices',
      operation(deps, {
        summary: 'My invoices, newest first',
        tag,
        answers: [200, InvoiceList],
        problems: ['invalid-request'],
        access: 'take-part',
        limit: limits.invoices,
      }),
      validate('query', ListInvoicesQuery),
      async (c) => {
        const { userId } = c.var.identity;
        const { cursor, limit } = c.req.valid('query');
        if (cursor === undefined) await issueOwnInvoices(deps.db, userId, invoicesIssuedMax);
        const rows = await listInvoices(deps.db, userId, { after: cursor, limit: limit + 1 });
        const { page, nextCursor } = pageOf(rows, limit, (row) => row.number);
        return c.json({ invoices: page, nextCursor }, 200);
      },
    )
    .get(
      '/invoices/file',
      operation(deps, {
        summary: 'One of my invoices as a page or a PDF file',
        tag,
        answers: [200, ['text/html', 'application/pdf']],
        problems: ['invalid-request', 'not-found'],
        access: 'take-part',
        limit: limits.export,
      }),
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
