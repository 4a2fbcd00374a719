-- Log-in sessions: one use of a refresh token, with detection of stolen ones.

-- Replaces the refresh token `p_hash` by `p_next_hash`. Each replacement is a generation of the session.
-- The token of the generation before may come again within the grace (a lost answer, two tabs) and gets
-- a sibling of the present one. Any other older token is stolen, or its copy is: the session ends.
-- No row: refused.
create function rotate_refresh_token(
  p_hash bytea, p_next_hash bytea, p_grace interval
) returns table (session_id uuid, user_id uuid)
language plpgsql
as $$
declare
  v_session sessions;
  v_generation integer;
begin
  select s.* into v_session
    from sessions s join refresh_tokens t on t.session_id = s.id
    where t.hash = p_hash
    for update of s;
  if not found or v_session.revoked_at is not null or v_session.expires_at <= now() then
    return;
  end if;
  select t.generation into v_generation from refresh_tokens t where t.hash = p_hash;
  if v_generation = v_session.generation then
    v_generation := v_generation + 1;
    update sessions s set generation = v_generation, rotated_at = clock_timestamp()
      where s.id = v_session.id;
  elsif v_generation = v_session.generation - 1
      and v_session.rotated_at > clock_timestamp() - p_grace then
    v_generation := v_session.generation;
  else
    update sessions s set revoked_at = now() where s.id = v_session.id;
    return;
  end if;
  insert into refresh_tokens (hash, session_id, generation)
    values (p_next_hash, v_session.id, v_generation);
  return query select v_session.id, v_session.user_id;
end
$$;
