-- Discovery: the list of who is live, and the search.

-- Whether somebody may come across a stream: a stranger of whom nothing is known only what nobody is kept from.
-- `p_viewer` is null for who has no account, `p_countries` are those that the viewer is known to be in, and
-- `p_known` whether they have said where they are at all.
create or replace function may_come_across(p_performer uuid, p_viewer uuid, p_countries text[], p_known boolean)
returns boolean
language plpgsql stable cost 1000
as $$
begin
  if p_performer = p_viewer then
    return true;
  end if;
  if exists (select from country_blocks c
      where c.performer_id = p_performer and (not p_known or c.country = any (p_countries))) then
    return false;
  end if;
  return p_viewer is null
    or not exists (select from relations
      where (from_id, kind, to_id) in ((p_performer, 'block', p_viewer), (p_viewer, 'block', p_performer)))
    and not exists (select from room_bans where performer_id = p_performer and user_id = p_viewer
      and kind = 'banned' and coalesce(until, 'infinity') > now());
end
$$;

-- Of somebody who looks around, `{ viewer, countries, known }`, the countries with that of their account.
create or replace function countries_of(p_seeker jsonb) returns text[]
language sql stable
as $$
  select array(select jsonb_array_elements_text(p_seeker->'countries')
    union select country from users where id = (p_seeker->>'viewer')::uuid)
$$;

-- A page of live streams as clients get it: takes `{ sort, category, tag, language, mature, after, limit, viewer,
-- countries, known }`, where `after` is `{ rank, id }` of the last stream before it; answers `{ streams, nextCursor }`
-- in text. Ranked by when they began (`newest`), by who watches (`viewers`), or by what they were tipped since they
-- began (`tips`). Each rank has an index; streams of no rank come last, and only where the others do not fill the page.
--
-- The statement is put together from fixed pieces and planned for the values of each call, which it gets as parameters:
-- a plan for any values would read all streams for some of them.
create or replace function live_page(p_page jsonb) returns text
language plpgsql stable security definer set search_path = public, pg_temp
as $$
declare
  v_sort text := p_page->>'sort';
  v_limit integer := (p_page->>'limit')::integer;
  v_after_id uuid := coalesce(p_page->'after'->>'id', 'ffffffff-ffff-ffff-ffff-ffffffffffff')::uuid;
  v_after_rank bigint := coalesce((p_page->'after'->>'rank')::bigint, 9223372036854775807);
  v_countries text[] := countries_of(p_page);
  v_listed text := 'from streams s left join stream_media m on m.stream_id = s.id
      where s.state = ''live'' and s.visibility = ''public'' and may_come_across(s.performer_id, $1, $2, $3)';
  v_rank text := case v_sort when 'viewers' then 'm.audience' when 'tips' then 'm.tipped_tokens' end;
  v_ids uuid[];
  v_ranks bigint[];
  v_more_ids uuid[];
  v_answer text;
begin
  if not (p_page->>'mature')::boolean then
    v_listed := v_listed || ' and s.content_class = ''general''';
  end if;
  if p_page->>'category' is not null then
    v_listed := v_listed || ' and s.category = $4';
  end if;
  if p_page->>'tag' is not null then
    v_listed := v_listed || ' and s.tags @> array[$5]';
  end if;
  if p_page->>'language' is not null then
    v_listed := v_listed || ' and s.language = $6';
  end if;
  if v_rank is null then
    execute 'select array_agg(id), array_agg((extract(epoch from started_at) * 1000000)::bigint) from (
        select s.id, s.started_at ' || v_listed || ' and (s.started_at, s.id) < ($9, $7)
          order by s.started_at desc nulls last, s.id desc nulls last limit $8) r'
      into v_ids, v_ranks
      using (p_page->>'viewer')::uuid, v_countries, (p_page->>'known')::boolean, p_page->>'category', p_page->>'tag',
        p_page->>'language', v_after_id, v_limit + 1,
        case when p_page->'after'->>'id' is null then 'infinity'
          else 'epoch'::timestamptz + v_after_rank * interval '1 microsecond' end;
  else
    execute 'select array_agg(id), array_agg(rank) from (
        select m.stream_id as id, ' || v_rank || '::bigint as rank ' || v_listed || ' and ' || v_rank || ' > 0
          and (' || v_rank || ', m.stream_id) < ($9, $7)
          order by ' || v_rank || ' desc nulls last, m.stream_id desc nulls last limit $8) r'
      into v_ids, v_ranks
      using (p_page->>'viewer')::uuid, v_countries, (p_page->>'known')::boolean, p_page->>'category', p_page->>'tag',
        p_page->>'language', v_after_id, v_limit + 1, v_after_rank;
    if coalesce(cardinality(v_ids), 0) <= v_limit then
      execute 'select array_agg(id) from (
          select s.id ' || v_listed || ' and (' || v_rank || ' = 0 or m.stream_id is null) and s.id < $7
            order by s.id desc nulls last limit $8) r'
        into v_more_ids
        using (p_page->>'viewer')::uuid, v_countries, (p_page->>'known')::boolean, p_page->>'category', p_page->>'tag',
          p_page->>'language',
          case v_after_rank when 0 then v_after_id else 'ffffffff-ffff-ffff-ffff-ffffffffffff' end, v_limit + 1;
      v_ids := v_ids || v_more_ids;
      v_ranks := v_ranks || array_fill(0::bigint, array[coalesce(cardinality(v_more_ids), 0)]);
    end if;
  end if;
  select json_build_object(
      'streams', coalesce(json_agg(stream_json(s, m, u) order by t.place), '[]'),
      'nextCursor', max(v_sort || '.' || t.rank || '.' || t.id)
        filter (where t.place = v_limit and cardinality(v_ids) > v_limit))::text
    into v_answer
    from unnest(v_ids, v_ranks) with ordinality t (id, rank, place)
    join streams s on s.id = t.id join users u on u.id = s.performer_id
    left join stream_media m on m.stream_id = t.id
    where t.place <= v_limit;
  return v_answer;
end
$$;

-- Live streams of every kind, for staff: also those that no list shows. Newest first.
create or replace function every_live(p_before uuid, p_limit integer) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(stream_json(s, m, u) order by s.id desc), '[]')
    from (select * from streams where state = 'live' and (p_before is null or id < p_before)
      order by id desc nulls last limit p_limit) s
    join users u on u.id = s.performer_id left join stream_media m on m.stream_id = s.id
$$;

-- What somebody looks for, as a query that no input can break: `words` are lists of spellings, of letters and digits
-- alone, of which the last word may go on; `tag` is all of them as one. Null where nothing is looked for.
create or replace function search_query(p_search jsonb) returns tsquery
language sql immutable
as $$
  with word as (
    select w.place, w.place = jsonb_array_length(p_search->'words') as is_last, spelling
      from jsonb_array_elements(p_search->'words') with ordinality w (spellings, place),
        jsonb_array_elements_text(w.spellings) spelling
  ), anyhow as (
    select place, '(' || string_agg('''' || spelling || ''''
        || case when is_last and length(spelling) > 1 then ':*' else '' end, ' | ') || ')' as spelt
      from word group by place
  )
  select (string_agg(spelt, ' & ') || ' | ''' || (p_search->>'tag') || ''':*')::tsquery from anyhow
$$;

-- Whom a search finds, and how well: performers by their names, those whose name it is first; and by what they show of
-- themselves to whoever asks.
create or replace function found_performers(p_search jsonb, p_query tsquery, p_countries text[])
returns table (id uuid, rank real, shows_name boolean)
language sql stable
as $$
  with seeker as (
    select (p_search->>'viewer')::uuid as viewer, (p_search->>'known')::boolean as known
  ), named as (
    select u.id, case when lower(u.username) = p_search->>'name' then 10 else 4 end::real as rank
      from users u
      where length(p_search->>'name') > 1 and lower(u.username) ~>=~ (p_search->>'name')
        and lower(u.username) ~<~ ((p_search->>'name') || chr(1114111))
      order by lower(u.username) limit 100
  ), shown as (
    select p.user_id, ts_rank_cd(p.search, p_query) as rank
      from profiles p, seeker k
      where p.search @@ p_query
        and (p.privacy = 'public' or p.user_id = k.viewer or (p.privacy = 'members' and k.viewer is not null)
          or exists (select from relations where from_id = k.viewer and kind = 'follow' and to_id = p.user_id))
      order by 2 desc limit 100
  ), found as (
    select id, max(rank) as rank from (select * from named union all select * from shown) f group by id
  )
  select f.id, f.rank::real, p.user_id is not null
      and (p.privacy = 'public' or p.user_id = k.viewer or (p.privacy = 'members' and k.viewer is not null)
        or exists (select from relations where from_id = k.viewer and kind = 'follow' and to_id = p.user_id))
    from found f join users u on u.id = f.id cross join seeker k left join profiles p on p.user_id = f.id
    where u.banned_at is null and u.erase_at is null and u.erased_at is null
      and exists (select from role_permissions r where r.role = u.role and r.permission = 'perform')
      and may_come_across(f.id, k.viewer, p_countries, k.known)
$$;

-- Streams of a state that a search finds by what is said of them, or by whose they are: ids, best first. Of more than
-- a thousand the newest are looked at.
create or replace function found_streams(
  p_search jsonb, p_query tsquery, p_countries text[], p_performers uuid[], p_state text
)
returns table (id uuid, place bigint)
language sql stable
as $$
  with matching as (
    select s.id, s.performer_id, s.scheduled_at, s.search
      from streams s
      where s.state = p_state and s.visibility = 'public'
        and ((p_search->>'mature')::boolean or s.content_class = 'general')
        and (p_state = 'live' or s.scheduled_at > now())
        and (s.search @@ p_query or s.performer_id = any (p_performers))
      order by s.id desc nulls last limit 1000
  ), candidate as (
    select s.id, s.performer_id, s.scheduled_at, coalesce(m.audience, 0) as audience,
        ts_rank_cd(s.search, p_query) + case when s.performer_id = any (p_performers) then 4 else 0 end as rank
      from matching s left join stream_media m on m.stream_id = s.id
      order by rank desc, audience desc, s.scheduled_at, s.id desc limit 200
  )
  select c.id, row_number() over (order by c.rank desc, c.audience desc, c.scheduled_at, c.id desc)
    from candidate c
    where may_come_across(c.performer_id, (p_search->>'viewer')::uuid, p_countries, (p_search->>'known')::boolean)
$$;

-- What a search finds, as clients get it: takes `{ words, tag, name, mature, viewer, countries, known, limit }`,
-- answers `{ live, upcoming, performers }` in text, each with no more than the limit, best first.
-- Planned anew each time: how rare a word is decides by what it is found.
create or replace function search_page(p_search jsonb) returns text
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_custom_plan
as $$
declare
  v_query tsquery := search_query(p_search);
  v_countries text[] := countries_of(p_search);
  v_limit integer := (p_search->>'limit')::integer;
  v_performers jsonb;
  v_ids uuid[];
  v_found jsonb := '{}';
  v_state text;
begin
  if v_query is null then
    return '{"live": [], "upcoming": [], "performers": []}';
  end if;
  select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'username', u.username,
        'displayName', case when f.shows_name then nullif(p.display_name, '') end,
        'liveStreamId', (select s.id from streams s where s.performer_id = u.id and s.state = 'live'
          and s.visibility = 'public' and ((p_search->>'mature')::boolean or s.content_class = 'general')))
        order by f.rank desc, u.username), '[]'), coalesce(array_agg(f.id), '{}')
    into v_performers, v_ids
    from (select * from found_performers(p_search, v_query, v_countries) order by rank desc limit v_limit) f
    join users u on u.id = f.id left join profiles p on p.user_id = f.id;
  foreach v_state in array array['live', 'created'] loop
    v_found := v_found || jsonb_build_object(v_state, (
      select coalesce(jsonb_agg(stream_json(s, m, u) order by f.place), '[]')
        from (select * from found_streams(p_search, v_query, v_countries, v_ids, v_state)
          order by place limit v_limit) f
        join streams s on s.id = f.id join users u on u.id = s.performer_id
        left join stream_media m on m.stream_id = s.id));
  end loop;
  return json_build_object('live', v_found->'live', 'upcoming', v_found->'created', 'performers', v_performers);
end
$$;
