-- Passkeys (WebAuthn): challenges to sign, and the keys that sign them.

-- Keeps the bytes of a challenge until it is answered; of nobody, where who logs in is not known yet.
create or replace function begin_passkey_challenge(p_user uuid, p_purpose text, p_bytes bytea, p_ttl interval)
returns uuid
language sql security definer set search_path = public, pg_temp
as $$
  insert into challenges (user_id, purpose, bytes, expires_at) values (p_user, p_purpose, p_bytes, now() + p_ttl)
    returning id
$$;

-- Takes a challenge: it is answered once, right or wrong. Its bytes in hexadecimal; null when it is over, of another
-- purpose, or somebody else's.
create or replace function take_passkey_challenge(p_challenge uuid, p_purpose text, p_user uuid) returns text
language sql security definer set search_path = public, pg_temp
as $$
  update challenges set used_at = now()
    where id = p_challenge and purpose = p_purpose and user_id is not distinct from p_user
      and used_at is null and expires_at > now()
    returning encode(bytes, 'hex')
$$;

create or replace function passkey_json(p_key passkeys) returns jsonb
language sql stable
as $$
  select jsonb_build_object('credentialId', encode(p_key.credential_id, 'hex'), 'userId', p_key.user_id,
    'publicKey', encode(p_key.public_key, 'hex'), 'signCount', p_key.sign_count,
    'transports', to_jsonb(p_key.transports), 'backedUp', p_key.backed_up, 'name', p_key.name,
    'createdAt', instant(p_key.created_at), 'lastUsedAt', instant(p_key.last_used_at))
$$;

-- Adds a passkey: `{ credentialId, publicKey, signCount, transports, backedUp, name }`, bytes in hexadecimal.
-- Refuses `session-expired`, `account-banned`, `factor-exists`, `passkey-limit`.
create or replace function add_passkey(p_user uuid, p_session uuid, p_key jsonb, p_max integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_key passkeys;
begin
  -- One after the other, so that nobody has more than the most.
  perform from users where id = p_user for no key update;
  perform require_active(p_user);
  -- A request that has waited may be of a session that has ended meanwhile.
  if not exists (select from sessions where id = p_session and user_id = p_user and revoked_at is null) then
    perform refuse('session-expired');
  end if;
  if (select count(*) from passkeys where user_id = p_user) >= p_max then
    perform refuse('passkey-limit');
  end if;
  insert into passkeys (credential_id, user_id, public_key, sign_count, transports, backed_up, name)
    values (decode(p_key->>'credentialId', 'hex'), p_user, decode(p_key->>'publicKey', 'hex'),
      (p_key->>'signCount')::bigint, array(select jsonb_array_elements_text(p_key->'transports')),
      (p_key->>'backedUp')::boolean, p_key->>'name')
    on conflict do nothing
    returning * into v_key;
  if not found then
    perform refuse('factor-exists');
  end if;
  -- An app that was begun before must not come after it unasked.
  delete from totp_factors where user_id = p_user and confirmed_at is null;
  perform audit('factor.added', p_user, p_user::text,
    jsonb_build_object('method', 'passkey', 'credentialId', p_key->>'credentialId'));
  return passkey_json(v_key);
end
$$;

-- Somebody's passkeys, the oldest first.
create or replace function passkeys_of(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(passkey_json(p) order by p.created_at, p.credential_id), '[]')
    from passkeys p where p.user_id = p_user
$$;

-- The passkey of a credential; null when nobody has it.
create or replace function passkey_of(p_credential bytea) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select passkey_json(p) from passkeys p where p.credential_id = p_credential
$$;

-- Notes that a passkey was used. False when its counter stands still or goes back: then a copy of it is about
-- (WebAuthn Level 3, 7.2, step 22). Those that do not count stay at 0.
create or replace function use_passkey(p_credential bytea, p_count bigint, p_backed_up boolean) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update passkeys set sign_count = p_count, backed_up = p_backed_up, last_used_at = now()
    where credential_id = p_credential and (sign_count < p_count or (sign_count = 0 and p_count = 0));
  if found then
    return true;
  end if;
  perform audit('suspicion.passkey-copied', (select user_id from passkeys where credential_id = p_credential),
    encode(p_credential, 'hex'), jsonb_build_object('count', p_count));
  return false;
end
$$;

-- Refuses `not-found`.
create or replace function rename_passkey(p_user uuid, p_credential bytea, p_name text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_key passkeys;
begin
  update passkeys set name = p_name where credential_id = p_credential and user_id = p_user returning * into v_key;
  if not found then
    perform refuse('not-found');
  end if;
  return passkey_json(v_key);
end
$$;

-- Takes a passkey off; without another factor what was shown in sessions counts no more. Refuses `not-found`.
create or replace function remove_passkey(p_user uuid, p_credential bytea) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  delete from passkeys where credential_id = p_credential and user_id = p_user;
  if not found then
    perform refuse('not-found');
  end if;
  perform forget_proofs(p_user);
  perform audit('factor.removed', p_user, p_user::text,
    jsonb_build_object('method', 'passkey', 'credentialId', encode(p_credential, 'hex')));
end
$$;
