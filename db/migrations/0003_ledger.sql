-- The ledger's rules and acts. Debits are positive, credits negative; every act sums to zero in each currency.

create function ledger.forbid_change() returns trigger
language plpgsql
as $$
begin
  raise exception '% is append-only: correct it with a reversal', tg_table_name
    using errcode = 'restrict_violation';
end
$$;
--> statement-breakpoint
create trigger journal_append_only before update or delete or truncate on ledger.journal
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger entries_append_only before update or delete or truncate on ledger.entries
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger tips_append_only before update or delete or truncate on ledger.tips
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger accounts_append_only before update or delete or truncate on ledger.accounts
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger fee_policies_append_only before update or delete or truncate on ledger.fee_policies
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint

-- Tokens outlive the offer they were bought under: a package can be withdrawn, and nothing else.
create function ledger.only_withdraw_package() returns trigger
language plpgsql
as $$
begin
  if tg_op <> 'UPDATE'
    or (new.id, new.name, new.tokens, new.price_paise, new.gst_rate_bp, new.offered_from)
      is distinct from (old.id, old.name, old.tokens, old.price_paise, old.gst_rate_bp, old.offered_from)
  then
    raise exception 'a package can only be withdrawn' using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger packages_only_withdrawn before update or delete on packages
  for each row execute function ledger.only_withdraw_package();
--> statement-breakpoint
create trigger packages_not_truncated before truncate on packages
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint

-- Holds for every INSERT, whoever makes it: each journal row's entries come in one statement and sum to
-- zero per currency, every account exists in that currency, and guarded balances move with the entries.
create function ledger.check_and_apply_entries() returns trigger
language plpgsql
as $$
begin
  if exists (
    select from new_entries group by journal_id, currency having sum(amount) <> 0
  ) then
    raise exception 'entries do not sum to zero' using errcode = 'check_violation';
  end if;
  if exists (
    select from new_entries n
      left join ledger.accounts a on a.id = n.account_id
      left join ledger.account_classes c on c.class = a.class and c.currency = n.currency
      where c.class is null
  ) then
    raise exception 'entry of an unknown account or in a foreign currency' using errcode = 'check_violation';
  end if;
  if exists (
    select from new_entries n
      join ledger.entries e on e.journal_id = n.journal_id
      where not exists (select from new_entries own where own.id = e.id)
  ) then
    raise exception 'a journal row takes its entries once' using errcode = 'check_violation';
  end if;
  update ledger.balances b
    set balance = b.balance + d.delta
    from (
      select n.account_id,
          sum(case c.normal_side when 'debit' then n.amount else -n.amount end) as delta
        from new_entries n
        join ledger.accounts a on a.id = n.account_id
        join ledger.account_classes c on c.class = a.class and c.guarded
        group by n.account_id
    ) d
    where b.account_id = d.account_id;
  return null;
end
$$;
--> statement-breakpoint
create trigger entries_checked after insert on ledger.entries
  referencing new table as new_entries
  for each statement execute function ledger.check_and_apply_entries();
--> statement-breakpoint

-- Every guarded account has its balance row from birth.
create function ledger.open_balance() returns trigger
language plpgsql
as $$
begin
  insert into ledger.balances (account_id)
    select new.id from ledger.account_classes c where c.class = new.class and c.guarded;
  return null;
end
$$;
--> statement-breakpoint
create trigger accounts_open_balance after insert on ledger.accounts
  for each row execute function ledger.open_balance();
--> statement-breakpoint

-- The account of this class and owner (null: the house); made at first use.
create function ledger.account_of(p_class text, p_owner uuid default null) returns uuid
language plpgsql
as $$
declare
  v_id uuid;
begin
  -- Two statements, because "is not distinct from" cannot use the index.
  if p_owner is null then
    select id into v_id from ledger.accounts where class = p_class and owner_id is null;
  else
    select id into v_id from ledger.accounts where class = p_class and owner_id = p_owner;
  end if;
  if v_id is not null then
    return v_id;
  end if;
  insert into ledger.accounts (class, owner_id) values (p_class, p_owner)
    on conflict on constraint accounts_class_owner do nothing
    returning id into v_id;
  if v_id is null then
    select id into strict v_id from ledger.accounts
      where class = p_class and owner_id is not distinct from p_owner;
  end if;
  return v_id;
end
$$;
--> statement-breakpoint

-- Writes the entries of one act; amounts of zero are left out.
create function ledger.post(p_journal uuid, p_accounts uuid[], p_amounts bigint[]) returns void
language sql
as $$
  insert into ledger.entries (journal_id, account_id, currency, amount)
    select p_journal, line.account_id, c.currency, line.amount
      from unnest(p_accounts, p_amounts) as line (account_id, amount)
      join ledger.accounts a on a.id = line.account_id
      join ledger.account_classes c on c.class = a.class
      where line.amount <> 0
$$;
--> statement-breakpoint

create function ledger.fingerprint(variadic p_parts text[]) returns text
language sql immutable
as $$
  select encode(sha256(convert_to(to_jsonb(p_parts)::text, 'UTF8')), 'hex')
$$;
--> statement-breakpoint

-- The result of an act that was carried out under this key, or null. Refuses a key used for another act.
create function ledger.replay(p_key text, p_fingerprint text) returns jsonb
language plpgsql stable
as $$
declare
  v_row ledger.journal;
begin
  select * into v_row from ledger.journal where idempotency_key = p_key;
  if not found then
    return null;
  end if;
  if v_row.fingerprint <> p_fingerprint then
    perform refuse('idempotency-key-reused');
  end if;
  return v_row.result || jsonb_build_object('replayed', true);
end
$$;
--> statement-breakpoint

-- An order of a package on sale, at its price of this moment. The same key gives the same order back.
create function create_order(p_user uuid, p_package uuid, p_key text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_package packages;
  v_order orders;
begin
  select * into v_order from orders where user_id = p_user and idempotency_key = p_key;
  if not found then
    select * into v_package from packages
      where id = p_package and offered_from <= now() and coalesce(offered_until, 'infinity') > now();
    if not found then
      perform refuse('package-unavailable');
    end if;
    insert into orders (user_id, package_id, tokens, amount_paise, gst_paise, idempotency_key, check_at)
      values (p_user, p_package, v_package.tokens, v_package.price_paise, v_package.gst_paise, p_key,
        now() + interval '15 minutes')
      on conflict (user_id, idempotency_key) do nothing;
    select * into strict v_order from orders where user_id = p_user and idempotency_key = p_key;
  end if;
  if v_order.package_id <> p_package then
    perform refuse('idempotency-key-reused');
  end if;
  return order_json(v_order);
end
$$;
--> statement-breakpoint

create function order_json(p_order orders) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', p_order.id, 'userId', p_order.user_id, 'tokens', p_order.tokens,
    'amountPaise', p_order.amount_paise, 'state', p_order.state,
    'gatewayOrderId', p_order.gateway_order_id)
$$;
--> statement-breakpoint

-- Keeps the gateway's id of an order; the first one stays.
create function set_gateway_order(p_order uuid, p_gateway_order text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
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
--> statement-breakpoint

-- Open orders whose time has come to be asked about; each is asked about less often as it grows old,
-- and not at all after four days, when no payment can come any more.
create function orders_to_check(p_limit integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_orders jsonb;
begin
  with due as (
    select id from orders
      where state = 'created' and check_at <= now() and gateway_order_id is not null
      order by check_at limit p_limit for update skip locked
  ), claimed as (
    update orders o set check_at = case
        when o.created_at < now() - interval '4 days' then null
        else now() + least(greatest((now() - o.created_at) / 2, interval '15 minutes'), interval '6 hours')
      end
      from due where o.id = due.id
      returning order_json(o) as claimed_order
  )
  select coalesce(jsonb_agg(claimed_order), '[]') into v_orders from claimed;
  return v_orders;
end
$$;
--> statement-breakpoint

-- A captured payment: the price comes in, tax is owed, the rest is owed to the viewer as tokens.
create function ledger.purchase_captured(
  p_gateway_order text, p_gateway_payment text, p_amount_paise bigint
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_order orders;
  v_key text := 'purchase:' || p_gateway_payment;
  v_fingerprint text := ledger.fingerprint(p_gateway_order, p_amount_paise::text);
  v_result jsonb;
  v_journal uuid := uuid_v7();
  v_tokens uuid;
  v_prepaid uuid;
begin
  select * into v_order from orders where gateway_order_id = p_gateway_order for update;
  if not found then
    perform refuse('not-found', jsonb_build_object('gatewayOrderId', p_gateway_order));
  end if;
  if v_order.amount_paise <> p_amount_paise then
    perform refuse('payment-mismatch',
      jsonb_build_object('orderedPaise', v_order.amount_paise, 'paidPaise', p_amount_paise));
  end if;
  v_result := ledger.replay(v_key, v_fingerprint);
  if v_result is not null then
    return v_result;
  end if;

  v_tokens := ledger.account_of('viewer_tokens', v_order.user_id);
  v_prepaid := ledger.account_of('viewer_prepaid', v_order.user_id);
  perform from ledger.balances where account_id in (v_tokens, v_prepaid)
    order by account_id for update;
  v_result := jsonb_build_object(
    'orderId', v_order.id, 'userId', v_order.user_id, 'tokens', v_order.tokens, 'replayed', false);
  insert into ledger.journal (id, kind, idempotency_key, fingerprint, result)
    values (v_journal, 'purchase', v_key, v_fingerprint, v_result);
  perform ledger.post(v_journal,
    array[
      v_tokens, ledger.account_of('tokens_outstanding'),
      ledger.account_of('gateway_clearing'), ledger.account_of('gst_payable'), v_prepaid],
    array[
      -v_order.tokens, v_order.tokens,
      v_order.amount_paise, -v_order.gst_paise, -(v_order.amount_paise - v_order.gst_paise)]);
  insert into payments (gateway_payment_id, order_id, amount_paise, journal_id)
    values (p_gateway_payment, v_order.id, p_amount_paise, v_journal);
  update orders set state = 'paid', paid_at = coalesce(paid_at, now()) where id = v_order.id;
  return v_result;
end
$$;
--> statement-breakpoint

-- A tip: burns the viewer's tokens, credits the performer at the policy's rate, and the rest of what was
-- prepaid for those tokens is revenue. Only the tipper's own rows are locked; performer and platform are
-- appended to, so that a famous performer is never a queue.
create function ledger.tip(
  p_viewer uuid, p_stream uuid, p_amount bigint, p_message text, p_anonymous boolean, p_key text
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_key text := 'tip:' || p_viewer || ':' || p_key;
  v_fingerprint text :=
    ledger.fingerprint(p_stream::text, p_amount::text, p_message, p_anonymous::text);
  v_result jsonb;
  v_stream streams;
  v_username text;
  v_policy ledger.fee_policies;
  v_tokens uuid;
  v_prepaid uuid;
  v_balance_tokens bigint := 0;
  v_balance_prepaid bigint := 0;
  v_used_prepaid bigint;
  v_earned bigint;
  v_journal uuid := uuid_v7();
  v_event events;
begin
  select id into v_tokens from ledger.accounts where class = 'viewer_tokens' and owner_id = p_viewer;
  select id into v_prepaid from ledger.accounts where class = 'viewer_prepaid' and owner_id = p_viewer;
  -- The lock comes before the look for a replay: of two equal requests the second waits here,
  -- and then sees what the first has done.
  perform from ledger.balances where account_id in (v_tokens, v_prepaid)
    order by account_id for update;
  v_result := ledger.replay(v_key, v_fingerprint);
  if v_result is not null then
    return v_result;
  end if;

  select * into v_stream from streams where id = p_stream;
  if not found then
    perform refuse('not-found', jsonb_build_object('streamId', p_stream));
  end if;
  if v_stream.performer_id = p_viewer then
    perform refuse('self-tip');
  end if;
  if v_stream.state <> 'live' then
    perform refuse('stream-not-live', jsonb_build_object('state', v_stream.state));
  end if;
  select balance into v_balance_tokens from ledger.balances where account_id = v_tokens;
  select balance into v_balance_prepaid from ledger.balances where account_id = v_prepaid;
  if coalesce(v_balance_tokens, 0) < p_amount then
    perform refuse('insufficient-balance', jsonb_build_object(
      'neededTokens', p_amount, 'availableTokens', coalesce(v_balance_tokens, 0)));
  end if;
  select username into strict v_username from users where id = p_viewer;
  select * into strict v_policy from ledger.fee_policies
    where valid_from <= now() order by version desc limit 1;

  -- Tokens of several prices mix in a wallet: each carries the average of what is left. Rounding down
  -- leaves the fraction in the wallet, and the last token takes all of it.
  v_used_prepaid := v_balance_prepaid * p_amount / v_balance_tokens;
  v_earned := p_amount * v_policy.payout_paise_per_token;
  if v_earned > v_used_prepaid then
    raise exception 'a tip would pay out more than was paid for its tokens';
  end if;

  insert into events (stream_id, type, data)
    values (p_stream, 'tip.received', jsonb_build_object(
      'tipId', v_journal,
      'userId', case when p_anonymous then null else p_viewer end,
      'username', case when p_anonymous then null else v_username end,
      'amountTokens', p_amount,
      'message', p_message))
    returning * into v_event;
  v_result := jsonb_build_object(
    'tipId', v_journal, 'eventId', v_event.id, 'amountTokens', p_amount,
    'balanceTokens', v_balance_tokens - p_amount, 'replayed', false);
  insert into ledger.journal (id, kind, idempotency_key, fingerprint, result)
    values (v_journal, 'tip', v_key, v_fingerprint, v_result);
  perform ledger.post(v_journal,
    array[
      v_tokens, ledger.account_of('tokens_outstanding'),
      v_prepaid, ledger.account_of('performer_payable', v_stream.performer_id),
      ledger.account_of('platform_revenue')],
    array[
      p_amount, -p_amount,
      v_used_prepaid, -v_earned, v_earned - v_used_prepaid]);
  insert into ledger.tips (id, stream_id, viewer_id, performer_id, amount_tokens, earned_paise,
      fee_policy_version, message, anonymous, event_id)
    values (v_journal, p_stream, p_viewer, v_stream.performer_id, p_amount, v_earned,
      v_policy.version, p_message, p_anonymous, v_event.id);
  return v_result || jsonb_build_object('event', event_json(v_event));
end
$$;
--> statement-breakpoint

-- Debits and credits of each class.
create function ledger.trial_balance()
returns table (account_class text, currency text, debit bigint, credit bigint)
language sql stable security definer set search_path = public, pg_temp
as $$
  select c.class, c.currency,
      coalesce(sum(e.amount) filter (where e.amount > 0), 0)::bigint,
      coalesce(-sum(e.amount) filter (where e.amount < 0), 0)::bigint
    from ledger.account_classes c
    left join ledger.accounts a on a.class = c.class
    left join ledger.entries e on e.account_id = a.id
    group by c.class, c.currency
    order by c.currency, c.class
$$;
--> statement-breakpoint

-- Everything that must be true of the books; one row for each thing that is not.
create function ledger.verify() returns table (invariant text, subject text, detail text)
language sql stable security definer set search_path = public, pg_temp
as $$
  select 'every journal row sums to zero per currency', journal_id::text,
      currency || ': ' || sum(amount)
    from ledger.entries group by journal_id, currency having sum(amount) <> 0
  union all
  select 'every journal row has entries', j.id::text, j.kind
    from ledger.journal j
    where not exists (select from ledger.entries e where e.journal_id = j.id)
  union all
  select 'every entry is of an account in its own currency', e.id::text, e.currency
    from ledger.entries e
    left join ledger.accounts a on a.id = e.account_id
    left join ledger.account_classes c on c.class = a.class and c.currency = e.currency
    where c.class is null
  union all
  select 'every guarded balance equals its entries', a.id::text,
      b.balance || ' is kept, ' || coalesce(s.total, 0) || ' is posted'
    from ledger.accounts a
    join ledger.account_classes c on c.class = a.class and c.guarded
    left join ledger.balances b on b.account_id = a.id
    left join (
      select e.account_id, sum(case k.normal_side when 'debit' then e.amount else -e.amount end) as total
        from ledger.entries e
        join ledger.accounts x on x.id = e.account_id
        join ledger.account_classes k on k.class = x.class
        group by e.account_id
    ) s on s.account_id = a.id
    where b.balance is distinct from coalesce(s.total, 0)::bigint
  union all
  select 'no wallet is below zero', account_id::text, balance::text
    from ledger.balances where balance < 0
  union all
  select 'tokens in wallets are the tokens outstanding', 'TOKEN', sum(e.amount)::text
    from ledger.entries e where e.currency = 'TOKEN' having sum(e.amount) <> 0
  union all
  select 'every tip moved what it says', t.id::text, t.amount_tokens || ' tokens'
    from ledger.tips t
    left join (
      select e.journal_id,
          sum(e.amount) filter (where a.class = 'viewer_tokens') as tokens,
          -sum(e.amount) filter (where a.class = 'performer_payable') as earned,
          max(a.owner_id::text) filter (where a.class = 'viewer_tokens') as viewer,
          max(a.owner_id::text) filter (where a.class = 'performer_payable') as performer
        from ledger.entries e join ledger.accounts a on a.id = e.account_id
        group by e.journal_id
    ) m on m.journal_id = t.id
    where (m.tokens, m.earned, m.viewer, m.performer) is distinct from
      (t.amount_tokens::numeric, t.earned_paise::numeric, t.viewer_id::text, t.performer_id::text)
  union all
  select 'every journal row of a tip has its tip', j.id::text, j.idempotency_key
    from ledger.journal j
    where j.kind = 'tip' and not exists (select from ledger.tips t where t.id = j.id)
  union all
  select 'every tip has its event', t.id::text, t.event_id::text
    from ledger.tips t
    where not exists (select from events v where v.id = t.event_id and v.type = 'tip.received')
  union all
  select 'every captured payment is credited once', p.gateway_payment_id, count(j.id)::text
    from payments p
    left join ledger.journal j on j.id = p.journal_id
      and j.idempotency_key = 'purchase:' || p.gateway_payment_id
    group by p.gateway_payment_id having count(j.id) <> 1
  union all
  select 'every purchase has its payment', j.id::text, j.idempotency_key
    from ledger.journal j
    where j.kind = 'purchase' and not exists (select from payments p where p.journal_id = j.id)
  union all
  select 'every order is at the price of its package', o.id::text, o.amount_paise || ' paise'
    from orders o join packages k on k.id = o.package_id
    where (o.tokens, o.amount_paise, o.gst_paise) is distinct from (k.tokens, k.price_paise, k.gst_paise)
  union all
  select 'every purchase moved what was ordered', p.gateway_payment_id, o.tokens || ' tokens'
    from payments p
    join orders o on o.id = p.order_id
    left join (
      select e.journal_id,
          -sum(e.amount) filter (where a.class = 'viewer_tokens') as tokens,
          sum(e.amount) filter (where a.class = 'gateway_clearing') as paid,
          max(a.owner_id::text) filter (where a.class = 'viewer_tokens') as viewer
        from ledger.entries e join ledger.accounts a on a.id = e.account_id
        group by e.journal_id
    ) m on m.journal_id = p.journal_id
    where (m.tokens, m.paid, m.viewer) is distinct from
      (o.tokens::numeric, o.amount_paise::numeric, o.user_id::text)
  union all
  select 'every wallet was paid for more than its tokens can pay out', t.owner_id::text,
      tb.balance || ' tokens, ' || pb.balance || ' paise'
    from ledger.accounts t
    join ledger.balances tb on tb.account_id = t.id
    join ledger.accounts p on p.class = 'viewer_prepaid' and p.owner_id = t.owner_id
    join ledger.balances pb on pb.account_id = p.id
    where t.class = 'viewer_tokens'
      and pb.balance < tb.balance * (
        select payout_paise_per_token from ledger.fee_policies
          where valid_from <= now() order by version desc limit 1)
  union all
  select 'a token always pays out less than it cost', k.name,
      f.payout_paise_per_token || ' paise paid out per token'
    from packages k, ledger.fee_policies f
    where f.payout_paise_per_token * k.tokens >= k.price_paise - k.gst_paise
      and f.version = (select max(version) from ledger.fee_policies)
$$;
--> statement-breakpoint

-- Nobody may buy tokens, tip an accomplice and cash out at a profit: holds for every package that was
-- ever on offer (its tokens may still be unspent) and every fee policy that is or will be in force.
create function ledger.check_no_arbitrage() returns trigger
language plpgsql
as $$
begin
  -- Packages and policies are changed by few and seldom; a lock makes two such changes wait for each other.
  perform pg_advisory_xact_lock(hashtext('ledger.check_no_arbitrage'));
  if exists (
    select from packages k, ledger.fee_policies f
      where f.version >= coalesce(
          (select max(version) from ledger.fee_policies where valid_from <= now()), 0)
        and f.payout_paise_per_token * k.tokens >= k.price_paise - k.gst_paise
  ) then
    raise exception 'a token must pay out less than its cheapest net price'
      using errcode = 'check_violation', constraint = 'no_arbitrage';
  end if;
  return null;
end
$$;
--> statement-breakpoint
create trigger packages_no_arbitrage after insert or update on packages
  for each statement execute function ledger.check_no_arbitrage();
--> statement-breakpoint
create trigger fee_policies_no_arbitrage after insert or update on ledger.fee_policies
  for each statement execute function ledger.check_no_arbitrage();
