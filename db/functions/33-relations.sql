-- Relations: whom somebody follows, blocks or mutes, what that ends at once, and where a performer is not to be seen.

-- Two people whose relations change; the same for both, so that neither waits for the other in a circle.
create or replace function lock_pair(p_one uuid, p_other uuid) returns void
language sql
as $$
  select pg_advisory_xact_lock(
    hashtextextended('pair:' || least(p_one, p_other) || greatest(p_one, p_other), 0))
$$;

-- Ends that a viewer watches a performer's streams, of one visibility or of all: what lives was signed before.
create or replace function put_out(p_viewer uuid, p_performer uuid, p_visibility text, p_reason text) returns jsonb
language sql
as $$
  select coalesce(jsonb_agg(revoke_access('viewer', p_viewer::text, s.id, p_reason)), '[]')
    from streams s where s.performer_id = p_performer and s.state in ('starting', 'live')
      and (p_visibility is null or s.visibility = p_visibility)
$$;

-- Gives back what somebody has set aside for entries to a performer's shows that have not begun.
create or replace function give_entries_back(p_user uuid, p_performer uuid) returns void
language plpgsql
as $$
declare
  r record;
begin
  for r in
    select e.stream_id, e.reservation_id
      from stream_entries e
      join streams s on s.id = e.stream_id and s.performer_id = p_performer and s.started_at is null
      join ledger.reservations v on v.id = e.reservation_id and v.state = 'open'
      where e.user_id = p_user order by e.reservation_id
  loop
    begin
      perform ledger.hold_released(r.reservation_id);
      delete from stream_entries where stream_id = r.stream_id and user_id = p_user;
    exception when sqlstate 'LP001' then
      -- The show has begun at this moment, and its performer was paid.
      null;
    end;
  end loop;
end
$$;

-- Lets somebody follow, block or mute somebody else. A block ends following both ways, keeping order for the one who
-- blocks, and watching them; what was set aside for shows to come goes back. Again is no other than once. Answers what is revoked. Refuses `not-found`, `blocked`,
-- `invalid-request`, `too-many`, `account-banned`.
create or replace function relate(p_from uuid, p_kind text, p_to uuid, p_max integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_revocations jsonb := '[]';
  v_unfollows boolean;
begin
  perform require_active(p_from);
  if p_from = p_to then
    perform refuse('invalid-request', '{"errors": [{"path": "userId", "message": "somebody else"}]}');
  end if;
  perform lock_pair(p_from, p_to);
  perform pg_advisory_xact_lock(hashtextextended('relations:' || p_from, 0));
  -- Whoever is blocked finds nobody, as with the profile.
  if not exists (select from users where id = p_to and erased_at is null)
    or (p_kind <> 'block' and is_related(p_to, 'block', p_from)) then
    perform refuse('not-found');
  end if;
  if is_related(p_from, p_kind, p_to) then
    return '[]';
  end if;
  if p_kind = 'follow' and is_related(p_from, 'block', p_to) then
    perform refuse('blocked');
  end if;
  if (select count(*) from relations where from_id = p_from and kind = p_kind) >= p_max then
    perform refuse('too-many', jsonb_build_object('most', p_max));
  end if;
  insert into relations (from_id, kind, to_id) values (p_from, p_kind, p_to);
  if p_kind = 'block' then
    delete from relations where kind = 'follow' and from_id = p_to and to_id = p_from;
    delete from relations where kind = 'follow' and from_id = p_from and to_id = p_to;
    v_unfollows := found;
    delete from stream_moderators m using streams s
      where s.id = m.stream_id and s.performer_id = p_from and m.user_id = p_to;
    delete from stage_guests g using streams s
      where s.id = g.stream_id and s.performer_id = p_from and g.user_id = p_to;
    perform give_entries_back(p_to, p_from);
    v_revocations := put_out(p_to, p_from, null, 'block');
    if v_unfollows then
      v_revocations := v_revocations || put_out(p_from, p_to, 'followers', 'unfollow');
    end if;
  end if;
  return v_revocations;
end
$$;

-- Takes that back. Answers what is revoked: who follows no more does not watch what is for followers.
create or replace function unrelate(p_from uuid, p_kind text, p_to uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform lock_pair(p_from, p_to);
  delete from relations where from_id = p_from and kind = p_kind and to_id = p_to;
  return case when found and p_kind = 'follow' then put_out(p_from, p_to, 'followers', 'unfollow') else '[]' end;
end
$$;

-- A page of those whom somebody follows, blocks or mutes; who joined last comes first.
create or replace function relations_of(p_from uuid, p_kind text, p_before uuid, p_limit integer) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(person_card(u, p) || jsonb_build_object('since', instant(r.created_at))
      order by r.to_id desc), '[]')
    from (select * from relations r where from_id = p_from and kind = p_kind and (p_before is null or to_id < p_before)
        -- Whoever has blocked the asker is looked at no more; a block of one's own can still be taken back.
        and (kind = 'block' or not is_related(to_id, 'block', p_from))
      order by to_id desc limit p_limit) r
    join users u on u.id = r.to_id left join profiles p on p.user_id = r.to_id
$$;

create or replace function country_blocks_of(p_performer uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object('countries', coalesce(jsonb_agg(country order by country), '[]'))
    from country_blocks where performer_id = p_performer
$$;

-- The countries in which a performer is not to be seen, as a whole. Nobody notes where who watches is: where one is
-- added, all who watch must show again that they may. Answers what is revoked.
create or replace function set_country_blocks(p_performer uuid, p_countries jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_added integer;
begin
  -- One after the other, so that what is left is what one of them said.
  perform pg_advisory_xact_lock(hashtextextended('country-blocks:' || p_performer, 0));
  delete from country_blocks where performer_id = p_performer and not p_countries ? country;
  insert into country_blocks (performer_id, country)
    select p_performer, jsonb_array_elements_text(p_countries) on conflict do nothing;
  get diagnostics v_added = row_count;
  if v_added = 0 then
    return '[]';
  end if;
  return (select coalesce(jsonb_agg(revoke_access('stream', null, s.id, 'country')), '[]')
    from streams s where s.performer_id = p_performer and s.state in ('starting', 'live'));
end
$$;
