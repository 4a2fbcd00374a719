-- Settlements: what the gateway brought to the bank, line by line, and what of ours explains each line.

-- What a line should have moved in `gateway_clearing`, money coming in counted as positive, by what of ours it is
-- for and no other line was. Null when nothing is found.
create or replace function ledger.explanation_of(p_item settlement_items) returns bigint
language sql stable
as $$
  select case
    when p_item.type = 'payment' then (
      select amount_paise from payments
        where gateway_payment_id = p_item.entity_id and state = 'captured' and settlement_id is null)
    when p_item.type = 'refund' then (
      select -amount_paise from refunds
        where gateway_refund_id = p_item.entity_id and state = 'processed' and settlement_id is null)
    -- Its money is taken each time that it is opened, and brought back each time that it is won.
    when p_item.dispute_id is not null then (
      select case when p_item.debit_paise > 0 then -d.amount_paise else d.amount_paise end
        from disputes d
        where d.gateway_dispute_id = p_item.dispute_id
          and ledger.dispute_lines(d, p_item.debit_paise > 0)
            < case when p_item.debit_paise > 0 then ledger.times_taken(d) else ledger.times_brought(d) end)
  end
$$;

-- How often the money of a dispute was taken from us, and how often it was brought back.
create or replace function ledger.times_taken(p_dispute disputes) returns integer
language sql immutable
as $$
  select p_dispute.turns + 1
$$;

create or replace function ledger.times_brought(p_dispute disputes) returns integer
language sql immutable
as $$
  select p_dispute.turns + (p_dispute.state in ('won', 'closed'))::int
$$;

-- How many lines of settlements are explained by a dispute: those that take its money, or those that bring it back.
create or replace function ledger.dispute_lines(p_dispute disputes, p_taken boolean) returns bigint
language sql stable
as $$
  select count(*) from settlement_items
    where dispute_id = p_dispute.gateway_dispute_id and explained = 'dispute' and (debit_paise > 0) = p_taken
$$;

-- Locks the payments that lines are about, in the order of their names: whoever tells of one of these, or of its
-- refunds and disputes, begins with it. Of two lines that name the same the second waits here, and then sees what
-- the first has done.
create or replace function ledger.lock_payments_of(p_items settlement_items[]) returns void
language plpgsql
as $$
begin
  perform from payments
    where gateway_payment_id in (
      select i.entity_id from unnest(p_items) i
      union
      select r.gateway_payment_id from unnest(p_items) i join refunds r on r.gateway_refund_id = i.entity_id
      union
      select d.gateway_payment_id from unnest(p_items) i join disputes d on d.gateway_dispute_id = i.dispute_id)
    order by gateway_payment_id for no key update;
end
$$;

-- Explains a line, if it can be: what it is for is settled from here on. What differs from that is a case.
create or replace function ledger.explain_item(p_item settlement_items) returns bigint
language plpgsql
as $$
declare
  v_subject text := ledger.subject_of(p_item);
  v_explained text := case when p_item.type in ('payment', 'refund') then p_item.type else 'dispute' end;
  v_expected bigint;
  v_fee bigint;
begin
  perform ledger.lock_payments_of(array[p_item]);
  v_expected := ledger.explanation_of(p_item);
  if v_expected is null then
    return null;
  end if;
  if v_explained = 'payment' then
    select fee_paise into v_fee from payments where gateway_payment_id = p_item.entity_id;
    update payments set settlement_id = p_item.gateway_settlement_id, fee_paise = p_item.fee_paise,
        fee_tax_paise = p_item.tax_paise
      where gateway_payment_id = p_item.entity_id;
    if v_fee <> p_item.fee_paise then
      perform open_case('settlement-fee', v_subject, to_jsonb(p_item) || jsonb_build_object('toldPaise', v_fee));
    end if;
    perform close_case('settlement-late', p_item.entity_id, 'settled with ' || p_item.gateway_settlement_id);
  elsif v_explained = 'refund' then
    update refunds set settlement_id = p_item.gateway_settlement_id where gateway_refund_id = p_item.entity_id;
  end if;
  update settlement_items set explained = v_explained
    where gateway_settlement_id = p_item.gateway_settlement_id and line = p_item.line;
  if v_expected <> ledger.gross_of(p_item) then
    perform open_case('settlement-difference', v_subject,
      to_jsonb(p_item) || jsonb_build_object('expectedPaise', v_expected));
  end if;
  return v_expected;
end
$$;

-- The name of a line in cases.
create or replace function ledger.subject_of(p_item settlement_items) returns text
language sql immutable
as $$
  select p_item.gateway_settlement_id || '/' || p_item.entity_id
$$;

-- What a line is about, before the gateway took its fee out of it.
create or replace function ledger.gross_of(p_item settlement_items) returns bigint
language sql immutable
as $$
  select p_item.credit_paise - p_item.debit_paise + p_item.fee_paise
$$;

-- The lines of a settlement, by their places.
create or replace function ledger.items_of(p_settlement jsonb) returns setof settlement_items
language sql stable
as $$
  select p_settlement->>'settlementId', (row_number() over (order by i."entityId", i.type))::integer, i."entityId",
      i.type, i."creditPaise", i."debitPaise", i."amountPaise", i."feePaise", i."taxPaise", i."disputeId", 'nothing'
    from jsonb_to_recordset(p_settlement->'items') as i ("entityId" text, type text, "creditPaise" bigint,
      "debitPaise" bigint, "amountPaise" bigint, "feePaise" bigint, "taxPaise" bigint, "disputeId" text)
$$;

-- What the lines of a settlement are for and nobody has told of yet: `[{ entityId, type }]`, where the type is
-- `payment`, `refund` or `dispute`. A line that was explained or solved needs nothing more; of a dispute that is
-- taken or brought back several times at once more must be heard than explains one line.
create or replace function ledger.settlement_unknown(p_settlement jsonb) returns jsonb
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select coalesce(jsonb_agg(distinct case when (x.item).type in ('payment', 'refund')
        then jsonb_build_object('entityId', (x.item).entity_id, 'type', (x.item).type)
        else jsonb_build_object('entityId', (x.item).dispute_id, 'type', 'dispute') end), '[]')
    from (
      select i as item, i.dispute_id is not null
          and count(*) over (partition by i.dispute_id, i.debit_paise > 0) > 1 as is_repeated
        from ledger.items_of(p_settlement) i
    ) x
    where ((x.item).type in ('payment', 'refund') or (x.item).dispute_id is not null)
      and (x.is_repeated or ledger.explanation_of(x.item) is null)
      and not exists (select from settlement_items b
        where b.gateway_settlement_id = (x.item).gateway_settlement_id and b.entity_id = (x.item).entity_id
          and (b.explained <> 'nothing' or ledger.solved_of(b) <> 0))
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
  insert into settlement_items select * from ledger.items_of(p_settlement);
  perform ledger.lock_payments_of(array(select i from settlement_items i where i.gateway_settlement_id = v_id));
  for v_item in
    select * from settlement_items where gateway_settlement_id = v_id order by line
  loop
    v_expected := ledger.explain_item(v_item);
    if v_expected is null then
      perform open_case('settlement-unexplained', ledger.subject_of(v_item), to_jsonb(v_item));
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

-- What of a line was put into `unexplained` when it was booked: all of it, or what differs from what it is for.
create or replace function ledger.unexplained_of(p_item settlement_items) returns bigint
language sql stable
as $$
  select ledger.gross_of(p_item) - coalesce(case p_item.explained
    when 'payment' then (select amount_paise from payments where gateway_payment_id = p_item.entity_id)
    when 'refund' then (select -amount_paise from refunds where gateway_refund_id = p_item.entity_id)
    when 'dispute' then (
      select case when p_item.debit_paise > 0 then -amount_paise else amount_paise end
        from disputes where gateway_dispute_id = p_item.dispute_id)
  end, 0)
$$;

-- What of that was solved by hand.
create or replace function ledger.solved_of(p_item settlement_items) returns bigint
language sql stable
as $$
  select coalesce(sum(paise), 0)::bigint from settlement_solutions
    where gateway_settlement_id = p_item.gateway_settlement_id and line = p_item.line
$$;

-- What an adjustment has moved out of `unexplained`.
create or replace function ledger.solved_by(p_adjustment ledger.adjustments) returns bigint
language sql stable
as $$
  select coalesce(sum(amount), 0)::bigint from ledger.entries
    where journal_id = p_adjustment.journal_id and account_id = ledger.known_account('unexplained', null)
$$;

-- What was moved out of `unexplained` by hand, and nobody has said yet for which line.
create or replace function ledger.solved_for_nobody() returns bigint
language sql stable
as $$
  select coalesce(sum(ledger.solved_by(a)), 0)::bigint from ledger.adjustments a
    where a.state = 'approved' and not exists (select from settlement_solutions s where s.adjustment_id = a.id)
$$;

-- One of the staff says which line an adjustment has solved. It solves no more of it than was open; one that takes
-- another back opens the line again. What a line is for may become known later: one that was solved by hand is a
-- case then, and not booked twice.
create or replace function ledger.settlement_solved(
  p_staff uuid, p_adjustment uuid, p_settlement text, p_line integer
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_item settlement_items;
  v_adjustment ledger.adjustments;
  v_before settlement_solutions;
  v_whole bigint;
  v_open bigint;
begin
  perform require_permission(p_staff, 'move-money');
  perform ledger.lock_explaining();
  select * into v_item from settlement_items where gateway_settlement_id = p_settlement and line = p_line;
  select * into v_adjustment from ledger.adjustments where id = p_adjustment and state = 'approved';
  if v_item.line is null or v_adjustment.id is null then
    perform refuse('not-found');
  end if;
  v_whole := ledger.unexplained_of(v_item);
  v_open := v_whole - ledger.solved_of(v_item);
  select * into v_before from settlement_solutions where adjustment_id = p_adjustment;
  if v_before.adjustment_id is null then
    v_open := v_open - ledger.solved_by(v_adjustment);
    if ledger.solved_by(v_adjustment) = 0 or v_open not between least(v_whole, 0) and greatest(v_whole, 0) then
      perform refuse('invalid-request');
    end if;
    insert into settlement_solutions (adjustment_id, gateway_settlement_id, line, paise)
      values (p_adjustment, p_settlement, p_line, ledger.solved_by(v_adjustment));
    if v_open = 0 then
      perform close_case('settlement-unexplained', ledger.subject_of(v_item), 'solved by hand');
      perform close_case('settlement-difference', ledger.subject_of(v_item), 'solved by hand');
    end if;
    perform audit('settlement.solved', p_staff, ledger.subject_of(v_item),
      jsonb_build_object('line', p_line, 'adjustmentId', p_adjustment));
  elsif (v_before.gateway_settlement_id, v_before.line) <> (p_settlement, p_line) then
    perform refuse('already-decided', jsonb_build_object(
      'settlementId', v_before.gateway_settlement_id, 'line', v_before.line));
  end if;
  return jsonb_build_object('settlementId', p_settlement, 'line', p_line, 'openPaise', v_open,
    'replayed', v_before.adjustment_id is not null);
end
$$;

-- One explains at a time, so that no line is explained twice.
create or replace function ledger.lock_explaining() returns void
language sql
as $$
  select pg_advisory_xact_lock(hashtextextended('ledger.explain_late_items', 0))
$$;

-- Lines that nothing explained when they came: what they are for may have become known since. What somebody has
-- solved by hand, or may have as long as it was not said for which line, is theirs to solve again.
create or replace function ledger.explain_late_items() returns void
language plpgsql
as $$
declare
  v_item settlement_items;
  v_expected bigint;
  v_is_unsaid boolean;
begin
  perform ledger.lock_explaining();
  v_is_unsaid := ledger.solved_for_nobody() <> 0;
  perform ledger.lock_payments_of(array(select i from settlement_items i where i.explained = 'nothing'));
  for v_item in
    select * from settlement_items where explained = 'nothing' order by gateway_settlement_id, line
  loop
    if v_is_unsaid or ledger.solved_of(v_item) <> 0 then
      v_expected := ledger.explanation_of(v_item);
      if v_expected is not null then
        perform open_case_once('settlement-solved-by-hand', ledger.subject_of(v_item),
          to_jsonb(v_item) || jsonb_build_object('expectedPaise', v_expected));
      end if;
      continue;
    end if;
    v_expected := ledger.explain_item(v_item);
    continue when v_expected is null;
    perform ledger.record(uuid_v7(), 'settlement-explained',
      'settlement-explained:' || v_item.gateway_settlement_id || ':' || v_item.line,
      ledger.fingerprint(v_item.entity_id), to_jsonb(v_item), array[
        ledger.line('unexplained', null, v_expected),
        ledger.line('gateway_clearing', null, -v_expected)]);
    perform close_case('settlement-solved-by-hand', ledger.subject_of(v_item), 'explained');
    if not exists (select from settlement_items i
        where i.gateway_settlement_id = v_item.gateway_settlement_id and i.entity_id = v_item.entity_id
          and i.explained = 'nothing') then
      perform close_case('settlement-unexplained', ledger.subject_of(v_item), 'explained');
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
    'unsettledDisputesPaise', (select coalesce(sum(d.amount_paise * (
        ledger.times_brought(d) - ledger.dispute_lines(d, false)
        - ledger.times_taken(d) + ledger.dispute_lines(d, true))), 0)
      from disputes d),
    -- Moved by hand.
    'adjustedPaise', (select coalesce(sum(e.amount), 0)
      from ledger.adjustments a
      join ledger.entries e on e.journal_id = a.journal_id
        and e.account_id = ledger.known_account('gateway_clearing', null)
      where a.state = 'approved'))
$$;
