-- Statements: what moved a wallet, as its viewer reads it.

-- What an act was for the viewer.
create or replace function ledger.move_of(p_kind text) returns text
language sql immutable parallel safe
as $$
  select case
    when p_kind in ('purchase', 'tip') then p_kind
    when p_kind in ('hold', 'hold-captured', 'hold-released') then 'hold'
    when p_kind in ('goal-contribution', 'goal-settled', 'goal-refund') then 'goal'
    when p_kind in ('refund-requested', 'refund-rejected', 'refund-failed', 'refund') then 'refund'
    when p_kind in ('dispute-held', 'dispute-released', 'dispute-taken') then 'dispute'
    when p_kind in ('promotion', 'promotion-expired') then 'promotion'
    else 'other'
  end
$$;

-- The row of an act that has moved so many tokens.
create or replace function ledger.statement_row(p_act ledger.journal, p_tokens bigint) returns jsonb
language plpgsql stable
as $$
declare
  v_move text := ledger.move_of(p_act.kind);
  v_payment text;
  v_subject text;
begin
  if v_move = 'purchase' then
    select p.gateway_payment_id, k.name into v_payment, v_subject
      from payments p join orders o on o.id = p.order_id join packages k on k.id = o.package_id
      where p.journal_id = p_act.id;
  else
    select username into v_subject from users where id = coalesce(
      (select performer_id from ledger.tips where id = p_act.id),
      (select performer_id from ledger.reservations where id = p_act.id));
  end if;
  return jsonb_build_object(
    'id', p_act.id, 'kind', v_move, 'amountTokens', p_tokens, 'at', instant(p_act.created_at),
    'subject', coalesce(v_subject, ''), 'gatewayPaymentId', v_payment,
    'returnable', case when v_payment is not null then ledger.returnable(v_payment) end);
end
$$;

-- The newest acts that moved a viewer's tokens, between two ids: so many, without those that are as new as `p_end`.
create or replace function ledger.acts_of_wallet(p_viewer uuid, p_first uuid, p_end uuid, p_limit integer) returns uuid[]
language sql stable set enable_seqscan = off set enable_bitmapscan = off set enable_sort = off set enable_hashagg = off
as $$
  -- Each account by itself, since only that reads the index in its order and no further than it must.
  select array(
    select journal_id from (
      (select distinct journal_id from ledger.entries
        where account_id = ledger.known_account('viewer_tokens', p_viewer)
          and journal_id >= p_first and journal_id < p_end
        order by journal_id desc limit p_limit)
      union
      (select distinct journal_id from ledger.entries
        where account_id = ledger.known_account('viewer_promo', p_viewer)
          and journal_id >= p_first and journal_id < p_end
        order by journal_id desc limit p_limit)
    ) acts
    order by journal_id desc limit p_limit)
$$;

-- A page of it, newest first, one row for each act: of one kind of move or of all, of India's days from `p_from` to
-- `p_to`, behind the row `p_before`.
create or replace function ledger.statement(
  p_viewer uuid, p_move text, p_from date, p_to date, p_before uuid, p_limit integer
) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  c_acts constant integer := 500;
  v_accounts uuid[] := array[
    ledger.known_account('viewer_tokens', p_viewer), ledger.known_account('viewer_promo', p_viewer)];
  v_first uuid := coalesce(
    uuid_v7_floor(p_from::timestamp at time zone 'Asia/Kolkata'), '00000000-0000-0000-0000-000000000000');
  v_end uuid := least(p_before,
    uuid_v7_floor((p_to + 1)::timestamp at time zone 'Asia/Kolkata'), 'ffffffff-ffff-ffff-ffff-ffffffffffff');
  v_acts uuid[];
  v_act ledger.journal;
  v_tokens bigint;
  v_rows jsonb[] := '{}';
begin
  loop
    v_acts := ledger.acts_of_wallet(p_viewer, v_first, v_end, c_acts);
    foreach v_end in array v_acts loop
      select * into strict v_act from ledger.journal where id = v_end;
      continue when ledger.move_of(v_act.kind) <> p_move;
      v_tokens := (
        select -sum(amount) from ledger.entries where journal_id = v_end and account_id = any(v_accounts));
      continue when v_tokens = 0;
      v_rows := v_rows || ledger.statement_row(v_act, v_tokens);
      if cardinality(v_rows) >= p_limit then
        return to_jsonb(v_rows);
      end if;
    end loop;
    exit when cardinality(v_acts) < c_acts;
  end loop;
  return to_jsonb(v_rows);
end
$$;
