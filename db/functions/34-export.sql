-- Export: a copy of everything that is kept of somebody, for themselves.

-- All but the statement, which comes in pages: at most so many rows of each kind, the newest first. What is sealed is
-- told by its mask, and what would log somebody in is not told.
create or replace function export_of(p_user uuid, p_rows integer) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select export_of_person(u, p_rows) || export_of_rooms(u.id, p_rows) || export_of_money(u.id, p_rows)
    from users u where u.id = p_user and u.erased_at is null
$$;

create or replace function export_of_person(p_user users, p_rows integer) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'account', account_json(p_user) || jsonb_build_object('dateOfBirth', p_user.date_of_birth,
      'emailVerifiedAt', instant(p_user.email_verified_at), 'passwordChangedAt', instant(p_user.password_changed_at),
      'usernameChangedAt', instant(p_user.username_changed_at)),
    'profile', (select jsonb_build_object('displayName', display_name, 'bio', bio, 'links', links, 'privacy', privacy,
      'updatedAt', instant(updated_at)) from profiles where user_id = p_user.id),
    'preferences', (select data from preferences where user_id = p_user.id),
    'secondFactors', factors_of(p_user.id),
    'avatars', (select coalesce(jsonb_agg(jsonb_build_object('mediaType', media_type, 'createdAt', instant(created_at),
        'base64', replace(encode(bytes, 'base64'), E'\n', '')) order by created_at desc), '[]')
      from (select * from avatars where user_id = p_user.id order by created_at desc limit 10) a),
    'passkeys', (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'createdAt', instant(created_at),
        'lastUsedAt', instant(last_used_at)) order by created_at desc), '[]')
      from passkeys where user_id = p_user.id),
    'sessions', (select coalesce(jsonb_agg(jsonb_build_object('device', device, 'methods', to_jsonb(methods),
        'createdAt', instant(created_at), 'lastSeenAt', instant(rotated_at), 'endedFor', ended_for)
        order by created_at desc), '[]')
      from (select * from sessions where user_id = p_user.id order by created_at desc limit p_rows) s),
    'knownDevices', (select coalesce(jsonb_agg(jsonb_build_object('createdAt', instant(created_at),
        'lastSeenAt', instant(last_seen_at)) order by last_seen_at desc), '[]')
      from known_devices where user_id = p_user.id),
    'formerUsernames', (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'keptUntil', instant(kept_until))),
        '[]') from former_usernames where user_id = p_user.id),
    'relations', (select coalesce(jsonb_agg(jsonb_build_object('kind', r.kind, 'username', u.username,
        'createdAt', instant(r.created_at)) order by r.created_at desc), '[]')
      from (select * from relations where from_id = p_user.id order by created_at desc limit p_rows) r
      join users u on u.id = r.to_id),
    'securityLog', (select coalesce(jsonb_agg(jsonb_build_object('action', action, 'at', instant(created_at))
        order by id desc), '[]')
      from (select * from audit_log where actor_id = p_user.id order by created_at desc limit p_rows) a))
$$;

create or replace function export_of_rooms(p_user uuid, p_rows integer) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'streams', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'title', title, 'category', category,
        'tags', to_jsonb(tags), 'language', language, 'contentClass', content_class, 'visibility', visibility,
        'state', state, 'createdAt', instant(created_at), 'startedAt', instant(started_at),
        'endedAt', instant(ended_at)) order by created_at desc), '[]')
      from (select * from streams where performer_id = p_user order by created_at desc limit p_rows) s),
    'schedule', (select coalesce(jsonb_agg(jsonb_build_object('title', title, 'category', category,
        'startsAt', instant(starts_at), 'minutes', minutes) order by starts_at desc), '[]')
      from (select * from schedule where performer_id = p_user order by starts_at desc limit p_rows) s),
    'countryBlocks', (select coalesce(jsonb_agg(country order by country), '[]')
      from country_blocks where performer_id = p_user),
    'streamKeys', (select coalesce(jsonb_agg(jsonb_build_object('name', name, 'hint', hint,
        'createdAt', instant(created_at), 'lastUsedAt', instant(last_used_at), 'revokedAt', instant(revoked_at))
        order by created_at desc), '[]')
      from (select * from stream_keys where performer_id = p_user order by created_at desc limit p_rows) k),
    'moderates', (select coalesce(jsonb_agg(jsonb_build_object('streamId', stream_id,
        'createdAt', instant(created_at))), '[]')
      from (select * from stream_moderators where user_id = p_user order by created_at desc limit p_rows) m),
    'stages', (select coalesce(jsonb_agg(jsonb_build_object('streamId', stream_id, 'state', state,
        'createdAt', instant(created_at))), '[]')
      from (select * from stage_guests where user_id = p_user order by created_at desc limit p_rows) g),
    'mediaHolds', (select coalesce(jsonb_agg(jsonb_build_object('streamId', stream_id, 'holder', holder,
        'sound', sound, 'picture', picture, 'createdAt', instant(created_at))), '[]')
      from (select * from media_holds where user_id = p_user order by created_at desc limit p_rows) h),
    'entries', (select coalesce(jsonb_agg(jsonb_build_object('streamId', stream_id,
        'createdAt', instant(created_at))), '[]')
      from (select * from stream_entries where user_id = p_user order by created_at desc limit p_rows) e),
    'roomBans', (select coalesce(jsonb_agg(jsonb_build_object('kind', b.kind, 'until', instant(b.until),
        'ofMe', b.user_id = p_user, 'username', u.username, 'createdAt', instant(b.created_at))), '[]')
      from (select * from room_bans where p_user in (performer_id, user_id) order by created_at desc limit p_rows) b
      join users u on u.id = case b.user_id when p_user then b.performer_id else b.user_id end),
    'chatLines', (select coalesce(jsonb_agg(jsonb_build_object('streamId', stream_id, 'body', body,
        'at', instant(created_at)) order by created_at desc), '[]')
      from (select * from chat_messages where user_id = p_user order by created_at desc limit p_rows) m))
$$;

create or replace function export_of_money(p_user uuid, p_rows integer) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'limits', limits_json(p_user),
    'tipsGiven', (select coalesce(jsonb_agg(jsonb_build_object('to', u.username, 'streamId', t.stream_id,
        'tokens', t.amount_tokens, 'message', t.message, 'anonymous', t.anonymous, 'at', instant(t.created_at))
        order by t.created_at desc), '[]')
      from (select * from tips_given(p_user) order by created_at desc limit p_rows) t
      join users u on u.id = t.performer_id),
    'tipsReceived', (select coalesce(jsonb_agg(jsonb_build_object(
        'from', case when not t.anonymous then u.username end, 'streamId', t.stream_id, 'tokens', t.amount_tokens,
        'earnedPaise', t.earned_paise, 'message', t.message, 'at', instant(t.created_at))
        order by t.created_at desc), '[]')
      from (select * from ledger.tips where performer_id = p_user order by created_at desc limit p_rows) t
      join users u on u.id = t.viewer_id),
    'orders', (select coalesce(jsonb_agg(order_json(o::orders) order by o.created_at desc), '[]')
      from (select * from orders where user_id = p_user order by created_at desc limit p_rows) o),
    'refunds', (select coalesce(jsonb_agg(jsonb_build_object('id', id, 'tokens', tokens, 'amountPaise', amount_paise,
        'state', state, 'reason', reason, 'createdAt', instant(created_at)) order by created_at desc), '[]')
      from (select * from refunds where user_id = p_user order by created_at desc limit p_rows) r),
    'disputes', (select coalesce(jsonb_agg(jsonb_build_object('id', gateway_dispute_id, 'phase', phase,
        'state', state)), '[]')
      from (select * from disputes where user_id = p_user limit p_rows) d),
    'invoices', (select coalesce(jsonb_agg(jsonb_build_object('number', number, 'kind', kind, 'netPaise', net_paise,
        'gstPaise', gst_paise, 'issuedAt', instant(issued_at)) order by issued_at desc), '[]')
      from (select * from invoices where user_id = p_user order by issued_at desc limit p_rows) i),
    'payouts', (select coalesce(jsonb_agg(payout_json(p::payouts) order by p.created_at desc), '[]')
      from (select * from payouts where performer_id = p_user order by created_at desc limit p_rows) p),
    'payoutAccounts', (select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'mask', mask, 'state', state,
        'registeredName', registered_name, 'createdAt', instant(created_at)) order by created_at desc), '[]')
      from (select * from payout_accounts where performer_id = p_user order by created_at desc limit p_rows) a),
    'taxProfile', (select jsonb_build_object('panMask', mask, 'createdAt', instant(created_at))
      from tax_profiles where user_id = p_user))
$$;
