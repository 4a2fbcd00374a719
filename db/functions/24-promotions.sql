-- Promotions: tokens as a gift of the platform. Nobody paid for them, and a performer earns with them: one of the
-- staff alone gives few a day, and more takes a second one.

-- The most tokens of one promotion, whoever agrees.
create or replace function ledger.promotion_tokens_max() returns bigint
language sql immutable
as $$
  select 100000
$$;

-- How a promotion stands, as whoever asked for it is told.
create or replace function ledger.promotion_json(p_promotion ledger.promotions, p_replayed boolean) returns jsonb
language sql immutable
as $$
  select jsonb_build_object('id', p_promotion.id, 'state', p_promotion.state, 'lotId', p_promotion.journal_id,
    'tokens', p_promotion.tokens, 'replayed', p_replayed)
$$;

-- Puts the tokens into the viewer's wallet. Answers the act, which is their lot. The wallet is locked.
create or replace function ledger.give_promotion(p_promotion ledger.promotions, p_key text, p_fingerprint text)
returns uuid
language plpgsql
as $$
declare
  v_act uuid := uuid_v7();
  v_viewer uuid := p_promotion.viewer_id;
begin
  perform ledger.open_lot(v_act, v_viewer, 'viewer_promo', p_promotion.tokens, 0, 0, p_promotion.expires_at);
  perform ledger.record(v_act, 'promotion', p_key, p_fingerprint,
    jsonb_build_object('id', p_promotion.id, 'state', 'given', 'lotId', v_act, 'tokens', p_promotion.tokens,
      'replayed', false),
    array[
      ledger.line('viewer_promo', v_viewer, -p_promotion.tokens, v_act),
      ledger.line('tokens_outstanding', null, p_promotion.tokens)]);
  return v_act;
end
$$;

-- Gives tokens to a viewer: at once while what nobody else has looked at stays within the rules, for the giver and
-- for the viewer, on a day of India's; beyond them it is a proposal and a case.
create or replace function ledger.promotion_granted(
  p_staff uuid, p_viewer uuid, p_tokens bigint, p_expires timestamptz, p_reason text, p_key text
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_key text := 'promotion:' || p_staff || ':' || p_key;
  v_fingerprint text := ledger.fingerprint(p_viewer::text, p_tokens::text, instant_exact(p_expires), p_reason);
  v_result jsonb := ledger.replay(v_key, v_fingerprint);
  v_made ledger.promotions;
  v_today timestamptz;
begin
  if v_result is not null then
    -- Those that were given before there were proposals say less.
    return jsonb_build_object('id', v_result->'lotId', 'state', 'given') || v_result;
  end if;
  select * into v_made from ledger.promotions where proposed_by = p_staff and idempotency_key = p_key;
  if found then
    if (v_made.viewer_id, v_made.tokens, v_made.expires_at, v_made.reason)
      is distinct from (p_viewer, p_tokens, p_expires, p_reason)
    then
      perform refuse('idempotency-key-reused');
    end if;
    return ledger.promotion_json(v_made, true);
  end if;
  perform require_permission(p_staff, 'move-money');
  if not exists (select from users where id = p_viewer) then
    perform refuse('not-found');
  end if;
  if p_viewer = p_staff then
    perform refuse('second-person-needed');
  end if;
  if (p_tokens between 1 and ledger.promotion_tokens_max() and p_expires > now()) is not true then
    perform refuse('invalid-request');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('promotions:' || p_staff, 0));
  perform ledger.lock_wallet(p_viewer);
  v_made := row(uuid_v7(), p_viewer, p_tokens, p_expires, p_reason, p_staff, null, 'proposed', p_key, null,
    clock_timestamp(), null);
  v_today := period_start('day', v_made.created_at);
  if p_tokens + (select coalesce(sum(tokens), 0) from ledger.promotions
        where proposed_by = p_staff and created_at >= v_today and state = 'given') <= rule('promotion_staff_day_tokens')
    and p_tokens + (select coalesce(sum(tokens), 0) from ledger.promotions
        where viewer_id = p_viewer and created_at >= v_today and state = 'given') <= rule('promotion_viewer_day_tokens')
  then
    v_made.state := 'given';
    v_made.journal_id := ledger.give_promotion(v_made, v_key, v_fingerprint);
  end if;
  insert into ledger.promotions select v_made.*;
  if v_made.state = 'proposed' then
    perform open_case('promotion-proposed', v_made.id::text, jsonb_build_object(
      'viewerId', p_viewer, 'tokens', p_tokens, 'reason', p_reason, 'proposedBy', p_staff));
  end if;
  perform audit(case v_made.state when 'given' then 'promotion.granted' else 'promotion.proposed' end, p_staff,
    p_viewer::text, jsonb_build_object('id', v_made.id, 'tokens', p_tokens, 'reason', p_reason));
  return ledger.promotion_json(v_made, false);
end
$$;

-- Another of the staff, who is not the viewer either, lets a proposal go; anybody of them rejects it.
create or replace function ledger.promotion_decided(p_promotion uuid, p_staff uuid, p_approve boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_made ledger.promotions;
  v_state text := case when p_approve then 'approved' else 'rejected' end;
begin
  perform require_permission(p_staff, 'move-money');
  select * into v_made from ledger.promotions where id = p_promotion for no key update;
  if not found then
    perform refuse('not-found');
  end if;
  if v_made.state <> 'proposed' then
    if v_made.decided_by = p_staff and v_made.state = v_state then
      return ledger.promotion_json(v_made, true);
    end if;
    perform refuse('already-decided', jsonb_build_object('state', v_made.state));
  end if;
  if p_approve then
    if p_staff in (v_made.proposed_by, v_made.viewer_id) then
      perform refuse('second-person-needed');
    end if;
    if v_made.expires_at <= now() then
      perform refuse('already-decided', jsonb_build_object('state', 'expired'));
    end if;
    perform ledger.lock_wallet(v_made.viewer_id);
    v_made.journal_id := ledger.give_promotion(v_made, 'promotion-approved:' || p_promotion,
      ledger.fingerprint(v_made.viewer_id::text, v_made.tokens::text));
  end if;
  update ledger.promotions set state = v_state, decided_by = p_staff, decided_at = now(),
      journal_id = v_made.journal_id
    where id = p_promotion returning * into v_made;
  update cases set state = 'resolved', resolution = case when p_approve then 'Approved.' else 'Rejected.' end,
      resolved_by = p_staff, resolved_at = now()
    where kind = 'promotion-proposed' and subject = p_promotion::text and state = 'open';
  perform audit('promotion.' || v_state, p_staff, v_made.viewer_id::text,
    jsonb_build_object('id', p_promotion, 'tokens', v_made.tokens));
  return ledger.promotion_json(v_made, false);
end
$$;

-- Takes back promotional tokens whose time is over. Answers how many lots it closed.
create or replace function ledger.expire_promotions(p_limit integer) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_lot ledger.lots;
  v_id uuid;
  v_owner uuid;
  v_act uuid;
  v_count integer := 0;
begin
  for v_id, v_owner in
    select id, owner_id from ledger.lots where open and expires_at <= now() order by owner_id, id limit p_limit
  loop
    perform ledger.lock_viewer(v_owner);
    select * into v_lot from ledger.lots where id = v_id;
    continue when v_lot.tokens_left = 0;
    v_act := uuid_v7();
    perform ledger.record(v_act, 'promotion-expired', 'promotion-expired:' || v_act,
      ledger.fingerprint(v_id::text), jsonb_build_object('lotId', v_id, 'tokens', v_lot.tokens_left), array[
        ledger.line('viewer_promo', v_owner, v_lot.tokens_left, v_id),
        ledger.line('tokens_outstanding', null, -v_lot.tokens_left)]);
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
