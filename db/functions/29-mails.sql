-- Mails: kept sealed until a provider has taken them, and forgotten then. Every attempt is numbered, so that one
-- that was overtaken changes nothing any more.

create or replace function mail_attempts_max() returns integer
language sql immutable
as $$
  select 8
$$;

-- How long an attempt has a mail for itself.
create or replace function mail_attempt_time() returns interval
language sql immutable
as $$
  select interval '2 minutes'
$$;

-- Keeps a mail. Whoever does makes the first attempt; if they die before its end, others take it up.
create or replace function queue_mail(p_mail uuid, p_kind text, p_sealed text) returns void
language sql security definer set search_path = public, pg_temp
as $$
  insert into mails (id, kind, sealed, attempts, next_attempt_at)
    values (p_mail, p_kind, p_sealed, 1, now() + mail_attempt_time())
$$;

-- Mails whose turn it is to be sent, each for one attempt; those that have had all theirs are given up.
create or replace function mails_to_send(p_limit integer) returns jsonb
language sql security definer set search_path = public, pg_temp
as $$
  with due as (
    select id from mails
      where state = 'waiting' and next_attempt_at <= now()
      order by next_attempt_at limit p_limit for no key update skip locked
  ), given_up as (
    update mails m set state = 'failed', sealed = null, next_attempt_at = null,
        failure = coalesce(m.failure, 'nobody told how the last attempt ended')
      from due where m.id = due.id and m.attempts >= mail_attempts_max()
  ), taken as (
    update mails m set attempts = m.attempts + 1, next_attempt_at = now() + mail_attempt_time()
      from due where m.id = due.id and m.attempts < mail_attempts_max()
      returning m.*
  )
  select coalesce(jsonb_agg(jsonb_build_object('id', id, 'kind', kind, 'sealed', sealed, 'attempt', attempts)), '[]')
    from taken
$$;

-- A provider has taken it: nothing of what it said is kept.
create or replace function mail_sent(p_mail uuid) returns void
language sql security definer set search_path = public, pg_temp
as $$
  update mails set state = 'sent', sealed = null, next_attempt_at = null, failure = null, sent_at = now()
    where id = p_mail and state = 'waiting'
$$;

-- An attempt has failed: it comes again after 10 seconds, 40, and so on up to 6 hours, or never when that is final.
-- Answers the state that the mail is in now.
create or replace function mail_failed(p_mail uuid, p_attempt integer, p_failure text, p_final boolean) returns text
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_is_over boolean := p_final or p_attempt >= mail_attempts_max();
begin
  update mails set
      state = case when v_is_over then 'failed' else 'waiting' end,
      sealed = case when not v_is_over then sealed end,
      failure = p_failure,
      next_attempt_at = case when not v_is_over then
        now() + least(interval '10 seconds' * 4 ^ (p_attempt - 1), interval '6 hours') end
    where id = p_mail and state = 'waiting' and attempts = p_attempt;
  return (select state from mails where id = p_mail);
end
$$;

-- Removes mails that have ended; of those there are only kind, times and failure.
create or replace function forget_mails(p_keep interval) returns integer
language sql security definer set search_path = public, pg_temp
as $$
  with gone as (
    delete from mails where state <> 'waiting' and created_at < now() - p_keep returning 1
  )
  select count(*)::integer from gone
$$;
