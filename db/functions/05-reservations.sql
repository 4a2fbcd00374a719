-- Reservations: holds for private shows, and goals whose tokens wait in escrow.

-- What captured tokens become: burnt, the performer's earnings and the platform's fee, as in a tip. Promotional
-- tokens are found by their lots.
create or replace function ledger.capture_reservation(
  p_act uuid, p_kind text, p_key text, p_fingerprint text, p_result jsonb,
  p_reservation ledger.reservations, p_tokens bigint, p_source text
) returns void
language plpgsql
as $$
declare
  v_policy ledger.fee_policies;
  v_lot record;
  v_before bigint := 0;
  v_take bigint;
  v_share bigint;
  v_paise bigint := 0;
  v_given bigint := 0;
  v_earned bigint;
  v_back ledger.line[] := '{}';
begin
  select * into strict v_policy from ledger.fee_policies
    where valid_from <= now() order by version desc limit 1;
  v_earned := p_tokens * v_policy.payout_paise_per_token;
  for v_lot in
    select r.lot_id, r.tokens, r.paise, l.account_id, l.prepaid_account_id, l.net_paise
      from ledger.reservation_lots r join ledger.lots l on l.id = r.lot_id
      where r.reservation_id = p_reservation.id
      order by l.net_paise > 0, l.expires_at, l.id
  loop
    v_take := greatest(least(v_lot.tokens, p_tokens - v_before), 0);
    v_share := ledger.share_of(v_lot.paise, v_take, v_lot.tokens, v_lot.paise, v_lot.tokens);
    v_before := v_before + v_take;
    v_paise := v_paise + v_share;
    if v_lot.net_paise = 0 then
      v_given := v_given + v_take * v_policy.payout_paise_per_token;
    end if;
    -- What is not captured goes back to its lot.
    if v_take < v_lot.tokens then
      v_back := v_back
        || row(v_lot.account_id, v_take - v_lot.tokens, v_lot.lot_id)::ledger.line
        || row(v_lot.prepaid_account_id, v_share - v_lot.paise, v_lot.lot_id)::ledger.line;
    end if;
  end loop;
  perform ledger.record(p_act, p_kind, p_key, p_fingerprint, p_result,
    ledger.unreserve_lines(p_reservation) || v_back || array[
      ledger.line('tokens_outstanding', null, -p_tokens),
      ledger.line('performer_pending', p_reservation.performer_id, -v_earned),
      ledger.line('platform_revenue', null, v_earned - v_given - v_paise),
      ledger.line('promotion_expense', null, v_given)]);
  insert into ledger.tips (id, source, stream_id, viewer_id, performer_id, amount_tokens, earned_paise, fee_paise,
      fee_policy_version, message, anonymous)
    values (p_act, p_source, p_reservation.stream_id, p_reservation.viewer_id, p_reservation.performer_id,
      p_tokens, v_earned, v_paise - v_earned + v_given, v_policy.version, '', false);
  perform ledger.close_reservation(p_reservation.id, 'captured', p_act);
end
$$;

-- Refuses whoever may not spend tokens on a performer at all, or may not be given any.
create or replace function ledger.require_spender(p_viewer uuid, p_performer uuid, p_tokens bigint)
returns void
language plpgsql
as $$
declare
  v_viewer users;
  v_is_gone boolean;
  v_refusal jsonb;
begin
  select * into v_viewer from users where id = p_viewer;
  if v_viewer.id is null then
    perform refuse('not-found');
  end if;
  perform require_member(p_viewer);
  if p_viewer = p_performer then
    perform refuse('self-tip');
  end if;
  select coalesce(banned_at, erase_at) is not null into v_is_gone from users where id = p_performer;
  if v_is_gone is null then
    perform refuse('not-found');
  elsif v_is_gone then
    perform refuse('performer-unavailable');
  elsif is_related(p_performer, 'block', p_viewer) then
    perform refuse('blocked');
  end if;
  v_refusal := ledger.spending_refusal(p_viewer, p_tokens, v_viewer.created_at);
  if v_refusal is not null then
    perform refuse(v_refusal->>'refused', v_refusal->'details');
  end if;
end
$$;

-- Sets tokens aside for a performer until `p_expires`, when they go back by themselves.
create or replace function ledger.hold(
  p_viewer uuid, p_performer uuid, p_stream uuid, p_tokens bigint, p_expires timestamptz, p_key text
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_key text := 'hold:' || p_viewer || ':' || p_key;
  v_fingerprint text :=
    ledger.fingerprint(p_performer::text, p_stream::text, p_tokens::text, instant_exact(p_expires));
  v_result jsonb := ledger.replay(v_key, v_fingerprint);
  v_act uuid := uuid_v7();
  v_reservation ledger.reservations;
begin
  if v_result is not null then
    return v_result;
  end if;
  if (p_tokens > 0 and p_expires > now()) is not true then
    perform refuse('invalid-request');
  end if;
  perform ledger.lock_wallet(p_viewer);
  perform ledger.require_spender(p_viewer, p_performer, p_tokens);
  if p_stream is not null
    and not exists (select from streams where id = p_stream and performer_id = p_performer) then
    perform refuse('not-found', jsonb_build_object('streamId', p_stream));
  end if;
  v_reservation.purpose := 'hold';
  v_reservation.viewer_id := p_viewer;
  v_reservation.performer_id := p_performer;
  v_reservation.stream_id := p_stream;
  v_reservation.account_id := ledger.account_of('viewer_held', p_viewer);
  v_reservation.tokens := p_tokens;
  v_reservation.expires_at := p_expires;
  v_result := jsonb_build_object('reservationId', v_act, 'tokens', p_tokens, 'replayed', false);
  perform ledger.reserve(v_act, 'hold', v_key, v_fingerprint, v_result, v_reservation);
  return v_result;
end
$$;

-- Locks the viewer of an open reservation and reads it; refuses one that was closed.
create or replace function ledger.open_reservation(p_reservation uuid) returns ledger.reservations
language plpgsql
as $$
declare
  v_reservation ledger.reservations;
begin
  select * into v_reservation from ledger.reservations where id = p_reservation;
  if not found then
    perform refuse('not-found');
  end if;
  perform ledger.lock_viewer(v_reservation.viewer_id);
  select * into v_reservation from ledger.reservations where id = p_reservation;
  if v_reservation.state <> 'open' then
    perform refuse('reservation-closed', jsonb_build_object('state', v_reservation.state));
  end if;
  return v_reservation;
end
$$;

-- Pays so many of the held tokens to the performer; the rest goes back. Once its time is over a hold is as
-- good as released, whether somebody has carried that out yet or not.
create or replace function ledger.hold_captured(p_reservation uuid, p_tokens bigint) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_key text := 'hold-captured:' || p_reservation;
  v_fingerprint text := ledger.fingerprint(p_tokens::text);
  v_result jsonb := ledger.replay(v_key, v_fingerprint);
  v_act uuid := uuid_v7();
  v_reservation ledger.reservations;
begin
  if v_result is not null then
    return v_result;
  end if;
  v_reservation := ledger.open_reservation(p_reservation);
  if (v_reservation.purpose = 'hold' and p_tokens between 1 and v_reservation.tokens) is not true then
    perform refuse('invalid-request');
  end if;
  if v_reservation.expires_at <= now() then
    perform refuse('reservation-closed', jsonb_build_object('state', 'expired'));
  end if;
  v_result := jsonb_build_object('tipId', v_act, 'tokens', p_tokens,
    'releasedTokens', v_reservation.tokens - p_tokens, 'replayed', false);
  perform ledger.capture_reservation(
    v_act, 'hold-captured', v_key, v_fingerprint, v_result, v_reservation, p_tokens, 'hold');
  return v_result;
end
$$;

-- Gives held tokens back.
create or replace function ledger.hold_released(p_reservation uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_key text := 'hold-released:' || p_reservation;
  v_fingerprint text := ledger.fingerprint('');
  v_result jsonb := ledger.replay(v_key, v_fingerprint);
  v_reservation ledger.reservations;
begin
  if v_result is not null then
    return v_result;
  end if;
  -- It may be given back at this moment, by a dispute or because its time is over.
  perform ledger.lock_viewer((select viewer_id from ledger.reservations where id = p_reservation));
  v_result := ledger.replay(v_key, v_fingerprint);
  if v_result is not null then
    return v_result;
  end if;
  v_reservation := ledger.open_reservation(p_reservation);
  if v_reservation.purpose <> 'hold' then
    perform refuse('invalid-request');
  end if;
  v_result := jsonb_build_object('tokens', v_reservation.tokens, 'replayed', false);
  perform ledger.release_reservation(
    uuid_v7(), 'hold-released', v_key, v_fingerprint, v_result, v_reservation);
  return v_result;
end
$$;

create or replace function ledger.open_goal(
  p_performer uuid, p_stream uuid, p_title text, p_target bigint, p_deadline timestamptz
) returns uuid
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_goal uuid;
begin
  if (p_target > 0 and p_deadline > now()) is not true then
    perform refuse('invalid-request');
  end if;
  if not exists (select from users where id = p_performer)
    or (p_stream is not null
      and not exists (select from streams where id = p_stream and performer_id = p_performer)) then
    perform refuse('not-found');
  end if;
  insert into ledger.goals (performer_id, stream_id, title, target_tokens, deadline)
    values (p_performer, p_stream, p_title, p_target, p_deadline)
    returning id into v_goal;
  return v_goal;
end
$$;

-- What a goal has gathered. While it is open that is what its account holds, folded behind the commit: a row of its
-- own would be one queue for all its fans, and a sum over all of them longer with each.
create or replace function ledger.goal_tokens(p_goal uuid) returns bigint
language sql stable set enable_seqscan = off
as $$
  select case when g.state = 'open' then ledger.balance_now('goal_escrow', p_goal)
    else (select coalesce(sum(tokens), 0)::bigint from ledger.reservations
      where goal_id = p_goal and state in ('open', 'captured')) end
    from ledger.goals g where g.id = p_goal
$$;

-- Tokens for a goal; they wait until it is reached, or go back. The one who fills it closes it.
create or replace function ledger.goal_contribution(p_viewer uuid, p_goal uuid, p_tokens bigint, p_key text)
returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_key text := 'goal-contribution:' || p_viewer || ':' || p_key;
  v_fingerprint text := ledger.fingerprint(p_goal::text, p_tokens::text);
  v_result jsonb := ledger.replay(v_key, v_fingerprint);
  v_act uuid := uuid_v7();
  v_goal ledger.goals;
  v_reservation ledger.reservations;
  v_total bigint;
begin
  if v_result is not null then
    return v_result;
  end if;
  -- Without a lock, which all fans of a goal would wait for: what comes while it closes is settled with it.
  select * into v_goal from ledger.goals where id = p_goal;
  if not found then
    perform refuse('not-found');
  end if;
  if v_goal.state <> 'open' or v_goal.deadline <= now() then
    perform refuse('goal-closed', jsonb_build_object('state', v_goal.state));
  end if;
  if p_tokens between 1 and 10000 is not true then
    perform refuse('invalid-request');
  end if;
  perform ledger.lock_wallet(p_viewer);
  perform ledger.require_spender(p_viewer, v_goal.performer_id, p_tokens);
  v_reservation.purpose := 'goal';
  v_reservation.viewer_id := p_viewer;
  v_reservation.performer_id := v_goal.performer_id;
  v_reservation.stream_id := v_goal.stream_id;
  v_reservation.goal_id := p_goal;
  v_reservation.account_id := ledger.account_of('goal_escrow', p_goal);
  v_reservation.tokens := p_tokens;
  v_reservation.expires_at := v_goal.deadline;
  v_result := jsonb_build_object('reservationId', v_act, 'tokens', p_tokens, 'replayed', false);
  perform ledger.reserve(v_act, 'goal-contribution', v_key, v_fingerprint, v_result, v_reservation);
  v_total := ledger.goal_tokens(p_goal);
  return v_result || jsonb_build_object('goalTokens', v_total, 'targetTokens', v_goal.target_tokens,
    'balanceTokens', ledger.spendable(p_viewer));
end
$$;

-- Decides goals that are full, or whose time is over. Answers the goals that it closed.
create or replace function ledger.close_goals(p_limit integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_goal ledger.goals;
  v_state text;
  v_closed jsonb := '[]';
begin
  for v_goal in
    with newer as materialized (
      select account_id, -sum(amount) as tokens from ledger.entries_unsealed() group by account_id
    )
    select g.* from ledger.goals g
      left join ledger.accounts a on a.class = 'goal_escrow' and a.owner_id = g.id
      left join ledger.totals t on t.account_id = a.id
      left join newer n on n.account_id = a.id
      where g.state = 'open'
        and (g.deadline <= now()
          or coalesce(t.credit - t.debit, 0) + coalesce(n.tokens, 0) >= g.target_tokens)
      order by g.deadline limit p_limit
      for update of g skip locked
  loop
    v_state := case when ledger.goal_tokens(v_goal.id) >= v_goal.target_tokens then 'reached' else 'missed' end;
    update ledger.goals set state = v_state, closed_at = now() where id = v_goal.id;
    v_closed := v_closed || jsonb_build_object('goalId', v_goal.id, 'state', v_state);
  end loop;
  return v_closed;
end
$$;

-- Pays contributions of reached goals, gives back those of missed ones, and holds whose time is over.
-- Answers how many reservations it closed.
create or replace function ledger.settle_reservations(p_limit integer) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_id uuid;
  v_reservation ledger.reservations;
  v_goal text;
  v_act uuid;
  v_count integer := 0;
begin
  for v_id in
    select r.id from ledger.reservations r
      left join ledger.goals g on g.id = r.goal_id
      where r.state = 'open'
        and ((r.purpose = 'goal' and g.state <> 'open') or (r.purpose = 'hold' and r.expires_at <= now()))
      order by r.viewer_id, r.id limit p_limit
  loop
    select * into v_reservation from ledger.reservations where id = v_id;
    perform ledger.lock_viewer(v_reservation.viewer_id);
    select * into v_reservation from ledger.reservations where id = v_id;
    continue when v_reservation.state <> 'open';
    v_act := uuid_v7();
    select state into v_goal from ledger.goals where id = v_reservation.goal_id;
    if v_goal = 'reached' then
      perform ledger.capture_reservation(v_act, 'goal-settled', 'goal-settled:' || v_id,
        ledger.fingerprint(''), jsonb_build_object('tokens', v_reservation.tokens), v_reservation,
        v_reservation.tokens, 'goal');
    else
      perform ledger.release_reservation(v_act,
        case v_reservation.purpose when 'goal' then 'goal-refund' else 'hold-released' end,
        case v_reservation.purpose when 'goal' then 'goal-refund:' else 'hold-released:' end || v_id,
        ledger.fingerprint(''), jsonb_build_object('tokens', v_reservation.tokens, 'replayed', false), v_reservation);
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
