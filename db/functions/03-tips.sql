-- Tips: the act that thousands carry out at once. Only the tipper's own rows are locked; the performer's
-- and the platform's sides are appended to, so that a famous performer is never a queue.

-- What a viewer has spent or set aside since a moment, in tokens. What comes back from a reservation counts
-- as unspent from the moment on at which it was set aside: it makes no room on a later day.
create or replace function ledger.spent_since(p_viewer uuid, p_since timestamptz) returns bigint
language sql stable
as $$
  select (
    (select coalesce(sum(e.amount), 0)
      from ledger.accounts a
      join ledger.entries e on e.account_id = a.id and e.journal_id >= uuid_v7_floor(p_since)
      join ledger.journal j on j.id = e.journal_id and j.kind = 'tip'
      where a.class in ('viewer_tokens', 'viewer_promo') and a.owner_id = p_viewer)
    + (select coalesce(sum(case r.state when 'open' then r.tokens else t.amount_tokens end), 0)
      from ledger.reservations r
      left join ledger.tips t on t.id = r.closed_by
      where r.viewer_id = p_viewer and r.created_at >= p_since
        and r.purpose in ('hold', 'goal') and r.state <> 'released'))::bigint
$$;

-- Accounts that were made before this are not new, whatever the rule says: it cannot say more than 720 hours.
create or replace function ledger.surely_grown() returns timestamptz
language sql stable
as $$
  select now() - interval '30 days'
$$;

-- Why a viewer may not spend so many tokens now: the rule for accounts that are new, and the limits that
-- they set themselves. Null when they may.
create or replace function ledger.spending_refusal(p_viewer uuid, p_tokens bigint, p_born timestamptz)
returns jsonb
language plpgsql stable
as $$
declare
  v_limits spending_limits;
  v_young_tokens bigint;
  v_refusal jsonb;
begin
  if p_born > ledger.surely_grown()
    and p_born > now() - make_interval(hours => rule('young_account_hours')::int)
  then
    v_young_tokens := rule('young_account_day_tokens');
    v_refusal := ledger.limit_refusal(
      'new-account-limit', p_viewer, p_tokens, 'day', now() - interval '24 hours', v_young_tokens);
  end if;
  if v_refusal is null and exists (select from spending_limits where user_id = p_viewer) then
    v_limits := limits_in_force(p_viewer);
    v_refusal := coalesce(
      ledger.limit_refusal(
        'spending-limit', p_viewer, p_tokens, 'day', period_start('day', now()), v_limits.day_tokens),
      ledger.limit_refusal(
        'spending-limit', p_viewer, p_tokens, 'month', period_start('month', now()), v_limits.month_tokens));
  end if;
  return v_refusal;
end
$$;

create or replace function ledger.limit_refusal(
  p_code text, p_viewer uuid, p_tokens bigint, p_period text, p_since timestamptz, p_limit bigint
) returns jsonb
language plpgsql stable
as $$
declare
  v_spent bigint;
begin
  if p_limit is not null then
    v_spent := ledger.spent_since(p_viewer, p_since);
    if v_spent + p_tokens > p_limit then
      return ledger.refusal(p_code, jsonb_build_object(
        'period', p_period, 'limitTokens', p_limit, 'spentTokens', v_spent));
    end if;
  end if;
  return null;
end
$$;

-- Whoever has a stream has an account for what it earns, so that the first tips neither wait for each other to
-- open it, nor in a circle for those of several performers.
create or replace function ledger.open_earnings() returns trigger
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
begin
  perform ledger.account_of('performer_pending', new.performer_id);
  return null;
end
$$;

-- One tip. Throws its refusal; answers its receipt, with `event` for the room unless the key was seen before.
--
-- The usual tip, which one lot pays for and against which nothing stands, is written straight from a few looks.
-- Whatever is not usual goes the way of ledger.tip_many(), which could take every tip and is the one to read for
-- what a tip is.
create or replace function ledger.tip(
  p_viewer uuid, p_stream uuid, p_amount bigint, p_message text, p_anonymous boolean, p_key text
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_locked boolean;
  v_key text;
  v_id uuid;
  v_lot record;
  v_paise bigint;
  v_username text;
  v_performer record;
  v_terms record;
  v_house ledger.house;
  v_earned bigint;
  v_event bigint;
  v_news jsonb;
  v_receipt jsonb;
  v_plan ledger.planned_tip;
begin
  -- The lock of ledger.lock_viewer(), in an expression, since a statement would take longer than all that it does.
  -- It comes before the look for a replay: of two equal requests the second waits here, and then sees what the first
  -- has done.
  v_locked := pg_advisory_xact_lock(ledger.lock_of(p_viewer)) is not null;
  v_key := ledger.tip_key(p_viewer, p_key);
  select id, account_id, prepaid_account_id, tokens_left, paise_left, tokens, net_paise,
      sum(tokens_left) over ()::bigint as balance
    into v_lot from ledger.lots
    where owner_id = p_viewer and open and coalesce(expires_at, 'infinity') > now()
    order by net_paise > 0, expires_at, id limit 1;
  select username into v_username from users
    where id = p_viewer and banned_at is null and erase_at is null and email_verified_at is not null
      and created_at < ledger.surely_grown()
      and not exists (select from spending_limits where user_id = p_viewer)
      and not exists (select from ledger.journal where idempotency_key = v_key);
  select s.performer_id as id, a.id as account_id into v_performer
    from streams s
    join users p on p.id = s.performer_id and p.banned_at is null and p.erase_at is null
    join ledger.accounts a on a.class = 'performer_pending' and a.owner_id = s.performer_id
    where s.id = p_stream and s.state = 'live' and s.performer_id <> p_viewer
      and not exists (select from relations where from_id = s.performer_id and kind = 'block' and to_id = p_viewer);
  select version, payout_paise_per_token as rate into v_terms from ledger.fee_policies
    where valid_from <= now() order by version desc limit 1;
  select * into v_house from ledger.house;
  v_earned := least(p_amount, 10000) * v_terms.rate;
  v_paise := ledger.share_of(v_lot.paise_left, least(p_amount, v_lot.tokens_left), v_lot.tokens_left,
    v_lot.net_paise, v_lot.tokens);
  if (p_amount between 1 and 10000 and v_lot.tokens_left >= p_amount and v_lot.net_paise > 0
    and v_paise > v_earned and v_username is not null and v_performer.id is not null) is not true
  then
    v_plan := ledger.plan_tip(p_viewer, p_stream, p_amount, p_message, p_anonymous, p_key);
    if v_plan.id is not null then
      perform ledger.write_tips(array[v_plan]);
    elsif v_plan.answer ? 'refused' then
      perform refuse(v_plan.answer->>'refused', v_plan.answer->'details');
    end if;
    return v_plan.answer;
  end if;

  v_id := uuid_v7();
  insert into events (stream_id, type, data)
    values (p_stream, 'tip.received',
      ledger.tip_news(v_id, p_viewer, v_username, p_amount, p_message, p_anonymous))
    returning id, data into v_event, v_news;
  insert into ledger.journal (id, kind, idempotency_key, fingerprint, result)
    values (v_id, 'tip', v_key, ledger.tip_fingerprint(p_stream, p_amount, p_message, p_anonymous),
      ledger.tip_receipt(v_id, v_event, p_amount, v_lot.balance - p_amount))
    returning result into v_receipt;
  insert into ledger.entries (journal_id, line, account_id, currency, amount, lot_id) values
    (v_id, 1, v_lot.account_id, 'TOKEN', p_amount, v_lot.id),
    (v_id, 2, v_lot.prepaid_account_id, 'INR', v_paise, v_lot.id),
    (v_id, 3, v_house.outstanding, 'TOKEN', -p_amount, null),
    (v_id, 4, v_performer.account_id, 'INR', -v_earned, null),
    (v_id, 6, v_house.revenue, 'INR', v_earned - v_paise, null);
  insert into ledger.tips (id, stream_id, viewer_id, performer_id, amount_tokens, earned_paise, fee_paise,
      fee_policy_version, message, anonymous, event_id)
    values (v_id, p_stream, p_viewer, v_performer.id, p_amount, v_earned, v_paise - v_earned, v_terms.version,
      p_message, p_anonymous, v_event);
  return v_receipt || ledger.tip_event(v_event, p_stream, v_news);
end
$$;

-- What a tip leaves behind, the same whichever way it was written.

create or replace function ledger.tip_key(p_viewer uuid, p_key text) returns text
language sql immutable parallel safe
as $$
  select 'tip:' || p_viewer || ':' || p_key
$$;

create or replace function ledger.tip_fingerprint(
  p_stream uuid, p_amount bigint, p_message text, p_anonymous boolean
) returns text
language sql stable parallel safe
as $$
  select encode(sha256(convert_to(
    jsonb_build_array(p_stream, p_amount, p_message, p_anonymous)::text, 'UTF8')), 'hex')
$$;

create or replace function ledger.tip_receipt(p_id uuid, p_event bigint, p_amount bigint, p_balance bigint)
returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'tipId', p_id, 'eventId', p_event, 'amountTokens', p_amount, 'balanceTokens', p_balance, 'replayed', false)
$$;

create or replace function ledger.tip_news(
  p_id uuid, p_viewer uuid, p_username text, p_amount bigint, p_message text, p_anonymous boolean
) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object(
    'tipId', p_id,
    'userId', case when not p_anonymous then p_viewer end,
    'username', case when not p_anonymous then p_username end,
    'amountTokens', p_amount,
    'message', p_message)
$$;

-- Beside the receipt in the answer to whoever wrote the tip, so that they tell the room.
create or replace function ledger.tip_event(p_event bigint, p_stream uuid, p_news jsonb) returns jsonb
language sql stable parallel safe
as $$
  select jsonb_build_object('event', event_json(
    row(p_event, p_stream, 'tip.received', p_news, now(), null)::events))
$$;

-- The fee policy in force, and the accounts of the house that a tip posts to.
create or replace function ledger.tip_terms(
  out policy integer, out rate bigint, out outstanding uuid, out revenue uuid, out promotion uuid
)
language sql stable parallel safe
as $$
  select f.version, f.payout_paise_per_token, h.outstanding, h.revenue, h.promotion
    from ledger.fee_policies f, ledger.house h
    where f.valid_from <= now() order by f.version desc limit 1
$$;

-- Many tips in one commit; each succeeds or is refused by itself. A request is
-- `{ viewerId, streamId, amountTokens, message, anonymous, idempotencyKey }`; the answers come in the
-- order of the requests: a receipt, with `event` for the room unless the key was seen before, or
-- `{ refused, details }`.
--
-- Whose lock does not come soon holds up all others that come with it, so nobody waits for long: the caller tries
-- them one by one.
create or replace function ledger.tip_many(p_requests jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
  set lock_timeout = '1s'
as $$
declare
  v_answers jsonb[] := '{}';
  v_viewer uuid;
  v_viewers uuid[] := '{}';
  r record;
  v_plan ledger.planned_tip;
  v_plans ledger.planned_tip[] := '{}';
begin
  -- All viewers are locked before the first tip is looked at, and in one order for all callers, so that
  -- none waits for another in a circle.
  for v_viewer in
    select distinct (request->>'viewerId')::uuid from jsonb_array_elements(p_requests) request order by 1
  loop
    perform ledger.lock_viewer(v_viewer);
  end loop;
  for r in
    select * from jsonb_to_recordset(p_requests) as q (
      "viewerId" uuid, "streamId" uuid, "amountTokens" bigint, message text, anonymous boolean,
      "idempotencyKey" text)
  loop
    -- A plan goes by what is written: a viewer's second tip comes after the first.
    if r."viewerId" = any (v_viewers) then
      perform ledger.write_tips(v_plans);
      v_plans := '{}';
      v_viewers := '{}';
    end if;
    v_plan := ledger.plan_tip(r."viewerId", r."streamId", r."amountTokens", r.message, r.anonymous,
      r."idempotencyKey");
    v_answers := v_answers || v_plan.answer;
    if v_plan.id is not null then
      v_plans := v_plans || v_plan;
      v_viewers := v_viewers || v_plan.viewer_id;
    end if;
  end loop;
  perform ledger.write_tips(v_plans);
  return to_jsonb(v_answers);
end
$$;

-- What one tip would write; only `answer` when it is refused, or its key was seen before. The viewer is locked.
create or replace function ledger.plan_tip(
  p_viewer uuid, p_stream uuid, p_amount bigint, p_message text, p_anonymous boolean, p_key text
) returns ledger.planned_tip
language plpgsql
as $$
declare
  v_plan ledger.planned_tip;
  v_seen record;
  v_viewer record;
  v_stream record;
  v_terms record;
  v_lot record;
  v_available bigint := 0;
  v_need bigint := p_amount;
  v_take bigint;
  v_share bigint;
  v_paise bigint := 0;
  v_given bigint := 0;
begin
  v_plan.key := ledger.tip_key(p_viewer, p_key);
  v_plan.fingerprint := ledger.tip_fingerprint(p_stream, p_amount, p_message, p_anonymous);
  select fingerprint, result into v_seen from ledger.journal where idempotency_key = v_plan.key;
  if found then
    v_plan.answer := case when v_seen.fingerprint = v_plan.fingerprint
      then v_seen.result || '{"replayed": true}' else ledger.refusal('idempotency-key-reused') end;
    return v_plan;
  end if;

  select t.* into strict v_terms from ledger.tip_terms() t;
  v_plan.accounts := '{}';
  v_plan.amounts := '{}';
  v_plan.lots := '{}';
  -- What nobody paid for is spent first, and of that what expires first; then the oldest.
  for v_lot in
    select id, account_id, prepaid_account_id, tokens_left, paise_left, tokens, net_paise from ledger.lots
      where owner_id = p_viewer and open and coalesce(expires_at, 'infinity') > now()
      order by net_paise > 0, expires_at, id
  loop
    v_available := v_available + v_lot.tokens_left;
    continue when v_need = 0;
    v_take := least(v_need, v_lot.tokens_left);
    v_share := ledger.share_of(v_lot.paise_left, v_take, v_lot.tokens_left, v_lot.net_paise, v_lot.tokens);
    v_plan.accounts := v_plan.accounts || array[v_lot.account_id, v_lot.prepaid_account_id];
    v_plan.amounts := v_plan.amounts || array[v_take, v_share];
    v_plan.lots := v_plan.lots || array[v_lot.id, v_lot.id];
    v_paise := v_paise + v_share;
    if v_lot.net_paise = 0 then
      v_given := v_given + v_take * v_terms.rate;
    end if;
    v_need := v_need - v_take;
  end loop;

  select username, account_refusal(u) as refusal, created_at into v_viewer from users u where id = p_viewer;
  select s.performer_id, s.state, coalesce(p.banned_at, p.erase_at) is not null as is_gone into v_stream
    from streams s join users p on p.id = s.performer_id where s.id = p_stream;
  v_plan.answer := case
    when v_viewer.username is null or v_stream.state is null then
      ledger.refusal('not-found', jsonb_build_object('streamId', p_stream))
    when v_viewer.refusal is not null then ledger.refusal(v_viewer.refusal)
    when v_stream.performer_id = p_viewer then ledger.refusal('self-tip')
    when v_stream.is_gone then ledger.refusal('performer-unavailable')
    when is_related(v_stream.performer_id, 'block', p_viewer) then ledger.refusal('blocked')
    when v_stream.state <> 'live' then
      ledger.refusal('stream-not-live', jsonb_build_object('state', v_stream.state))
    when p_amount between 1 and 10000 is not true then ledger.refusal('invalid-request')
    when v_need > 0 then
      ledger.refusal('insufficient-balance', jsonb_build_object(
        'neededTokens', p_amount, 'availableTokens', v_available))
    else ledger.spending_refusal(p_viewer, p_amount, v_viewer.created_at)
  end;
  if v_plan.answer is not null then
    return v_plan;
  end if;

  v_plan.id := uuid_v7();
  v_plan.event_id := nextval('events_id_seq');
  v_plan.stream_id := p_stream;
  v_plan.viewer_id := p_viewer;
  v_plan.performer_id := v_stream.performer_id;
  v_plan.amount := p_amount;
  v_plan.message := p_message;
  v_plan.anonymous := p_anonymous;
  v_plan.policy := v_terms.policy;
  v_plan.earned := p_amount * v_terms.rate;
  -- The performer's share of tokens that nobody paid for is the platform's expense; what was paid for the
  -- others beyond it is the platform's fee.
  v_plan.fee := v_paise - v_plan.earned + v_given;
  -- Tokens stand on odd lines, money on even ones.
  v_plan.accounts := v_plan.accounts
    || array[v_terms.outstanding, ledger.account_of('performer_pending', v_plan.performer_id),
      null, v_terms.revenue, null, v_terms.promotion];
  v_plan.amounts := v_plan.amounts || array[-p_amount, -v_plan.earned, 0, -v_plan.fee, 0, v_given];
  v_plan.receipt := ledger.tip_receipt(v_plan.id, v_plan.event_id, p_amount, v_available - p_amount);
  v_plan.news := ledger.tip_news(v_plan.id, p_viewer, v_viewer.username, p_amount, p_message, p_anonymous);
  v_plan.answer := v_plan.receipt || ledger.tip_event(v_plan.event_id, p_stream, v_plan.news);
  return v_plan;
end
$$;

-- Writes planned tips: one statement for each table, whatever their number.
create or replace function ledger.write_tips(p_plans ledger.planned_tip[]) returns void
language plpgsql
as $$
begin
  if cardinality(p_plans) = 0 then
    return;
  end if;
  insert into events (id, stream_id, type, data) overriding system value
    select event_id, stream_id, 'tip.received', news from unnest(p_plans);
  insert into ledger.journal (id, kind, idempotency_key, fingerprint, result)
    select id, 'tip', key, fingerprint, receipt from unnest(p_plans);
  insert into ledger.entries (journal_id, line, account_id, currency, amount, lot_id)
    select p.id, l.line, l.account_id, case l.line % 2 when 1 then 'TOKEN' else 'INR' end, l.amount, l.lot_id
      from unnest(p_plans) p,
        unnest(p.accounts, p.amounts, p.lots) with ordinality as l (account_id, amount, lot_id, line)
      where l.amount <> 0;
  insert into ledger.tips (id, stream_id, viewer_id, performer_id, amount_tokens, earned_paise, fee_paise,
      fee_policy_version, message, anonymous, event_id)
    select id, stream_id, viewer_id, performer_id, amount, earned, fee, policy, message, anonymous, event_id
      from unnest(p_plans);
end
$$;
