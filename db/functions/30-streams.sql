-- Streams: what their performers say of them, who may watch, talk and keep order, and entries to ticketed ones.

-- A stream as clients see it.
create or replace function stream_json(p_stream streams, p_media stream_media, p_performer users) returns jsonb
language sql stable
as $$
  select jsonb_build_object('id', p_stream.id, 'title', p_stream.title, 'category', p_stream.category,
    'tags', to_jsonb(p_stream.tags), 'language', p_stream.language, 'contentClass', p_stream.content_class,
    'visibility', p_stream.visibility, 'entryTokens', p_stream.entry_tokens::bigint,
    'scheduledAt', instant(p_stream.scheduled_at), 'version', p_stream.version,
    'state', p_stream.state, 'endReason', p_stream.end_reason,
    'performer', jsonb_build_object('id', p_performer.id, 'username', p_performer.username),
    'viewers', case when p_media.counted_at > now() - interval '30 seconds' then p_media.audience
      else coalesce(p_media.viewers, 0) end,
    'thumbnailUrl', case when p_stream.state = 'live' and p_stream.visibility in ('public', 'unlisted')
      then p_media.thumbnail_url end,
    'createdAt', instant(p_stream.created_at), 'startedAt', instant(p_stream.started_at),
    'endedAt', instant(p_stream.ended_at))
$$;

create or replace function stream_of(p_stream uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select stream_json(s, m, u) from streams s join users u on u.id = s.performer_id
    left join stream_media m on m.stream_id = s.id where s.id = p_stream
$$;

create or replace function streams_of(p_performer uuid, p_before uuid, p_limit integer) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(stream_json(s, m, u) order by s.id desc), '[]')
    from (select * from streams where performer_id = p_performer and (p_before is null or id < p_before)
      order by id desc limit p_limit) s
    join users u on u.id = s.performer_id left join stream_media m on m.stream_id = s.id
$$;

-- Adds a stream: `{ title, category, tags, language, contentClass, visibility, entryTokens, scheduledAt }`. The same
-- key of the same performer gives the same one back, as it is now. Refuses `idempotency-key-reused`, and whoever may
-- not stream.
create or replace function create_stream(p_performer uuid, p_stream jsonb, p_key text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  -- Streams that wait for their beginning.
  v_most constant integer := 50;
  v_fingerprint text := ledger.fingerprint(p_stream::text);
  v_stream streams;
begin
  perform require_member(p_performer);
  insert into streams (performer_id, title, category, tags, language, content_class, visibility, entry_tokens,
      scheduled_at, idempotency_key, fingerprint)
    values (p_performer, p_stream->>'title', p_stream->>'category',
      array(select jsonb_array_elements_text(p_stream->'tags')), p_stream->>'language', p_stream->>'contentClass',
      p_stream->>'visibility', (p_stream->>'entryTokens')::bigint, (p_stream->>'scheduledAt')::timestamptz,
      p_key, v_fingerprint)
    on conflict (performer_id, idempotency_key) do nothing
    returning * into v_stream;
  if not found then
    select * into strict v_stream from streams where performer_id = p_performer and idempotency_key = p_key;
    if v_stream.fingerprint is distinct from v_fingerprint then
      perform refuse('idempotency-key-reused');
    end if;
  elsif (select count(*) from streams where performer_id = p_performer and state = 'created') > v_most then
    perform refuse('announced-limit', jsonb_build_object('most', v_most));
  end if;
  return stream_of(v_stream.id);
end
$$;

-- Changes what a performer says of their stream; what is left out of `p_changes` stays. Answers the stream, and what
-- is revoked: where it is for fewer than before, all who watch must show again that they may.
create or replace function edit_stream(p_stream uuid, p_performer uuid, p_version integer, p_changes jsonb)
returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_before streams;
  v_after streams;
  v_revocations jsonb := '[]';
begin
  select * into v_before from streams where id = p_stream for update;
  if not found then
    perform refuse('not-found');
  end if;
  if v_before.performer_id <> p_performer then
    perform refuse('forbidden');
  end if;
  if v_before.state = 'ended' then
    perform refuse('stream-ended');
  end if;
  if v_before.version <> p_version then
    perform refuse('precondition-failed', jsonb_build_object('version', v_before.version));
  end if;
  -- Whoever has paid for an entry has paid for what was announced.
  if exists (select from stream_entries where stream_id = p_stream and reservation_id is not null)
    and ((p_changes ? 'visibility' and p_changes->>'visibility' <> 'ticketed') or p_changes ? 'entryTokens') then
    perform refuse('entries-sold');
  end if;
  v_after := v_before;
  v_after.title := coalesce(p_changes->>'title', v_before.title);
  v_after.category := coalesce(p_changes->>'category', v_before.category);
  v_after.visibility := coalesce(p_changes->>'visibility', v_before.visibility);
  v_after.content_class := coalesce(p_changes->>'contentClass', v_before.content_class);
  if p_changes ? 'tags' then
    v_after.tags := array(select jsonb_array_elements_text(p_changes->'tags'));
  end if;
  if p_changes ? 'language' then
    v_after.language := p_changes->>'language';
  end if;
  if p_changes ? 'scheduledAt' then
    v_after.scheduled_at := (p_changes->>'scheduledAt')::timestamptz;
  end if;
  if p_changes ? 'entryTokens' then
    v_after.entry_tokens := (p_changes->>'entryTokens')::bigint;
  end if;
  if (v_after.visibility = 'ticketed') <> (v_after.entry_tokens is not null) then
    perform refuse('invalid-request', '{"errors": [{"path": "entryTokens", "message": "what an entry costs, for ticketed streams alone"}]}');
  end if;
  update streams set title = v_after.title, category = v_after.category, visibility = v_after.visibility,
      content_class = v_after.content_class, tags = v_after.tags, language = v_after.language,
      scheduled_at = v_after.scheduled_at, entry_tokens = v_after.entry_tokens, version = version + 1
    where id = p_stream;
  if v_after.visibility in ('followers', 'ticketed') and v_after.visibility <> v_before.visibility then
    v_revocations := jsonb_build_array(revoke_access('stream', null, p_stream, 'restricted'));
  end if;
  return jsonb_build_object('stream', stream_of(p_stream), 'revocations', v_revocations);
end
$$;

-- What is kept from everybody of that which somebody publishes in a stream, whoever wants it so.
create or replace function held_of(p_stream uuid, p_user uuid) returns jsonb
language sql stable
as $$
  select jsonb_build_object('sound', coalesce(bool_or(sound), false), 'picture', coalesce(bool_or(picture), false))
    from media_holds where stream_id = p_stream and user_id = p_user
$$;

-- Everything by which it is decided who may watch a stream and talk in it, in one look. `p_viewer` is null for a
-- guest; `p_countries` are those that the viewer is known to be in besides that of their account. Null: no stream.
create or replace function watch_facts(p_stream uuid, p_viewer uuid, p_countries text[]) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object(
      'stream', stream_json(s, m, u),
      'place', jsonb_build_object('nodeId', m.node_id, 'nodeUrl', m.node_url,
        'transcoderUrl', case when m.transcode_lease_until > now() and m.transcode_state = 'ready'
          then m.transcoder_url end),
      'follows', coalesce((select true from relations
        where from_id = p_viewer and kind = 'follow' and to_id = s.performer_id), false),
      'moderates', coalesce((select true from stream_moderators
        where stream_id = s.id and user_id = p_viewer), false),
      'entered', coalesce((select true from stream_entries where stream_id = s.id and user_id = p_viewer), false),
      'stage', (select state from stage_guests where stream_id = s.id and user_id = p_viewer),
      'held', held_of(s.id, p_viewer),
      'shunned', coalesce((select true from relations
          where from_id = s.performer_id and kind = 'block' and to_id = p_viewer), false)
        or coalesce((select kind = 'banned' from room_bans
          where performer_id = s.performer_id and user_id = p_viewer and coalesce(until, 'infinity') > now()), false),
      'silenced', coalesce((select true from room_bans
        where performer_id = s.performer_id and user_id = p_viewer and coalesce(until, 'infinity') > now()), false),
      'hidden', exists (select from country_blocks c where c.performer_id = s.performer_id
        and (c.country = any (p_countries) or c.country = (select country from users where id = p_viewer))))
    from streams s join users u on u.id = s.performer_id left join stream_media m on m.stream_id = s.id
    where s.id = p_stream
$$;

-- Refuses who may not talk in a room, whatever their ticket says: the same that the edge decides by.
create or replace function require_voice(p_stream uuid, p_user uuid) returns void
language plpgsql stable
as $$
declare
  v_facts jsonb := watch_facts(p_stream, p_user, '{}');
  v_visibility text := v_facts->'stream'->>'visibility';
begin
  if (v_facts->'stream'->'performer'->>'id')::uuid = p_user or has_permission(p_user, 'end-streams') then
    return;
  end if;
  if (v_facts->>'shunned')::boolean or (v_facts->>'silenced')::boolean then
    perform refuse('silenced');
  end if;
  if (v_facts->>'hidden')::boolean then
    perform refuse('country-blocked');
  end if;
  if v_visibility = 'followers' and not (v_facts->>'follows')::boolean and not (v_facts->>'moderates')::boolean then
    perform refuse('followers-only');
  end if;
  if v_visibility = 'ticketed' and not (v_facts->>'entered')::boolean and not (v_facts->>'moderates')::boolean then
    perform refuse('entry-needed');
  end if;
end
$$;

-- From which age on people of a country are adults.
create or replace function adult_years_of(p_country text) returns integer
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce((select adult_years from jurisdictions where country = p_country), 18)
$$;

-- Buys an entry to a ticketed stream: the tokens are set aside until it is live, and go back if it never is.
create or replace function buy_entry(p_stream uuid, p_user uuid, p_tokens bigint, p_key text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_stream streams;
  v_entry stream_entries;
  v_held jsonb;
begin
  perform require_active(p_user);
  select * into v_stream from streams where id = p_stream for share;
  if not found then
    perform refuse('not-found');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('entry:' || p_stream || p_user, 0));
  select * into v_entry from stream_entries where stream_id = p_stream and user_id = p_user;
  if found then
    return jsonb_build_object('streamId', p_stream, 'entryTokens', v_stream.entry_tokens::bigint, 'replayed', true);
  end if;
  if v_stream.state = 'ended' then
    perform refuse('stream-ended');
  end if;
  if v_stream.visibility <> 'ticketed' then
    perform refuse('invalid-request');
  end if;
  -- Nobody pays another price than the one that they were shown.
  if v_stream.entry_tokens <> p_tokens then
    perform refuse('price-changed', jsonb_build_object('entryTokens', v_stream.entry_tokens::bigint));
  end if;
  v_held := ledger.hold(p_user, v_stream.performer_id, p_stream, v_stream.entry_tokens,
    date_trunc('second', greatest(v_stream.scheduled_at, now())) + interval '2 days', 'entry:' || p_key);
  insert into stream_entries (stream_id, user_id, reservation_id)
    values (p_stream, p_user, (v_held->>'reservationId')::uuid);
  if v_stream.state = 'live' then
    perform ledger.hold_captured((v_held->>'reservationId')::uuid, v_stream.entry_tokens);
  end if;
  return jsonb_build_object('streamId', p_stream, 'entryTokens', v_stream.entry_tokens::bigint, 'replayed', false);
end
$$;

-- Pays the performers of streams that have gone live for the entries that wait, and gives back those of streams that
-- never did. One entry at a time, so that one that cannot be settled keeps no other waiting. Answers how many.
create or replace function settle_entries(p_limit integer) returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  r record;
  v_settled integer := 0;
begin
  for r in
    select e.stream_id, e.user_id, e.reservation_id, v.tokens, s.started_at is not null as was_live
      from stream_entries e
      join streams s on s.id = e.stream_id and s.state in ('live', 'ended')
      join ledger.reservations v on v.id = e.reservation_id and v.state = 'open'
      order by e.reservation_id limit p_limit
  loop
    begin
      if r.was_live then
        perform ledger.hold_captured(r.reservation_id, r.tokens);
      else
        perform ledger.hold_released(r.reservation_id);
      end if;
      v_settled := v_settled + 1;
    exception when others then
      perform open_case('entry-not-settled', r.reservation_id::text,
        jsonb_build_object('streamId', r.stream_id, 'reason', sqlerrm));
    end;
  end loop;
  -- Whose tokens went back has no entry any more.
  delete from stream_entries e using ledger.reservations v
    where v.id = e.reservation_id and v.state = 'released';
  return v_settled;
end
$$;

-- Lets somebody in for nothing, or takes that back.
create or replace function set_entry(p_stream uuid, p_performer uuid, p_user uuid, p_let_in boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform require_own_stream(p_stream, p_performer);
  if not exists (select from users where id = p_user) then
    perform refuse('not-found');
  end if;
  if p_let_in then
    insert into stream_entries (stream_id, user_id) values (p_stream, p_user) on conflict do nothing;
    return '[]';
  end if;
  delete from stream_entries where stream_id = p_stream and user_id = p_user and reservation_id is null;
  return case when found then jsonb_build_array(revoke_access('viewer', p_user::text, p_stream, 'entry')) else '[]' end;
end
$$;

create or replace function require_own_stream(p_stream uuid, p_performer uuid) returns void
language plpgsql stable
as $$
declare
  v_performer uuid;
begin
  select performer_id into v_performer from streams where id = p_stream;
  if not found then
    perform refuse('not-found');
  end if;
  if v_performer <> p_performer then
    perform refuse('forbidden');
  end if;
end
$$;

-- Makes somebody a moderator of a stream, or no more. Answers what is revoked: their ticket says what they may do.
create or replace function set_moderator(p_stream uuid, p_performer uuid, p_user uuid, p_is boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform require_own_stream(p_stream, p_performer);
  if p_user = p_performer then
    perform refuse('invalid-request');
  end if;
  if not exists (select from users where id = p_user) then
    perform refuse('not-found');
  end if;
  if p_is then
    insert into stream_moderators (stream_id, user_id) values (p_stream, p_user) on conflict do nothing;
  else
    delete from stream_moderators where stream_id = p_stream and user_id = p_user;
  end if;
  return case when found then jsonb_build_array(revoke_access('viewer', p_user::text, p_stream, 'moderator'))
    else '[]' end;
end
$$;

create or replace function moderators_of(p_stream uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'username', u.username) order by u.username), '[]')
    from stream_moderators m join users u on u.id = m.user_id where m.stream_id = p_stream
$$;

-- Refuses who does not keep order in a stream: its performer, its moderators, and staff.
create or replace function require_order(p_stream uuid, p_by uuid) returns uuid
language plpgsql stable
as $$
declare
  v_performer uuid;
begin
  select performer_id into v_performer from streams where id = p_stream;
  if not found then
    perform refuse('not-found');
  end if;
  if v_performer <> p_by and not has_permission(p_by, 'end-streams')
    -- Whoever kept order once has no say once the stream is over, or its performer has put them out.
    and not exists (select from stream_moderators m join streams s on s.id = m.stream_id
      where m.stream_id = p_stream and m.user_id = p_by and s.state <> 'ended'
        and not exists (select from room_bans b where b.performer_id = v_performer and b.user_id = p_by
          and coalesce(b.until, 'infinity') > now()))
  then
    perform refuse('forbidden');
  end if;
  return v_performer;
end
$$;

-- Silences somebody in the rooms of a stream's performer, or bans them from these, until a moment or for good; null
-- for `p_kind` lifts it. Nobody is above themselves: performers, staff and other moderators cannot be named.
-- Answers what is revoked.
create or replace function set_room_ban(p_stream uuid, p_by uuid, p_user uuid, p_kind text, p_until timestamptz)
returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_performer uuid := require_order(p_stream, p_by);
begin
  if not exists (select from users where id = p_user) then
    perform refuse('not-found');
  end if;
  if p_user in (v_performer, p_by) or has_permission(p_user, 'end-streams')
    or (v_performer <> p_by and exists (select from stream_moderators where stream_id = p_stream and user_id = p_user))
  then
    perform refuse('forbidden');
  end if;
  if p_kind is null then
    delete from room_bans where performer_id = v_performer and user_id = p_user;
    return '[]';
  end if;
  insert into room_bans (performer_id, user_id, kind, by, until) values (v_performer, p_user, p_kind, p_by, p_until)
    on conflict (performer_id, user_id) do update set kind = excluded.kind, by = excluded.by, until = excluded.until,
      created_at = now();
  perform audit('room.' || p_kind, p_by, p_user::text, jsonb_build_object('streamId', p_stream));
  return case when p_kind = 'banned' then
    (select coalesce(jsonb_agg(revoke_access('viewer', p_user::text, s.id, 'room-ban')), '[]')
      from streams s where s.performer_id = v_performer and s.state in ('starting', 'live'))
    else '[]' end;
end
$$;

-- Takes a chat line away. Answers the event that tells the room; null when it is gone already.
create or replace function delete_message(p_stream uuid, p_by uuid, p_message uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_message chat_messages;
  v_event events;
begin
  select * into v_message from chat_messages where id = p_message and stream_id = p_stream for update;
  if not found then
    perform refuse('not-found');
  end if;
  if v_message.user_id <> p_by then
    perform require_order(p_stream, p_by);
  end if;
  if v_message.body = '' then
    return null;
  end if;
  update chat_messages set body = '' where id = p_message;
  update events set data = data || '{"body": "", "deleted": true}' where id = v_message.event_id;
  insert into events (stream_id, type, data)
    values (p_stream, 'chat.deleted', jsonb_build_object('messageId', p_message))
    returning * into v_event;
  perform audit('chat.deleted', p_by, p_message::text, jsonb_build_object('streamId', p_stream));
  return event_json(v_event);
end
$$;
