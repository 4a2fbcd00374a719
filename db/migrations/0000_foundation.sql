-- What the rest stands on: ids that grow with time, typed refusals, and the role of the services.

-- RFC 9562, version 7: 48 bits of milliseconds, then random bits. Works on every supported PostgreSQL.
create function uuid_v7() returns uuid
language sql volatile parallel safe
as $$
  select encode(
    set_bit(
      set_bit(
        overlay(uuid_send(gen_random_uuid())
          placing substring(int8send((extract(epoch from clock_timestamp()) * 1000)::bigint) from 3)
          from 1 for 6),
        52, 1),
      53, 1),
    'hex')::uuid
$$;
--> statement-breakpoint

-- An expected refusal: SQLSTATE LP001, the problem's code as message, its details as JSON.
create function refuse(p_code text, p_detail jsonb default '{}') returns void
language plpgsql
as $$
begin
  raise exception using errcode = 'LP001', message = p_code, detail = p_detail::text;
end
$$;
--> statement-breakpoint

-- The services log in as members of this role; it owns nothing and may do only what is granted below.
do $$
begin
  if not exists (select from pg_roles where rolname = 'livepanty_app') then
    create role livepanty_app nologin;
  end if;
end
$$;
