-- Second factors: authenticator apps and recovery codes, and challenges of who is logging in.

-- Begins an authenticator, or begins it anew while it has not shown a code yet. Refuses `factor-exists`.
create or replace function begin_totp(p_user uuid, p_sealed text) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform require_active(p_user);
  insert into totp_factors (user_id, sealed_secret) values (p_user, p_sealed)
    on conflict (user_id) do update set sealed_secret = excluded.sealed_secret, last_step = 0, created_at = now()
      where totp_factors.confirmed_at is null;
  if not found then
    perform refuse('factor-exists');
  end if;
end
$$;

-- What a code is checked against; null when somebody has no authenticator. One that has not shown a code waits for
-- a quarter of an hour.
create or replace function totp_of(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object('sealedSecret', sealed_secret, 'isConfirmed', confirmed_at is not null)
    from totp_factors where user_id = p_user
      and (confirmed_at is not null or created_at > now() - interval '15 minutes')
$$;

-- Takes a code's time step; false when one of it, or of a later one, was taken before.
create or replace function take_totp_step(p_user uuid, p_step bigint) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update totp_factors set last_step = p_step where user_id = p_user and last_step < p_step;
  return found;
end
$$;

-- Notes that somebody has shown a second factor in a session. Null when the session has ended.
create or replace function prove_session(p_user uuid, p_session uuid, p_method text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_revision bigint := last_revocation();
  v_session sessions;
begin
  perform require_active(p_user);
  update sessions set second_factor_at = now(),
      methods = case when p_method = any (methods) then methods else methods || p_method end
    where id = p_session and user_id = p_user and revoked_at is null and expires_at > now()
    returning * into v_session;
  if not found then
    return null;
  end if;
  perform audit('factor.shown', p_user, p_session::text, jsonb_build_object('method', p_method));
  return session_json(v_session, v_revision);
end
$$;

-- Makes an authenticator count that has shown its first code, with recovery codes. Refuses `factor-exists`, `not-found`.
create or replace function confirm_totp(p_user uuid, p_hashes text[]) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update totp_factors set confirmed_at = now() where user_id = p_user and confirmed_at is null;
  if not found then
    perform refuse(case when exists (select from totp_factors where user_id = p_user)
      then 'factor-exists' else 'not-found' end);
  end if;
  perform set_recovery_codes(p_user, p_hashes);
  perform audit('factor.added', p_user, p_user::text, '{"method": "totp"}');
end
$$;

create or replace function set_recovery_codes(p_user uuid, p_hashes text[]) returns void
language sql security definer set search_path = public, pg_temp
as $$
  delete from recovery_codes where user_id = p_user;
  insert into recovery_codes (user_id, hash) select p_user, hash from unnest(p_hashes) hash
$$;

-- Uses a recovery code up; false when there is no such code, or it was used.
create or replace function use_recovery_code(p_user uuid, p_hash text) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update recovery_codes set used_at = now() where user_id = p_user and hash = p_hash and used_at is null;
  if found then
    perform audit('factor.recovery-code-used', p_user, p_user::text, '{}');
  end if;
  return found;
end
$$;

-- What was shown in sessions counts no more once somebody has no second factor any more.
create or replace function forget_proofs(p_user uuid) returns void
language sql
as $$
  update sessions set second_factor_at = null where user_id = p_user
    and not exists (select from passkeys where user_id = p_user)
    and not exists (select from totp_factors where user_id = p_user and confirmed_at is not null)
$$;

-- Takes the authenticator off, and the recovery codes with it.
create or replace function end_totp(p_user uuid) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  delete from totp_factors where user_id = p_user;
  if not found then
    perform refuse('not-found');
  end if;
  delete from recovery_codes where user_id = p_user;
  perform forget_proofs(p_user);
  perform audit('factor.removed', p_user, p_user::text, '{"method": "totp"}');
end
$$;

create or replace function factors_of(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object(
    'totp', exists (select from totp_factors where user_id = p_user and confirmed_at is not null),
    'passkeys', (select count(*) from passkeys where user_id = p_user),
    'recoveryCodesLeft', (select count(*) from recovery_codes where user_id = p_user and used_at is null))
$$;

-- Asks somebody who has shown a password for a second factor; their older questions of this kind are over.
create or replace function begin_challenge(p_user uuid, p_purpose text, p_ttl interval) returns uuid
language sql security definer set search_path = public, pg_temp
as $$
  update challenges set used_at = now() where user_id = p_user and purpose = p_purpose and used_at is null;
  insert into challenges (user_id, purpose, expires_at) values (p_user, p_purpose, now() + p_ttl) returning id
$$;

-- Counts an answer to a challenge. Answers whose it is; null when it is over, or was answered wrong too often.
create or replace function try_challenge(p_challenge uuid, p_purpose text, p_attempts_max integer) returns uuid
language sql security definer set search_path = public, pg_temp
as $$
  update challenges set attempts = attempts + 1
    where id = p_challenge and purpose = p_purpose and used_at is null and expires_at > now()
      and attempts < p_attempts_max
    returning user_id
$$;

-- A challenge that was answered right is over; false when somebody else was quicker.
create or replace function end_challenge(p_challenge uuid) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update challenges set used_at = now() where id = p_challenge and used_at is null;
  return found;
end
$$;

create or replace function forget_challenges() returns integer
language sql security definer set search_path = public, pg_temp
as $$
  with gone as (delete from challenges where expires_at < now() - interval '1 day' returning 1)
  select count(*)::integer from gone
$$;
