-- The stage: who publishes beside the performer of a stream, and what is kept from everybody of that which they publish.

create or replace function stage_guest_json(p_guest stage_guests, p_user users) returns jsonb
language sql stable
as $$
  select jsonb_build_object('user', jsonb_build_object('id', p_user.id, 'username', p_user.username),
    'state', p_guest.state, 'held', held_of(p_guest.stream_id, p_guest.user_id), 'invitedAt', instant(p_guest.created_at))
$$;

-- Whom the performer has invited, oldest first. Others find themselves alone, or nobody.
create or replace function stage_of(p_stream uuid, p_viewer uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(stage_guest_json(g, u) order by g.created_at, g.user_id), '[]')
    from stage_guests g join users u on u.id = g.user_id join streams s on s.id = g.stream_id
    where g.stream_id = p_stream and p_viewer in (s.performer_id, g.user_id)
$$;

-- Invites somebody to publish beside the performer; again is no other than once. Answers the guest. Refuses `not-found`,
-- `forbidden`, `account-banned`, `stream-ended`, `invalid-request`, `blocked`, `stage-full`.
create or replace function invite_to_stage(p_stream uuid, p_performer uuid, p_username text, p_max integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_state text;
  v_user users;
  v_guest stage_guests;
begin
  perform require_active(p_performer);
  perform require_own_stream(p_stream, p_performer);
  -- Two invitations at once: the second counts the first.
  select state into v_state from streams where id = p_stream for update;
  if v_state = 'ended' then
    perform refuse('stream-ended');
  end if;
  select * into v_user from users where lower(username) = lower(p_username) and erased_at is null;
  -- Whoever has blocked the performer is not to be found by them, as with the profile.
  if not found or is_related(v_user.id, 'block', p_performer) then
    perform refuse('not-found');
  end if;
  if v_user.id = p_performer then
    perform refuse('invalid-request', '{"errors": [{"path": "username", "message": "somebody else"}]}');
  end if;
  if is_related(p_performer, 'block', v_user.id) or exists (select from room_bans
      where performer_id = p_performer and user_id = v_user.id and coalesce(until, 'infinity') > now()) then
    perform refuse('blocked');
  end if;
  select * into v_guest from stage_guests where stream_id = p_stream and user_id = v_user.id;
  if not found then
    if (select count(*) >= p_max from stage_guests where stream_id = p_stream) then
      perform refuse('stage-full', jsonb_build_object('guestsMax', p_max));
    end if;
    insert into stage_guests (stream_id, user_id) values (p_stream, v_user.id) returning * into v_guest;
  end if;
  return stage_guest_json(v_guest, v_user);
end
$$;

-- Ends a place on the stage, or an invitation to it. Answers what is revoked: whoever was there publishes no more, and
-- whom the invitation alone has let in watches no more.
create or replace function end_stage_place(p_stream uuid, p_user uuid) returns jsonb
language plpgsql
as $$
declare
  v_state text;
begin
  delete from stage_guests where stream_id = p_stream and user_id = p_user returning state into v_state;
  delete from media_holds where stream_id = p_stream and user_id = p_user and holder = 'host';
  if v_state = 'joined' or v_state = 'invited'
    and exists (select from streams where id = p_stream and visibility in ('followers', 'ticketed')) then
    return jsonb_build_array(revoke_access('viewer', p_user::text, p_stream, 'stage'));
  end if;
  return '[]';
end
$$;

-- What an invited person says: that they come, or that they do not, or not any more. Answers `{ performerId, revocations }`: whom it
-- concerns, and what is revoked. Refuses `not-found` who comes and was not invited, `account-banned`, `stream-ended`.
create or replace function answer_stage(p_stream uuid, p_user uuid, p_accept boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_stream streams;
  v_revocations jsonb := '[]';
begin
  select * into v_stream from streams where id = p_stream for share;
  if not found then
    perform refuse('not-found');
  end if;
  if p_accept then
    perform require_member(p_user);
    if v_stream.state = 'ended' then
      perform refuse('stream-ended');
    end if;
    update stage_guests set state = 'joined' where stream_id = p_stream and user_id = p_user;
    if not found then
      perform refuse('not-found');
    end if;
  else
    v_revocations := end_stage_place(p_stream, p_user);
  end if;
  return jsonb_build_object('performerId', v_stream.performer_id, 'revocations', v_revocations);
end
$$;

-- The performer takes somebody off the stage, or an invitation back; again is no other than once. Answers what is
-- revoked. Refuses `not-found`, `forbidden`.
create or replace function put_off_stage(p_stream uuid, p_performer uuid, p_user uuid) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform require_own_stream(p_stream, p_performer);
  return end_stage_place(p_stream, p_user);
end
$$;

-- Keeps sound, pictures, both or nothing of what somebody publishes in a stream from everybody: the host of what their
-- guests do, staff of what anybody does. What one of them holds the other does not give free. Answers the order to the
-- nodes. Refuses `not-found`, `forbidden`, `stream-ended`.
create or replace function hold_media(p_stream uuid, p_by uuid, p_user uuid, p_holder text, p_held jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_stream streams;
  v_before jsonb;
  v_after jsonb;
  v_made revocations;
begin
  select * into v_stream from streams where id = p_stream for share;
  if not found then
    perform refuse('not-found');
  end if;
  if p_holder = 'staff' then
    perform require_permission(p_by, 'end-streams');
  else
    perform require_own_stream(p_stream, p_by);
  end if;
  if v_stream.state = 'ended' then
    perform refuse('stream-ended');
  end if;
  if not exists (select from stage_guests where stream_id = p_stream and user_id = p_user)
    and (p_holder = 'host' or p_user <> v_stream.performer_id) then
    perform refuse('not-found');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('hold:' || p_stream || p_user, 0));
  v_before := held_of(p_stream, p_user);
  delete from media_holds where stream_id = p_stream and user_id = p_user and holder = p_holder;
  if (p_held->>'sound')::boolean or (p_held->>'picture')::boolean then
    insert into media_holds (stream_id, user_id, holder, sound, picture)
      values (p_stream, p_user, p_holder, (p_held->>'sound')::boolean, (p_held->>'picture')::boolean);
  end if;
  if p_holder = 'staff' then
    perform audit('stream.held', p_by, p_stream::text, p_held || jsonb_build_object('userId', p_user));
  end if;
  v_after := held_of(p_stream, p_user);
  if v_after = v_before then
    return '[]';
  end if;
  update revocation_counter set last = last + 1;
  insert into revocations (number, kind, subject, stream_id, held, reason)
    select last, 'hold', p_user::text, p_stream, v_after, p_holder from revocation_counter
    returning * into v_made;
  return jsonb_build_array(revocation_json(v_made));
end
$$;
