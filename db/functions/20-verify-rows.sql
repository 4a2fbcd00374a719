-- What must be true of single rows. All of them are looked at by their ids, which grow with time; in between those
-- that are new and those that have moved.
--
-- Look-ups by index on purpose, here and in the next file ("offset 0", and a select where others would write "not
-- exists", keep them where they stand): what is not asked for is never read, however much it is, also by a plan that
-- was made when it was little.

-- The last of so many acts behind an id; beyond every id where there are fewer.
create or replace function ledger.id_behind(p_after uuid, p_acts integer) returns uuid
language sql stable set enable_seqscan = off
as $$
  select coalesce(
    (select id from ledger.journal where id > p_after order by id offset p_acts - 1 limit 1),
    'ffffffff-ffff-ffff-ffff-ffffffffffff')
$$;

-- Rows behind one id and up to another.
create or replace function ledger.verify_rows(p_after uuid, p_to uuid)
returns table (invariant text, subject text, detail text)
language sql stable set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  select 'every entry is of an act', e.journal_id::text, ''
    from (select distinct journal_id from ledger.entries where journal_id > p_after and journal_id <= p_to) e
    where (select true from ledger.journal j where j.id = e.journal_id) is null
  union all
  -- One that the sealer has left behind; those that it has still to reach are looked at by their age.
  select 'every act is in the chain soon', j.id::text, j.kind
    from ledger.journal j
    where j.id > p_after and j.id <= p_to
      and j.transaction < (select horizon from ledger.sealer)
      and not (select ledger.is_restored())
      and (select s.position from ledger.sealed s where s.journal_id = j.id) is null
  union all
  select 'every tip is an act', t.id::text, t.source
    from ledger.tips t
    where t.id > p_after and t.id <= p_to
      and (select true from ledger.journal j
        where j.id = t.id and j.kind = case t.source
          when 'tip' then 'tip' when 'hold' then 'hold-captured' else 'goal-settled' end) is null
  union all
  select 'every reservation is the sum of its lots', r.id::text, r.tokens || ' tokens'
    from ledger.reservations r,
      lateral (select sum(tokens)::bigint as tokens, sum(paise)::bigint as paise
        from ledger.reservation_lots where reservation_id = r.id) l
    where r.id > p_after and r.id <= p_to and (r.tokens, r.net_paise) is distinct from (l.tokens, l.paise)
  union all
  select 'every lot is of accounts of its owner', l.id::text, l.owner_id::text
    from ledger.lots l
    where l.id > p_after and l.id <= p_to
      and ((select true from ledger.accounts a
          where a.id = l.account_id and a.owner_id = l.owner_id
            and a.class = case when l.net_paise = 0 then 'viewer_promo' else 'viewer_tokens' end) is null
        or (select true from ledger.accounts a
          where a.id = l.prepaid_account_id and a.owner_id = l.owner_id and a.class = 'viewer_prepaid') is null)
  union all
  select 'every order is at the price of its package', o.id::text, o.amount_paise || ' paise'
    from orders o
    where o.id > p_after and o.id <= p_to
      and (o.tokens, o.amount_paise, o.gst_paise) is distinct from
        (select (k.tokens, k.price_paise, k.gst_paise) from packages k where k.id = o.package_id)
  union all
  select 'every paid order has a captured payment', o.id::text, o.state
    from orders o
    where o.id > p_after and o.id <= p_to
      and (o.state = 'paid') <>
        ((select count(*) from payments p where p.order_id = o.id and p.state = 'captured') > 0)
  union all
  select * from ledger.verify_payments(array(
    select gateway_payment_id from payments where journal_id > p_after and journal_id <= p_to))
  union all
  select * from ledger.verify_refunds(array(select id from refunds where id > p_after and id <= p_to))
  union all
  select * from ledger.verify_payouts(array(select id from payouts where id > p_after and id <= p_to))
$$;

-- Older rows that have moved since a moment. Refunds, disputes and payouts are few: their dates are read.
create or replace function ledger.verify_moved_rows(p_since timestamptz)
returns table (invariant text, subject text, detail text)
language sql stable
as $$
  select * from ledger.verify_payments(array(
    select gateway_payment_id from refunds where greatest(created_at, decided_at, ended_at) >= p_since
    union
    select gateway_payment_id from disputes where greatest(opened_at, closed_at) >= p_since))
  union all
  select * from ledger.verify_refunds(array(
    select id from refunds where state = 'requested' or greatest(decided_at, ended_at) >= p_since))
  union all
  select * from ledger.verify_payouts(array(
    select id from payouts where state in ('requested', 'approved', 'sending') or ended_at >= p_since))
$$;

create or replace function ledger.verify_payments(p_payments text[])
returns table (invariant text, subject text, detail text)
language sql stable set enable_seqscan = off
as $$
  with here as materialized (
    select p.*
      from unnest(p_payments) n (id), lateral (select * from payments where gateway_payment_id = n.id offset 0) p
  )
  select 'every captured payment is credited once', p.gateway_payment_id, p.journal_id::text
    from here p
    where p.state = 'captured'
      and (select idempotency_key from ledger.journal where id = p.journal_id)
        is distinct from 'purchase:' || p.gateway_payment_id
  union all
  select 'every purchase moved what was ordered', p.gateway_payment_id, o.tokens || ' tokens'
    from here p,
      lateral (select * from orders where id = p.order_id offset 0) o,
      lateral (
        select -sum(amount) filter (where class = 'viewer_tokens') as tokens,
            sum(amount) filter (where class = 'gateway_clearing') as paid,
            -coalesce(sum(amount) filter (where class = 'gst_payable'), 0) as gst,
            max(owner_id::text) filter (where class = 'viewer_tokens') as viewer
          from ledger.lines_of(p.journal_id)) m
    where p.state = 'captured' and (m.tokens, m.paid, m.gst, m.viewer) is distinct from
      (o.tokens::numeric, o.amount_paise::numeric, o.gst_paise::numeric, o.user_id::text)
  union all
  select 'every captured payment is of a paid order', p.gateway_payment_id, p.order_id::text
    from here p
    where p.state = 'captured' and (select state from orders where id = p.order_id) is distinct from 'paid'
  union all
  select 'a payment is refunded as far as its refunds say', p.gateway_payment_id, p.refunded_paise::text
    from here p
    where p.refunded_paise <> least(p.amount_paise, (
      select coalesce(sum(r.net_paise + r.gst_paise), 0) from refunds r
        where r.gateway_payment_id = p.gateway_payment_id and r.journal_id is not null and r.state <> 'failed'))
  union all
  select 'tokens of a lot are returned by refunds and lost disputes alone', l.id::text,
      l.tokens_returned || ' tokens'
    from here p, lateral (select * from ledger.lots where id = p.journal_id offset 0) l
    where l.tokens_returned <> (
        select coalesce(sum(r.tokens), 0) from refunds r
          where r.gateway_payment_id = p.gateway_payment_id and r.state not in ('rejected', 'failed'))
      + (select coalesce(sum((select v.tokens from ledger.reservations v where v.id = d.reservation_id)), 0)
          from disputes d where d.gateway_payment_id = p.gateway_payment_id and d.state = 'lost')
$$;

create or replace function ledger.verify_refunds(p_refunds uuid[])
returns table (invariant text, subject text, detail text)
language sql stable set enable_seqscan = off
as $$
  select 'tokens wait for a refund while it waits, and no longer', r.id::text, r.state
    from unnest(p_refunds) n (id), lateral (select * from refunds where id = n.id offset 0) r
    where r.reservation_id is not null
      and (r.state = 'requested') <>
        ((select state from ledger.reservations v where v.id = r.reservation_id) is not distinct from 'open')
$$;

create or replace function ledger.verify_payouts(p_payouts uuid[])
returns table (invariant text, subject text, detail text)
language sql stable set enable_seqscan = off
as $$
  select 'every payout that was paid is booked as its state says', p.id::text, p.state
    from unnest(p_payouts) n (id), lateral (select * from payouts where id = n.id offset 0) p
    where (p.state in ('paid', 'reversed'))
        <> ((select true from ledger.journal j where j.idempotency_key = 'payout-paid:' || p.id) is not null)
      or (p.state = 'reversed')
        <> ((select true from ledger.journal j where j.idempotency_key = 'payout-reversed:' || p.id) is not null)
$$;

-- Invoices and credit notes, by their numbers.
create or replace function ledger.verify_invoices(p_invoices text[])
returns table (invariant text, subject text, detail text)
language sql stable set enable_seqscan = off
as $$
  with here as materialized (
    select i.*, b.number as number_before, b.issued_at as issued_before
      from unnest(p_invoices) n (number)
      cross join lateral (select * from invoices where number = n.number offset 0) i
      left join lateral (
        select * from invoices where series = i.series and serial = i.serial - 1 offset 0) b on true
  )
  select 'numbers of invoices have no gaps', i.series, 'nothing stands before ' || i.number
    from here i where i.serial <> 1 and i.number_before is null
  union all
  select 'dates of invoices follow their numbers', i.number, instant(i.issued_at)
    from here i where i.issued_at < i.issued_before
  union all
  select 'an invoice is for what was paid, a credit note for what was given back', i.number,
      i.net_paise || ' and ' || i.gst_paise || ' paise'
    from here i
    left join lateral (
      select o.amount_paise - o.gst_paise as net, o.gst_paise as gst
        from (select * from payments where gateway_payment_id = i.gateway_payment_id offset 0) p,
          lateral (select * from orders where id = p.order_id offset 0) o
        where i.kind = 'invoice' and p.invoice_number = i.number
      union all
      select r.net_paise, r.gst_paise from refunds r
        where r.id = i.refund_id and i.kind = 'credit-note' and r.credit_note_number = i.number
    ) s on true
    where (i.net_paise, i.gst_paise) is distinct from (s.net, s.gst)
$$;

-- The next numbers of invoices behind one.
create or replace function ledger.invoices_behind(p_after text, p_limit integer) returns text[]
language sql stable set enable_seqscan = off
as $$
  select array(select number from invoices where number > p_after order by number limit p_limit)
$$;

-- Those that were issued since a moment: their dates follow their numbers.
create or replace function ledger.invoices_since(p_since timestamptz) returns text[]
language plpgsql stable set enable_seqscan = off
as $$
declare
  v_series text;
  v_invoice record;
  v_numbers text[] := '{}';
begin
  for v_series in select series from invoice_series loop
    for v_invoice in
      select number, issued_at from invoices where series = v_series order by serial desc
    loop
      exit when v_invoice.issued_at < p_since;
      v_numbers := v_numbers || v_invoice.number;
    end loop;
  end loop;
  return v_numbers;
end
$$;
