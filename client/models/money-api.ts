// The API of money: what the wallet and the earnings page ask for, read by the contract's schemas.
import type { z } from 'zod';
import {
  EarlierPayouts,
  Earnings,
  IDEMPOTENCY_HEADER,
  InvoiceList,
  OrderStatus,
  Payout,
  PayoutAccount,
  type PayoutDetails,
  PayoutOverview,
  Refund,
  RefundList,
  type RequestPayoutBody,
  type RequestRefundBody,
  type SetLimitsBody,
  type SetTaxProfileBody,
  SpendingLimits,
  type StatementFilter,
  UpiIntent,
  WalletTransactionList,
} from '#contract';
import type { SendRequest } from './api.ts';
import { ApiError } from './api-error.ts';

const fileTimeoutMs = 60_000;
/** Statements have every row that there is, and take their time. */
const statementTimeoutMs = 600_000;
const badAnswerStatus = 502;

export type StatementFormat = 'csv' | 'json';
export type InvoiceFormat = 'html' | 'pdf';
/** A file as the edge has sent it; `name` is what it wants to be called. */
export type SentFile = { content: Blob; name: string | null };

const mediaTypes = {
  csv: 'text/csv',
  json: 'application/json',
  html: 'text/html',
  pdf: 'application/pdf',
} as const;

/** An answer that does not fit is no answer: the edge may be older than this page. */
async function read<S extends z.ZodType>(schema: S, asked: Promise<Response>): Promise<z.infer<S>> {
  const response = await asked;
  const body: unknown = await response.json().catch(() => null);
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw new ApiError('internal', badAnswerStatus, null, 'The answer could not be read');
}

async function readFile(asked: Promise<Response>): Promise<SentFile> {
  const response = await asked;
  const said = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '');
  try {
    return { content: await response.blob(), name: said?.[1] ?? null };
  } catch {
    // The connection broke on the way.
    throw new ApiError('network', 0, null, 'The file did not arrive');
  }
}

/** Parameters without a value are left out. */
function pathWith(path: string, query: Record<string, string | undefined>): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

export function createMoneyApi(request: SendRequest) {
  const get = (path: string, query: Record<string, string | undefined> = {}) =>
    request(pathWith(`/v1${path}`, query), {});

  const file = (
    path: string,
    query: Record<string, string | undefined>,
    type: string,
    timeoutMs = fileTimeoutMs,
  ) => readFile(request(pathWith(`/v1${path}`, query), { headers: { accept: type } }, timeoutMs));

  const send = (method: 'POST' | 'PUT', path: string, body: unknown, key?: string) =>
    request(`/v1${path}`, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(key ? { [IDEMPOTENCY_HEADER]: key } : {}),
      },
      body: JSON.stringify(body),
    });

  return {
    transactions: (filter: StatementFilter, cursor?: string) =>
      read(WalletTransactionList, get('/wallet/transactions', { ...filter, cursor })),
    statement: (filter: StatementFilter, format: StatementFormat) =>
      file('/wallet/statement', { ...filter, format }, mediaTypes[format], statementTimeoutMs),
    limits: () => read(SpendingLimits, get('/wallet/limits')),
    setLimits: (body: SetLimitsBody) => read(SpendingLimits, send('PUT', '/wallet/limits', body)),

    orderStatus: (orderId: string) => read(OrderStatus, get(`/payments/orders/${orderId}`)),
    upiIntent: (orderId: string, key: string) =>
      read(UpiIntent, send('POST', `/payments/orders/${orderId}/upi`, {}, key)),
    invoices: (cursor?: string) => read(InvoiceList, get('/payments/invoices', { cursor })),
    invoiceFile: (number: string, format: InvoiceFormat) =>
      file('/payments/invoices/file', { number, format }, mediaTypes[format]),
    requestRefund: (
      gatewayPaymentId: string,
      body: z.infer<typeof RequestRefundBody>,
      key: string,
    ) =>
      read(
        Refund,
        send('POST', `/payments/${encodeURIComponent(gatewayPaymentId)}/refunds`, body, key),
      ),
    refunds: (cursor?: string) =>
      read(RefundList, get('/payments/refunds', { cursor, limit: '100' })),

    earnings: () => read(Earnings, get('/earnings')),
    payouts: () => read(PayoutOverview, get('/payouts')),
    earlierPayouts: (cursor: string) => read(EarlierPayouts, get('/payouts/earlier', { cursor })),
    requestPayout: (body: RequestPayoutBody, key: string) =>
      read(Payout, send('POST', '/payouts', body, key)),
    setPayoutAccount: (body: PayoutDetails) =>
      read(PayoutAccount, send('PUT', '/payouts/account', body)),
    setTaxProfile: async (body: z.infer<typeof SetTaxProfileBody>): Promise<void> =>
      void (await send('PUT', '/payouts/tax-profile', body)),
  };
}
export type MoneyApi = ReturnType<typeof createMoneyApi>;
