-- Adjustments: the books changed by hand, which takes two of the staff.

-- Whether somebody's own account is among the lines of an adjustment.
create or replace function ledger.names_owner(p_lines jsonb, p_owner uuid) returns boolean
language sql immutable parallel safe
as $$
  select p_lines @> jsonb_build_array(jsonb_build_object('ownerId', p_owner))
$$;

-- Proposes lines `[{ class, ownerId, amount }]`, debits positive. Only classes that are adjustable can be named:
-- what goes along with rows of other tables is changed by its own acts. Owners are people that exist.
create or replace function ledger.adjustment_proposed(p_staff uuid, p_lines jsonb, p_reason text, p_key text)
returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_before ledger.adjustments;
  v_id uuid;
begin
  perform require_permission(p_staff, 'move-money');
  if ledger.names_owner(p_lines, p_staff) then
    perform refuse('forbidden');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('adjustment:' || p_staff || p_key, 0));
  select * into v_before from ledger.adjustments where proposed_by = p_staff and idempotency_key = p_key;
  if found then
    if (v_before.lines, v_before.reason) is distinct from (p_lines, p_reason) then
      perform refuse('idempotency-key-reused');
    end if;
    return jsonb_build_object('id', v_before.id, 'state', v_before.state, 'replayed', true);
  end if;
  if jsonb_array_length(p_lines) not between 2 and 20 or exists (
    select from jsonb_to_recordset(p_lines) as l (class text, "ownerId" uuid, amount bigint)
      left join ledger.account_classes c on c.class = l.class
      where c.adjustable is not true or c.owned <> (l."ownerId" is not null) or coalesce(l.amount, 0) = 0
        or (l."ownerId" is not null and not exists (select from users u where u.id = l."ownerId"))
  ) or exists (
    select from jsonb_to_recordset(p_lines) as l (class text, amount bigint)
      join ledger.account_classes c on c.class = l.class
      group by c.currency having sum(l.amount) <> 0
  ) then
    perform refuse('invalid-request');
  end if;
  insert into ledger.adjustments (lines, reason, proposed_by, idempotency_key)
    values (p_lines, p_reason, p_staff, p_key) returning id into v_id;
  perform audit('adjustment.proposed', p_staff, v_id::text,
    jsonb_build_object('lines', p_lines, 'reason', p_reason));
  return jsonb_build_object('id', v_id, 'state', 'proposed', 'replayed', false);
end
$$;

create or replace function ledger.adjustment_decided(p_adjustment uuid, p_staff uuid, p_approve boolean)
returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_adjustment ledger.adjustments;
  v_act uuid;
begin
  perform require_permission(p_staff, 'move-money');
  select * into v_adjustment from ledger.adjustments where id = p_adjustment for no key update;
  if not found then
    perform refuse('not-found');
  end if;
  if v_adjustment.state <> 'proposed' then
    if v_adjustment.decided_by = p_staff and (v_adjustment.state = 'approved') = p_approve then
      return jsonb_build_object('id', p_adjustment, 'state', v_adjustment.state, 'replayed', true);
    end if;
    perform refuse('already-decided', jsonb_build_object('state', v_adjustment.state));
  end if;
  if p_approve and (v_adjustment.proposed_by = p_staff or ledger.names_owner(v_adjustment.lines, p_staff)) then
    perform refuse('second-person-needed');
  end if;
  if p_approve then
    v_act := uuid_v7();
    begin
      perform ledger.record(v_act, 'adjustment', 'adjustment:' || p_adjustment,
        ledger.fingerprint(v_adjustment.lines::text), jsonb_build_object('adjustmentId', p_adjustment),
        -- In the order in which all others lock what is guarded.
        (select array_agg(ledger.line(l.class, l."ownerId", l.amount) order by l."ownerId", l.class)
          from jsonb_to_recordset(v_adjustment.lines) as l (class text, "ownerId" uuid, amount bigint)));
    exception when check_violation then
      perform refuse('insufficient-balance');
    end;
  end if;
  update ledger.adjustments set state = case when p_approve then 'approved' else 'rejected' end,
      decided_by = p_staff, decided_at = now(), journal_id = v_act
    where id = p_adjustment;
  perform audit(case when p_approve then 'adjustment.approved' else 'adjustment.rejected' end, p_staff,
    p_adjustment::text, '{}');
  return jsonb_build_object('id', p_adjustment, 'state',
    case when p_approve then 'approved' else 'rejected' end, 'replayed', false);
end
$$;
