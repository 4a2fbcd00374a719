-- Cases, the audit trail, bans, spending limits, and leases of recurring jobs.

-- A case; one open one for each subject of a kind. Answers its id.
create or replace function new_case(p_kind text, p_subject text, p_details jsonb, p_due timestamptz default null)
returns uuid
language plpgsql
as $$
declare
  v_case uuid;
begin
  -- Once more when the open one was closed between the two.
  while v_case is null loop
    insert into cases (kind, subject, details, due_at) values (p_kind, p_subject, p_details, p_due)
      on conflict (kind, subject) where state = 'open' do nothing
      returning id into v_case;
    if v_case is null then
      select id into v_case from cases where kind = p_kind and subject = p_subject and state = 'open';
    end if;
  end loop;
  return v_case;
end
$$;

-- Something that a person must look at. What somebody has looked at and resolved stays resolved for a while, unless
-- there is more to say of it; how often it was tried is nothing more. Answers the id of the case.
create or replace function open_case(p_kind text, p_subject text, p_details jsonb, p_due timestamptz default null)
returns uuid
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_resolved uuid;
begin
  select c.id into v_resolved from cases c
    where c.subject = p_subject and c.kind = p_kind and c.resolved_by is not null
      and c.resolved_at > now() - make_interval(days => coalesce(rule('case_quiet_days'), 0)::int)
      and c.details @> p_details - 'attempts'
      and not exists (select from cases o where o.subject = p_subject and o.kind = p_kind and o.state = 'open')
    order by c.id desc limit 1;
  return coalesce(v_resolved, new_case(p_kind, p_subject, p_details, p_due));
end
$$;

-- A case of something that is told again and again: one for each subject of a kind, open or resolved. Answers its id.
create or replace function open_case_once(p_kind text, p_subject text, p_details jsonb) returns uuid
language sql security definer set search_path = public, pg_temp
as $$
  select coalesce(
    (select id from cases where subject = p_subject and kind = p_kind order by id desc limit 1),
    new_case(p_kind, p_subject, p_details))
$$;

-- Closes the open case of a subject because the matter has ended by itself.
create or replace function close_case(p_kind text, p_subject text, p_resolution text) returns void
language sql
as $$
  update cases set state = 'resolved', resolution = p_resolution, resolved_at = now()
    where kind = p_kind and subject = p_subject and state = 'open'
$$;

-- Whether a case is about somebody, or about tokens that they gave alone.
create or replace function case_concerns(p_details jsonb, p_person uuid) returns boolean
language sql immutable
as $$
  select coalesce(p_details->>'performerId' = p_person::text, false)
    or coalesce(p_details->>'viewerId' = p_person::text, false)
    or coalesce(p_details->>'userId' = p_person::text, false)
    or coalesce(p_details->'givenBy' ? p_person::text, false)
$$;

-- One of the staff, whom it does not concern, closes a case. That of a payout in doubt is closed by the ending of the
-- payout alone; with that of a proposed promotion the proposal is rejected.
create or replace function resolve_case(p_case uuid, p_staff uuid, p_resolution text) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_case cases;
begin
  perform require_permission(p_staff, 'work-cases');
  select * into v_case from cases where id = p_case and state = 'open';
  if not found then
    perform refuse('not-found');
  end if;
  if case_concerns(v_case.details, p_staff) then
    perform refuse('second-person-needed');
  end if;
  if v_case.kind in ('payout-too-old-to-send', 'payout-held-in-doubt') and exists (
    select from payouts where id = v_case.subject::uuid and state = 'sending' and gateway_payout_id is null)
  then
    perform refuse('payout-in-doubt');
  end if;
  if v_case.kind = 'promotion-proposed' then
    perform ledger.promotion_decided(v_case.subject::uuid, p_staff, false);
  end if;
  update cases set state = 'resolved', resolution = p_resolution, resolved_by = p_staff, resolved_at = now()
    where id = p_case and (state = 'open' or v_case.kind = 'promotion-proposed');
  if not found then
    perform refuse('not-found');
  end if;
  perform audit('case.resolved', p_staff, p_case::text, jsonb_build_object('resolution', p_resolution));
end
$$;

create or replace function audit(
  p_action text, p_actor uuid, p_subject text, p_details jsonb, p_address_hash text default null
) returns void
language sql security definer set search_path = public, pg_temp
as $$
  insert into audit_log (action, actor_id, subject, details, address_hash)
    values (p_action, p_actor, p_subject, p_details, p_address_hash)
$$;

-- A new account, as a viewer: the services cannot make any other.
create or replace function create_user(
  p_email text, p_username text, p_password_hash text, p_born date, p_country text
) returns jsonb
language sql security definer set search_path = public, pg_temp
as $$
  insert into users (email, username, password_hash, date_of_birth, country)
    values (p_email, p_username, p_password_hash, p_born, p_country) returning account_json(users)
$$;

create or replace function limits_json(p_user uuid) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
  v_now spending_limits := limits_in_force(p_user);
  v_set spending_limits;
begin
  select * into v_set from spending_limits where user_id = p_user;
  return jsonb_build_object(
    'dayTokens', v_now.day_tokens, 'monthTokens', v_now.month_tokens,
    'dayPaise', v_now.day_paise, 'monthPaise', v_now.month_paise,
    'next', case when v_set.next_from > now() then jsonb_build_object(
      'from', instant(v_set.next_from),
      'dayTokens', v_set.next_day_tokens, 'monthTokens', v_set.next_month_tokens,
      'dayPaise', v_set.next_day_paise, 'monthPaise', v_set.next_month_paise) end,
    'spent', jsonb_build_object(
      'dayTokens', ledger.spent_since(p_user, period_start('day', now())),
      'monthTokens', ledger.spent_since(p_user, period_start('month', now())),
      'dayPaise', ordered_since(p_user, period_start('day', now())),
      'monthPaise', ordered_since(p_user, period_start('month', now()))));
end
$$;

-- Sets what a viewer allows themselves to spend; null is no limit. What is lowered counts at once, what is
-- raised waits.
create or replace function set_limits(
  p_user uuid, p_day_tokens bigint, p_month_tokens bigint, p_day_paise bigint, p_month_paise bigint
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_now spending_limits;
  v_from timestamptz;
begin
  perform ledger.lock_viewer(p_user);
  v_now := limits_in_force(p_user);
  -- Null is no limit, and so more than any number; `least` takes the number.
  if (p_day_tokens is null and v_now.day_tokens is not null) or p_day_tokens > v_now.day_tokens
    or (p_month_tokens is null and v_now.month_tokens is not null) or p_month_tokens > v_now.month_tokens
    or (p_day_paise is null and v_now.day_paise is not null) or p_day_paise > v_now.day_paise
    or (p_month_paise is null and v_now.month_paise is not null) or p_month_paise > v_now.month_paise
  then
    v_from := now() + make_interval(hours => coalesce(rule('limit_raise_hours'), 0)::int);
  end if;
  insert into spending_limits as l (user_id, day_tokens, month_tokens, day_paise, month_paise,
      next_day_tokens, next_month_tokens, next_day_paise, next_month_paise, next_from)
    values (p_user, least(p_day_tokens, v_now.day_tokens), least(p_month_tokens, v_now.month_tokens),
      least(p_day_paise, v_now.day_paise), least(p_month_paise, v_now.month_paise),
      p_day_tokens, p_month_tokens, p_day_paise, p_month_paise, v_from)
    on conflict (user_id) do update set
      day_tokens = excluded.day_tokens, month_tokens = excluded.month_tokens,
      day_paise = excluded.day_paise, month_paise = excluded.month_paise,
      next_day_tokens = excluded.next_day_tokens, next_month_tokens = excluded.next_month_tokens,
      next_day_paise = excluded.next_day_paise, next_month_paise = excluded.next_month_paise,
      next_from = excluded.next_from, updated_at = now();
  return limits_json(p_user);
end
$$;

-- Takes the lease of a job when its time has come and nobody else holds it. Answers whether it was taken.
-- Whoever holds a lease beyond its end is taken for dead.
create or replace function take_lease(p_job text, p_holder text, p_seconds integer, p_force boolean default false)
returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  insert into job_leases (name) values (p_job) on conflict (name) do nothing;
  update job_leases set holder = p_holder, lease_until = clock_timestamp() + make_interval(secs => p_seconds),
      last_started_at = clock_timestamp()
    where name = p_job
      and (p_force or next_at <= clock_timestamp())
      and coalesce(lease_until, '-infinity') <= clock_timestamp();
  return found;
end
$$;

-- Holds a lease for longer; false when it was lost in the meantime.
create or replace function renew_lease(p_job text, p_holder text, p_seconds integer) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update job_leases set lease_until = clock_timestamp() + make_interval(secs => p_seconds)
    where name = p_job and holder = p_holder and lease_until > clock_timestamp();
  return found;
end
$$;

-- Gives a lease back; the next round is due after `p_next_seconds`.
create or replace function end_lease(
  p_job text, p_holder text, p_next_seconds integer, p_succeeded boolean, p_error text
) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update job_leases set lease_until = null, last_ended_at = clock_timestamp(), last_succeeded = p_succeeded,
      last_error = p_error, next_at = clock_timestamp() + make_interval(secs => p_next_seconds)
    where name = p_job and holder = p_holder;
  return found;
end
$$;
