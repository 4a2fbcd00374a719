-- Invoices and credit notes: numbered without gaps, one after another, behind the purchase that they are for.

-- The series in which a paper of a moment is numbered: one for each kind and each financial year.
create or replace function invoice_series_of(p_kind text, p_at timestamptz) returns text
language sql stable
as $$
  select case p_kind when 'invoice' then 'LP' else 'CN' end || '/'
    || to_char(year.start, 'YY') || '-' || to_char(year.start + interval '1 year', 'YY')
    from (select financial_year_start(p_at) at time zone 'Asia/Kolkata' as start) year
$$;

-- Gives numbers to captured payments and processed refunds that have none; all, or those of one person.
create or replace function issue_invoices(p_limit integer, p_user uuid default null) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_due record;
  v_series text;
  v_serial integer;
  v_number text;
  v_now timestamptz;
  v_count integer := 0;
begin
  -- Numbers have no gaps because they are given one at a time; dates follow numbers because the clock is read
  -- behind the lock.
  perform pg_advisory_xact_lock(hashtextextended('invoices', 3));
  v_now := clock_timestamp();
  for v_due in
    select * from (
      select 'invoice' as kind, o.user_id, p.gateway_payment_id, null::uuid as refund_id,
          o.amount_paise - o.gst_paise as net_paise, o.gst_paise, k.gst_rate_bp, p.captured_at as since
        from payments p
        join orders o on o.id = p.order_id
        join packages k on k.id = o.package_id
        where p.state = 'captured' and p.invoice_number is null
          and (p_user is null or o.user_id = p_user)
      union all
      select 'credit-note', r.user_id, r.gateway_payment_id, r.id, r.net_paise, r.gst_paise, k.gst_rate_bp, r.ended_at
        from refunds r
        join payments p on p.gateway_payment_id = r.gateway_payment_id
        join orders o on o.id = p.order_id
        join packages k on k.id = o.package_id
        where r.state = 'processed' and r.credit_note_number is null
          and (p_user is null or r.user_id = p_user)
    ) due
    order by since, kind desc, gateway_payment_id
    limit p_limit
  loop
    v_series := invoice_series_of(v_due.kind, v_now);
    insert into invoice_series as s (series, next_serial) values (v_series, 2)
      on conflict (series) do update set next_serial = s.next_serial + 1
      returning next_serial - 1 into v_serial;
    v_number := v_series || '/' || lpad(v_serial::text, 7, '0');
    insert into invoices (number, kind, series, serial, user_id, gateway_payment_id, refund_id, net_paise,
        gst_paise, gst_rate_bp, issued_at)
      values (v_number, v_due.kind, v_series, v_serial, v_due.user_id, v_due.gateway_payment_id, v_due.refund_id,
        v_due.net_paise, v_due.gst_paise, v_due.gst_rate_bp, v_now);
    if v_due.kind = 'invoice' then
      update payments set invoice_number = v_number where gateway_payment_id = v_due.gateway_payment_id;
    else
      update refunds set credit_note_number = v_number where id = v_due.refund_id;
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

-- The same for somebody who looks at their own papers. Who has them all waits for nobody; who misses one waits for
-- others that number no longer than this, and the next round of the job gives what could not be given here.
create or replace function issue_own_invoices(p_user uuid, p_limit integer) returns integer
language plpgsql security definer
  set search_path = public, pg_temp set enable_seqscan = off set lock_timeout = '300ms'
as $$
begin
  if not exists (
    select from payments p join orders o on o.id = p.order_id
      where o.user_id = p_user and p.state = 'captured' and p.invoice_number is null
  ) and not exists (
    select from refunds where user_id = p_user and state = 'processed' and credit_note_number is null
  ) then
    return 0;
  end if;
  return issue_invoices(p_limit, p_user);
exception when lock_not_available then
  return 0;
end
$$;
