-- Log-in sessions: one use of a refresh token, with detection of stolen ones.

-- Uses up `p_hash` and puts `p_next_hash` in its place. A token may be used again within the grace
-- (a lost answer, two tabs); when one of the tokens born that way is used, its siblings are used up.
-- A token presented after its grace is a theft: the whole session ends. Returns null when refused.
create function rotate_refresh_token(
  p_hash bytea, p_next_hash bytea, p_grace interval
) returns table (session_id uuid, user_id uuid)
language plpgsql
as $$
declare
  v_session sessions;
  v_token refresh_tokens;
begin
  select s.* into v_session
    from sessions s join refresh_tokens t on t.session_id = s.id
    where t.hash = p_hash
    for update of s;
  if not found or v_session.revoked_at is not null or v_session.expires_at <= now() then
    return;
  end if;
  select t.* into v_token from refresh_tokens t where t.hash = p_hash;
  if v_token.used_at is not null and v_token.used_at < clock_timestamp() - p_grace then
    update sessions s set revoked_at = now() where s.id = v_session.id;
    return;
  end if;
  update refresh_tokens t set used_at = clock_timestamp()
    where t.used_at is null
      and (t.hash = p_hash or (t.session_id = v_session.id and t.parent_hash = v_token.parent_hash));
  insert into refresh_tokens (hash, session_id, parent_hash)
    values (p_next_hash, v_session.id, p_hash);
  return query select v_session.id, v_session.user_id;
end
$$;
