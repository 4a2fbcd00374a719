-- The schedule: when performers mean to be live.

create or replace function schedule_json(p_entry schedule) returns jsonb
language sql stable
as $$
  select jsonb_build_object('id', p_entry.id, 'title', p_entry.title, 'category', p_entry.category,
    'startsAt', instant(p_entry.starts_at), 'minutes', p_entry.minutes)
$$;

-- What is not over yet, the next first.
create or replace function schedule_to_come(p_performer uuid, p_limit integer) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(schedule_json(s::schedule) order by s.starts_at, s.id), '[]')
    from (select * from schedule
      where performer_id = p_performer and starts_at > now() - interval '1 day'
        and starts_at + make_interval(mins => minutes) > now()
      order by starts_at, id limit p_limit) s
$$;

-- Announces something: `{ title, category, startsAt, minutes }`. Its id comes from the key, so that the same key of the
-- same performer announces it once, and answers it as it is now. Refuses `too-many`, `account-banned`.
create or replace function announce(p_performer uuid, p_key text, p_entry jsonb, p_max integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_hash text := encode(sha256(convert_to(p_performer || ':' || p_key, 'UTF8')), 'hex');
  -- Version 8 of RFC 9562.
  v_id uuid := (substr(v_hash, 1, 12) || '8' || substr(v_hash, 14, 3) || '8' || substr(v_hash, 18, 15))::uuid;
  v_entry schedule;
begin
  perform require_active(p_performer);
  perform pg_advisory_xact_lock(hashtextextended('schedule:' || p_performer, 0));
  select * into v_entry from schedule where id = v_id and performer_id = p_performer;
  if found then
    return schedule_json(v_entry);
  end if;
  if jsonb_array_length(schedule_to_come(p_performer, p_max)) >= p_max then
    perform refuse('too-many', jsonb_build_object('most', p_max));
  end if;
  -- What is over is of no use to anybody.
  delete from schedule where performer_id = p_performer
    and starts_at + make_interval(mins => minutes) < now() - interval '7 days';
  insert into schedule (id, performer_id, title, category, starts_at, minutes)
    values (v_id, p_performer, p_entry->>'title', p_entry->>'category', (p_entry->>'startsAt')::timestamptz,
      (p_entry->>'minutes')::integer)
    returning * into v_entry;
  return schedule_json(v_entry);
end
$$;

-- Changes an announcement of one's own; what is left out stays. Refuses `not-found`.
create or replace function edit_announcement(p_performer uuid, p_entry uuid, p_changes jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_entry schedule;
begin
  update schedule set
      title = coalesce(p_changes->>'title', title), category = coalesce(p_changes->>'category', category),
      starts_at = coalesce((p_changes->>'startsAt')::timestamptz, starts_at),
      minutes = coalesce((p_changes->>'minutes')::integer, minutes)
    where id = p_entry and performer_id = p_performer
    returning * into v_entry;
  if not found then
    perform refuse('not-found');
  end if;
  return schedule_json(v_entry);
end
$$;

-- Takes an announcement of one's own back; one that is gone, or somebody else's, stays as it is.
create or replace function unannounce(p_performer uuid, p_entry uuid) returns void
language sql security definer set search_path = public, pg_temp
as $$
  delete from schedule where id = p_entry and performer_id = p_performer
$$;
