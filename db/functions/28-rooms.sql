-- Rooms: streams and what is said in them; every change writes its event in the same transaction.

-- Takes a stream to another state and tells its room. Being there already is no error and no event.
create or replace function transition_stream(p_stream uuid, p_to text, p_reason text default null) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_stream streams;
  v_event events;
begin
  select * into v_stream from streams where id = p_stream for update;
  if not found then
    perform refuse('not-found', jsonb_build_object('streamId', p_stream));
  end if;
  if v_stream.state = p_to or (p_to = 'starting' and v_stream.state = 'live') then
    return null;
  end if;
  if v_stream.state = 'ended' then
    perform refuse('stream-ended');
  end if;
  if (v_stream.state, p_to) not in (
    ('created', 'starting'), ('created', 'ended'),
    ('starting', 'live'), ('starting', 'ended'), ('live', 'ended')
  ) then
    perform refuse('invalid-transition', jsonb_build_object('from', v_stream.state, 'to', p_to));
  end if;
  if p_to = 'starting' then
    perform require_member(v_stream.performer_id);
  end if;
  begin
    update streams set
        state = p_to,
        state_since = now(),
        end_reason = p_reason,
        started_at = case when p_to = 'live' then now() else started_at end,
        ended_at = case when p_to = 'ended' then now() else ended_at end
      where id = p_stream;
  exception when unique_violation then
    perform refuse('stream-limit');
  end;
  if p_to = 'ended' then
    update stream_media set publishing = false, viewers = 0, audience = 0 where stream_id = p_stream;
  end if;
  insert into events (stream_id, type, data)
    values (p_stream, 'stream.state', jsonb_build_object('state', p_to, 'reason', p_reason))
    returning * into v_event;
  return event_json(v_event);
end
$$;

-- A chat line of a live stream. The same key says the same line once.
create or replace function post_message(p_stream uuid, p_user uuid, p_body text, p_key text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_state text;
  v_user users;
  v_before chat_messages;
  v_message uuid := uuid_v7();
  v_event events;
begin
  select state into v_state from streams where id = p_stream;
  if not found then
    perform refuse('not-found', jsonb_build_object('streamId', p_stream));
  end if;
  perform require_member(p_user);
  perform require_voice(p_stream, p_user);
  select * into strict v_user from users where id = p_user;
  -- Two equal requests at once: the second waits for the first, and then finds its line.
  perform pg_advisory_xact_lock(hashtextextended(p_user::text || p_key, 0));
  select * into v_before from chat_messages where user_id = p_user and idempotency_key = p_key;
  if found then
    if v_before.stream_id <> p_stream or v_before.body <> p_body then
      perform refuse('idempotency-key-reused');
    end if;
    select * into strict v_event from events where id = v_before.event_id;
    return event_json(v_event) || jsonb_build_object('replayed', true);
  end if;
  if v_state <> 'live' then
    perform refuse('stream-not-live', jsonb_build_object('state', v_state));
  end if;
  insert into events (stream_id, type, data)
    values (p_stream, 'chat.message', jsonb_build_object(
      'messageId', v_message, 'userId', p_user, 'username', v_user.username,
      'role', v_user.role, 'body', p_body))
    returning * into v_event;
  insert into chat_messages (id, stream_id, user_id, body, idempotency_key, event_id)
    values (v_message, p_stream, p_user, p_body, p_key, v_event.id);
  return event_json(v_event);
end
$$;

-- Claims a node for a stream that has none, or whose node `p_gone_node` is gone or sends everybody away: also when that
-- one was heard to publish a moment ago, since whoever says so has looked in the registry of nodes. Answers the node
-- that it has now.
create or replace function place_stream(p_stream uuid, p_node text, p_url text, p_gone_node text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_media stream_media;
begin
  insert into stream_media as m (stream_id, node_id, node_url) values (p_stream, p_node, p_url)
    on conflict (stream_id) do update
      set node_id = excluded.node_id, node_url = excluded.node_url, publishing = false, placed_at = now()
      where m.node_id = p_gone_node;
  select * into strict v_media from stream_media where stream_id = p_stream;
  return jsonb_build_object('nodeId', v_media.node_id, 'url', v_media.node_url);
end
$$;

-- Facts from one SFU node. Answers which rooms it must close, and the events of streams that went live.
create or replace function report_sfu(p_node text, p_url text, p_streams jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_close jsonb;
  v_events jsonb := '[]';
  v_event jsonb;
  v_id uuid;
  v_published boolean := false;
begin
  -- Streams are locked before their media, and rows of one table in the order of their ids, here as in
  -- every other function: so that none waits for another in a circle.
  perform from streams
    where state = 'starting' and id in (select stream_id from reported_rooms(p_streams) where publishing)
    order by id for no key update;
  perform from stream_media
    where node_id = p_node or stream_id in (select stream_id from reported_rooms(p_streams))
    order by stream_id for update;
  insert into stream_media as m
      (stream_id, node_id, node_url, publishing, publishing_seen_at, video_codec, viewers)
    select r.stream_id, p_node, p_url, r.publishing,
        case when r.publishing then now() end, r.video_codec, r.viewers
      from reported_rooms(p_streams) r join streams s on s.id = r.stream_id and s.state <> 'ended'
      order by r.stream_id
    on conflict (stream_id) do update set
      node_id = excluded.node_id,
      node_url = excluded.node_url,
      publishing = excluded.publishing,
      publishing_seen_at = coalesce(excluded.publishing_seen_at, m.publishing_seen_at),
      video_codec = coalesce(excluded.video_codec, m.video_codec),
      viewers = excluded.viewers
    -- A node that only serves viewers does not take the stream from the one that publishes it; nor does one that the
    -- publisher is just leaving from the one that they go to.
    where m.node_id = excluded.node_id
      or excluded.publishing and not m.publishing and m.placed_at < now() - interval '10 seconds';
  update stream_media m set publishing = false
    where m.node_id = p_node and m.publishing
      and not exists (select from reported_rooms(p_streams) r where r.stream_id = m.stream_id);

  for v_id in
    select s.id from reported_rooms(p_streams) r join streams s on s.id = r.stream_id
      where r.publishing and s.state = 'starting' order by s.id
      -- One that began in this very moment waits for the next report.
      for no key update of s skip locked
  loop
    v_event := transition_stream(v_id, 'live');
    if v_event is not null then
      v_events := v_events || v_event;
      v_published := true;
    end if;
  end loop;
  select coalesce(jsonb_agg(r.stream_id), '[]') into v_close
    from reported_rooms(p_streams) r left join streams s on s.id = r.stream_id
    where s.id is null or s.state = 'ended';
  return jsonb_build_object('close', v_close, 'events', v_events, 'published', v_published);
end
$$;
