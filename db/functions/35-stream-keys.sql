-- Stream keys: what encoders publish with in a performer's name. Only a hash of each is kept.

create or replace function stream_key_json(p_key stream_keys) returns jsonb
language sql stable
as $$
  select jsonb_build_object('id', p_key.id, 'name', p_key.name, 'hint', p_key.hint,
    'protocols', to_jsonb(p_key.scopes), 'createdAt', instant(p_key.created_at), 'lastUsedAt', instant(p_key.last_used_at))
$$;

-- Makes a key: `{ id, name, protocols, hint }`, whose id comes from the idempotency key. Answers `{ key, isNew }`: one
-- that is there already is told as it is, and its secret is not the one that came with the request. Refuses
-- `account-banned`, `idempotency-key-reused`, `stream-key-limit`.
create or replace function create_stream_key(p_performer uuid, p_key jsonb, p_hash bytea, p_max integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_key stream_keys;
begin
  perform require_active(p_performer);
  perform pg_advisory_xact_lock(hashtextextended('stream-keys:' || p_performer, 0));
  select * into v_key from stream_keys where id = (p_key->>'id')::uuid;
  if found then
    if v_key.performer_id <> p_performer or v_key.revoked_at is not null or v_key.name <> p_key->>'name'
      or to_jsonb(v_key.scopes) <> p_key->'protocols' then
      perform refuse('idempotency-key-reused');
    end if;
    return jsonb_build_object('key', stream_key_json(v_key), 'isNew', false);
  end if;
  if (select count(*) >= p_max from stream_keys where performer_id = p_performer and revoked_at is null) then
    perform refuse('stream-key-limit', jsonb_build_object('keysMax', p_max));
  end if;
  insert into stream_keys (id, performer_id, name, hash, hint, scopes)
    values ((p_key->>'id')::uuid, p_performer, p_key->>'name', p_hash, p_key->>'hint',
      array(select jsonb_array_elements_text(p_key->'protocols')))
    returning * into v_key;
  perform audit('stream-key.created', p_performer, v_key.id::text, jsonb_build_object('protocols', p_key->'protocols'));
  return jsonb_build_object('key', stream_key_json(v_key), 'isNew', true);
end
$$;

create or replace function stream_keys_of(p_performer uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(stream_key_json(k) order by k.created_at desc, k.id), '[]')
    from stream_keys k where performer_id = p_performer and revoked_at is null
$$;

create or replace function own_stream_key(p_key uuid, p_performer uuid) returns stream_keys
language plpgsql
as $$
declare
  v_key stream_keys;
begin
  select * into v_key from stream_keys
    where id = p_key and performer_id = p_performer and revoked_at is null for update;
  if not found then
    perform refuse('not-found');
  end if;
  return v_key;
end
$$;

-- Gives a key another secret. What was begun with the one before ends: answers `{ key, revocations }`.
create or replace function rotate_stream_key(p_key uuid, p_performer uuid, p_hash bytea, p_hint text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_key stream_keys := own_stream_key(p_key, p_performer);
begin
  perform require_active(p_performer);
  update stream_keys set hash = p_hash, hint = p_hint, last_used_at = null where id = p_key returning * into v_key;
  perform audit('stream-key.rotated', p_performer, p_key::text, '{}');
  return jsonb_build_object('key', stream_key_json(v_key),
    'revocations', jsonb_build_array(revoke_access('session', p_key::text, null, 'stream-key')));
end
$$;

-- Ends a key, and what was begun with it. Answers what is revoked.
create or replace function end_stream_key(p_key uuid, p_performer uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform own_stream_key(p_key, p_performer);
  update stream_keys set revoked_at = now() where id = p_key;
  perform audit('stream-key.ended', p_performer, p_key::text, '{}');
  return jsonb_build_array(revoke_access('session', p_key::text, null, 'stream-key'));
end
$$;

-- What a key opens: the stream that is named, else the performer's stream on the air, else the one that they created
-- last and have not started, which then starts. That it was used is written once in a while. Answers
-- `{ keyId, performer, streamId, place, event }`; refuses `unauthenticated`, `account-banned`, `forbidden`, `not-found`,
-- `stream-ended`, `stream-limit`.
create or replace function use_stream_key(p_hash bytea, p_protocol text, p_stream uuid, p_pace interval) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_key stream_keys;
  v_stream streams;
  v_event jsonb;
begin
  select * into v_key from stream_keys where hash = p_hash and revoked_at is null;
  if not found then
    perform refuse('unauthenticated');
  end if;
  perform require_active(v_key.performer_id);
  perform require_permission(v_key.performer_id, 'perform');
  if not p_protocol = any (v_key.scopes) then
    perform refuse('forbidden');
  end if;
  select * into v_stream from streams
    where performer_id = v_key.performer_id and (p_stream is null or id = p_stream)
      and (p_stream is not null or state <> 'ended')
    order by state in ('starting', 'live') desc, created_at desc, id desc limit 1;
  if not found then
    perform refuse('not-found');
  end if;
  if v_stream.state = 'ended' then
    perform refuse('stream-ended');
  end if;
  if v_stream.state = 'created' then
    v_event := transition_stream(v_stream.id, 'starting');
  end if;
  update stream_keys set last_used_at = now()
    where id = v_key.id and coalesce(last_used_at, '-infinity') < now() - p_pace;
  return (select jsonb_build_object('keyId', v_key.id, 'streamId', v_stream.id, 'event', v_event,
      'held', held_of(v_stream.id, v_key.performer_id),
      'performer', jsonb_build_object('id', u.id, 'username', u.username, 'role', u.role),
      'place', jsonb_build_object('nodeId', m.node_id, 'nodeUrl', m.node_url))
    from users u left join stream_media m on m.stream_id = v_stream.id where u.id = v_key.performer_id);
end
$$;
