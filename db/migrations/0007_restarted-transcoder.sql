-- A transcoder that was restarted, or whose answer was lost, takes its own streams up at its next report
-- instead of waiting for the end of its own lease.
create or replace function report_transcoder(
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
        and (m.transcode_lease_until is null or m.transcode_lease_until < now()
          or m.transcoder_id = p_transcoder)
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
