-- Disputes: a payer's bank takes a payment back, or tries to. While one is open its unspent tokens and the
-- earnings that its spent tokens made wait; a lost one takes them, and books what is left as a loss. Locks are
-- taken payment first, then its refunds, the viewer, the sealer, and performers in the order of their ids.

create or replace function dispute_json(p_dispute disputes) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'gatewayDisputeId', p_dispute.gateway_dispute_id, 'gatewayPaymentId', p_dispute.gateway_payment_id,
    'userId', p_dispute.user_id, 'amountPaise', p_dispute.amount_paise, 'phase', p_dispute.phase,
    'reasonCode', p_dispute.reason_code, 'state', p_dispute.state, 'respondBy', instant(p_dispute.respond_by),
    'recoveredPaise', p_dispute.recovered_paise, 'lostPaise', p_dispute.lost_paise,
    'openedAt', instant(p_dispute.opened_at), 'closedAt', instant(p_dispute.closed_at))
$$;

-- How far a dispute has come: each phase follows when the one before was not the last word.
create or replace function dispute_phase_rank(p_phase text) returns integer
language sql immutable
as $$
  select coalesce(array_position(
    array['retrieval', 'fraud', 'chargeback', 'pre_arbitration', 'arbitration'], p_phase), 0)
$$;

-- Whether what is said of a dispute that was over for us takes it up again: it is lost after all, or goes on in a
-- later phase.
create or replace function dispute_is_turned(p_dispute disputes, p_phase text, p_status text) returns boolean
language sql immutable
as $$
  select p_dispute.state in ('won', 'closed') and (p_status = 'lost'
    or (p_status in ('open', 'under_review') and dispute_phase_rank(p_phase) > dispute_phase_rank(p_dispute.phase)))
$$;

-- What the gateway says of a dispute: `{ gatewayDisputeId, gatewayPaymentId, amountPaise, phase, reasonCode,
-- status, respondBy }`. Opens it when it is new, again when it turns, and closes it. In whatever order the events
-- come, its phase and its deadline are the latest. One that was lost stays lost: another end of it is a case.
create or replace function dispute_observed(p_facts jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  f record;
  v_payment payments;
  v_dispute disputes;
begin
  select * into f from jsonb_to_record(p_facts) as f (
    "gatewayDisputeId" text, "gatewayPaymentId" text, "amountPaise" bigint, phase text, "reasonCode" text,
    status text, "respondBy" timestamptz);
  select * into v_payment from payments where gateway_payment_id = f."gatewayPaymentId" for no key update;
  if not found or v_payment.journal_id is null then
    perform open_case('dispute-of-unknown-payment', f."gatewayDisputeId", p_facts);
    return ledger.refusal('not-found', jsonb_build_object('gatewayPaymentId', f."gatewayPaymentId"));
  end if;
  select * into v_dispute from disputes where gateway_dispute_id = f."gatewayDisputeId";
  if v_dispute.gateway_dispute_id is null then
    v_dispute := ledger.dispute_opened(v_payment, f."gatewayDisputeId", f."amountPaise", f.phase,
      f."reasonCode", f."respondBy");
  elsif v_dispute.gateway_payment_id <> f."gatewayPaymentId" then
    -- What was opened for one payment is never closed with another one's money.
    perform open_case_once('dispute-mismatch', f."gatewayDisputeId", p_facts);
    return ledger.refusal('payment-mismatch', jsonb_build_object('gatewayPaymentId', v_dispute.gateway_payment_id));
  elsif dispute_is_turned(v_dispute, f.phase, f.status) then
    v_dispute := ledger.dispute_turned(v_dispute, v_payment);
    perform open_case('dispute-turned', v_dispute.gateway_dispute_id, p_facts);
  end if;
  if v_dispute.amount_paise <> f."amountPaise" then
    -- It stays booked as it was opened until somebody has looked.
    perform open_case_once('dispute-mismatch', f."gatewayDisputeId", p_facts);
  end if;
  update disputes set
      state = case when f.status = 'under_review' and closed_at is null then 'under_review' else state end,
      phase = case when dispute_phase_rank(f.phase) > dispute_phase_rank(phase) then f.phase else phase end,
      respond_by = greatest(f."respondBy", respond_by)
    where gateway_dispute_id = f."gatewayDisputeId" returning * into v_dispute;
  if v_dispute.closed_at is null then
    case f.status
      when 'won', 'closed' then v_dispute := ledger.dispute_won(v_dispute, f.status);
      when 'lost' then v_dispute := ledger.dispute_lost(v_dispute, v_payment);
      else
        update cases set due_at = v_dispute.respond_by
          where kind = 'dispute' and subject = v_dispute.gateway_dispute_id and state = 'open';
    end case;
    if v_dispute.state in ('won', 'closed') then
      perform ledger.claim_returned(v_payment);
    end if;
  elsif f.status in ('won', 'lost', 'closed') and (f.status = 'lost') <> (v_dispute.state = 'lost') then
    perform open_case_once('dispute-contradiction', v_dispute.gateway_dispute_id, p_facts);
  end if;
  return dispute_json(v_dispute);
end
$$;

create or replace function ledger.dispute_opened(
  p_payment payments, p_dispute text, p_amount bigint, p_phase text, p_reason text, p_respond_by timestamptz
) returns disputes
language plpgsql
as $$
declare
  v_dispute disputes;
begin
  insert into disputes (gateway_dispute_id, gateway_payment_id, user_id, amount_paise, phase, reason_code, state,
      respond_by, opened_by)
    values (p_dispute, p_payment.gateway_payment_id, (select user_id from orders where id = p_payment.order_id),
      p_amount, coalesce(p_phase, ''), coalesce(p_reason, ''), 'open', p_respond_by, uuid_v7())
    returning * into v_dispute;
  return ledger.dispute_takes(v_dispute, p_payment);
end
$$;

-- One that was over is open again: its money is taken once more.
create or replace function ledger.dispute_turned(p_dispute disputes, p_payment payments) returns disputes
language plpgsql
as $$
declare
  v_dispute disputes;
begin
  update disputes set state = 'open', turns = turns + 1, opened_by = uuid_v7(), reservation_id = null,
      closed_at = null, closed_by = null
    where gateway_dispute_id = p_dispute.gateway_dispute_id returning * into v_dispute;
  return ledger.dispute_takes(v_dispute, p_payment);
end
$$;

-- The name of a dispute in acts, another one each time that it is open.
create or replace function ledger.turn_of(p_dispute disputes) returns text
language sql immutable
as $$
  select p_dispute.gateway_dispute_id || case when p_dispute.turns > 0 then ':' || p_dispute.turns else '' end
$$;

-- The gateway takes the money of a dispute: what it has paid for waits from now on.
create or replace function ledger.dispute_takes(p_dispute disputes, p_payment payments) returns disputes
language plpgsql
as $$
declare
  v_id text := p_dispute.gateway_dispute_id;
  v_lot ledger.lots;
  v_wanted bigint;
  v_tokens bigint;
  v_held uuid;
  v_dispute disputes;
begin
  perform ledger.withdraw_refunds(p_payment);
  perform ledger.lock_wallet(p_dispute.user_id);
  -- The tokens that the disputed money paid for: those that are still there, then those that were spent.
  select ledger.tokens_for(l, p_dispute.amount_paise, p_payment.amount_paise) into strict v_wanted
    from ledger.lots l where id = p_payment.journal_id;
  perform ledger.recall_reservations(p_payment.journal_id, v_wanted);
  select * into strict v_lot from ledger.lots where id = p_payment.journal_id;
  v_tokens := least(v_lot.tokens_left, v_wanted);
  if v_tokens > 0 then
    v_held := ledger.hold_for_dispute(v_id, v_lot, v_tokens);
  end if;
  perform ledger.record(p_dispute.opened_by, 'dispute-opened', 'dispute-opened:' || ledger.turn_of(p_dispute),
    ledger.fingerprint(v_id), jsonb_build_object('gatewayDisputeId', v_id), array[
      ledger.line('disputes', null, p_dispute.amount_paise),
      ledger.line('gateway_clearing', null, -p_dispute.amount_paise)]);
  update disputes set reservation_id = v_held where gateway_dispute_id = v_id returning * into v_dispute;
  perform ledger.hold_disputed_earnings(v_dispute, v_lot, v_wanted - v_tokens);
  perform open_case('dispute', v_id, dispute_json(v_dispute), v_dispute.respond_by);
  return v_dispute;
end
$$;

-- Sets tokens of a lot aside until a dispute is over. Answers the reservation.
create or replace function ledger.hold_for_dispute(p_dispute text, p_lot ledger.lots, p_tokens bigint) returns uuid
language plpgsql
as $$
declare
  v_act uuid := uuid_v7();
  v_reservation ledger.reservations;
begin
  v_reservation.purpose := 'dispute';
  v_reservation.viewer_id := p_lot.owner_id;
  v_reservation.account_id := ledger.account_of('disputed', p_lot.owner_id);
  v_reservation.tokens := p_tokens;
  perform ledger.reserve(v_act, 'dispute-held', 'dispute-held:' || v_act, ledger.fingerprint(p_dispute), '{}',
    v_reservation, p_lot.id);
  return v_act;
end
$$;

-- Gives tokens of a lot back that wait in holds and goals, the oldest first, until so many of the lot are unspent:
-- what is paid with disputed money would only be taken from its performer again, and what comes back when the money
-- is gone would be spent for nothing. The viewer is locked.
create or replace function ledger.recall_reservations(p_lot uuid, p_tokens bigint) returns void
language plpgsql
as $$
declare
  v_reservation ledger.reservations;
  v_kind text;
begin
  for v_reservation in
    select r.* from ledger.reservations r
      join ledger.reservation_lots l on l.reservation_id = r.id and l.lot_id = p_lot
      where r.viewer_id = (select owner_id from ledger.lots where id = p_lot)
        and r.state = 'open' and r.purpose in ('hold', 'goal')
      order by r.id
  loop
    exit when (select tokens_left >= p_tokens from ledger.lots where id = p_lot);
    v_kind := case v_reservation.purpose when 'goal' then 'goal-refund' else 'hold-released' end;
    perform ledger.release_reservation(uuid_v7(), v_kind, v_kind || ':' || v_reservation.id,
      ledger.fingerprint(''), jsonb_build_object('tokens', v_reservation.tokens, 'replayed', false), v_reservation);
  end loop;
end
$$;

-- The acts that spent tokens of a lot, and how many: tips, and what was captured of reservations.
create or replace function ledger.spent_of_lot(p_lot ledger.lots)
returns table (tip_id uuid, tokens bigint)
language sql stable
as $$
  select e.journal_id, sum(e.amount)::bigint
    from ledger.entries e
    join ledger.journal j on j.id = e.journal_id and j.kind = 'tip'
    where e.account_id = p_lot.account_id and e.lot_id = p_lot.id
    group by e.journal_id
  union all
  select r.closed_by, (l.tokens + coalesce((
      select sum(e.amount) from ledger.entries e
        where e.journal_id = r.closed_by and e.account_id = p_lot.account_id and e.lot_id = p_lot.id), 0))::bigint
    from ledger.reservations r
    join ledger.reservation_lots l on l.reservation_id = r.id and l.lot_id = p_lot.id
    where r.viewer_id = p_lot.owner_id and r.state = 'captured' and r.purpose in ('hold', 'goal')
$$;

-- Holds what performers earned with so many of the lot's spent tokens, the newest first, as far as it still
-- waits and is not held by another dispute of the same payment.
create or replace function ledger.hold_disputed_earnings(p_dispute disputes, p_lot ledger.lots, p_tokens bigint)
returns void
language plpgsql
as $$
declare
  v_released bigint;
  v_open bigint := p_tokens;
  v_tip record;
  v_tokens bigint;
  v_performer record;
begin
  select released_through into strict v_released from ledger.sealer for no key update;
  for v_tip in
    select t.id, t.performer_id, t.earned_paise / t.amount_tokens as paise_per_token,
        s.tokens - coalesce((
          select sum(e.paise) from disputed_earnings e
            join disputes d on d.gateway_dispute_id = e.gateway_dispute_id
            where e.tip_id = t.id and d.gateway_payment_id = p_dispute.gateway_payment_id
        ), 0) / (t.earned_paise / t.amount_tokens) as tokens
      from ledger.spent_of_lot(p_lot) s
      join ledger.tips t on t.id = s.tip_id
      left join ledger.sealed x on x.journal_id = t.id
      where coalesce(x.position, v_released + 1) > v_released
      order by t.created_at desc, t.id
  loop
    exit when v_open <= 0;
    v_tokens := least(v_tip.tokens, v_open);
    continue when v_tokens < 1;
    insert into disputed_earnings (gateway_dispute_id, tip_id, performer_id, paise)
      values (p_dispute.gateway_dispute_id, v_tip.id, v_tip.performer_id, v_tokens * v_tip.paise_per_token);
    v_open := v_open - v_tokens;
  end loop;
  for v_performer in
    select performer_id, sum(paise)::bigint as paise from disputed_earnings
      where gateway_dispute_id = p_dispute.gateway_dispute_id group by performer_id order by performer_id
  loop
    perform ledger.record(uuid_v7(), 'earnings-held',
      'earnings-held:' || ledger.turn_of(p_dispute) || ':' || v_performer.performer_id,
      ledger.fingerprint(p_dispute.gateway_dispute_id), '{}', array[
        ledger.line('performer_pending', v_performer.performer_id, v_performer.paise),
        ledger.line('performer_held', v_performer.performer_id, -v_performer.paise)]);
  end loop;
end
$$;

-- The payment stays: tokens go back to their lot, earnings to where they would be by now.
create or replace function ledger.dispute_won(p_dispute disputes, p_state text) returns disputes
language plpgsql
as $$
declare
  v_id text := p_dispute.gateway_dispute_id;
  v_reservation ledger.reservations;
  v_released bigint;
  v_earning record;
  v_act uuid := uuid_v7();
  v_dispute disputes;
begin
  perform ledger.lock_wallet(p_dispute.user_id);
  if p_dispute.reservation_id is not null then
    select * into strict v_reservation from ledger.reservations where id = p_dispute.reservation_id;
    perform ledger.release_reservation(uuid_v7(), 'dispute-released', 'dispute-released:' || v_reservation.id,
      ledger.fingerprint(v_id), '{}', v_reservation);
  end if;
  perform ledger.record(v_act, 'dispute-won', 'dispute-closed:' || ledger.turn_of(p_dispute), ledger.fingerprint(v_id),
    jsonb_build_object('gatewayDisputeId', v_id), array[
      ledger.line('gateway_clearing', null, p_dispute.amount_paise),
      ledger.line('disputes', null, -p_dispute.amount_paise)]);
  select released_through into strict v_released from ledger.sealer for no key update;
  for v_earning in
    select d.performer_id, coalesce(s.position, v_released + 1) <= v_released as is_due, sum(d.paise)::bigint as paise
      from disputed_earnings d left join ledger.sealed s on s.journal_id = d.tip_id
      where d.gateway_dispute_id = v_id
      group by 1, 2 order by 1, 2
  loop
    perform ledger.record(uuid_v7(), 'earnings-freed',
      'earnings-freed:' || ledger.turn_of(p_dispute) || ':' || v_earning.performer_id || ':' || v_earning.is_due,
      ledger.fingerprint(v_id), '{}', array[
        ledger.line('performer_held', v_earning.performer_id, v_earning.paise),
        ledger.line(case when v_earning.is_due then 'performer_available' else 'performer_pending' end,
          v_earning.performer_id, -v_earning.paise)]);
  end loop;
  update disputes set state = p_state, closed_at = now(), closed_by = v_act
    where gateway_dispute_id = v_id returning * into v_dispute;
  -- Earnings that wait no more are released with the others again.
  delete from disputed_earnings where gateway_dispute_id = v_id;
  perform close_case('dispute', v_id, p_state);
  return v_dispute;
end
$$;

-- The payment is gone: its tokens are burnt, its tax is not owed, held earnings are taken, the rest is lost.
create or replace function ledger.dispute_lost(p_dispute disputes, p_payment payments) returns disputes
language plpgsql
as $$
declare
  v_id text := p_dispute.gateway_dispute_id;
  v_lot ledger.lots;
  v_reservation ledger.reservations;
  v_lines ledger.line[] := '{}';
  v_tokens bigint := 0;
  v_net bigint := 0;
  v_gst bigint;
  v_earnings bigint;
  v_performer record;
  v_act uuid := uuid_v7();
  v_dispute disputes;
begin
  perform ledger.lock_wallet(p_dispute.user_id);
  select * into strict v_lot from ledger.lots where id = p_payment.journal_id;
  if p_dispute.reservation_id is not null then
    select * into strict v_reservation from ledger.reservations where id = p_dispute.reservation_id;
    v_tokens := v_reservation.tokens;
    v_net := v_reservation.net_paise;
    v_lines := ledger.unreserve_lines(v_reservation) || ledger.line('tokens_outstanding', null, -v_tokens);
    perform ledger.close_reservation(v_reservation.id, 'captured', v_act);
  end if;
  v_gst := ledger.gst_of(v_lot, p_dispute.amount_paise, p_payment.amount_paise);
  perform ledger.return_gst(v_lot.id, v_tokens, v_gst);
  v_lines := v_lines || ledger.line('gst_payable', null, v_gst);
  v_earnings := 0;
  for v_performer in
    select performer_id, sum(paise)::bigint as paise from disputed_earnings
      where gateway_dispute_id = v_id group by performer_id order by performer_id
  loop
    v_lines := v_lines || ledger.line('performer_held', v_performer.performer_id, v_performer.paise);
    v_earnings := v_earnings + v_performer.paise;
  end loop;
  perform ledger.record(v_act, 'dispute-lost', 'dispute-closed:' || ledger.turn_of(p_dispute), ledger.fingerprint(v_id),
    jsonb_build_object('gatewayDisputeId', v_id, 'recoveredPaise', v_net + v_gst + v_earnings),
    v_lines
      -- Less than nothing where rounding took a paisa more than the bank did.
      || ledger.line('dispute_losses', null, p_dispute.amount_paise - v_net - v_gst - v_earnings)
      || ledger.line('disputes', null, -p_dispute.amount_paise));
  update disputes set state = 'lost', closed_at = now(), closed_by = v_act,
      recovered_paise = v_net + v_gst + v_earnings,
      lost_paise = p_dispute.amount_paise - v_net - v_gst - v_earnings
    where gateway_dispute_id = v_id returning * into v_dispute;
  perform close_case('dispute', v_id, 'lost');
  if v_dispute.lost_paise > 0 then
    perform open_case('dispute-loss', v_id, dispute_json(v_dispute));
  end if;
  return v_dispute;
end
$$;
