-- Purchases: orders at the price of this moment, and payments whose state only goes forward, whoever tells of
-- it: webhook, the buyer's browser, or the poller. Locks are taken payment first, then viewer, then performer.

create or replace function order_json(p_order orders) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', p_order.id, 'userId', p_order.user_id, 'packageId', p_order.package_id, 'tokens', p_order.tokens,
    'amountPaise', p_order.amount_paise, 'gstPaise', p_order.gst_paise, 'state', p_order.state,
    'gatewayOrderId', p_order.gateway_order_id, 'createdAt', instant(p_order.created_at))
$$;

-- For so long somebody may be paying: an order since it was placed, a payment since it was begun.
create or replace function paying_time() returns interval
language sql immutable
as $$
  select interval '15 minutes'
$$;

-- Whether somebody may be paying an order at this moment: it was placed or gone back to not long ago, or a payment of
-- it is under way.
create or replace function order_is_open(p_order orders) returns boolean
language sql stable
as $$
  select p_order.state <> 'paid' and (
    coalesce(p_order.reopened_at, p_order.created_at) > now() - paying_time()
    or exists (select from payments where order_id = p_order.id and (state = 'authorized'
      or (state = 'created' and created_at > now() - paying_time()))))
$$;

-- What a person has paid since a moment, whenever it was ordered, and what they may be paying now.
create or replace function ordered_since(p_user uuid, p_since timestamptz) returns bigint
language sql stable
as $$
  select (
    (select coalesce(sum(p.amount_paise), 0) from orders o join payments p on p.order_id = o.id
      where o.user_id = p_user and p.captured_at >= p_since)
    + (select coalesce(sum(o.amount_paise), 0) from orders o
      where o.user_id = p_user and o.state <> 'paid' and order_is_open(o)))::bigint
$$;

-- Refuses what goes beyond the rule for a day's orders, or the limits that a person set themselves. Their orders are
-- locked.
create or replace function require_order_room(p_user uuid, p_paise bigint) returns void
language plpgsql
as $$
declare
  v_limits spending_limits := limits_in_force(p_user);
  v_limit record;
  v_spent bigint;
begin
  for v_limit in
    select 'order-limit' as code, 'day' as period, rule('order_day_paise') as paise
    union all select 'spending-limit', 'day', v_limits.day_paise
    union all select 'spending-limit', 'month', v_limits.month_paise
  loop
    continue when v_limit.paise is null;
    v_spent := ordered_since(p_user, period_start(v_limit.period, now()));
    if v_spent + p_paise > v_limit.paise then
      perform refuse(v_limit.code, jsonb_build_object(
        'period', v_limit.period, 'limitPaise', v_limit.paise, 'spentPaise', v_spent));
    end if;
  end loop;
end
$$;

create or replace function lock_orders(p_user uuid) returns void
language sql
as $$
  select pg_advisory_xact_lock(hashtextextended('orders:' || p_user, 0))
$$;

-- Its buyer goes back to an order to pay it, within the limits of now: one whose time to pay was over counts among what
-- they spend again, and is refused like a new one when there is no room for it. A paid one stays as it is.
create or replace function reopen_order(p_order uuid) returns void
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_order orders;
begin
  select * into strict v_order from orders where id = p_order;
  perform lock_orders(v_order.user_id);
  select * into strict v_order from orders where id = p_order;
  if v_order.state = 'paid' then
    return;
  end if;
  perform require_member(v_order.user_id);
  -- An open one is among what they spend already; limits may have been lowered since.
  perform require_order_room(v_order.user_id, case when order_is_open(v_order) then 0 else v_order.amount_paise end);
  -- Half of the time is left for whoever begins a payment now.
  if coalesce(v_order.reopened_at, v_order.created_at) <= now() - paying_time() / 2 then
    update orders set reopened_at = clock_timestamp() where id = p_order;
  end if;
end
$$;

-- An order of a package on sale, at its price of this moment. The same key gives the same order back, to be paid.
create or replace function create_order(p_user uuid, p_package uuid, p_key text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_package packages;
  v_order orders;
begin
  perform lock_orders(p_user);
  select * into v_order from orders where user_id = p_user and idempotency_key = p_key;
  if found then
    if v_order.package_id <> p_package then
      perform refuse('idempotency-key-reused');
    end if;
    perform reopen_order(v_order.id);
    return order_json(v_order);
  end if;
  perform require_member(p_user);
  select * into v_package from packages
    where id = p_package and offered_from <= now() and coalesce(offered_until, 'infinity') > now();
  if not found then
    perform refuse('package-unavailable');
  end if;

  if (select count(*) from orders
      where user_id = p_user and state <> 'paid' and created_at > now() - interval '1 hour')
    >= rule('order_open_max') then
    perform refuse('order-limit', jsonb_build_object('openMax', rule('order_open_max')));
  end if;
  perform require_order_room(p_user, v_package.price_paise);

  insert into orders (user_id, package_id, tokens, amount_paise, gst_paise, idempotency_key, check_at)
    values (p_user, p_package, v_package.tokens, v_package.price_paise, v_package.gst_paise, p_key,
      now() + paying_time())
    returning * into v_order;
  return order_json(v_order);
end
$$;

-- How an order stands for whoever waits for it; null when there is none. `failed` when its newest payment came to
-- nothing and no other is under way, `expired` when the time to pay is over. Both are worked out and kept nowhere:
-- a payment that is authorised late goes the same way as any other.
create or replace function order_status(p_order uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select jsonb_build_object(
      'id', o.id, 'userId', o.user_id, 'gatewayOrderId', o.gateway_order_id, 'tokens', o.tokens,
      'amountPaise', o.amount_paise, 'state', s.state,
      'failure', case s.state when 'failed' then jsonb_build_object(
        'gatewayPaymentId', newest.gateway_payment_id, 'reason', newest.error_reason) end,
      'balanceTokens', ledger.spendable(o.user_id))
    from orders o
    left join lateral (
      select * from payments where order_id = o.id order by created_at desc, gateway_payment_id desc limit 1
    ) newest on true
    cross join lateral (
      select case
        when o.state = 'paid' or exists (select from payments where order_id = o.id and (state = 'authorized'
          or (state = 'created' and created_at > now() - paying_time()))) then o.state
        when newest.state = 'failed' then 'failed'
        when greatest(o.created_at, o.reopened_at, newest.created_at) <= now() - paying_time() then 'expired'
        else o.state
      end as state
    ) s
    where o.id = p_order
$$;

-- Keeps the gateway's id of an order; the first one stays.
create or replace function set_gateway_order(p_order uuid, p_gateway_order text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_order orders;
begin
  update orders set gateway_order_id = p_gateway_order
    where id = p_order and gateway_order_id is null;
  select * into strict v_order from orders where id = p_order;
  return order_json(v_order);
end
$$;

-- Open orders whose time has come to be asked about; each is asked about less often as it grows old, and
-- not at all after five days, when no payment can come any more.
create or replace function orders_to_check(p_limit integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_orders jsonb;
begin
  with due as (
    select id from orders
      where state <> 'paid' and check_at <= now() and gateway_order_id is not null
      order by check_at limit p_limit for update skip locked
  ), claimed as (
    update orders o set check_at = case
        when o.created_at < now() - interval '5 days' then null
        else now() + least(greatest((now() - o.created_at) / 2, interval '15 minutes'), interval '6 hours')
      end
      from due where o.id = due.id
      returning order_json(o) as claimed_order
  )
  select coalesce(jsonb_agg(claimed_order), '[]') into v_orders from claimed;
  return v_orders;
end
$$;

-- How far a payment has come: a later word never takes it back.
create or replace function payment_rank(p_state text) returns integer
language sql immutable
as $$
  select array_position(array['created', 'failed', 'authorized', 'captured'], p_state)
$$;

-- What the gateway says of a payment, from whichever of its mouths. Credits it when it is captured, once.
-- Facts: `{ gatewayPaymentId, gatewayOrderId, amountPaise, currency, status, method, instrumentHash, feePaise,
-- feeTaxPaise, errorReason }`, and `refunds`, each as refund_observed() takes it: what has gone back already is in no
-- wallet for a moment. A refusal is an answer here, because the case that it opens must stay.
create or replace function payment_observed(p_facts jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  f record;
  v_order orders;
  v_before payments;
  v_state text;
  v_credit jsonb;
begin
  select * into f from jsonb_to_record(p_facts) as f (
    "gatewayPaymentId" text, "gatewayOrderId" text, "amountPaise" bigint, currency text, status text,
    method text, "instrumentHash" text, "feePaise" bigint, "feeTaxPaise" bigint, "errorReason" text);
  select * into v_order from orders where gateway_order_id = f."gatewayOrderId" for no key update;
  if not found then
    perform open_case('payment-of-unknown-order', f."gatewayPaymentId", p_facts);
    return ledger.refusal('not-found', jsonb_build_object('gatewayOrderId', f."gatewayOrderId"));
  end if;
  if f.currency is distinct from 'INR' or f."amountPaise" is distinct from v_order.amount_paise then
    perform open_case('payment-mismatch', f."gatewayPaymentId",
      p_facts || jsonb_build_object('orderedPaise', v_order.amount_paise));
    return ledger.refusal('payment-mismatch', jsonb_build_object(
      'orderedPaise', v_order.amount_paise, 'paidPaise', f."amountPaise", 'currency', f.currency));
  end if;
  v_state := case f.status when 'refunded' then 'captured' else f.status end;

  select * into v_before from payments where gateway_payment_id = f."gatewayPaymentId";
  if v_before.order_id <> v_order.id then
    perform open_case('payment-mismatch', f."gatewayPaymentId", p_facts);
    return ledger.refusal('payment-mismatch');
  end if;
  if v_before.state is null or payment_rank(v_state) > payment_rank(v_before.state) then
    if v_state = 'captured' then
      v_credit := ledger.purchase_captured(v_order, f."gatewayPaymentId");
    end if;
    insert into payments as p (gateway_payment_id, order_id, amount_paise, state, error_reason, journal_id,
        captured_at)
      values (f."gatewayPaymentId", v_order.id, v_order.amount_paise, v_state, f."errorReason",
        (v_credit->>'journalId')::uuid, case v_state when 'captured' then now() end)
      on conflict (gateway_payment_id) do update set
        state = excluded.state,
        error_reason = excluded.error_reason,
        journal_id = excluded.journal_id,
        captured_at = excluded.captured_at;
    update orders set
        state = case when v_state = 'captured' then 'paid' when state = 'created' then 'attempted' else state end,
        paid_at = case when v_state = 'captured' then coalesce(paid_at, now()) else paid_at end
      where id = v_order.id;
    if v_state = 'captured' and v_order.state = 'paid' then
      -- Both were credited, since both were paid; somebody may want one back.
      perform open_case('order-paid-twice', f."gatewayPaymentId",
        jsonb_build_object('orderId', v_order.id, 'userId', v_order.user_id));
    end if;
  else
    v_state := v_before.state;
  end if;
  -- Whoever tells more than those before is listened to, also when the state is no news.
  update payments set
      method = coalesce(method, f.method), instrument_hash = coalesce(instrument_hash, f."instrumentHash"),
      fee_paise = coalesce(fee_paise, f."feePaise"), fee_tax_paise = coalesce(fee_tax_paise, f."feeTaxPaise")
    where gateway_payment_id = f."gatewayPaymentId" and (
      (method is null and f.method is not null)
      or (instrument_hash is null and f."instrumentHash" is not null)
      or (fee_paise is null and f."feePaise" is not null)
      or (fee_tax_paise is null and f."feeTaxPaise" is not null));
  if v_state = 'captured' then
    perform refund_observed(r) from jsonb_array_elements(p_facts->'refunds') r;
  end if;
  return jsonb_build_object(
    'orderId', v_order.id, 'userId', v_order.user_id, 'state', v_state, 'tokens', v_order.tokens,
    'credited', v_credit is not null, 'balanceTokens', ledger.spendable(v_order.user_id));
end
$$;

-- A captured payment: the price comes in, tax is owed, the rest is owed to the viewer as a lot of tokens.
create or replace function ledger.purchase_captured(p_order orders, p_gateway_payment text) returns jsonb
language plpgsql
as $$
declare
  v_act uuid := uuid_v7();
  v_key text := 'purchase:' || p_gateway_payment;
  v_net bigint := p_order.amount_paise - p_order.gst_paise;
  v_user uuid := p_order.user_id;
  v_result jsonb;
begin
  perform ledger.lock_wallet(v_user);
  v_result := jsonb_build_object(
    'journalId', v_act, 'orderId', p_order.id, 'userId', v_user, 'tokens', p_order.tokens);
  perform ledger.open_lot(v_act, v_user, 'viewer_tokens', p_order.tokens, v_net, p_order.gst_paise, null);
  perform ledger.record(v_act, 'purchase', v_key, ledger.fingerprint(p_order.id::text), v_result, array[
    ledger.line('viewer_tokens', v_user, -p_order.tokens, v_act),
    ledger.line('viewer_prepaid', v_user, -v_net, v_act),
    ledger.line('tokens_outstanding', null, p_order.tokens),
    ledger.line('gateway_clearing', null, p_order.amount_paise),
    ledger.line('gst_payable', null, -p_order.gst_paise)]);
  return v_result;
end
$$;

-- A lot that the entries of the same act are about to fill.
create or replace function ledger.open_lot(
  p_act uuid, p_owner uuid, p_class text, p_tokens bigint, p_net bigint, p_gst bigint, p_expires timestamptz
) returns void
language sql
as $$
  insert into ledger.lots
      (id, owner_id, account_id, prepaid_account_id, tokens, net_paise, gst_paise, gst_left, expires_at)
    values (p_act, p_owner, ledger.account_of(p_class, p_owner), ledger.account_of('viewer_prepaid', p_owner),
      p_tokens, p_net, p_gst, p_gst, p_expires)
$$;
