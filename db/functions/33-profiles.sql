-- Profiles: what people show of themselves and to whom, their pictures, and what they prefer.

create or replace function avatar_url(p_avatar uuid) returns text
language sql immutable
as $$
  select '/v1/avatars/' || p_avatar
$$;

-- Somebody by name and picture.
create or replace function person_card(p_user users, p_profile profiles) returns jsonb
language sql stable
as $$
  select jsonb_build_object('id', p_user.id, 'username', p_user.username,
    'displayName', coalesce(nullif(p_profile.display_name, ''), p_user.username),
    'avatarUrl', avatar_url(p_profile.avatar_id))
$$;

create or replace function is_related(p_from uuid, p_kind text, p_to uuid) returns boolean
language sql stable
as $$
  select exists (select from relations where from_id = p_from and kind = p_kind and to_id = p_to)
$$;

-- What somebody streams now and lets everybody find; null for nothing.
create or replace function live_stream_of(p_user users) returns jsonb
language sql stable
as $$
  select stream_json(s, m, p_user) from streams s left join stream_media m on m.stream_id = s.id
    where s.performer_id = p_user.id and s.state = 'live' and s.visibility <> 'unlisted' limit 1
$$;

-- The profile of somebody, by id or user name, as `p_asker` sees it, who is null for a guest and known to be in
-- `p_countries`. Null where there is nobody, or the asker is not to know. Beside it stands whether all guests, wherever
-- they are, see the same.
create or replace function profile_of(p_who text, p_asker uuid, p_countries text[]) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
  v_user users;
  v_profile profiles;
  v_relation jsonb;
  v_closed text;
  v_is_performer boolean;
  v_shunned boolean;
begin
  -- A user name has no hyphen, and an id has some.
  if p_who like '%-%' then
    select * into v_user from users where id = p_who::uuid;
  else
    select * into v_user from users where lower(username) = lower(p_who);
  end if;
  if v_user.id is null or v_user.banned_at is not null or v_user.erased_at is not null
    or is_related(v_user.id, 'block', p_asker) then
    return null;
  end if;
  if v_user.id is distinct from p_asker and exists (select from country_blocks c where c.performer_id = v_user.id
    and (c.country = any (p_countries) or c.country = (select country from users where id = p_asker))) then
    return null;
  end if;
  select * into v_profile from profiles where user_id = v_user.id;
  v_is_performer := exists (select from role_permissions where role = v_user.role and permission = 'perform');
  if p_asker is not null then
    v_relation := jsonb_build_object('follows', is_related(p_asker, 'follow', v_user.id),
      'blocks', is_related(p_asker, 'block', v_user.id), 'mutes', is_related(p_asker, 'mute', v_user.id));
  end if;
  v_closed := case
    when v_user.id = p_asker then null
    when (v_relation->>'blocks')::boolean then 'blocked'
    when v_profile.privacy = 'members' and p_asker is null then 'members'
    when v_profile.privacy = 'followers' and (v_relation->>'follows')::boolean is not true then 'followers'
  end;
  v_shunned := exists (select from room_bans where performer_id = v_user.id and user_id = p_asker and kind = 'banned'
    and coalesce(until, 'infinity') > now());
  return jsonb_build_object(
    'isForAll', not exists (select from country_blocks where performer_id = v_user.id),
    'profile', person_card(v_user, v_profile) || jsonb_build_object(
      'isPerformer', v_is_performer,
      'closed', v_closed,
      'bio', case when v_closed is null then coalesce(v_profile.bio, '') else '' end,
      'links', case when v_closed is null then coalesce(v_profile.links, '[]') else '[]' end,
      'followers', case when v_closed is null then
        (select count(*) from relations where to_id = v_user.id and kind = 'follow') end,
      'schedule', case when v_closed is null then schedule_to_come(v_user.id, 20) else '[]' end,
      'live', case when v_closed is distinct from 'blocked' and not v_shunned then live_stream_of(v_user) end,
      'relation', v_relation));
end
$$;

-- A profile as its own person edits it.
create or replace function own_profile(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object('username', u.username, 'displayName', coalesce(p.display_name, ''),
      'bio', coalesce(p.bio, ''), 'links', coalesce(p.links, '[]'), 'privacy', coalesce(p.privacy, 'public'),
      'avatarUrl', avatar_url(p.avatar_id), 'version', coalesce(p.version, 1))
    from users u left join profiles p on p.user_id = u.id where u.id = p_user
$$;

-- The profile of somebody, locked, with a row of its own from now on.
create or replace function lock_profile(p_user uuid) returns profiles
language plpgsql
as $$
declare
  v_profile profiles;
begin
  insert into profiles (user_id) values (p_user) on conflict do nothing;
  select * into strict v_profile from profiles where user_id = p_user for update;
  return v_profile;
end
$$;

-- Changes a profile; what is left out of `p_changes` stays. Refuses `precondition-failed`, `account-banned`.
create or replace function edit_profile(p_user uuid, p_version integer, p_changes jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_profile profiles;
begin
  perform require_active(p_user);
  v_profile := lock_profile(p_user);
  if v_profile.version <> p_version then
    perform refuse('precondition-failed', jsonb_build_object('version', v_profile.version));
  end if;
  update profiles set
      display_name = coalesce(p_changes->>'displayName', display_name),
      bio = coalesce(p_changes->>'bio', bio),
      links = coalesce(p_changes->'links', links),
      privacy = coalesce(p_changes->>'privacy', privacy),
      version = version + 1, updated_at = now()
    where user_id = p_user;
  return own_profile(p_user);
end
$$;

-- Gives a profile a picture, or none where `p_type` is null. The one of before is gone.
create or replace function set_avatar(p_user uuid, p_type text, p_bytes bytea) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_avatar uuid;
begin
  perform require_active(p_user);
  perform lock_profile(p_user);
  delete from avatars where user_id = p_user;
  if p_type is not null then
    insert into avatars (user_id, media_type, bytes) values (p_user, p_type, p_bytes) returning id into v_avatar;
  end if;
  update profiles set avatar_id = v_avatar, version = version + 1, updated_at = now() where user_id = p_user;
  return own_profile(p_user);
end
$$;

-- `{ type, base64 }` of a picture; null where there is none.
create or replace function avatar_of(p_avatar uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object('type', media_type, 'base64', translate(encode(bytes, 'base64'), E'\n', ''))
    from avatars where id = p_avatar
$$;

create or replace function preferences_of(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce((select data || jsonb_build_object('version', version) from preferences where user_id = p_user),
    '{"version": 1}')
$$;

-- Changes preferences; what is left out of `p_changes` stays, also of the kinds of notices. Refuses
-- `precondition-failed`.
create or replace function edit_preferences(p_user uuid, p_version integer, p_changes jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_version integer;
begin
  insert into preferences (user_id) values (p_user) on conflict do nothing;
  select version into strict v_version from preferences where user_id = p_user for update;
  if v_version <> p_version then
    perform refuse('precondition-failed', jsonb_build_object('version', v_version));
  end if;
  update preferences set version = version + 1,
      data = data || p_changes || case when p_changes ? 'notices'
        then jsonb_build_object('notices', coalesce(data->'notices', '{}') || (p_changes->'notices')) else '{}' end
    where user_id = p_user;
  return preferences_of(p_user);
end
$$;
