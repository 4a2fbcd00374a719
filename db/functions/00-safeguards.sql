-- Safeguards: numbers that rules go by, limits that viewers set themselves, cases, and the audit trail.

-- A moment as RFC 3339 text.
create or replace function instant(p_at timestamptz) returns text
language sql stable
as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
$$;

-- The least id that uuid_v7() can have made at a moment.
create or replace function uuid_v7_floor(p_at timestamptz) returns uuid
language sql immutable
as $$
  select (lpad(to_hex((extract(epoch from case when p_at < 'epoch' then 'epoch' else p_at end) * 1000)::bigint),
    12, '0') || '70008000000000000000')::uuid
$$;

-- Why somebody may neither spend, speak, stream nor be paid: they are banned, their account is being closed, or nobody
-- has shown that the mailbox is theirs. Null when they may.
create or replace function account_refusal(p_user users) returns text
language sql immutable
as $$
  select case
    when p_user.banned_at is not null then 'account-banned'
    when p_user.erase_at is not null then 'account-closing'
    when p_user.email_verified_at is null then 'email-unverified'
  end
$$;

create or replace function account_refusal(p_user uuid) returns text
language sql stable
as $$
  select account_refusal(u) from users u where u.id = p_user
$$;

-- Refuses whoever may do none of this.
create or replace function require_member(p_user uuid) returns void
language plpgsql stable
as $$
declare
  v_refusal text := account_refusal(p_user);
begin
  if v_refusal is not null then
    perform refuse(v_refusal);
  end if;
end
$$;

-- A refusal as an answer, for acts that must not undo what else they did.
create or replace function ledger.refusal(p_code text, p_details jsonb default '{}') returns jsonb
language sql stable
as $$
  select jsonb_build_object('refused', p_code, 'details', p_details)
$$;

-- The value of a rule that is in force; null when it is switched off or there is none.
create or replace function rule(p_name text) returns bigint
language sql stable
as $$
  select value from rules where name = p_name and valid_from <= now() order by valid_from desc, id desc limit 1
$$;

-- The beginning of the day or month in which a moment lies, by India's clock, which the business keeps.
create or replace function period_start(p_period text, p_at timestamptz) returns timestamptz
language sql stable
as $$
  select date_trunc(p_period, p_at at time zone 'Asia/Kolkata') at time zone 'Asia/Kolkata'
$$;

-- The limits that bind a viewer now: raised ones count when their waiting time is over.
create or replace function limits_in_force(p_user uuid) returns spending_limits
language plpgsql stable
as $$
declare
  v_limits spending_limits;
begin
  select * into v_limits from spending_limits where user_id = p_user;
  if v_limits.next_from <= now() then
    v_limits.day_tokens := v_limits.next_day_tokens;
    v_limits.month_tokens := v_limits.next_month_tokens;
    v_limits.day_paise := v_limits.next_day_paise;
    v_limits.month_paise := v_limits.next_month_paise;
    v_limits.next_from := null;
  end if;
  return v_limits;
end
$$;
