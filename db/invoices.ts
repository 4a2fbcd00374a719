// Invoices and credit notes: their numbers, and what stands on them.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Invoice } from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** Gives numbers to what has none. Answers how many. */
export async function issueInvoices(db: Db, limit: number): Promise<number> {
  return callFunction(db, sql`select to_jsonb(issue_invoices(${limit})) as result`, z.int());
}

/** The same for what one person misses, who waits for others that number for a moment only. Answers how many. */
export async function issueOwnInvoices(db: Db, userId: string, limit: number): Promise<number> {
  return callFunction(
    db,
    sql`select to_jsonb(issue_own_invoices(${userId}, ${limit})) as result`,
    z.int(),
  );
}

/** A person's invoices and credit notes, newest first; `after` is the number of the last one on the page before. */
export async function listInvoices(
  db: Db,
  userId: string,
  { after = null, limit }: { after?: string | null | undefined; limit: number },
): Promise<Invoice[]> {
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'number', i.number, 'kind', i.kind, 'gatewayPaymentId', i.gateway_payment_id,
        'tokens', coalesce(r.tokens, o.tokens),
        'netPaise', i.net_paise, 'gstPaise', i.gst_paise, 'totalPaise', i.net_paise + i.gst_paise,
        'issuedAt', instant(i.issued_at),
        'returnable', case when i.kind = 'invoice' then ledger.returnable(i.gateway_payment_id) end)
        order by i.issued_at desc, i.number desc), '[]') as result
      from (select * from invoices where user_id = ${userId} and (${after}::text is null
          or (issued_at, number) < (
            select issued_at, number from invoices where number = ${after} and user_id = ${userId}))
        order by issued_at desc, number desc limit ${limit}) i
      join payments p on p.gateway_payment_id = i.gateway_payment_id
      join orders o on o.id = p.order_id
      left join refunds r on r.id = i.refund_id`,
    Invoice.array(),
  );
}

const InvoiceFacts = Invoice.omit({ returnable: true }).extend({
  gstRateBp: z.int(),
  packageName: z.string(),
  method: z.string().nullable(),
  capturedAt: z.string(),
  seller: z.object({
    name: z.string(),
    address: z.string(),
    gstin: z.string(),
    sac: z.string(),
    stateCode: z.string(),
  }),
  buyer: z.object({ name: z.string(), email: z.string(), country: z.string() }),
  original: z.object({ number: z.string(), issuedAt: z.string() }).nullable(),
});
export type InvoiceFacts = z.infer<typeof InvoiceFacts>;

/** Everything that stands on one of a person's invoices; null when it is not theirs. */
export async function readInvoice(
  db: Db,
  userId: string,
  number: string,
): Promise<InvoiceFacts | null> {
  return callFunction(
    db,
    sql`select (select jsonb_build_object(
        'number', i.number, 'kind', i.kind, 'gatewayPaymentId', i.gateway_payment_id,
        'netPaise', i.net_paise, 'gstPaise', i.gst_paise, 'totalPaise', i.net_paise + i.gst_paise,
        'issuedAt', instant(i.issued_at), 'gstRateBp', i.gst_rate_bp,
        'tokens', coalesce(r.tokens, o.tokens), 'packageName', k.name, 'method', p.method,
        'capturedAt', instant(p.captured_at),
        'seller', jsonb_build_object('name', s.name, 'address', s.address, 'gstin', s.gstin, 'sac', s.sac,
          'stateCode', s.state_code),
        'buyer', jsonb_build_object('name', u.username, 'email', u.email, 'country', u.country),
        'original', case when i.kind = 'credit-note' then (
          select jsonb_build_object('number', f.number, 'issuedAt', instant(f.issued_at))
            from invoices f where f.gateway_payment_id = i.gateway_payment_id and f.kind = 'invoice') end)
      from invoices i
      join users u on u.id = i.user_id
      join payments p on p.gateway_payment_id = i.gateway_payment_id
      join orders o on o.id = p.order_id
      join packages k on k.id = o.package_id
      left join refunds r on r.id = i.refund_id
      cross join lateral (
        select * from sellers where valid_from <= i.issued_at order by valid_from desc limit 1) s
      where i.number = ${number} and i.user_id = ${userId}) as result`,
    InvoiceFacts.nullable(),
  );
}
