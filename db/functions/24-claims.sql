-- Claims: money of a payment that left in a way that is not ours, or that its payer's bank wants back, wants the
-- tokens that it paid for. Those that were elsewhere at that time, in a refund that then failed or in a dispute that
-- was won, are claimed in the very act by which they come back: nobody can spend them in between.

-- The tokens that a part of a payment has paid for, a begun one included.
create or replace function ledger.tokens_for(p_lot ledger.lots, p_amount bigint, p_of bigint) returns bigint
language sql immutable
as $$
  select least(p_lot.tokens, ceil(p_amount::numeric * p_lot.tokens / p_of))::bigint
$$;

-- How many tokens are claimed that have not been got: by refunds made at the gateway, and by disputes that are open
-- or lost, of which those are covered whose earnings are held or were taken.
create or replace view ledger.claims as
  select r.gateway_payment_id, r.id as refund_id, null::text as gateway_dispute_id, true as is_gone, r.created_at,
      ledger.tokens_for(l, r.amount_paise, p.amount_paise) - r.tokens as tokens
    from refunds r
    join payments p on p.gateway_payment_id = r.gateway_payment_id
    join ledger.lots l on l.id = p.journal_id
    where r.reservation_id is null and r.state in ('sent', 'processed')
  union all
  select d.gateway_payment_id, null, d.gateway_dispute_id, d.state = 'lost', d.opened_at,
      ledger.tokens_for(l, d.amount_paise, p.amount_paise) - coalesce(v.tokens, 0)
        - coalesce((
          select sum(e.paise / (t.earned_paise / t.amount_tokens)) from disputed_earnings e
            join ledger.tips t on t.id = e.tip_id
            where e.gateway_dispute_id = d.gateway_dispute_id), 0)::bigint
    from disputes d
    join payments p on p.gateway_payment_id = d.gateway_payment_id
    join ledger.lots l on l.id = p.journal_id
    left join ledger.reservations v on v.id = d.reservation_id
    where d.state in ('open', 'under_review', 'lost');

-- Tokens have come back to the lot of a payment: they go to whoever claims them, first to those whose money is gone.
-- The payment is locked.
create or replace function ledger.claim_returned(p_payment payments) returns void
language plpgsql
as $$
declare
  v_claim ledger.claims;
  v_lot ledger.lots;
  v_tokens bigint;
begin
  perform ledger.lock_wallet((select user_id from orders where id = p_payment.order_id));
  for v_claim in
    select * from ledger.claims
      where gateway_payment_id = p_payment.gateway_payment_id and tokens > 0
      order by is_gone desc, created_at, refund_id, gateway_dispute_id
  loop
    select * into strict v_lot from ledger.lots where id = p_payment.journal_id;
    v_tokens := least(v_lot.tokens_left, v_claim.tokens);
    exit when v_tokens = 0;
    if v_claim.refund_id is not null then
      perform ledger.claimed_by_refund(v_claim.refund_id, p_payment, v_lot, v_tokens);
    elsif v_claim.is_gone then
      perform ledger.claimed_by_loss(v_claim.gateway_dispute_id, p_payment, v_lot, v_tokens);
    else
      perform ledger.claimed_by_dispute(v_claim.gateway_dispute_id, v_lot, v_tokens);
    end if;
  end loop;
end
$$;

-- What tokens of a lot were paid, and the lines that take it: it makes good a loss that was booked before.
create or replace function ledger.recovery_lines(p_lot ledger.lots, p_tokens bigint, p_net bigint, p_gst bigint)
returns ledger.line[]
language sql
as $$
  select array[
    ledger.line('viewer_tokens', p_lot.owner_id, p_tokens, p_lot.id),
    ledger.line('viewer_prepaid', p_lot.owner_id, p_net, p_lot.id),
    ledger.line('tokens_outstanding', null, -p_tokens),
    ledger.line('gst_payable', null, p_gst),
    ledger.line('dispute_losses', null, -(p_net + p_gst))]
$$;

create or replace function ledger.claimed_by_refund(
  p_refund uuid, p_payment payments, p_lot ledger.lots, p_tokens bigint
) returns void
language plpgsql
as $$
declare
  v_act uuid := uuid_v7();
  v_refund refunds;
  v_net bigint := ledger.share_of(p_lot.paise_left, p_tokens, p_lot.tokens_left, p_lot.net_paise, p_lot.tokens);
  v_gst bigint;
begin
  select * into strict v_refund from refunds where id = p_refund for no key update;
  v_gst := ledger.gst_of(p_lot, v_refund.amount_paise, p_payment.amount_paise, v_refund.taken_gst_paise);
  perform ledger.record(v_act, 'refund', 'refund:' || p_refund || ':' || v_act, ledger.fingerprint(p_refund::text),
    jsonb_build_object('refundId', p_refund), ledger.recovery_lines(p_lot, p_tokens, v_net, v_gst));
  perform ledger.return_gst(p_lot.id, p_tokens, v_gst);
  update refunds set tokens = tokens + p_tokens, taken_net_paise = taken_net_paise + v_net,
      taken_gst_paise = taken_gst_paise + v_gst
    where id = p_refund;
end
$$;

create or replace function ledger.claimed_by_loss(
  p_dispute text, p_payment payments, p_lot ledger.lots, p_tokens bigint
) returns void
language plpgsql
as $$
declare
  v_act uuid := uuid_v7();
  v_dispute disputes;
  v_net bigint := ledger.share_of(p_lot.paise_left, p_tokens, p_lot.tokens_left, p_lot.net_paise, p_lot.tokens);
  v_gst bigint;
begin
  select * into strict v_dispute from disputes where gateway_dispute_id = p_dispute;
  -- What it has recovered by now is net prices, earnings, and tax.
  v_gst := ledger.gst_of(p_lot, v_dispute.amount_paise, p_payment.amount_paise, v_dispute.recovered_paise
    - coalesce((select net_paise from ledger.reservations where id = v_dispute.reservation_id), 0)
    - coalesce((select sum(paise) from disputed_earnings where gateway_dispute_id = p_dispute), 0)::bigint);
  perform ledger.record(v_act, 'dispute-taken', 'dispute-taken:' || v_act, ledger.fingerprint(p_dispute),
    jsonb_build_object('gatewayDisputeId', p_dispute), ledger.recovery_lines(p_lot, p_tokens, v_net, v_gst));
  perform ledger.return_gst(p_lot.id, p_tokens, v_gst);
  -- As if they had waited with the others.
  if v_dispute.reservation_id is null then
    insert into ledger.reservations (id, purpose, viewer_id, account_id, tokens, net_paise, state, closed_at,
        closed_by)
      values (v_act, 'dispute', p_lot.owner_id, ledger.account_of('disputed', p_lot.owner_id), p_tokens, v_net,
        'captured', now(), v_act);
    insert into ledger.reservation_lots (reservation_id, lot_id, tokens, paise)
      values (v_act, p_lot.id, p_tokens, v_net);
  else
    update ledger.reservations set tokens = tokens + p_tokens, net_paise = net_paise + v_net
      where id = v_dispute.reservation_id;
    update ledger.reservation_lots set tokens = tokens + p_tokens, paise = paise + v_net
      where reservation_id = v_dispute.reservation_id and lot_id = p_lot.id;
  end if;
  update disputes set reservation_id = coalesce(reservation_id, v_act),
      recovered_paise = recovered_paise + v_net + v_gst, lost_paise = lost_paise - v_net - v_gst
    where gateway_dispute_id = p_dispute returning * into v_dispute;
  if v_dispute.lost_paise <= 0 then
    perform close_case('dispute-loss', p_dispute, 'its tokens came back');
  end if;
end
$$;

-- All that waits for a dispute is one reservation.
create or replace function ledger.claimed_by_dispute(p_dispute text, p_lot ledger.lots, p_tokens bigint) returns void
language plpgsql
as $$
declare
  v_before ledger.reservations;
  v_held uuid;
begin
  select v.* into v_before from disputes d join ledger.reservations v on v.id = d.reservation_id
    where d.gateway_dispute_id = p_dispute;
  if v_before.id is not null then
    perform ledger.release_reservation(uuid_v7(), 'dispute-released', 'dispute-released:' || v_before.id,
      ledger.fingerprint(p_dispute), '{}', v_before);
  end if;
  v_held := ledger.hold_for_dispute(p_dispute, p_lot, p_tokens + coalesce(v_before.tokens, 0));
  update disputes set reservation_id = v_held where gateway_dispute_id = p_dispute;
end
$$;
