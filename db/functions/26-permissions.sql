-- Permissions: what each role may do, as the contract says it; acts of staff ask here who they are.

delete from role_permissions;
insert into role_permissions (permission, role)
  select permission, role
    from (values
      ('keep-account', '{viewer,performer,moderator,finance,compliance,admin}'::text[]),
      ('take-part', '{viewer,performer,moderator,finance,compliance,admin}'),
      ('perform', '{performer,admin}'),
      ('end-streams', '{moderator,admin}'),
      ('ban', '{moderator,compliance,admin}'),
      ('work-cases', '{moderator,finance,compliance,admin}'),
      ('read-books', '{finance,compliance,admin}'),
      ('move-money', '{finance,admin}'),
      ('decide-payouts', '{finance,admin}'),
      ('hold-payouts', '{finance,compliance,admin}'),
      ('correct-tax', '{compliance,admin}'),
      ('set-rules', '{finance,admin}'),
      ('read-audit', '{compliance,admin}')
    ) p (permission, roles), unnest(p.roles) role;

-- Whether somebody may do something now, whatever a token of before says.
create or replace function has_permission(p_user uuid, p_permission text) returns boolean
language sql stable
as $$
  select exists (select from users u join role_permissions r on r.role = u.role
    where u.id = p_user and u.banned_at is null and u.erase_at is null and r.permission = p_permission)
$$;

create or replace function require_permission(p_user uuid, p_permission text) returns void
language plpgsql
as $$
begin
  if not has_permission(p_user, p_permission) then
    perform refuse('forbidden');
  end if;
end
$$;
