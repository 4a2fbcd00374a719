-- Streams and their rooms: every change writes its event in the same transaction.

-- One shape of an event, in answers and on the wire.
create function event_json(p_event events) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'id', p_event.id, 'streamId', p_event.stream_id, 'type', p_event.type, 'data', p_event.data,
    'at', to_char(p_event.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
$$;
--> statement-breakpoint

-- Takes a stream to another state and tells its room. Being there already is no error and no event.
create function transition_stream(p_stream uuid, p_to text, p_reason text default null) returns jsonb
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
    update stream_media set publishing = false, viewers = 0 where stream_id = p_stream;
  end if;
  insert into events (stream_id, type, data)
    values (p_stream, 'stream.state', jsonb_build_object('state', p_to, 'reason', p_reason))
    returning * into v_event;
  return event_json(v_event);
end
$$;
--> statement-breakpoint

-- A chat line of a live stream. The same key says the same line once.
create function post_message(p_stream uuid, p_user uuid, p_body text, p_key text) returns jsonb
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
--> statement-breakpoint

-- The rooms that an SFU node reported, as rows.
create function reported_rooms(p_streams jsonb)
returns table (stream_id uuid, publishing boolean, video_codec text, viewers integer)
language sql immutable
as $$
  select distinct on (r."streamId") r."streamId", r.publishing, r."videoCodec", r.viewers
    from jsonb_to_recordset(p_streams)
      as r ("streamId" uuid, publishing boolean, "videoCodec" text, viewers integer)
    order by r."streamId", r.publishing desc
$$;
--> statement-breakpoint

-- Facts from one SFU node. Answers which rooms it must close, and the events of streams that went live.
create function report_sfu(p_node text, p_url text, p_streams jsonb) returns jsonb
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
    -- A node that only serves viewers does not take the stream from the one that publishes it.
    where excluded.publishing or m.node_id = excluded.node_id;
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
--> statement-breakpoint

-- One transcoder's work: renews its leases, takes them away from ended streams, hands out new ones.
create function report_transcoder(
  p_transcoder text, p_url text, p_free integer, p_jobs jsonb, p_lease interval
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_kept uuid[];
  v_claimed uuid[];
  v_again uuid[];
begin
  perform from stream_media
    where transcoder_id = p_transcoder
      and stream_id in (select (j->>'streamId')::uuid from jsonb_array_elements(p_jobs) j)
    order by stream_id for update;
  with job as (
    select * from jsonb_to_recordset(p_jobs)
      as j ("streamId" uuid, state text, "needsTicket" boolean, "thumbnailUrl" text)
  ), renewed as (
    update stream_media m set
        transcode_lease_until = now() + p_lease,
        transcode_state = j.state,
        transcoder_url = p_url,
        thumbnail_url = coalesce(j."thumbnailUrl", m.thumbnail_url)
      from job j join streams s on s.id = j."streamId" and s.state in ('starting', 'live')
      where m.stream_id = j."streamId" and m.transcoder_id = p_transcoder
      returning m.stream_id, m.publishing, j."needsTicket" as needs_ticket
  )
  select coalesce(array_agg(stream_id), '{}'),
      coalesce(array_agg(stream_id) filter (where needs_ticket and publishing), '{}')
    into v_kept, v_again from renewed;

  with free as (
    select m.stream_id from stream_media m
      join streams s on s.id = m.stream_id and s.state = 'live'
      where m.publishing
        and (m.transcode_lease_until is null or m.transcode_lease_until < now())
        and m.stream_id <> all (v_kept)
      order by s.started_at
      limit greatest(p_free, 0)
      for update of m skip locked
  ), claimed as (
    update stream_media m set
        transcoder_id = p_transcoder, transcoder_url = p_url,
        transcode_lease_until = now() + p_lease, transcode_state = 'starting'
      from free where m.stream_id = free.stream_id
      returning m.stream_id
  )
  select coalesce(array_agg(stream_id), '{}') into v_claimed from claimed;

  return jsonb_build_object(
    'start', (
      select coalesce(jsonb_agg(jsonb_build_object(
          'streamId', m.stream_id, 'nodeId', m.node_id, 'sfuUrl', m.node_url)), '[]')
        from stream_media m where m.stream_id = any (v_claimed || v_again)),
    'stop', (
      select coalesce(jsonb_agg(j."streamId"), '[]')
        from jsonb_to_recordset(p_jobs) as j ("streamId" uuid)
        where j."streamId" <> all (v_kept || v_claimed)));
end
$$;
--> statement-breakpoint

-- Claims the node on which a stream's room lives, for a stream that has none, or whose node is gone.
create function place_stream(p_stream uuid, p_node text, p_url text, p_gone_node text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_media stream_media;
begin
  insert into stream_media as m (stream_id, node_id, node_url) values (p_stream, p_node, p_url)
    on conflict (stream_id) do update set node_id = excluded.node_id, node_url = excluded.node_url
      where m.node_id = p_gone_node and not m.publishing;
  select * into strict v_media from stream_media where stream_id = p_stream;
  return jsonb_build_object('nodeId', v_media.node_id, 'url', v_media.node_url);
end
$$;
--> statement-breakpoint

-- Ends live streams whose media has been gone for longer than the grace, and those that never started.
-- Silence of a node that is known to be alive means that reports cannot get through, not that the media
-- is gone: only its own word counts then.
create function end_lost_streams(
  p_media_grace interval, p_start_grace interval, p_living_nodes text[]
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_ids uuid[];
  v_id uuid;
  v_state text;
  v_event jsonb;
  v_events jsonb := '[]';
begin
  -- All streams are locked before the first media row is.
  select array_agg(lost.id) into v_ids from (
    select s.id from streams s left join stream_media m on m.stream_id = s.id
      where (s.state = 'live'
              and coalesce(m.publishing_seen_at, s.state_since) < now() - p_media_grace
              and (m.stream_id is null or not m.publishing or m.node_id <> all (p_living_nodes)))
         or (s.state = 'starting' and s.state_since < now() - p_start_grace)
      order by s.id for update of s skip locked) lost;
  foreach v_id in array coalesce(v_ids, '{}') loop
    select state into v_state from streams where id = v_id;
    v_event := transition_stream(v_id, 'ended',
      case v_state when 'live' then 'media-lost' else 'never-started' end);
    if v_event is not null then
      v_events := v_events || v_event;
    end if;
  end loop;
  return v_events;
end
$$;
