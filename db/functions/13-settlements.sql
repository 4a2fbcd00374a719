-- Settlements: what the gateway brought to the bank, line by line, and what of ours explains each line.

-- What a line should have moved in `gateway_clearing`, money coming in counted as positive, by what of ours it
-- is for; that is settled from here on. Null when nothing is found. What differs from it is a case.
create or replace function ledger.explain_item(p_item settlement_items) returns bigint
language plpgsql
as $$
declare
  v_subject text := p_item.gateway_settlement_id || '/' || p_item.entity_id;
  v_explained text := p_item.type;
  v_expected bigint;
  v_fee bigint;
begin
  if p_item.type = 'payment' then
    select amount_paise, fee_paise into v_expected, v_fee from payments
      where gateway_payment_id = p_item.entity_id and state = 'captured' and settlement_id is null
      for no key update;
    update payments set settlement_id = p_item.gateway_settlement_id, fee_paise = p_item.fee_paise,
        fee_tax_paise = p_item.tax_paise
      where gateway_payment_id = p_item.entity_id and v_expected is not null;
    if v_fee <> p_item.fee_paise then
      perform open_case('settlement-fee', v_subject, to_jsonb(p_item) || jsonb_build_object('toldPaise', v_fee));
    end if;
  elsif p_item.type = 'refund' then
    update refunds set settlement_id = p_item.gateway_settlement_id
      where gateway_refund_id = p_item.entity_id and state = 'processed' and settlement_id is null
      returning -(net_paise + gst_paise) into v_expected;
  elsif p_item.dispute_id is not null then
    v_explained := 'dispute';
    -- Its money is taken once, and brought back once when it was won.
    select case when p_item.debit_paise > 0 then -d.amount_paise
        when d.state in ('won', 'closed') then d.amount_paise end
      into v_expected from disputes d
      where d.gateway_dispute_id = p_item.dispute_id
        and not exists (select from settlement_items i
          where i.dispute_id = p_item.dispute_id and i.explained = 'dispute'
            and (i.debit_paise > 0) = (p_item.debit_paise > 0))
      for no key update;
  end if;
  if v_expected is null then
    return null;
  end if;
  update settlement_items set explained = v_explained
    where gateway_settlement_id = p_item.gateway_settlement_id and line = p_item.line;
  if p_item.type = 'payment' then
    perform close_case('settlement-late', p_item.entity_id, 'settled with ' || p_item.gateway_settlement_id);
  end if;
  if v_expected <> ledger.gross_of(p_item) then
    perform open_case('settlement-difference', v_subject,
      to_jsonb(p_item) || jsonb_build_object('expectedPaise', v_expected));
  end if;
  return v_expected;
end
$$;

-- What a line is about, before the gateway took its fee out of it.
create or replace function ledger.gross_of(p_item settlement_items) returns bigint
language sql immutable
as $$
  select p_item.credit_paise - p_item.debit_paise + p_item.fee_paise
$$;

-- Books one settlement: `{ settlementId, utr, settledAt, items: [{ entityId, type, creditPaise, debitPaise,
-- amountPaise, feePaise, taxPaise, disputeId }] }`. Once; a line that nothing of ours explains, or that differs,
-- is a case, and its money stands in `unexplained` until it is solved. One that says something else than before
-- is a case, too, and books nothing.
create or replace function ledger.settlement_observed(p_settlement jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_id text := p_settlement->>'settlementId';
  v_key text := 'settlement:' || v_id;
  v_fingerprint text := ledger.fingerprint(
    (select jsonb_agg(i order by i::text)::text from jsonb_array_elements(p_settlement->'items') i));
  v_before record;
  v_result jsonb;
  v_item settlement_items;
  v_act uuid := uuid_v7();
  v_expected bigint;
  v_brought bigint := 0;
  v_taken bigint := 0;
  v_difference bigint;
  v_more bigint := 0;
  v_less bigint := 0;
  v_fees bigint := 0;
  v_tax bigint := 0;
  v_net bigint := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended(v_key, 0));
  select fingerprint, result into v_before from ledger.journal where idempotency_key = v_key;
  if v_before.fingerprint = v_fingerprint then
    return v_before.result || '{"replayed": true}';
  elsif v_before.fingerprint is not null then
    perform open_case('settlement-changed', v_id, p_settlement);
    return ledger.refusal('idempotency-key-reused', jsonb_build_object('settlementId', v_id));
  end if;
  if jsonb_array_length(p_settlement->'items') = 0 then
    perform refuse('invalid-request');
  end if;
  insert into settlement_items (gateway_settlement_id, line, entity_id, type, credit_paise, debit_paise,
      amount_paise, fee_paise, tax_paise, dispute_id, explained)
    select v_id, row_number() over (order by i."entityId", i.type), i."entityId", i.type, i."creditPaise",
        i."debitPaise", i."amountPaise", i."feePaise", i."taxPaise", i."disputeId", 'nothing'
      from jsonb_to_recordset(p_settlement->'items') as i ("entityId" text, type text, "creditPaise" bigint,
        "debitPaise" bigint, "amountPaise" bigint, "feePaise" bigint, "taxPaise" bigint, "disputeId" text);
  for v_item in
    select * from settlement_items where gateway_settlement_id = v_id order by line
  loop
    v_expected := ledger.explain_item(v_item);
    if v_expected is null then
      perform open_case('settlement-unexplained', v_id || '/' || v_item.entity_id, to_jsonb(v_item));
      v_expected := 0;
    end if;
    -- What comes and what goes is booked apart, so that there is something to book when both are the same.
    v_brought := v_brought + greatest(v_expected, 0);
    v_taken := v_taken + least(v_expected, 0);
    v_difference := ledger.gross_of(v_item) - v_expected;
    v_more := v_more + greatest(v_difference, 0);
    v_less := v_less + least(v_difference, 0);
    v_net := v_net + v_item.credit_paise - v_item.debit_paise;
    v_fees := v_fees + v_item.fee_paise - v_item.tax_paise;
    v_tax := v_tax + v_item.tax_paise;
  end loop;
  v_result := jsonb_build_object('settlementId', v_id, 'netPaise', v_net, 'feePaise', v_fees + v_tax,
    'unexplainedPaise', v_more + v_less, 'replayed', false, 'cases', (
      select count(*) from settlement_items i
        where i.gateway_settlement_id = v_id and (i.explained = 'nothing' or exists (
          select from cases c
            where c.kind in ('settlement-difference', 'settlement-fee') and c.state = 'open'
              and c.subject = v_id || '/' || i.entity_id))));
  perform ledger.record(v_act, 'settlement', v_key, v_fingerprint, v_result, array[
    ledger.line('bank', null, v_net),
    ledger.line('gateway_fees', null, v_fees),
    ledger.line('gst_input', null, v_tax),
    ledger.line('gateway_clearing', null, -v_brought),
    ledger.line('gateway_clearing', null, -v_taken),
    ledger.line('unexplained', null, -v_more),
    ledger.line('unexplained', null, -v_less)]);
  insert into settlements (gateway_settlement_id, amount_paise, fee_paise, tax_paise, utr, settled_at, journal_id)
    values (v_id, v_net, v_fees + v_tax, v_tax, p_settlement->>'utr',
      (p_settlement->>'settledAt')::timestamptz, v_act);
  return v_result;
end
$$;

-- Lines that nothing explained when they came: what they are for may have become known since.
create or replace function ledger.explain_late_items() returns void
language plpgsql
as $$
declare
  v_item settlement_items;
  v_expected bigint;
begin
  -- One at a time, so that no line is explained twice.
  perform pg_advisory_xact_lock(hashtextextended('ledger.explain_late_items', 0));
  for v_item in
    select * from settlement_items where explained = 'nothing' order by gateway_settlement_id, line
  loop
    v_expected := ledger.explain_item(v_item);
    continue when v_expected is null;
    perform ledger.record(uuid_v7(), 'settlement-explained',
      'settlement-explained:' || v_item.gateway_settlement_id || ':' || v_item.line,
      ledger.fingerprint(v_item.entity_id), to_jsonb(v_item), array[
        ledger.line('unexplained', null, v_expected),
        ledger.line('gateway_clearing', null, -v_expected)]);
    if not exists (select from settlement_items i
        where i.gateway_settlement_id = v_item.gateway_settlement_id and i.entity_id = v_item.entity_id
          and i.explained = 'nothing') then
      perform close_case('settlement-unexplained', v_item.gateway_settlement_id || '/' || v_item.entity_id,
        'explained');
    end if;
  end loop;
end
$$;

-- Explains what can be explained by now, and opens a case for each captured payment that no settlement has
-- brought in time. Answers how many of those there are.
create or replace function ledger.late_settlements() returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_payment payments;
  v_count integer := 0;
begin
  perform ledger.explain_late_items();
  for v_payment in
    select * from payments
      where state = 'captured' and settlement_id is null and refunded_paise < amount_paise
        and captured_at < now() - make_interval(days => rule('settlement_late_days')::int)
      order by captured_at limit 1000
  loop
    perform open_case('settlement-late', v_payment.gateway_payment_id, jsonb_build_object(
      'amountPaise', v_payment.amount_paise, 'capturedAt', instant(v_payment.captured_at)));
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;

-- What `gateway_clearing` is made of: with this every paisa that the gateway still owes has a name. A dispute
-- takes its amount when it is opened, and brings it back when it is won; of each what was settled is over.
create or replace function ledger.clearing_explained() returns jsonb
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select jsonb_build_object(
    'balancePaise', ledger.balance_now('gateway_clearing'),
    'unsettledPaymentsPaise', (select coalesce(sum(amount_paise), 0) from payments
      where state = 'captured' and settlement_id is null),
    'unsettledRefundsPaise', (select coalesce(sum(net_paise + gst_paise), 0) from refunds
      where state = 'processed' and settlement_id is null),
    'unsettledDisputesPaise', (select coalesce(sum(
        d.amount_paise * ((d.state in ('won', 'closed'))::int
          - (select count(*) from settlement_items i
              where i.dispute_id = d.gateway_dispute_id and i.explained = 'dispute' and i.credit_paise > 0)
          - 1
          + (select count(*) from settlement_items i
              where i.dispute_id = d.gateway_dispute_id and i.explained = 'dispute' and i.debit_paise > 0))), 0)
      from disputes d),
    -- Moved by hand.
    'adjustedPaise', (select coalesce(sum(e.amount), 0)
      from ledger.journal j
      join ledger.entries e on e.journal_id = j.id
        and e.account_id = (select id from ledger.accounts where class = 'gateway_clearing' and owner_id is null)
      where j.kind = 'adjustment'))
$$;
