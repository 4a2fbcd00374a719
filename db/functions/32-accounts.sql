-- Accounts: links that are mailed, what they change, and an account's way out.

-- The links of these purposes do not work any more.
create or replace function close_links(p_user uuid, p_purposes text[]) returns void
language sql
as $$
  update mail_tokens set used_at = now() where user_id = p_user and purpose = any (p_purposes) and used_at is null
$$;

-- Keeps a link in place of the one of its purpose before it, and the mail that it is in:
-- `{ hash, purpose, email, ttlSeconds, mail: { id, kind, sealed } }`. The caller has locked the account.
create or replace function keep_link(p_user uuid, p_link jsonb) returns void
language plpgsql
as $$
begin
  perform close_links(p_user, array[p_link->>'purpose']);
  insert into mail_tokens (hash, user_id, purpose, email, expires_at)
    values (decode(p_link->>'hash', 'hex'), p_user, p_link->>'purpose', p_link->>'email',
      now() + make_interval(secs => (p_link->>'ttlSeconds')::integer));
  perform keep_mail(p_link->'mail');
end
$$;

-- Keeps a mail that belongs to an act: `{ id, kind, sealed }`, or null for none.
create or replace function keep_mail(p_mail jsonb) returns void
language sql
as $$
  select queue_mail((p_mail->>'id')::uuid, p_mail->>'kind', p_mail->>'sealed') where p_mail->>'id' is not null
$$;

-- Locks an account that is there.
create or replace function lock_account(p_user uuid) returns users
language plpgsql
as $$
declare
  v_user users;
begin
  select * into v_user from users where id = p_user and erased_at is null for no key update;
  if not found then
    perform refuse('not-found');
  end if;
  return v_user;
end
$$;

-- Uses a link, with the account that it is of locked before. Refuses `link-over`.
create or replace function use_link(p_hash bytea, p_purpose text) returns mail_tokens
language plpgsql
as $$
declare
  v_link mail_tokens;
begin
  perform from users where erased_at is null
    and id = (select user_id from mail_tokens where hash = p_hash and purpose = p_purpose) for no key update;
  update mail_tokens set used_at = now()
    where hash = p_hash and purpose = p_purpose and used_at is null and expires_at > clock_timestamp()
    returning * into v_link;
  if not found then
    perform refuse('link-over');
  end if;
  return v_link;
end
$$;

-- Refuses `link-over` for a link of somebody else.
create or replace function require_own_link(p_hash bytea, p_user uuid) returns void
language plpgsql
as $$
begin
  if not exists (select from mail_tokens where hash = p_hash and user_id = p_user) then
    perform refuse('link-over');
  end if;
end
$$;

-- Whose a link is that works: `{ userId, username, email, sentTo }`; null for any other.
create or replace function link_owner(p_hash bytea, p_purpose text) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object('userId', u.id, 'username', u.username, 'email', u.email, 'sentTo', t.email,
      'emailVerified', u.email_verified_at is not null)
    from mail_tokens t join users u on u.id = t.user_id
    where t.hash = p_hash and t.purpose = p_purpose and t.used_at is null and t.expires_at > now()
$$;

-- Adds a viewer's account, with the link that shows that the mailbox is theirs. Refuses `email-taken`, `username-taken`.
create or replace function register_user(p_user jsonb, p_link jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_account jsonb;
begin
  perform require_name_free(null, p_user->>'username');
  perform require_email_free(p_user->>'email');
  v_account := create_user(p_user->>'email', p_user->>'username', p_user->>'passwordHash',
    (p_user->>'dateOfBirth')::date, p_user->>'country');
  perform keep_link((v_account->>'id')::uuid, p_link);
  return v_account;
end
$$;

-- Keeps a link to show that a mailbox is its person's; false when they have shown it.
create or replace function ask_verification(p_user uuid, p_link jsonb) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_user users := lock_account(p_user);
begin
  if v_user.email_verified_at is not null or v_user.email <> p_link->>'email' then
    return false;
  end if;
  perform keep_link(p_user, p_link);
  return true;
end
$$;

-- Somebody has opened a link that was sent to their address: it is theirs.
create or replace function note_mailbox(p_link mail_tokens) returns void
language sql
as $$
  update users set email_verified_at = now()
    where id = p_link.user_id and email = p_link.email and email_verified_at is null
$$;

-- Only its own person opens it, logged in: whoever has registered with somebody else's address must not get it
-- confirmed by them. Refuses `link-over`.
create or replace function verify_email(p_hash bytea, p_user uuid) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform require_own_link(p_hash, p_user);
  perform note_mailbox(use_link(p_hash, 'verify'));
end
$$;

-- Whether somebody has more to show than a password.
create or replace function has_second_factor(p_user uuid) returns boolean
language sql stable
as $$
  select exists (select from totp_factors where user_id = p_user and confirmed_at is not null)
    or exists (select from passkeys where user_id = p_user)
$$;

-- What somebody who is logged in shows again before they change their account.
create or replace function credentials_of(p_user uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object('email', email, 'username', username, 'passwordHash', password_hash,
      'hasSecondFactor', has_second_factor(id))
    from users where id = p_user and erased_at is null
$$;

create or replace function end_challenges(p_user uuid) returns void
language sql
as $$
  update challenges set used_at = now() where user_id = p_user and used_at is null
$$;

-- Takes another password. What is half done with the one before ends: log-ins, passkeys, an app that has not shown a
-- code, and links that would change the account.
create or replace function set_password(p_user uuid, p_password_hash text) returns void
language sql
as $$
  update users set password_hash = p_password_hash, password_changed_at = now() where id = p_user;
  select end_challenges(p_user);
  delete from totp_factors where user_id = p_user and confirmed_at is null;
  select close_links(p_user, '{reset,login,change}')
$$;

-- Who is written to at an address, when nobody is logged in: `{ userId, username }`; null for nobody.
create or replace function receiver_of(p_email text) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object('userId', id, 'username', username) from users where email = p_email and erased_at is null
$$;

-- Keeps a link that was asked for without a log-in: to choose a new password, or to log in. For somebody who is not
-- there it does nothing; false then.
create or replace function ask_link(p_user uuid, p_link jsonb) returns boolean
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform from users
    where id = p_user and email = p_link->>'email' and erased_at is null
      -- Whoever has not confirmed an address is no more than somebody who knows it.
      and (p_link->>'purpose' <> 'login' or email_verified_at is not null) for no key update;
  if not found then
    return false;
  end if;
  perform keep_link(p_user, p_link);
  return true;
end
$$;

-- Second factors that were set up before anybody had shown that the mailbox is theirs may be a stranger's, who has
-- registered with it and must not keep its owner out.
create or replace function drop_strange_factors(p_user uuid) returns void
language plpgsql
as $$
begin
  if exists (select from users where id = p_user and email_verified_at is null) then
    delete from totp_factors where user_id = p_user;
    delete from recovery_codes where user_id = p_user;
    delete from passkeys where user_id = p_user;
    update stream_keys set revoked_at = now() where performer_id = p_user and revoked_at is null;
  end if;
end
$$;

-- Takes the password that was chosen by a mailed link, and ends all sessions. Answers what is revoked.
-- Refuses `link-over`.
create or replace function reset_password(p_hash bytea, p_password_hash text, p_mail jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_link mail_tokens := use_link(p_hash, 'reset');
begin
  perform drop_strange_factors(v_link.user_id);
  perform note_mailbox(v_link);
  perform set_password(v_link.user_id, p_password_hash);
  perform keep_mail(p_mail);
  perform audit('password.reset', v_link.user_id, v_link.user_id::text, '{}');
  return end_sessions_of(v_link.user_id, null, 'password');
end
$$;

-- Takes another password in place of `p_old_hash`, and ends all sessions but this one. Answers what is revoked.
-- Refuses `password-wrong` when it was changed meanwhile.
create or replace function change_password(p_user uuid, p_session uuid, p_old_hash text, p_new_hash text, p_mail jsonb)
returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_user users := lock_account(p_user);
begin
  if v_user.password_hash <> p_old_hash then
    perform refuse('password-wrong');
  end if;
  perform set_password(p_user, p_new_hash);
  perform keep_mail(p_mail);
  perform audit('password.changed', p_user, p_user::text, '{}');
  return end_sessions_of(p_user, p_session, 'password');
end
$$;

-- Keeps a link to another address, which becomes that of the account once it is opened. While a change can be taken
-- back there is no other: whoever takes it back gets the address from before all of them.
create or replace function ask_email_change(p_user uuid, p_link jsonb) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform lock_account(p_user);
  perform require_email_free(p_link->>'email');
  perform require_email_settled(p_user);
  perform keep_link(p_user, p_link);
end
$$;

create or replace function require_email_free(p_email text) returns void
language plpgsql
as $$
begin
  -- An address that somebody may still take back is theirs until then.
  if exists (select from users where email = p_email)
    or exists (select from mail_tokens
      where email = p_email and purpose = 'undo' and used_at is null and expires_at > now())
  then
    perform refuse('email-taken');
  end if;
end
$$;

create or replace function require_email_settled(p_user uuid) returns void
language plpgsql
as $$
declare
  v_until timestamptz := (select max(expires_at) from mail_tokens
    where user_id = p_user and purpose = 'undo' and used_at is null and expires_at > now());
begin
  if v_until is not null then
    perform refuse('email-changed-lately', jsonb_build_object('until', instant(v_until)));
  end if;
end
$$;

-- Moves an account to the address that a link was sent to, and keeps the link that takes it back; null where nobody
-- has shown that the address of before is theirs. Only its own person opens it, logged in. Refuses `link-over`, `email-taken`, `email-changed-lately`.
create or replace function change_email(p_hash bytea, p_user uuid, p_undo jsonb) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_link mail_tokens;
  v_user users;
begin
  perform require_own_link(p_hash, p_user);
  v_link := use_link(p_hash, 'change');
  v_user := lock_account(p_user);
  perform require_email_free(v_link.email);
  perform require_email_settled(v_user.id);
  -- The address of before has changed since the undo was sealed for it.
  if p_undo->>'email' is distinct from
    (case when v_user.email_verified_at is not null then v_user.email end)
  then
    perform refuse('link-over');
  end if;
  update users set email = v_link.email, email_verified_at = now() where id = v_user.id;
  -- They were sent to the address of before.
  perform close_links(v_user.id, '{verify,reset,login}');
  if p_undo->>'email' is not null then
    perform keep_link(v_user.id, p_undo);
  end if;
  perform audit('email.changed', v_user.id, v_user.id::text, '{}');
end
$$;

-- Takes a change of the address back, and all that has been begun since. Answers what is revoked.
-- Refuses `link-over`, `email-taken`.
create or replace function undo_email(p_hash bytea) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_link mail_tokens := use_link(p_hash, 'undo');
begin
  update users set email = v_link.email, email_verified_at = now(), erase_at = null where id = v_link.user_id;
  perform close_links(v_link.user_id, '{verify,reset,change,login}');
  perform end_challenges(v_link.user_id);
  delete from passkeys where user_id = v_link.user_id and created_at >= v_link.created_at;
  delete from totp_factors where user_id = v_link.user_id and created_at >= v_link.created_at;
  delete from recovery_codes where user_id = v_link.user_id
    and not exists (select from totp_factors where user_id = v_link.user_id);
  update stream_keys set revoked_at = now()
    where performer_id = v_link.user_id and revoked_at is null and created_at >= v_link.created_at;
  perform audit('email.change-undone', v_link.user_id, v_link.user_id::text, '{}');
  return end_sessions_of(v_link.user_id, null, 'password');
end
$$;

-- Uses a link that logs in. Answers whose it is: `{ userId, hasSecondFactor }`, of an app whose code is to be shown as
-- well. Refuses `link-over`.
create or replace function use_login_link(p_hash bytea) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_link mail_tokens := use_link(p_hash, 'login');
begin
  perform require_active(v_link.user_id);
  return jsonb_build_object('userId', v_link.user_id, 'hasSecondFactor',
    exists (select from totp_factors where user_id = v_link.user_id and confirmed_at is not null));
end
$$;

-- Refuses a name that somebody else had a short while ago.
create or replace function require_name_free(p_user uuid, p_username text) returns void
language plpgsql
as $$
begin
  if exists (select from former_usernames
    where name = lower(p_username) and user_id is distinct from p_user and kept_until > now())
  then
    perform refuse('username-taken');
  end if;
end
$$;

-- Calls somebody by another name; nobody else gets the one of before for as long as they keep the new one. Null when
-- the session has ended. Refuses `username-taken`, `username-changed-lately`.
create or replace function rename_user(p_user uuid, p_session uuid, p_username text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_revision bigint := last_revocation();
  v_user users := lock_account(p_user);
  v_keep interval := make_interval(days => rule('username_change_days')::integer);
  v_session sessions;
begin
  perform require_active(p_user);
  select * into v_session from sessions
    where id = p_session and user_id = p_user and revoked_at is null and expires_at > now();
  if not found then
    return null;
  end if;
  if v_user.username = p_username then
    return session_json(v_session, v_revision);
  end if;
  if v_user.username_changed_at > now() - v_keep then
    perform refuse('username-changed-lately',
      jsonb_build_object('from', instant(v_user.username_changed_at + v_keep)));
  end if;
  perform require_name_free(p_user, p_username);
  update users set username = p_username, username_changed_at = now() where id = p_user;
  delete from former_usernames where name = lower(p_username);
  if lower(v_user.username) <> lower(p_username) then
    insert into former_usernames (name, user_id, kept_until) values (lower(v_user.username), p_user, now() + v_keep)
      on conflict (name) do update set user_id = excluded.user_id, kept_until = excluded.kept_until;
  end if;
  perform audit('user.renamed', p_user, p_user::text, '{}');
  return session_json(v_session, v_revision);
end
$$;

create or replace function forget_usernames() returns integer
language sql security definer set search_path = public, pg_temp
as $$
  with gone as (delete from former_usernames where kept_until < now() returning 1)
  select count(*)::integer from gone
$$;
