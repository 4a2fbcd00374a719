-- Closing an account: what stands in the way, the time in which it can be had back, and its erasure.

-- What somebody leaves behind: tokens to spend, and earnings in paise, wherever they wait.
create or replace function left_behind(p_user uuid) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
      'tokens', ledger.spendable(p_user),
      'earningsPaise', coalesce((b->>'performer_pending')::bigint, 0) + coalesce((b->>'performer_available')::bigint, 0)
        + coalesce((b->>'performer_held')::bigint, 0))
    from ledger.balances_now(p_user) b
$$;

-- Why an account cannot be closed now; null when it can.
create or replace function closing_obstacle(p_user uuid) returns text
language sql stable
as $$
  select case
    when exists (select from users where id = p_user and role not in ('viewer', 'performer')) then 'staff'
    when exists (select from streams where performer_id = p_user and state in ('starting', 'live')) then 'live-stream'
    when exists (select from payouts where performer_id = p_user and state in ('requested', 'approved', 'sending'))
      then 'open-payout'
    when exists (select from refunds where user_id = p_user and state in ('requested', 'approved', 'sent'))
      then 'open-refund'
    when exists (select from disputes where user_id = p_user and state in ('open', 'under_review')) then 'open-dispute'
  end
$$;

-- What somebody should know before they close their account:
-- `{ obstacle, tokens, earningsPaise, eraseDays }`.
create or replace function closing_of(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select left_behind(p_user)
    || jsonb_build_object('obstacle', closing_obstacle(p_user), 'eraseDays', rule('account_erase_days'))
$$;

-- Closes an account: `p_given_up` is what its person knows that they leave behind, and must be all of it. Answers when
-- it is going to be erased, and what is revoked. Refuses `not-closable`.
create or replace function close_account(p_user uuid, p_given_up jsonb, p_link jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_user users := lock_account(p_user);
  v_obstacle text := closing_obstacle(p_user);
  v_left jsonb := left_behind(p_user);
begin
  if v_user.erase_at is not null then
    perform refuse('account-closing', jsonb_build_object('eraseAt', instant(v_user.erase_at)));
  end if;
  if v_obstacle is null and v_left <> p_given_up then
    v_obstacle := 'left-behind';
  end if;
  if v_obstacle is not null then
    perform refuse('not-closable', v_left || jsonb_build_object('obstacle', v_obstacle));
  end if;
  update users set erase_at = now() + make_interval(days => rule('account_erase_days')::integer) where id = p_user
    returning * into v_user;
  perform close_links(p_user, '{verify,reset,change,login}');
  perform keep_link(p_user, p_link);
  perform audit('account.closed', p_user, p_user::text, v_left);
  return jsonb_build_object('eraseAt', instant(v_user.erase_at),
    'revocations', end_sessions_of(p_user, null, 'closed'));
end
$$;

-- Somebody has their account back as it was; nothing for one that is not closed.
create or replace function reopen_account(p_user uuid) returns void
language plpgsql
as $$
begin
  update users set erase_at = null where id = p_user and erase_at is not null and erased_at is null;
  if found then
    perform close_links(p_user, '{keep}');
    perform audit('account.kept', p_user, p_user::text, '{}');
  end if;
end
$$;

-- By the link that was mailed when it was closed. Refuses `link-over`.
create or replace function keep_account(p_hash bytea) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_link mail_tokens := use_link(p_hash, 'keep');
begin
  perform reopen_account(v_link.user_id);
end
$$;

-- Accounts whose time to be erased has come, with where to write to for the last time.
create or replace function accounts_to_erase(p_limit integer) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(jsonb_build_object('userId', id, 'email', email, 'username', username)), '[]')
    from (select * from users where erase_at <= now() and erased_at is null order by erase_at limit p_limit) due
$$;

-- Takes away what somebody has said in rooms: so many lines, and what their tips said, to be called until it answers 0.
-- What the books say of a tip stays.
create or replace function erase_words(p_user uuid, p_limit integer) returns integer
language sql security definer set search_path = public, pg_temp
as $$
  with due as (
    select id, event_id from chat_messages
      where user_id = p_user and (body <> '' or exists (
        select from events e where e.id = event_id and e.data->>'username' <> erased_name(p_user)))
      limit p_limit
  ), said as (
    update chat_messages m set body = '' from due where m.id = due.id
  ), told as (
    update events e set data = e.data || jsonb_build_object('username', erased_name(p_user), 'body', '', 'deleted', true)
      from due where e.id = due.event_id
  ), tipped as (
    select e.id as event_id from tips_given(p_user) t join events e on e.id = t.event_id
      where e.data->>'message' <> '' or e.data->>'username' <> erased_name(p_user)
      limit p_limit
  ), raided as (
    select e.id as event_id
      from raids r
      join events e on e.stream_id in (r.from_stream_id, r.to_stream_id) and e.type in ('raid.left', 'raid.came')
      where (r.from_stream_id in (select id from streams where performer_id = p_user)
          or r.to_stream_id in (select id from streams where performer_id = p_user))
        and e.data->'performer'->>'id' = p_user::text and e.data->'performer'->>'username' <> erased_name(p_user)
      limit p_limit
  ), raids_told as (
    update events e set data = jsonb_set(e.data, '{performer,username}', to_jsonb(erased_name(p_user)))
      from raided where e.id = raided.event_id
  ), tips_told as (
    update events e set data = e.data || jsonb_build_object('message', '')
        || case when e.data->>'username' is null then '{}' else jsonb_build_object('username', erased_name(p_user)) end
      from tipped where e.id = tipped.event_id
  )
  select (select count(*) from due)::integer + (select count(*) from tipped)::integer
    + (select count(*) from raided)::integer
$$;

-- What a viewer has tipped, found by the entries of their tokens.
create or replace function tips_given(p_user uuid) returns setof ledger.tips
language sql stable set enable_seqscan = off
as $$
  select t.* from ledger.tips t
    where t.id in (select journal_id from ledger.entries
      where account_id in (
        ledger.known_account('viewer_tokens', p_user), ledger.known_account('viewer_promo', p_user)))
$$;

-- What an erased person is called: no two are called the same, and nobody can choose such a name or address.
create or replace function erased_name(p_user uuid) returns text
language sql immutable
as $$
  select 'erased:' || right(replace(p_user::text, '-', ''), 16)
$$;

-- Erases an account whose time has come, once its words are gone, and keeps its last mail. False when there is nothing
-- to erase (any more): it was done, or its person has it back. What the law wants kept stays: the books, invoices,
-- payouts with the mask of where they went, and the PAN that tax was reported under.
create or replace function erase_account(p_user uuid, p_mail jsonb) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_user users;
  v_gone jsonb;
begin
  select * into v_user from users
    where id = p_user and erase_at <= now() and erased_at is null for update;
  if not found then
    return false;
  end if;
  perform end_sessions_of(p_user, null, 'erased');
  v_gone := erase_rows(p_user);
  update payout_accounts set sealed_details = '', details_hash = 'erased:' || id, registered_name = null,
      next_attempt_at = null, state = case when state = 'failed' then state else 'replaced' end
    where performer_id = p_user;
  update streams set title = 'Erased', tags = '{}' where performer_id = p_user;
  update users set email = erased_name(p_user) || '@erased.invalid', username = erased_name(p_user), password_hash = '',
      date_of_birth = '1900-01-01', email_verified_at = null, erased_at = now()
    where id = p_user;
  perform keep_mail(p_mail);
  perform audit('account.erased', null, p_user::text, erasure_proof(p_user, v_gone));
  return true;
end
$$;

-- Removes all rows about a person that nothing of the books hangs on. Answers how many of each kind.
create or replace function erase_rows(p_user uuid) returns jsonb
language plpgsql
as $$
declare
  v_table record;
  v_count integer;
  v_gone jsonb := '{}';
begin
  for v_table in
    select * from (values
      ('profiles', 'user_id = $1'), ('avatars', 'user_id = $1'), ('preferences', 'user_id = $1'),
      ('relations', '$1 in (from_id, to_id)'), ('country_blocks', 'performer_id = $1'),
      ('schedule', 'performer_id = $1'), ('stream_keys', 'performer_id = $1'), ('stream_moderators', 'user_id = $1'),
      ('stage_guests', 'user_id = $1'), ('media_holds', 'user_id = $1'),
      ('room_bans', '$1 in (performer_id, user_id)'), ('spending_limits', 'user_id = $1'),
      ('passkeys', 'user_id = $1'), ('totp_factors', 'user_id = $1'), ('recovery_codes', 'user_id = $1'),
      ('known_devices', 'user_id = $1'), ('challenges', 'user_id = $1'), ('sessions', 'user_id = $1'),
      ('mail_tokens', 'user_id = $1'), ('former_usernames', 'user_id = $1')
    ) t (name, condition)
  loop
    execute format('delete from %I where %s', v_table.name, v_table.condition) using p_user;
    get diagnostics v_count = row_count;
    v_gone := v_gone || jsonb_build_object(v_table.name, v_count);
  end loop;
  return v_gone;
end
$$;

-- What shows later that an account was erased, and that nothing has come back since: how much went, how much is kept,
-- and a hash of the account as it is now.
create or replace function erasure_proof(p_user uuid, p_gone jsonb) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
      'gone', p_gone || jsonb_build_object('chatLines',
        (select count(*) from chat_messages where user_id = p_user and body = '')),
      'kept', jsonb_build_object(
        'orders', (select count(*) from orders where user_id = p_user),
        'invoices', (select count(*) from invoices where user_id = p_user),
        'tipsGiven', (select count(*) from tips_given(p_user)),
        'tipsReceived', (select count(*) from ledger.tips where performer_id = p_user),
        'payouts', (select count(*) from payouts where performer_id = p_user)),
      'accountHash', encode(sha256(convert_to(to_jsonb(u)::text, 'UTF8')), 'hex'))
    from users u where u.id = p_user
$$;
