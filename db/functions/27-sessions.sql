-- Sessions: opened, renewed and ended. What is ended is numbered, so that everybody who might still believe it is told.

create or replace function revocation_json(p_revocation revocations) returns jsonb
language sql immutable
as $$
  select jsonb_build_object('number', p_revocation.number, 'kind', p_revocation.kind,
    'subject', p_revocation.subject, 'streamId', p_revocation.stream_id)
    || case when p_revocation.held is null then '{}' else jsonb_build_object('held', p_revocation.held) end
$$;

-- The number that a token or ticket carries; to be read before the facts that it is about.
create or replace function last_revocation() returns bigint
language sql stable security definer set search_path = public, pg_temp
as $$
  select last from revocation_counter
$$;

-- Numbers a revocation. The lock on the counter lasts until the commit: to be called last in an act.
create or replace function revoke_access(p_kind text, p_subject text, p_stream uuid, p_reason text) returns jsonb
language plpgsql
as $$
declare
  v_made revocations;
begin
  update revocation_counter set last = last + 1;
  insert into revocations (number, kind, subject, stream_id, reason)
    select last, p_kind, p_subject, p_stream, p_reason from revocation_counter
    returning * into v_made;
  return revocation_json(v_made);
end
$$;

-- Those after a number, oldest first.
create or replace function revocations_after(p_number bigint, p_limit integer) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(revocation_json(r) order by r.number), '[]')
    from (select * from revocations where number > p_number order by number limit p_limit) r
$$;

-- The number behind which a list of revocations may begin: nothing that lives was signed before those up to it.
create or replace function revocations_begin(p_memory interval) returns bigint
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(
    (select number - 1 from revocations where created_at > now() - p_memory order by number limit 1),
    (select last from revocation_counter))
$$;

create or replace function revocations_unpublished(p_limit integer) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(revocation_json(r) order by r.number), '[]')
    from (select * from revocations where published_at is null order by number limit p_limit) r
$$;

create or replace function revocations_published(p_numbers bigint[]) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update revocations set published_at = now() where number = any (p_numbers) and published_at is null
$$;

create or replace function forget_revocations(p_keep interval) returns integer
language sql security definer set search_path = public, pg_temp
as $$
  with gone as (
    delete from revocations where created_at < now() - p_keep and published_at is not null returning 1
  )
  select count(*)::integer from gone
$$;

-- An account as its own person sees it.
create or replace function account_json(p_user users) returns jsonb
language sql stable
as $$
  select jsonb_build_object('id', p_user.id, 'email', p_user.email, 'username', p_user.username,
    'emailVerified', p_user.email_verified_at is not null, 'role', p_user.role, 'country', p_user.country,
    'createdAt', instant(p_user.created_at))
$$;

create or replace function account_of(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select account_json(u) from users u where u.id = p_user and u.erased_at is null
$$;

-- What a log-in is checked against, and whether its browser has logged in before; null when nobody has this e-mail.
create or replace function login_of(p_email text, p_device bytea) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object('userId', id, 'passwordHash', password_hash,
      'hasSecondFactor', exists (select from totp_factors where user_id = users.id and confirmed_at is not null),
      'isKnownDevice', exists (select from known_devices where user_id = users.id and hash = p_device),
      'eraseAt', instant(erase_at))
    from users where email = p_email and erased_at is null
$$;

-- Remembers a browser, and forgets the one that was seen longest ago beyond the most. Whether it is a new one for
-- somebody who has others.
create or replace function remember_device(p_user uuid, p_hash bytea, p_max integer) returns boolean
language plpgsql
as $$
declare
  v_is_new boolean;
begin
  insert into known_devices (user_id, hash) values (p_user, p_hash)
    on conflict (user_id, hash) do update set last_seen_at = now()
    returning xmax = 0 into v_is_new;
  delete from known_devices where user_id = p_user and hash in (
    select hash from known_devices where user_id = p_user order by last_seen_at desc, hash offset p_max);
  return v_is_new and (select count(*) > 1 from known_devices where user_id = p_user);
end
$$;

-- Refuses who may do nothing (any more).
create or replace function require_active(p_user uuid) returns void
language plpgsql stable
as $$
declare
  v_user users;
begin
  select * into v_user from users where id = p_user;
  if v_user.banned_at is not null then
    perform refuse('account-banned');
  elsif v_user.erase_at is not null then
    perform refuse('account-closing', jsonb_build_object('eraseAt', instant(v_user.erase_at)));
  end if;
end
$$;

create or replace function session_json(p_session sessions, p_revision bigint) returns jsonb
language sql stable
as $$
  select jsonb_build_object('sessionId', p_session.id, 'revision', p_revision,
      'secondFactorAt', instant(p_session.second_factor_at), 'user', account_json(u))
    from users u where u.id = p_session.user_id
$$;

-- Ends one session; null when it had ended.
create or replace function end_session(p_session uuid, p_reason text) returns jsonb
language plpgsql
as $$
begin
  update sessions set revoked_at = now(), ended_for = p_reason where id = p_session and revoked_at is null;
  if not found then
    return null;
  end if;
  return revoke_access('session', p_session::text, null, p_reason);
end
$$;

-- Opens a session with its first refresh token:
-- `{ userId, tokenHash, ttlSeconds, addressHash, device, deviceHash, methods, secondFactor, keepAccount,
-- passwordHash }`, the last one where a password was shown. Beyond the
-- most that somebody may have, the one that was used longest ago ends. `keepAccount`: one that is closed is had back.
-- Refuses `account-banned`, `account-closing`.
create or replace function open_session(p_session jsonb, p_max integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_revision bigint := last_revocation();
  v_user users;
  v_session sessions;
  v_old uuid;
  v_is_new_device boolean;
  v_ended jsonb := '[]';
begin
  -- Somebody who is being banned is waited for.
  select * into strict v_user from users where id = (p_session->>'userId')::uuid for share;
  if (p_session->>'keepAccount')::boolean then
    perform reopen_account(v_user.id);
  end if;
  perform require_active(v_user.id);
  -- It was changed while the one that was shown was being looked at.
  if v_user.password_hash <> p_session->>'passwordHash' then
    perform refuse('invalid-credentials');
  end if;
  insert into sessions (user_id, expires_at, address_hash, device, methods, second_factor_at)
    values (v_user.id, now() + make_interval(secs => (p_session->>'ttlSeconds')::integer),
      p_session->>'addressHash', coalesce(p_session->>'device', ''),
      array(select jsonb_array_elements_text(p_session->'methods')),
      case when (p_session->>'secondFactor')::boolean then now() end)
    returning * into v_session;
  insert into refresh_tokens (hash, session_id) values (decode(p_session->>'tokenHash', 'hex'), v_session.id);
  v_is_new_device := remember_device(v_user.id, decode(p_session->>'deviceHash', 'hex'), 20);
  for v_old in
    select id from sessions where user_id = v_user.id and revoked_at is null and expires_at > now()
      order by rotated_at desc offset p_max
  loop
    v_ended := v_ended || end_session(v_old, 'other-device');
  end loop;
  return session_json(v_session, v_revision)
    || jsonb_build_object('revocations', v_ended, 'isNewDevice', v_is_new_device);
end
$$;

-- Exchanges a refresh token for the next one (RFC 9700, section 4.14.2). `outcome`:
-- `rotated`, the answer holds the session;
-- `renewed`, it was exchanged a moment ago and so was the next one: whoever asks has a newer one already;
-- `over`, it is unknown, or its session has ended. A token that comes again later was stolen, and ends its session.
create or replace function rotate_session(p_hash bytea, p_next_hash bytea, p_grace interval) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_revision bigint := last_revocation();
  -- Whoever has not come for so long logs in anew.
  v_idle constant interval := '14 days';
  v_now timestamptz;
  v_token refresh_tokens;
  v_session sessions;
  v_barred timestamptz;
begin
  select s.* into v_session from sessions s join refresh_tokens t on t.session_id = s.id
    where t.hash = p_hash for update of s;
  if not found or v_session.revoked_at is not null or v_session.expires_at <= now()
    or v_session.rotated_at <= now() - v_idle then
    return '{"outcome": "over"}';
  end if;
  select coalesce(banned_at, erase_at) into v_barred from users where id = v_session.user_id;
  if v_barred is not null then
    return '{"outcome": "over"}';
  end if;
  v_now := clock_timestamp();
  select * into strict v_token from refresh_tokens where hash = p_hash;
  if v_token.generation = v_session.generation then
    update sessions set generation = generation + 1, rotated_at = v_now where id = v_session.id
      returning * into v_session;
  elsif v_token.generation = v_session.generation - 1 and v_session.rotated_at > v_now - p_grace then
    -- An answer was lost, or two tabs asked at once: nobody has used what came after it.
    null;
  elsif greatest(v_token.used_at, v_token.created_at) > v_now - p_grace then
    return '{"outcome": "renewed"}';
  else
    perform audit('suspicion.refresh-replayed', v_session.user_id, v_session.id::text, '{}');
    return jsonb_build_object('outcome', 'over', 'revocations',
      jsonb_build_array(end_session(v_session.id, 'replay')));
  end if;
  update refresh_tokens set used_at = coalesce(used_at, v_now) where hash = p_hash;
  insert into refresh_tokens (hash, session_id, generation)
    values (p_next_hash, v_session.id, v_session.generation);
  return jsonb_build_object('outcome', 'rotated') || session_json(v_session, v_revision);
end
$$;

-- Ends the session that a refresh token belongs to, or the one that is named, of its own person.
create or replace function end_own_session(p_hash bytea, p_user uuid, p_session uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_session uuid;
begin
  select s.id into v_session from sessions s
    where s.id = case when p_hash is null then p_session
        else (select session_id from refresh_tokens where hash = p_hash) end
      and (p_user is null or s.user_id = p_user);
  return case when v_session is null then '[]' else
    jsonb_path_query_array(jsonb_build_array(end_session(v_session, p_reason)), '$[*] ? (@ != null)') end;
end
$$;

-- Ends all sessions of somebody but one.
create or replace function end_sessions_of(p_user uuid, p_except uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_session uuid;
  v_ended jsonb := '[]';
begin
  for v_session in
    select id from sessions
      where user_id = p_user and revoked_at is null and expires_at > now() and id is distinct from p_except
      order by id for update
  loop
    v_ended := v_ended || end_session(v_session, p_reason);
  end loop;
  return v_ended;
end
$$;

-- The devices that somebody is logged in on, the one that was used last first.
create or replace function sessions_of(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'device', s.device, 'methods', to_jsonb(s.methods),
      'createdAt', instant(s.created_at), 'lastSeenAt', instant(s.rotated_at)) order by s.rotated_at desc), '[]')
    from sessions s where s.user_id = p_user and s.revoked_at is null and s.expires_at > now()
$$;

-- Makes a viewer a performer; other roles stay as they are. Null when the session has ended: an access token that
-- outlives it must not be exchanged for a new one.
create or replace function become_performer(p_user uuid, p_session uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_revision bigint := last_revocation();
  v_session sessions;
begin
  perform require_active(p_user);
  select * into v_session from sessions
    where id = p_session and user_id = p_user and revoked_at is null and expires_at > now();
  if not found then
    return null;
  end if;
  update users set role = 'performer' where id = p_user and role = 'viewer';
  return session_json(v_session, v_revision);
end
$$;

-- Bans an account, or lifts its ban. A banned person's sessions and tickets end, and a performer's streams: answers
-- `{ events, revocations }`.
create or replace function set_ban(p_user uuid, p_staff uuid, p_banned boolean, p_reason text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_stream uuid;
  v_event jsonb;
  v_events jsonb := '[]';
  v_revocations jsonb := '[]';
begin
  perform require_permission(p_staff, 'ban');
  if p_user = p_staff then
    perform refuse('second-person-needed');
  end if;
  update users set banned_at = case when p_banned then coalesce(banned_at, now()) end where id = p_user;
  if not found then
    perform refuse('not-found');
  end if;
  perform audit(case when p_banned then 'user.banned' else 'user.unbanned' end, p_staff, p_user::text,
    jsonb_build_object('reason', p_reason));
  if p_banned then
    for v_stream in select id from streams where performer_id = p_user and state <> 'ended' order by id loop
      v_event := transition_stream(v_stream, 'ended', 'staff');
      if v_event is not null then
        v_events := v_events || v_event;
      end if;
    end loop;
    update sessions set revoked_at = now(), ended_for = 'ban' where user_id = p_user and revoked_at is null;
    v_revocations := jsonb_build_array(revoke_access('user', p_user::text, null, 'ban'));
  end if;
  return jsonb_build_object('events', v_events, 'revocations', v_revocations);
end
$$;

-- Logs somebody out everywhere. Refuses `not-found`. Answers what is revoked.
create or replace function end_sessions_by_staff(p_user uuid, p_staff uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform require_permission(p_staff, 'ban');
  if not exists (select from users where id = p_user) then
    perform refuse('not-found');
  end if;
  perform audit('user.logged-out', p_staff, p_user::text, '{}');
  return end_sessions_of(p_user, null, 'logout');
end
$$;
