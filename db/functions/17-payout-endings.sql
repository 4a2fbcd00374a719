-- Endings of payouts that nobody sends any more: those that grew too old, because the gateway forgets keys, and those
-- that are held with an attempt in the dark. What became of them is found out by staff. Whoever calls these has
-- asked the gateway first.

-- A payout as it is looked for at the gateway.
create or replace function payout_to_look_for(p_payout uuid) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
  v_answer jsonb;
begin
  select payout_json(p) || jsonb_build_object('gatewayFundAccountId', a.gateway_fund_account_id) into v_answer
    from payouts p join payout_accounts a on a.id = p.payout_account_id where p.id = p_payout;
  if v_answer is null then
    perform refuse('not-found');
  end if;
  return v_answer;
end
$$;

-- The open case, the oldest if there are two, of a payout that nobody sends and of which the gateway has told nothing.
create or replace function ledger.case_of_doubt(p_payout payouts) returns cases
language plpgsql
as $$
declare
  v_case cases;
begin
  select * into v_case from cases
    where kind in ('payout-too-old-to-send', 'payout-held-in-doubt') and subject = p_payout.id::text
      and state = 'open'
    order by created_at limit 1 for no key update;
  if v_case.id is null or p_payout.state <> 'sending' or p_payout.gateway_payout_id is not null then
    perform refuse('payout-not-in-doubt', jsonb_build_object('state', p_payout.state));
  end if;
  return v_case;
end
$$;

-- The case is resolved by staff, and the other one with it where there are two.
create or replace function ledger.doubt_ended(p_case cases, p_staff uuid, p_resolution text) returns void
language sql
as $$
  update cases set state = 'resolved', resolution = p_resolution, resolved_by = p_staff, resolved_at = now()
    where id = p_case.id
      or (kind in ('payout-too-old-to-send', 'payout-held-in-doubt') and subject = p_case.subject and state = 'open')
$$;

-- One of the staff says that it never went out; where it was large enough to need an approval, it takes another one
-- to say so as well. The money is available again. Not before its waiting time is over: a request that was sent
-- last may still be carried out. One that failed without a number of the gateway ended here.
create or replace function ledger.payout_never_sent(p_payout uuid, p_staff uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_payout payouts := ledger.payout_for_staff(p_payout, p_staff);
  v_case cases;
  v_from timestamptz;
  v_said jsonb;
  v_needed integer;
begin
  if v_payout.state = 'failed' and v_payout.gateway_payout_id is null then
    return payout_json(v_payout) || '{"replayed": true}';
  end if;
  v_case := ledger.case_of_doubt(v_payout);
  v_from := v_case.created_at + make_interval(hours => rule('payout_unsent_hours')::int);
  if (v_from <= now()) is not true then
    perform refuse('payout-in-doubt', jsonb_build_object('from', instant(v_from)));
  end if;
  v_said := coalesce(v_case.details->'neverSent', '[]');
  if v_said @> jsonb_build_array(jsonb_build_object('by', p_staff)) then
    perform refuse('second-person-needed');
  end if;
  v_said := v_said || jsonb_build_object('by', p_staff, 'at', instant(now()), 'reason', p_reason);
  update cases set details = details || jsonb_build_object('neverSent', v_said) where id = v_case.id;
  v_needed := case when v_payout.approvals_needed > 0
    or v_payout.amount_paise > coalesce(rule('payout_auto_max_paise'), 0) then 2 else 1 end;
  perform audit('payout.never-sent', p_staff, p_payout::text,
    jsonb_build_object('reason', p_reason, 'said', jsonb_array_length(v_said), 'needed', v_needed));
  if jsonb_array_length(v_said) >= v_needed then
    perform ledger.payout_returned(v_payout, 'payout-failed');
    update payouts set state = 'failed', failure = 'It never went out.', ended_at = now(), next_attempt_at = null
      where id = p_payout returning * into v_payout;
    perform ledger.doubt_ended(v_case, p_staff, 'It never went out: ' || p_reason);
  end if;
  return payout_json(v_payout) || '{"replayed": false}';
end
$$;

-- One of the staff has found it: what the gateway says of that payout is told as if the gateway had told it itself,
-- and it is followed from there.
create or replace function ledger.payout_found(p_payout uuid, p_staff uuid, p_reason text, p_facts jsonb)
returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_payout payouts := ledger.payout_for_staff(p_payout, p_staff);
  v_gateway_id text := p_facts->>'gatewayPayoutId';
  v_case cases;
  v_answer jsonb;
begin
  if v_payout.gateway_payout_id = v_gateway_id then
    return payout_json(v_payout) || '{"replayed": true}';
  end if;
  v_case := ledger.case_of_doubt(v_payout);
  if exists (select from payouts where gateway_payout_id = v_gateway_id) then
    perform refuse('payout-mismatch', jsonb_build_object('gatewayPayoutId', v_gateway_id));
  end if;
  v_answer := payout_observed(p_facts || jsonb_build_object('payoutId', p_payout));
  if v_answer ? 'refused' then
    return v_answer;
  end if;
  perform ledger.doubt_ended(v_case, p_staff, 'It went out as ' || v_gateway_id || ': ' || p_reason);
  -- Where the gateway has told of it before anybody could know whose it is.
  perform close_case('payout-unknown', v_gateway_id, 'It is payout ' || p_payout || '.');
  perform audit('payout.found', p_staff, p_payout::text,
    jsonb_build_object('reason', p_reason, 'gatewayPayoutId', v_gateway_id));
  return v_answer || '{"replayed": false}';
end
$$;
