-- Audiences: how many watch each stream, as it was counted, and what it was tipped since it began.

-- Takes in a count of all audiences, `[{ streamId, viewers }]`: whoever is not named is watched by nobody. A row that
-- somebody else writes at this moment is left for the next count. Answers how many have changed.
create or replace function count_audiences(p_counts jsonb) returns integer
language sql security definer set search_path = public, pg_temp
as $$
  with counted as (
    select m.stream_id, coalesce(c.viewers, 0) as viewers
      from streams s join stream_media m on m.stream_id = s.id
      left join jsonb_to_recordset(p_counts) as c ("streamId" uuid, viewers integer) on c."streamId" = s.id
      where s.state = 'live'
        and (m.audience <> coalesce(c.viewers, 0) or coalesce(m.counted_at, '-infinity') < now() - interval '10 seconds')
  ), free as (
    select m.stream_id, c.viewers from stream_media m join counted c using (stream_id)
      order by m.stream_id for update of m skip locked
  ), changed as (
    update stream_media m set audience = f.viewers, audience_most = greatest(m.audience_most, f.viewers),
        counted_at = now()
      from free f where f.stream_id = m.stream_id returning 1
  )
  select count(*)::integer from changed
$$;

-- How many watch each of these streams, `[{ streamId, viewers }]`, where it was counted a moment ago.
create or replace function audiences_of(p_streams uuid[]) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('streamId', stream_id, 'viewers', audience)), '[]')
    from stream_media where stream_id = any (p_streams) and counted_at > now() - interval '30 seconds'
$$;

-- Counts anew what streams were tipped since they began, where a tip came in the last minutes; for the order of the
-- live list, not for the books. Streams that have ended have no rank. Answers how many have changed.
create or replace function rank_tips(p_recent interval) returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_changed integer;
begin
  with recent as (
    select distinct t.stream_id from ledger.tips t
      where t.id >= uuid_v7_floor(now() - p_recent) and t.stream_id is not null
  ), tipped as (
    select s.id, coalesce(sum(t.amount_tokens), 0)::bigint as tokens
      from recent r join streams s on s.id = r.stream_id and s.state = 'live'
      join ledger.tips t on t.performer_id = s.performer_id and t.created_at >= s.started_at and t.stream_id = s.id
      group by s.id
    union all
    select m.stream_id, 0 from stream_media m join streams s on s.id = m.stream_id
      where m.tipped_tokens > 0 and s.state = 'ended'
  ), free as (
    select m.stream_id, t.tokens from stream_media m join tipped t on t.id = m.stream_id
      where m.tipped_tokens <> t.tokens order by m.stream_id for update of m skip locked
  )
  update stream_media m set tipped_tokens = f.tokens from free f where f.stream_id = m.stream_id;
  get diagnostics v_changed = row_count;
  return v_changed;
end
$$;
