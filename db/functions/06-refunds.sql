-- Refunds: unspent tokens given back for what was paid for them, with its tax. A request reserves the tokens,
-- somebody else approves it, a job sends it, and the gateway says what became of it.

create or replace function refund_json(p_refund refunds) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', p_refund.id, 'gatewayPaymentId', p_refund.gateway_payment_id, 'userId', p_refund.user_id,
    'tokens', p_refund.tokens, 'netPaise', p_refund.net_paise, 'gstPaise', p_refund.gst_paise,
    'amountPaise', p_refund.net_paise + p_refund.gst_paise, 'state', p_refund.state,
    'reason', p_refund.reason, 'requestedBy', p_refund.requested_by,
    'gatewayRefundId', p_refund.gateway_refund_id, 'createdAt', instant(p_refund.created_at))
$$;

-- Takes tokens of a lot as returned, with the tax that they carry. Negative numbers give them back.
create or replace function ledger.return_gst(p_lot uuid, p_tokens bigint, p_gst bigint) returns void
language sql
as $$
  update ledger.lots set tokens_returned = tokens_returned + p_tokens, gst_left = gst_left - p_gst
    where id = p_lot
$$;

-- The tax of tokens that are about to leave their lot for this price: their share of what is left, and all of them
-- together all of it. Where price and tax are both rounded down the tax makes up for it, so that what stays behind
-- is never worth a paisa more than its part of the payment.
create or replace function ledger.gst_with(p_lot ledger.lots, p_tokens bigint, p_net bigint) returns bigint
language sql immutable
as $$
  select s.gst + (p_lot.gst_left > s.gst
      and (p_lot.paise_left - p_net) * p_lot.tokens - p_lot.net_paise * (p_lot.tokens_left - p_tokens)
        + (p_lot.gst_left - s.gst) * p_lot.tokens
        - p_lot.gst_paise * (p_lot.tokens - p_lot.tokens_returned - p_tokens)
        >= p_lot.tokens)::int
    from (
      select ledger.share_of(p_lot.gst_left, p_tokens, p_lot.tokens - p_lot.tokens_returned, p_lot.gst_paise,
        p_lot.tokens) as gst
    ) s
$$;

-- What giving tokens of a payment back brings at this moment: so many of them, or all that are unspent; with
-- `obstacle` none can be given back. Pages are told by it what the act then does.
create or replace function ledger.refund_quote(
  p_payment payments, p_tokens bigint, p_is_buyer boolean,
  out tokens bigint, out unspent_tokens bigint, out net_paise bigint, out gst_paise bigint, out obstacle text
)
language plpgsql stable
as $$
declare
  v_lot ledger.lots;
begin
  select * into v_lot from ledger.lots where id = p_payment.journal_id;
  unspent_tokens := coalesce(v_lot.tokens_left, 0);
  tokens := coalesce(p_tokens, unspent_tokens);
  net_paise := 0;
  gst_paise := 0;
  if tokens between 1 and unspent_tokens then
    net_paise := ledger.share_of(v_lot.paise_left, tokens, v_lot.tokens_left, v_lot.net_paise, v_lot.tokens);
    gst_paise := ledger.gst_with(v_lot, tokens, net_paise);
  end if;
  obstacle := case
    when v_lot.id is null then 'not-captured'
    when p_is_buyer and p_payment.captured_at < now() - make_interval(days => rule('refund_window_days')::int)
      then 'too-late'
    when exists (
      select from disputes d where d.gateway_payment_id = p_payment.gateway_payment_id and d.closed_at is null)
      then 'disputed'
    when tokens < 1 or tokens > unspent_tokens then 'spent'
    -- Money may have gone back for tokens that were held meanwhile, and are unspent again now.
    when net_paise + gst_paise > p_payment.amount_paise
        - (select coalesce(sum(r.net_paise + r.gst_paise), 0) from refunds r
            where r.gateway_payment_id = p_payment.gateway_payment_id and r.state not in ('rejected', 'failed'))
        - (select coalesce(sum(d.amount_paise), 0) from disputes d
            where d.gateway_payment_id = p_payment.gateway_payment_id and d.state = 'lost')
      then 'given-back'
  end;
end
$$;

-- What the buyer of a payment can give back of it; null for a payment that is not known.
create or replace function ledger.returnable(p_payment text) returns jsonb
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select jsonb_build_object(
      'tokens', o.tokens, 'unspentTokens', q.unspent_tokens,
      'refundPaise', case when q.obstacle is null then q.net_paise + q.gst_paise else 0 end,
      'obstacle', q.obstacle)
    from payments p
    join orders o on o.id = p.order_id
    cross join lateral ledger.refund_quote(p, null, true) q
    where p.gateway_payment_id = p_payment
$$;

-- The tax within a part of a payment, less what was taken of it before, as far as it is still owed. Rounded up, so
-- that what is left of the payment covers what is left of the lot.
drop function if exists ledger.gst_of(ledger.lots, bigint, bigint);
create or replace function ledger.gst_of(p_lot ledger.lots, p_amount bigint, p_of bigint, p_before bigint default 0)
returns bigint
language sql immutable
as $$
  select least(p_lot.gst_left, (p_amount * p_lot.gst_paise + p_of - 1) / p_of - p_before)
$$;

-- Asks for tokens of a payment back: so many, or all that are unspent. `p_by` is the viewer or one of the staff.
create or replace function ledger.refund_requested(
  p_by uuid, p_payment text, p_tokens bigint, p_reason text, p_key text
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_payment payments;
  v_user uuid;
  v_quote record;
  v_refund refunds;
  v_reservation ledger.reservations;
  v_key text := 'refund-requested:' || p_by || ':' || p_key;
  v_fingerprint text := ledger.fingerprint(p_payment, p_tokens::text, p_reason);
  v_result jsonb := ledger.replay(v_key, v_fingerprint);
  v_act uuid := uuid_v7();
begin
  if v_result is not null then
    select * into strict v_refund from refunds where id = (v_result->>'refundId')::uuid;
    return refund_json(v_refund) || '{"replayed": true}';
  end if;
  select * into v_payment from payments where gateway_payment_id = p_payment for no key update;
  select user_id into v_user from orders where id = v_payment.order_id;
  if v_user is null or (v_user <> p_by and not has_permission(p_by, 'move-money')) then
    perform refuse('not-found');
  end if;
  perform ledger.lock_wallet(v_user);
  select * into v_quote from ledger.refund_quote(v_payment, p_tokens, v_user = p_by);
  if v_quote.obstacle is not null then
    perform refuse('not-refundable',
      ledger.returnable(p_payment) || jsonb_build_object('obstacle', v_quote.obstacle));
  end if;
  v_reservation.purpose := 'refund';
  v_reservation.viewer_id := v_user;
  v_reservation.account_id := ledger.account_of('refunding', v_user);
  v_reservation.tokens := v_quote.tokens;
  v_refund.id := uuid_v7();
  perform ledger.reserve(v_act, 'refund-requested', v_key, v_fingerprint,
    jsonb_build_object('refundId', v_refund.id, 'replayed', false), v_reservation, v_payment.journal_id);
  perform ledger.return_gst(v_payment.journal_id, v_quote.tokens, v_quote.gst_paise);
  insert into refunds (id, gateway_payment_id, user_id, tokens, net_paise, gst_paise, taken_net_paise,
      taken_gst_paise, state, reason, requested_by, idempotency_key, reservation_id)
    values (v_refund.id, p_payment, v_user, v_quote.tokens, v_quote.net_paise, v_quote.gst_paise,
      v_quote.net_paise, v_quote.gst_paise, 'requested', p_reason, p_by, p_key, v_act)
    returning * into v_refund;
  return refund_json(v_refund) || '{"replayed": false}';
end
$$;

-- The lines of a refund: what was prepaid and its tax leave, the gateway is to send them.
create or replace function ledger.refund_lines(p_net bigint, p_gst bigint) returns ledger.line[]
language sql
as $$
  select array[
    ledger.line('gst_payable', null, p_gst),
    ledger.line('refunds', null, -(p_net + p_gst))]
$$;

-- A refund that waited: its tokens and their tax go back to their lot. Without `p_staff` it was overtaken.
create or replace function ledger.refund_rejected(p_refund refunds, p_staff uuid) returns refunds
language plpgsql
as $$
declare
  v_reservation ledger.reservations := ledger.open_reservation(p_refund.reservation_id);
  v_refund refunds;
begin
  perform ledger.release_reservation(uuid_v7(), 'refund-rejected', 'refund-rejected:' || p_refund.id,
    ledger.fingerprint(p_refund.id::text), jsonb_build_object('refundId', p_refund.id), v_reservation);
  perform ledger.return_gst((select lot_id from ledger.reservation_lots where reservation_id = v_reservation.id),
    -p_refund.tokens, -p_refund.gst_paise);
  update refunds set state = 'rejected', decided_by = p_staff, decided_at = now(), ended_at = now()
    where id = p_refund.id returning * into v_refund;
  return v_refund;
end
$$;

-- Before money of a payment leaves in another way, refunds of it that nobody has sent yet are withdrawn: the
-- buyer is not paid twice. The payment is locked.
create or replace function ledger.withdraw_refunds(p_payment payments) returns void
language plpgsql
as $$
declare
  v_refund refunds;
begin
  for v_refund in
    select * from refunds
      where gateway_payment_id = p_payment.gateway_payment_id
        and (state = 'requested' or (state = 'approved' and attempts = 0))
      order by id for no key update
  loop
    if v_refund.state = 'requested' then
      perform ledger.refund_rejected(v_refund, null);
    else
      perform ledger.refund_failed(v_refund, p_payment);
      update refunds set state = 'failed', ended_at = now(), next_attempt_at = null where id = v_refund.id;
      perform count_refunded(v_refund.gateway_payment_id);
    end if;
    perform audit('refund.withdrawn', null, v_refund.id::text, '{}');
  end loop;
end
$$;

-- Brings the sum beside a payment up to its refunds; the gateway may have made more than was paid.
create or replace function count_refunded(p_payment text) returns void
language sql
as $$
  update payments p set refunded_paise = least(p.amount_paise, (
      select coalesce(sum(r.net_paise + r.gst_paise), 0) from refunds r
        where r.gateway_payment_id = p.gateway_payment_id and r.journal_id is not null and r.state <> 'failed'))
    where p.gateway_payment_id = p_payment
$$;

-- One of the staff, who did not ask for it, lets a refund go or refuses it.
create or replace function ledger.refund_decided(p_refund uuid, p_staff uuid, p_approve boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_refund refunds;
  v_reservation ledger.reservations;
  v_act uuid := uuid_v7();
begin
  perform require_permission(p_staff, 'move-money');
  select * into v_refund from refunds where id = p_refund;
  if not found then
    perform refuse('not-found');
  end if;
  perform from payments where gateway_payment_id = v_refund.gateway_payment_id for no key update;
  select * into v_refund from refunds where id = p_refund for no key update;
  if v_refund.state <> 'requested' then
    if v_refund.decided_by = p_staff and (v_refund.state <> 'rejected') = p_approve then
      return refund_json(v_refund) || '{"replayed": true}';
    end if;
    perform refuse('already-decided', jsonb_build_object('state', v_refund.state));
  end if;
  if p_approve and (v_refund.requested_by = p_staff or v_refund.user_id = p_staff) then
    perform refuse('second-person-needed');
  end if;
  if p_approve then
    v_reservation := ledger.open_reservation(v_refund.reservation_id);
    perform ledger.record(v_act, 'refund', 'refund:' || p_refund, ledger.fingerprint(p_refund::text),
      jsonb_build_object('refundId', p_refund),
      ledger.unreserve_lines(v_reservation)
        || ledger.line('tokens_outstanding', null, -v_refund.tokens)
        || ledger.refund_lines(v_refund.net_paise, v_refund.gst_paise));
    perform ledger.close_reservation(v_reservation.id, 'captured', v_act);
    update refunds set state = 'approved', decided_by = p_staff, decided_at = now(), journal_id = v_act,
        next_attempt_at = now()
      where id = p_refund returning * into v_refund;
    perform count_refunded(v_refund.gateway_payment_id);
  else
    v_refund := ledger.refund_rejected(v_refund, p_staff);
  end if;
  perform audit('refund.' || v_refund.state, p_staff, p_refund::text, '{}');
  return refund_json(v_refund) || '{"replayed": false}';
end
$$;

-- Approved refunds whose turn it is. Each comes again, ever later, until its end is known; one that takes too long
-- is a case as well.
create or replace function refunds_to_send(p_limit integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_refunds jsonb;
begin
  with due as (
    select id from refunds
      where state in ('approved', 'sent') and next_attempt_at <= now()
      order by next_attempt_at limit p_limit for no key update skip locked
  ), claimed as (
    update refunds r set attempts = r.attempts + 1,
        next_attempt_at = now() + least(interval '1 minute' * 2 ^ least(r.attempts, 10), interval '6 hours')
      from due where r.id = due.id
      returning refund_json(r) as claimed_refund
  )
  select coalesce(jsonb_agg(claimed_refund), '[]') into v_refunds from claimed;
  perform open_case('refund-late', r.id::text, jsonb_build_object(
      'gatewayPaymentId', r.gateway_payment_id, 'amountPaise', r.amount_paise, 'state', r.state,
      'since', instant(coalesce(r.decided_at, r.created_at))))
    from jsonb_array_elements(v_refunds) v join refunds r on r.id = (v->>'id')::uuid
    where coalesce(r.decided_at, r.created_at) < now() - make_interval(days => rule('refund_late_days')::int);
  return v_refunds;
end
$$;

create or replace function refund_rank(p_state text) returns integer
language sql immutable
as $$
  select array_position(array['requested', 'approved', 'sent', 'processed', 'failed'], p_state)
$$;

-- What the gateway says of a refund: `{ gatewayRefundId, gatewayPaymentId, amountPaise, status }`, and
-- `refundId` where it is known. One that we did not send is booked as well, with a case, whatever name of ours
-- it bears: it takes back what tokens it can, now or when they come back, and what is gone is the platform's loss.
create or replace function refund_observed(p_facts jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  f record;
  v_payment payments;
  v_refund refunds;
  v_state text;
begin
  select * into f from jsonb_to_record(p_facts) as f (
    "refundId" uuid, "gatewayRefundId" text, "gatewayPaymentId" text, "amountPaise" bigint, status text);
  select * into v_payment from payments
    where gateway_payment_id = f."gatewayPaymentId" for no key update;
  if not found or v_payment.journal_id is null then
    perform open_case('refund-of-unknown-payment', f."gatewayRefundId", p_facts);
    return ledger.refusal('not-found', jsonb_build_object('gatewayPaymentId', f."gatewayPaymentId"));
  end if;
  select * into v_refund from refunds where gateway_refund_id = f."gatewayRefundId" for no key update;
  if not found then
    select * into v_refund from refunds
      where id = f."refundId" and gateway_payment_id = f."gatewayPaymentId" and gateway_refund_id is null
        and state in ('approved', 'sent')
      for no key update;
  end if;
  if v_refund.id is null then
    v_refund := ledger.refund_by_gateway(v_payment, f."gatewayRefundId", f."amountPaise", p_facts);
  elsif (v_refund.net_paise + v_refund.gst_paise, v_refund.gateway_payment_id)
      is distinct from (f."amountPaise", f."gatewayPaymentId") then
    perform open_case('refund-mismatch', f."gatewayRefundId",
      p_facts || jsonb_build_object('refundId', v_refund.id));
    return ledger.refusal('payment-mismatch', jsonb_build_object(
      'askedPaise', v_refund.net_paise + v_refund.gst_paise, 'refundedPaise', f."amountPaise"));
  end if;
  v_state := case f.status when 'pending' then 'sent' when 'created' then 'sent' else f.status end;
  if v_refund.state in ('processed', 'failed') then
    if v_state in ('processed', 'failed') and v_state <> v_refund.state then
      perform open_case_once('refund-contradiction', f."gatewayRefundId", p_facts);
    end if;
  elsif refund_rank(v_state) > refund_rank(v_refund.state) then
    if v_state = 'processed' then
      perform ledger.record(uuid_v7(), 'refund-processed', 'refund-processed:' || v_refund.id,
        ledger.fingerprint(v_refund.id::text), jsonb_build_object('refundId', v_refund.id), array[
          ledger.line('refunds', null, f."amountPaise"),
          ledger.line('gateway_clearing', null, -f."amountPaise")]);
    elsif v_state = 'failed' then
      perform ledger.refund_failed(v_refund, v_payment);
      perform open_case('refund-failed', v_refund.id::text, refund_json(v_refund));
    end if;
    update refunds set state = v_state, gateway_refund_id = f."gatewayRefundId",
        ended_at = case when v_state in ('processed', 'failed') then now() end,
        next_attempt_at = case when v_state = 'sent' then next_attempt_at end
      where id = v_refund.id returning * into v_refund;
    perform count_refunded(v_refund.gateway_payment_id);
    if v_refund.ended_at is not null then
      perform close_case('refund-late', v_refund.id::text, v_state);
    end if;
    if v_state = 'failed' then
      perform ledger.claim_returned(v_payment);
    end if;
  end if;
  return refund_json(v_refund);
end
$$;

-- The money never left: what was taken of the lot for it comes back as it was, and what was not is no loss.
create or replace function ledger.refund_failed(p_refund refunds, p_payment payments) returns void
language plpgsql
as $$
declare
  v_lot uuid := p_payment.journal_id;
  v_user uuid := p_refund.user_id;
  v_taken bigint := p_refund.taken_net_paise + p_refund.taken_gst_paise;
begin
  perform ledger.lock_wallet(v_user);
  perform ledger.record(uuid_v7(), 'refund-failed', 'refund-failed:' || p_refund.id,
    ledger.fingerprint(p_refund.id::text), jsonb_build_object('refundId', p_refund.id), array[
      ledger.line('viewer_tokens', v_user, -p_refund.tokens, v_lot),
      ledger.line('viewer_prepaid', v_user, -p_refund.taken_net_paise, v_lot),
      ledger.line('tokens_outstanding', null, p_refund.tokens),
      ledger.line('gst_payable', null, -p_refund.taken_gst_paise),
      ledger.line('dispute_losses', null, v_taken - p_refund.amount_paise),
      ledger.line('refunds', null, p_refund.amount_paise)],
    p_refund.journal_id);
  perform ledger.return_gst(v_lot, -p_refund.tokens, -p_refund.taken_gst_paise);
end
$$;

-- A refund that was made at the gateway and not here.
create or replace function ledger.refund_by_gateway(
  p_payment payments, p_gateway_refund text, p_amount bigint, p_facts jsonb
) returns refunds
language plpgsql
as $$
declare
  v_user uuid;
  v_lot ledger.lots;
  v_refund refunds;
  v_act uuid := uuid_v7();
  v_wanted bigint;
  v_tokens bigint;
  v_net bigint := 0;
  v_gst bigint := 0;
  v_due_net bigint;
begin
  select user_id into strict v_user from orders where id = p_payment.order_id;
  perform ledger.withdraw_refunds(p_payment);
  perform ledger.lock_wallet(v_user);
  select ledger.tokens_for(l, p_amount, p_payment.amount_paise) into strict v_wanted
    from ledger.lots l where id = p_payment.journal_id;
  perform ledger.recall_reservations(p_payment.journal_id, v_wanted);
  select * into strict v_lot from ledger.lots where id = p_payment.journal_id;
  -- As many tokens as the money paid for, as far as they are still there.
  v_tokens := least(v_lot.tokens_left, v_wanted);
  if v_tokens > 0 then
    v_net := ledger.share_of(v_lot.paise_left, v_tokens, v_lot.tokens_left, v_lot.net_paise, v_lot.tokens);
  end if;
  -- The tax of the whole amount is not owed any more; what no tokens cover is lost.
  v_gst := ledger.gst_of(v_lot, p_amount, p_payment.amount_paise);
  v_due_net := p_amount - v_gst;
  perform ledger.record(v_act, 'refund', 'refund:' || p_gateway_refund,
    ledger.fingerprint(p_gateway_refund), jsonb_build_object('gatewayRefundId', p_gateway_refund), array[
      ledger.line('viewer_tokens', v_user, v_tokens, v_lot.id),
      ledger.line('viewer_prepaid', v_user, v_net, v_lot.id),
      ledger.line('tokens_outstanding', null, -v_tokens),
      ledger.line('dispute_losses', null, v_due_net - v_net)]
      || ledger.refund_lines(v_due_net, v_gst));
  perform ledger.return_gst(v_lot.id, v_tokens, v_gst);
  -- It is asked about until its end is known.
  insert into refunds (gateway_payment_id, user_id, tokens, net_paise, gst_paise, taken_net_paise, taken_gst_paise,
      state, reason, idempotency_key, journal_id, gateway_refund_id, next_attempt_at)
    values (p_payment.gateway_payment_id, v_user, v_tokens, v_due_net, v_gst, v_net, v_gst,
      'sent', 'made at the gateway', p_gateway_refund, v_act, p_gateway_refund, now())
    returning * into v_refund;
  perform count_refunded(p_payment.gateway_payment_id);
  perform open_case('refund-made-at-gateway', p_gateway_refund, p_facts);
  return v_refund;
end
$$;
