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
  v_account jsonb := create_user(p_user->>'email', p_user->>'username', p_user->>'passwordHash',
    (p_user->>'dateOfBirth')::date, p_user->>'country');
begin
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

-- Refuses `link-over`.
create or replace function verify_email(p_hash bytea) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  perform note_mailbox(use_link(p_hash, 'verify'));
end
$$;
