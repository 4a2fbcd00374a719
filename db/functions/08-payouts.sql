-- Payouts: earnings whose waiting time is over, asked for by performers, approved by staff where they are
-- large, sent by a job, and ended by what the bank says.

-- Moves earnings whose waiting time is over from pending to available: those of tips up to the last block that
-- was sealed before it, but for what a dispute holds. A round takes about so many acts, whole blocks at least;
-- `more` says that another round may find some.
create or replace function ledger.release_earnings(p_acts_max integer default 20000) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_from bigint;
  v_to bigint;
  v_performer record;
  v_count integer := 0;
  v_total bigint := 0;
begin
  select released_through into strict v_from from ledger.sealer for no key update;
  select max(last_position) into v_to from (
      select last_position, sealed_at, row_number() over (order by last_position) as place
        from (select * from ledger.blocks where last_position > v_from order by last_position limit 1000) b
    ) next_blocks
    where sealed_at <= now() - make_interval(hours => coalesce(rule('earnings_hold_hours'), 0)::int)
      and (place = 1 or last_position <= v_from + p_acts_max);
  if v_to is null then
    return jsonb_build_object('performers', 0, 'paise', 0, 'more', false);
  end if;
  for v_performer in
    select t.performer_id, sum(t.earned_paise - coalesce(d.paise, 0))::bigint as paise
      from ledger.sealed s
      join ledger.tips t on t.id = s.journal_id
      cross join lateral (select sum(paise) as paise from disputed_earnings where tip_id = t.id) d
      where s.position > v_from and s.position <= v_to
      group by t.performer_id
      order by t.performer_id
  loop
    continue when v_performer.paise = 0;
    perform ledger.record(uuid_v7(), 'earnings-released',
      'earnings-released:' || v_performer.performer_id || ':' || v_to,
      ledger.fingerprint(v_from::text), jsonb_build_object('paise', v_performer.paise), array[
        ledger.line('performer_pending', v_performer.performer_id, v_performer.paise),
        ledger.line('performer_available', v_performer.performer_id, -v_performer.paise)]);
    v_count := v_count + 1;
    v_total := v_total + v_performer.paise;
  end loop;
  update ledger.sealer set released_through = v_to;
  return jsonb_build_object('performers', v_count, 'paise', v_total, 'more', true);
end
$$;

-- When the oldest earnings of a performer that wait can be asked for; null when none do.
create or replace function ledger.next_release(p_performer uuid) returns timestamptz
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  with released as (
    select s.released_through,
        -- Whatever has waited for so long before the last block that was released is released.
        coalesce((select sealed_at from ledger.blocks where last_position = s.released_through), '-infinity')
          - interval '1 hour' as since
      from ledger.sealer s
  ), oldest as (
    select x.position
      from released r,
        ledger.tips t,
        lateral (select (select position from ledger.sealed where journal_id = t.id) as position offset 0) x
      where t.performer_id = p_performer and t.created_at > r.since
        and coalesce(x.position, 9223372036854775807) > r.released_through
      order by t.created_at limit 1
  )
  select coalesce(
      (select sealed_at from ledger.blocks where last_position >= o.position order by last_position limit 1), now())
      + make_interval(hours => coalesce(rule('earnings_hold_hours'), 0)::int)
    from oldest o
$$;

create or replace function payout_json(p_payout payouts) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', p_payout.id, 'performerId', p_payout.performer_id, 'amountPaise', p_payout.amount_paise,
    'tdsPaise', p_payout.tds_paise, 'tdsSection', p_payout.tds_section, 'tdsRateBp', p_payout.tds_rate_bp,
    'netPaise', p_payout.amount_paise - p_payout.tds_paise,
    'state', p_payout.state, 'approvalsNeeded', p_payout.approvals_needed,
    'approvals', (select count(*) from payout_approvals a where a.payout_id = p_payout.id),
    'account', (select a.mask from payout_accounts a where a.id = p_payout.payout_account_id),
    'utr', p_payout.utr, 'failure', p_payout.failure,
    'createdAt', instant(p_payout.created_at), 'endedAt', instant(p_payout.ended_at))
$$;

-- Why a performer cannot be paid now, or null.
create or replace function payout_refusal(p_performer uuid) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_account payout_accounts;
  v_from timestamptz;
begin
  if account_refusal(p_performer) is not null then
    return ledger.refusal(account_refusal(p_performer));
  end if;
  if exists (select from payout_holds where performer_id = p_performer and lifted_at is null) then
    return ledger.refusal('payout-on-hold');
  end if;
  select * into v_account from payout_accounts
    where performer_id = p_performer and state in ('pending', 'verified', 'failed')
    order by created_at desc limit 1;
  if v_account.id is null then
    return ledger.refusal('payout-account-missing');
  end if;
  if v_account.state <> 'verified' then
    return ledger.refusal('payout-account-unverified', jsonb_build_object('state', v_account.state));
  end if;
  v_from := greatest(v_account.usable_from, (select payable_from from tax_profiles where user_id = p_performer));
  if v_from > now() then
    return ledger.refusal('payout-details-on-hold', jsonb_build_object('usableFrom', instant(v_from)));
  end if;
  return null;
end
$$;

-- The most that a performer's account can be sent at once, tax kept back already; null when nothing limits it.
create or replace function payout_net_max(p_performer uuid) returns bigint
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select rule('upi_payout_max_paise')
    where exists (
      select from payout_accounts
        where performer_id = p_performer and state in ('pending', 'verified') and kind = 'upi')
$$;

-- Why so much cannot be sent at once, or null.
create or replace function payout_size_refusal(p_performer uuid, p_net bigint) returns jsonb
language plpgsql stable
as $$
declare
  v_max bigint := payout_net_max(p_performer);
begin
  if (p_net > v_max) is not true then
    return null;
  end if;
  return ledger.refusal('payout-too-large', jsonb_build_object('netPaise', p_net, 'maxNetPaise', v_max,
    'detail', 'A UPI address can be sent at most ₹' || rtrim(to_char(v_max / 100.0, 'FM99,99,99,990.99'), '.')
      || ' at once, after tax. Ask for less, or give a bank account.'));
end
$$;

-- How many of the staff must agree to another payout. It counts together with those of the last hours to which fewer
-- have agreed, so that a large one is not asked for in small ones. The performer is locked.
create or replace function payout_approvals_needed(p_performer uuid, p_amount bigint) returns integer
language sql stable
as $$
  select case
      when t.by_nobody <= coalesce(rule('payout_auto_max_paise'), 0) then 0
      when t.by_one_at_most <= coalesce(rule('payout_second_approval_paise'), t.by_one_at_most) then 1
      else 2
    end
    from (
      select p_amount + coalesce(sum(p.amount_paise) filter (where a.approvals = 0), 0) as by_nobody,
          p_amount + coalesce(sum(p.amount_paise) filter (where a.approvals < 2), 0) as by_one_at_most
        from payouts p,
          lateral (select count(*) as approvals from payout_approvals where payout_id = p.id) a
        where p.performer_id = p_performer
          and p.created_at > now() - make_interval(hours => rule('payout_together_hours')::int)
          and p.state not in ('failed', 'rejected', 'reversed')
    ) t
$$;

-- Asks for available earnings. The money leaves `performer_available` at once, so that it cannot be asked for twice.
create or replace function ledger.payout_requested(p_performer uuid, p_amount bigint, p_key text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_key text := 'payout-requested:' || p_performer || ':' || p_key;
  v_fingerprint text := ledger.fingerprint(p_amount::text);
  v_result jsonb := ledger.replay(v_key, v_fingerprint);
  v_payout payouts;
  v_refusal jsonb;
  v_available bigint;
  v_account uuid;
  v_tds record;
  v_act uuid := uuid_v7();
  v_id uuid := uuid_v7();
begin
  if v_result is not null then
    select * into strict v_payout from payouts where id = (v_result->>'payoutId')::uuid;
    return payout_json(v_payout) || '{"replayed": true}';
  end if;
  -- One request of a performer at a time: the yearly threshold counts those before it.
  perform pg_advisory_xact_lock(hashtextextended(p_performer::text, 2));
  v_refusal := payout_refusal(p_performer);
  if v_refusal is not null then
    return v_refusal;
  end if;
  if p_amount >= greatest(rule('payout_min_paise'), 1) is not true then
    return ledger.refusal('payout-too-small', jsonb_build_object('minPaise', rule('payout_min_paise')));
  end if;
  v_account := ledger.account_of('performer_available', p_performer);
  select balance into strict v_available from ledger.balances where account_id = v_account for no key update;
  if v_available < p_amount then
    return ledger.refusal('insufficient-earnings', jsonb_build_object(
      'neededPaise', p_amount, 'availablePaise', v_available));
  end if;
  select * into strict v_tds from tds_of(p_performer, p_amount);
  v_refusal := payout_size_refusal(p_performer, p_amount - v_tds.paise);
  if v_refusal is not null then
    return v_refusal;
  end if;
  perform ledger.record(v_act, 'payout-requested', v_key, v_fingerprint,
    jsonb_build_object('payoutId', v_id, 'replayed', false), array[
      ledger.line('performer_available', p_performer, p_amount),
      ledger.line('payout_pending', p_performer, -p_amount)]);
  insert into payouts (id, performer_id, payout_account_id, amount_paise, tds_paise, tds_section, tds_rate_bp,
      state, approvals_needed, idempotency_key, request_journal_id)
    values (v_id, p_performer,
      (select id from payout_accounts where performer_id = p_performer and state = 'verified'),
      p_amount, v_tds.paise, v_tds.section, v_tds.rate_bp, 'requested',
      payout_approvals_needed(p_performer, p_amount), p_key, v_act)
    returning * into v_payout;
  if v_payout.approvals_needed = 0 then
    update payouts set state = 'approved', approved_at = now(), next_attempt_at = now()
      where id = v_id returning * into v_payout;
  end if;
  return payout_json(v_payout) || '{"replayed": false}';
end
$$;

-- The payout, locked, for one of the staff who is not paid by it.
create or replace function ledger.payout_for_staff(p_payout uuid, p_staff uuid) returns payouts
language plpgsql
as $$
declare
  v_payout payouts;
begin
  perform require_permission(p_staff, 'decide-payouts');
  select * into v_payout from payouts where id = p_payout for no key update;
  if not found then
    perform refuse('not-found');
  end if;
  if v_payout.performer_id = p_staff then
    perform refuse('second-person-needed');
  end if;
  return v_payout;
end
$$;

-- One of the staff agrees; the last one that is needed lets it go.
create or replace function ledger.payout_approved(p_payout uuid, p_staff uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_payout payouts;
begin
  v_payout := ledger.payout_for_staff(p_payout, p_staff);
  if exists (select from payout_approvals where payout_id = p_payout and approved_by = p_staff) then
    if v_payout.state = 'requested' then
      perform refuse('second-person-needed');
    end if;
    return payout_json(v_payout) || '{"replayed": true}';
  end if;
  if v_payout.state <> 'requested' then
    perform refuse('already-decided', jsonb_build_object('state', v_payout.state));
  end if;
  if exists (select from payout_holds where performer_id = v_payout.performer_id and lifted_at is null) then
    perform refuse('payout-on-hold');
  end if;
  insert into payout_approvals (payout_id, approved_by) values (p_payout, p_staff);
  if (select count(*) from payout_approvals where payout_id = p_payout) >= v_payout.approvals_needed then
    update payouts set state = 'approved', approved_at = now(), next_attempt_at = now()
      where id = p_payout returning * into v_payout;
  end if;
  perform audit('payout.approved', p_staff, p_payout::text, '{}');
  return payout_json(v_payout) || '{"replayed": false}';
end
$$;

-- One of the staff refuses a payout, as long as nothing of it has left: see `payout_never_sent` for the others.
create or replace function ledger.payout_rejected(p_payout uuid, p_staff uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_payout payouts;
begin
  perform require_permission(p_staff, 'decide-payouts');
  select * into v_payout from payouts where id = p_payout for no key update;
  if not found then
    perform refuse('not-found');
  end if;
  if v_payout.state = 'rejected' then
    return payout_json(v_payout) || '{"replayed": true}';
  end if;
  if v_payout.state not in ('requested', 'approved') then
    perform refuse('already-decided', jsonb_build_object('state', v_payout.state));
  end if;
  perform ledger.payout_returned(v_payout, 'payout-rejected');
  update payouts set state = 'rejected', failure = p_reason, ended_at = now(), next_attempt_at = null
    where id = p_payout returning * into v_payout;
  perform audit('payout.rejected', p_staff, p_payout::text, jsonb_build_object('reason', p_reason));
  return payout_json(v_payout) || '{"replayed": false}';
end
$$;

-- What was asked for is available again. What is available is locked first, as a request does.
create or replace function ledger.payout_returned(p_payout payouts, p_kind text) returns void
language plpgsql
as $$
begin
  perform ledger.record(uuid_v7(), p_kind, p_kind || ':' || p_payout.id, ledger.fingerprint(p_payout.id::text),
    jsonb_build_object('payoutId', p_payout.id), array[
      ledger.line('performer_available', p_payout.performer_id, -p_payout.amount_paise),
      ledger.line('payout_pending', p_payout.performer_id, p_payout.amount_paise)],
    p_payout.request_journal_id);
end
$$;

-- Whether nothing of a performer's may leave at present: a hold or a ban is on, or a corrected PAN is new.
create or replace function payouts_are_held(p_performer uuid) returns boolean
language sql stable
as $$
  select exists (select from payout_holds where performer_id = p_performer and lifted_at is null)
    or exists (select from tax_profiles where user_id = p_performer and payable_from > now())
    or exists (select from users where id = p_performer and banned_at is not null)
$$;

-- Approved payouts whose turn it is, for the one job that sends them. Each comes again, ever later, until its end
-- is known: also one that may be on its way and is held, which is looked for and not sent.
create or replace function payouts_to_send(p_limit integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_payouts jsonb;
begin
  with due as (
    select p.id from payouts p
      where p.state in ('approved', 'sending') and p.next_attempt_at <= now()
        and (p.state = 'sending' or not payouts_are_held(p.performer_id))
      order by p.next_attempt_at limit p_limit for no key update skip locked
  ), claimed as (
    update payouts p set attempts = p.attempts + 1,
        next_attempt_at = now() + least(interval '30 seconds' * 2 ^ least(p.attempts, 10), interval '1 hour')
      from due where p.id = due.id
      returning p.*
  )
  select coalesce(jsonb_agg(payout_json(c::payouts) || jsonb_build_object(
      'gatewayPayoutId', c.gateway_payout_id, 'attempts', c.attempts, 'firstAttemptAt', instant(c.first_attempt_at),
      'kind', a.kind,
      'gatewayFundAccountId', a.gateway_fund_account_id)), '[]')
    into v_payouts
    from claimed c join payout_accounts a on a.id = c.payout_account_id;
  return v_payouts;
end
$$;

-- Asked right before a payout is sent, the first time or again: from here on the gateway may have it. Answers
-- whether it may leave: not once it has ended or is held, nor by whoever took it before its last attempt. One of
-- which an earlier attempt is in the dark while it is held is a case: whoever asks has found nothing of it. A hold or
-- a ban that is being placed is waited for.
create or replace function payout_leaves(p_payout uuid, p_attempts integer) returns boolean
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_payout payouts;
begin
  select * into v_payout from payouts where id = p_payout for no key update;
  if (v_payout.state in ('approved', 'sending') and v_payout.gateway_payout_id is null
    and v_payout.attempts = p_attempts) is not true
  then
    return false;
  end if;
  perform pg_advisory_xact_lock(hashtextextended(v_payout.performer_id::text, 2));
  perform from users where id = v_payout.performer_id for share;
  if payouts_are_held(v_payout.performer_id) then
    if v_payout.state = 'sending' then
      perform open_case('payout-held-in-doubt', p_payout::text, jsonb_build_object(
        'performerId', v_payout.performer_id, 'attempts', p_attempts,
        'firstAttemptAt', instant(v_payout.first_attempt_at)));
    end if;
    return false;
  end if;
  perform close_case('payout-held-in-doubt', p_payout::text, 'It may leave again.');
  update payouts set state = 'sending', first_attempt_at = coalesce(first_attempt_at, now()) where id = p_payout;
  return true;
end
$$;

-- The money has left the bank, with its fee, and tax is owed.
create or replace function ledger.payout_paid(p_payout payouts, p_fee bigint, p_fee_tax bigint) returns void
language plpgsql
as $$
begin
  perform ledger.record(uuid_v7(), 'payout-paid', 'payout-paid:' || p_payout.id,
    ledger.fingerprint(p_payout.id::text), jsonb_build_object('payoutId', p_payout.id), array[
      ledger.line('payout_pending', p_payout.performer_id, p_payout.amount_paise),
      ledger.line('tds_payable', null, -p_payout.tds_paise),
      ledger.line('bank', null, p_payout.tds_paise - p_payout.amount_paise),
      ledger.line('payout_fees', null, p_fee - p_fee_tax),
      ledger.line('gst_input', null, p_fee_tax),
      ledger.line('bank', null, -p_fee)]);
end
$$;

-- The bank gives back what it had taken, its fee as well; tax is not owed any more, and the money is available.
create or replace function ledger.payout_reversed(p_payout payouts) returns void
language plpgsql
as $$
declare
  v_paid uuid;
  v_lines ledger.line[];
begin
  select id into strict v_paid from ledger.journal where idempotency_key = 'payout-paid:' || p_payout.id;
  select array_agg(row(
      case when a.class = 'payout_pending' then ledger.account_of('performer_available', p_payout.performer_id)
        else e.account_id end, -e.amount, null)::ledger.line order by e.line)
    into v_lines
    from ledger.entries e join ledger.accounts a on a.id = e.account_id
    where e.journal_id = v_paid;
  perform ledger.record(uuid_v7(), 'payout-reversed', 'payout-reversed:' || p_payout.id,
    ledger.fingerprint(p_payout.id::text), jsonb_build_object('payoutId', p_payout.id), v_lines, v_paid);
end
$$;

-- What the bank says of a payout: `{ payoutId, gatewayPayoutId, amountPaise, status, feePaise, feeTaxPaise, utr,
-- failure }` with the status `sent`, `paid`, `failed` or `reversed`. Paid can still be reversed; nothing else
-- goes back. One that was reversed before anybody said that it was paid was paid all the same. One that failed
-- without a number of the gateway was said by staff never to have gone out. Where something leaves that the books do
-- not expect, the performer's payouts are held: it may be what was given back.
create or replace function payout_observed(p_facts jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  f record;
  v_payout payouts;
  v_net bigint;
  v_is_open boolean;
  v_case uuid;
begin
  select * into f from jsonb_to_record(p_facts) as f (
    "payoutId" uuid, "gatewayPayoutId" text, "amountPaise" bigint, status text, "feePaise" bigint,
    "feeTaxPaise" bigint, utr text, failure text);
  select * into v_payout from payouts
    where id = f."payoutId" or gateway_payout_id = f."gatewayPayoutId"
    order by (id = f."payoutId") is true desc limit 1 for no key update;
  if not found then
    perform open_case('payout-unknown', f."gatewayPayoutId", p_facts);
    return ledger.refusal('not-found', jsonb_build_object('gatewayPayoutId', f."gatewayPayoutId"));
  end if;
  v_net := v_payout.amount_paise - v_payout.tds_paise;
  if f."amountPaise" is distinct from v_net or v_payout.gateway_payout_id <> f."gatewayPayoutId"
    or v_payout.state in ('requested', 'rejected')
    or exists (select from payouts where gateway_payout_id = f."gatewayPayoutId" and id <> v_payout.id) then
    v_case := open_case('payout-mismatch', f."gatewayPayoutId",
      p_facts || jsonb_build_object('payoutId', v_payout.id, 'askedPaise', v_net));
    if f.status in ('sent', 'paid') then
      perform hold_payouts(v_payout.performer_id, 'payout-mismatch', v_case, null);
    end if;
    return ledger.refusal('payment-mismatch', jsonb_build_object('payoutId', v_payout.id));
  end if;

  v_is_open := v_payout.state in ('approved', 'sending');
  if v_is_open then
    perform close_case('payout-too-old-to-send', v_payout.id::text, 'The gateway told of it.');
    perform close_case('payout-held-in-doubt', v_payout.id::text, 'The gateway told of it.');
  end if;
  if v_is_open and f.status = 'sent' then
    update payouts set state = 'sending', gateway_payout_id = f."gatewayPayoutId"
      where id = v_payout.id returning * into v_payout;
  elsif v_is_open and f.status = 'failed' then
    perform ledger.payout_returned(v_payout, 'payout-failed');
    update payouts set state = 'failed', gateway_payout_id = f."gatewayPayoutId", failure = f.failure,
        ended_at = now(), next_attempt_at = null
      where id = v_payout.id returning * into v_payout;
    perform open_case('payout-failed', v_payout.id::text, p_facts);
  elsif v_is_open and f.status in ('paid', 'reversed') then
    if f.status = 'reversed' then
      -- What is available comes first, as in every act that moves both.
      perform from ledger.balances
        where account_id = ledger.account_of('performer_available', v_payout.performer_id) for no key update;
    end if;
    perform ledger.payout_paid(v_payout, coalesce(f."feePaise", 0), coalesce(f."feeTaxPaise", 0));
    update payouts set state = 'paid', gateway_payout_id = f."gatewayPayoutId", fee_paise = f."feePaise",
        ended_at = now(), next_attempt_at = null
      where id = v_payout.id returning * into v_payout;
  elsif v_payout.state = 'failed' and (
    f.status = 'paid' or (f.status = 'sent' and v_payout.gateway_payout_id is null))
  then
    -- What was given back may leave a second time: nothing more leaves until somebody has looked.
    perform hold_payouts(v_payout.performer_id, 'payout-contradiction',
      open_case('payout-contradiction', v_payout.id::text, p_facts), null);
  end if;
  if v_payout.state = 'paid' and f.status in ('reversed', 'failed') then
    perform ledger.payout_reversed(v_payout);
    update payouts set state = 'reversed', failure = f.failure, ended_at = now()
      where id = v_payout.id returning * into v_payout;
    perform open_case('payout-reversed', v_payout.id::text, p_facts);
  end if;
  if f.utr is not null and v_payout.utr is null then
    update payouts set utr = f.utr where id = v_payout.id returning * into v_payout;
  end if;
  return payout_json(v_payout);
end
$$;

-- New details of where to pay. The old ones are put away; the new ones must be verified, and wait. What a check of
-- the old ones costs that is under way is still asked about.
create or replace function set_payout_account(
  p_performer uuid, p_kind text, p_sealed text, p_mask text, p_hash text
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_is_first boolean;
  v_account payout_accounts;
begin
  perform pg_advisory_xact_lock(hashtextextended(p_performer::text, 2));
  select * into v_account from payout_accounts
    where performer_id = p_performer and state in ('pending', 'verified');
  if v_account.details_hash = p_hash then
    return payout_account_json(v_account);
  end if;
  v_is_first := not exists (select from payout_accounts where performer_id = p_performer);
  update payout_accounts set state = 'replaced', next_attempt_at = case when attempts > 0 then next_attempt_at end
    where performer_id = p_performer and state in ('pending', 'verified');
  insert into payout_accounts (performer_id, kind, sealed_details, mask, details_hash, usable_from)
    values (p_performer, p_kind, p_sealed, p_mask, p_hash, case when v_is_first then now()
      else now() + make_interval(hours => rule('payout_details_hold_hours')::int) end)
    returning * into v_account;
  perform audit('payout-account.changed', p_performer, v_account.id::text,
    jsonb_build_object('mask', p_mask, 'first', v_is_first));
  if exists (select from payout_accounts where details_hash = p_hash and performer_id <> p_performer) then
    perform open_case('payout-account-shared', v_account.id::text,
      jsonb_build_object('performerId', p_performer, 'mask', p_mask));
  end if;
  return payout_account_json(v_account);
end
$$;

create or replace function payout_account_json(p_account payout_accounts) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', p_account.id, 'kind', p_account.kind, 'mask', p_account.mask, 'state', p_account.state,
    'failure', p_account.failure, 'usableFrom', instant(p_account.usable_from),
    'createdAt', instant(p_account.created_at))
$$;

-- The account that a performer is paid to, or the last one that failed its check; null when there is none.
create or replace function payout_account_of(p_performer uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select payout_account_json(a) from payout_accounts a
    where a.performer_id = p_performer and a.state <> 'replaced'
    order by a.created_at desc limit 1
$$;

-- Accounts that wait for their penny-drop check, also replaced ones of which a check may be under way.
create or replace function payout_accounts_to_verify(p_limit integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_accounts jsonb;
begin
  with due as (
    select id from payout_accounts where next_attempt_at <= now()
      order by next_attempt_at limit p_limit for no key update skip locked
  ), claimed as (
    update payout_accounts a set attempts = a.attempts + 1,
        next_attempt_at = now() + least(interval '15 seconds' * 2 ^ least(a.attempts, 10), interval '6 hours')
      from due where a.id = due.id returning a.*
  )
  select coalesce(jsonb_agg(payout_account_json(c::payout_accounts) || jsonb_build_object(
      'performerId', c.performer_id, 'sealedDetails', c.sealed_details, 'attempts', c.attempts,
      'gatewayContactId', c.gateway_contact_id, 'gatewayFundAccountId', c.gateway_fund_account_id,
      'gatewayValidationId', c.gateway_validation_id)), '[]')
    into v_accounts from claimed c;
  return v_accounts;
end
$$;

-- How far the check of an account has come: `{ accountId, gatewayContactId, gatewayFundAccountId,
-- gatewayValidationId, state, registeredName, failure }`; what is left out stays. With a state the check has ended.
create or replace function payout_account_observed(p_facts jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_account payout_accounts;
begin
  update payout_accounts a set
      gateway_contact_id = coalesce(p_facts->>'gatewayContactId', a.gateway_contact_id),
      gateway_fund_account_id = coalesce(p_facts->>'gatewayFundAccountId', a.gateway_fund_account_id),
      gateway_validation_id = coalesce(p_facts->>'gatewayValidationId', a.gateway_validation_id),
      registered_name = coalesce(p_facts->>'registeredName', a.registered_name),
      failure = coalesce(p_facts->>'failure', a.failure),
      state = case when a.state = 'pending' then coalesce(p_facts->>'state', a.state) else a.state end,
      next_attempt_at = case when p_facts->>'state' is null then a.next_attempt_at end
    where a.id = (p_facts->>'accountId')::uuid
      or a.gateway_validation_id = p_facts->>'gatewayValidationId'
    returning * into v_account;
  if v_account.id is null then
    return null;
  end if;
  return payout_account_json(v_account);
end
$$;

-- What the check of an account has cost is booked once, when its outcome is known: the rupee that was sent, which
-- does not come back, and the fee, whose tax is part of it. Some cost nothing.
create or replace function ledger.validation_paid(
  p_validation text, p_account uuid, p_sent bigint, p_fee bigint, p_fee_tax bigint
) returns void
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_key text := 'validation-paid:' || p_validation;
  v_fingerprint text := ledger.fingerprint(p_validation);
begin
  if p_sent + p_fee = 0 or ledger.replay(v_key, v_fingerprint) is not null then
    return;
  end if;
  perform ledger.record(uuid_v7(), 'validation-paid', v_key, v_fingerprint,
    jsonb_build_object('payoutAccountId', p_account, 'gatewayValidationId', p_validation), array[
      ledger.line('payout_fees', null, p_sent + p_fee - p_fee_tax),
      ledger.line('gst_input', null, p_fee_tax),
      ledger.line('bank', null, -p_sent - p_fee)]);
end
$$;

-- A hold; one for each reason and case, so that whoever lifts it has decided on that case alone. Answers its id.
create or replace function hold_payouts(p_performer uuid, p_reason text, p_case uuid, p_staff uuid) returns uuid
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_hold uuid;
begin
  if p_staff is not null then
    perform require_permission(p_staff, 'hold-payouts');
  end if;
  perform pg_advisory_xact_lock(hashtextextended(p_performer::text, 2));
  select id into v_hold from payout_holds
    where performer_id = p_performer and reason = p_reason and case_id is not distinct from p_case
      and lifted_at is null;
  if v_hold is null then
    insert into payout_holds (performer_id, reason, case_id, placed_by)
      values (p_performer, p_reason, p_case, p_staff) returning id into v_hold;
    perform audit('payout-hold.placed', p_staff, p_performer::text, jsonb_build_object('reason', p_reason));
  end if;
  return v_hold;
end
$$;

-- Lifted by one of the staff whom neither it nor its case concerns. One that is lifted stays as it is.
create or replace function lift_payout_hold(p_hold uuid, p_staff uuid) returns void
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_hold payout_holds;
begin
  perform require_permission(p_staff, 'hold-payouts');
  select * into v_hold from payout_holds where id = p_hold for no key update;
  if not found then
    perform refuse('not-found');
  end if;
  if v_hold.performer_id = p_staff
    or exists (select from cases where id = v_hold.case_id and case_concerns(details, p_staff))
  then
    perform refuse('second-person-needed');
  end if;
  if v_hold.lifted_at is null then
    update payout_holds set lifted_at = now(), lifted_by = p_staff where id = p_hold;
    perform audit('payout-hold.lifted', p_staff, v_hold.performer_id::text,
      jsonb_build_object('holdId', p_hold));
  end if;
end
$$;
