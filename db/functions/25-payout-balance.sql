-- The account that payouts are paid from: what the gateway says is left in it, against what the books moved since it
-- was last asked. What is on its way is not known to the paisa, so that both are bounds, which narrow with every answer.

-- The last place in the chain: acts up to it were booked before the gateway is asked.
create or replace function payout_balance_asked() returns bigint
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select coalesce((select position from ledger.sealed order by position desc limit 1), 0)
$$;

-- What acts since a moment moved in the account, with their places in the chain; null where they have none yet.
create or replace function payout_balance_moves(p_since timestamptz) returns table (place bigint, paise bigint)
language sql stable set enable_seqscan = off
as $$
  select (select s.position from ledger.sealed s where s.journal_id = e.journal_id), sum(e.amount)::bigint
    from ledger.entries e
    join ledger.journal j on j.id = e.journal_id and j.kind in ('payout-paid', 'payout-reversed', 'validation-paid')
    where e.account_id = ledger.known_account('bank', null) and e.journal_id >= uuid_v7_floor(p_since)
    group by e.journal_id
$$;

-- The most that the gateway may have taken for what the books have not booked yet: payouts on their way, and checks
-- of accounts, each with the highest fee there is.
create or replace function payout_balance_open(p_fee_max bigint default 2000) returns bigint
language sql stable
as $$
  select (select coalesce(sum(amount_paise - tds_paise + p_fee_max), 0) from payouts where state = 'sending')::bigint
    + (select count(*) * p_fee_max from payout_accounts where next_attempt_at is not null and attempts > 0)
$$;

-- Takes what the gateway said, asked when the chain had reached a place. More or less than the books can explain is a
-- case, and what is told next is compared with this. Answers by how much it differs.
create or replace function payout_balance_told(p_balance bigint, p_position bigint) returns bigint
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_last payout_balances;
  v_id uuid := uuid_v7();
  v_moved bigint;
  v_taken bigint;
  v_given bigint;
  v_least bigint;
  v_most bigint;
  v_differs bigint := 0;
begin
  perform pg_advisory_xact_lock(hashtextextended('payout-balance', 0));
  select * into v_last from payout_balances order by id desc limit 1;
  -- An act is sealed within seconds; one that began long before is looked at all the same.
  select coalesce(sum(m.paise) filter (where m.place > v_last.position and m.place <= p_position), 0),
      coalesce(-sum(m.paise) filter (where m.paise < 0 and (m.place <= p_position) is not true), 0),
      coalesce(sum(m.paise) filter (where m.paise > 0 and (m.place <= p_position) is not true), 0)
    into v_moved, v_taken, v_given
    from payout_balance_moves(coalesce(v_last.created_at, now()) - interval '1 day') m;
  v_least := p_balance - v_given;
  v_most := p_balance + v_taken + payout_balance_open();
  if v_least > v_last.most_paise + v_moved then
    v_differs := v_least - v_last.most_paise - v_moved;
  elsif v_most < v_last.least_paise + v_moved then
    v_differs := v_most - v_last.least_paise - v_moved;
  elsif v_last.id is not null then
    v_least := greatest(v_least, v_last.least_paise + v_moved);
    v_most := least(v_most, v_last.most_paise + v_moved);
  end if;
  insert into payout_balances (id, balance_paise, least_paise, most_paise, position)
    values (v_id, p_balance, v_least, v_most, p_position);
  if v_differs <> 0 then
    perform open_case('payout-balance-differs', v_id::text, jsonb_build_object(
      'differsPaise', v_differs, 'balancePaise', p_balance, 'balanceBeforePaise', v_last.balance_paise,
      'movedPaise', v_moved, 'since', instant(v_last.created_at)));
  end if;
  return v_differs;
end
$$;
