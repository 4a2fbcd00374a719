-- Raids: the performer of a live stream leads their audience to another one.

-- Leads the audience of a stream to another one, once: the same again changes nothing. Tells both rooms. Answers
-- `{ raid, events }`; refuses `not-found`, `forbidden`, `stream-not-live`, `already-decided` where it was led elsewhere,
-- and `raid-refused` for every reason that is the other side's, which is not told.
create or replace function raid(p_from uuid, p_by uuid, p_to uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_from streams;
  v_to streams;
  v_led uuid;
  v_viewers integer;
  v_left events;
  v_came events;
begin
  perform from streams where id in (p_from, p_to) order by id for update;
  select * into v_from from streams where id = p_from;
  if not found then
    perform refuse('not-found');
  end if;
  if v_from.performer_id <> p_by then
    perform refuse('forbidden');
  end if;
  perform require_active(p_by);
  select to_stream_id into v_led from raids where from_stream_id = p_from;
  if found and v_led <> p_to then
    perform refuse('already-decided');
  end if;
  if v_from.state <> 'live' and v_led is null then
    perform refuse('stream-not-live', jsonb_build_object('state', v_from.state));
  end if;
  select case when counted_at > now() - interval '30 seconds' then audience else viewers end into v_viewers
    from stream_media where stream_id = p_from;
  if v_led is not null then
    return jsonb_build_object('events', '[]'::jsonb, 'raid', jsonb_build_object('fromStreamId', p_from,
      'toStreamId', p_to, 'viewers', coalesce(v_viewers, 0)));
  end if;
  select * into v_to from streams where id = p_to;
  if not found or v_to.performer_id = p_by or v_to.state <> 'live' or v_to.visibility <> 'public'
    or (v_to.content_class = 'mature' and v_from.content_class <> 'mature')
    or exists (select from relations
      where (from_id, kind, to_id) in ((p_by, 'block', v_to.performer_id), (v_to.performer_id, 'block', p_by)))
    or exists (select from room_bans where performer_id = v_to.performer_id and user_id = p_by
      and coalesce(until, 'infinity') > now())
    or v_from.visibility <> 'public'
    or exists (select from country_blocks where performer_id = v_to.performer_id
      and country = (select country from users where id = p_by))
    or exists (select from preferences where user_id = v_to.performer_id and data->'acceptsRaids' = 'false')
  then
    perform refuse('raid-refused');
  end if;
  insert into raids (from_stream_id, to_stream_id) values (p_from, p_to);
  insert into events (stream_id, type, data)
    values (p_from, 'raid.left', jsonb_build_object('toStreamId', p_to, 'title', v_to.title,
      'performer', (select jsonb_build_object('id', id, 'username', username) from users where id = v_to.performer_id)))
    returning * into v_left;
  insert into events (stream_id, type, data)
    values (p_to, 'raid.came', jsonb_build_object('fromStreamId', p_from, 'viewers', coalesce(v_viewers, 0),
      'performer', (select jsonb_build_object('id', id, 'username', username) from users where id = p_by)))
    returning * into v_came;
  return jsonb_build_object('events', jsonb_build_array(event_json(v_left), event_json(v_came)),
    'raid', jsonb_build_object('fromStreamId', p_from, 'toStreamId', p_to, 'viewers', coalesce(v_viewers, 0)));
end
$$;
