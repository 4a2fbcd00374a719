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
      set node_id = excluded.node_id, node_url = excluded.node_url, publishing = false
      where m.node_id = p_gone_node;
  select * into strict v_media from stream_media where stream_id = p_stream;
  return jsonb_build_object('nodeId', v_media.node_id, 'url', v_media.node_url);
end
$$;
