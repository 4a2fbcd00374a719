-- Audits: every invariant of the books, in steps that each end soon and can be gone on with. An audit adds up for
-- itself what accounts and lots hold, act by act along the chain, and compares with what is kept.

-- The last moment at which a whole audit was due: every night, at three o'clock by India's clock.
create or replace function ledger.audit_night(p_at timestamptz) returns timestamptz
language sql stable
as $$
  select period_start('day', p_at - interval '3 hours') + interval '3 hours'
$$;

-- The audit that stands begins its next round, or is in the midst of one; where none stands, a whole one.
create or replace function ledger.audit_round() returns uuid
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_audit ledger.audits;
begin
  perform pg_advisory_xact_lock(hashtextextended('ledger.audits', 0));
  select * into v_audit from ledger.audits where kind = 'standing';
  if not found then
    return ledger.audit_whole();
  end if;
  if v_audit.phase = 'done' then
    update ledger.audits set phase = 'rows', since = round_began_at - ledger.act_lasts_max(),
        cursor = uuid_v7_floor(round_began_at - ledger.act_lasts_max()), round_began_at = now()
      where id = v_audit.id;
    delete from ledger.audit_findings where audit_id = v_audit.id and not lasting;
  end if;
  return v_audit.id;
end
$$;

-- The whole audit that is under way, or a new one where the last began before this night; else null.
create or replace function ledger.audit_whole() returns uuid
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_audit uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('ledger.audits', 0));
  select id into v_audit from ledger.audits where kind = 'whole';
  if v_audit is null
    and not exists (select from ledger.audits where kind = 'standing' and began_at >= ledger.audit_night(now()))
  then
    insert into ledger.audits (kind, released_through) select 'whole', released_through from ledger.sealer
      returning id into v_audit;
  end if;
  return v_audit;
end
$$;

-- A whole audit by itself, which nothing goes on from. `p_as_of` says until when somebody could have sealed and
-- signed, where nobody has been running since.
create or replace function ledger.audit_apart(p_as_of timestamptz default null) returns uuid
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_audit uuid;
begin
  -- Whoever began them has gone away.
  update ledger.audits set kind = 'over' where kind = 'apart' and began_at < now() - interval '1 day';
  insert into ledger.audits (kind, released_through, as_of)
    select 'apart', released_through, p_as_of from ledger.sealer
    returning id into v_audit;
  return v_audit;
end
$$;

-- Goes on for so long and a little more, in parts of so many acts, one at least. Answers how far it is.
create or replace function ledger.audit_step(p_audit uuid, p_acts integer default 5000, p_milliseconds integer default 500)
returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_until timestamptz := clock_timestamp() + p_milliseconds * interval '1 millisecond';
  v_audit ledger.audits;
begin
  -- Two do not add up the same acts.
  perform pg_advisory_xact_lock(hashtextextended('audit:' || p_audit, 0));
  loop
    select * into strict v_audit from ledger.audits where id = p_audit;
    exit when v_audit.phase = 'done';
    case v_audit.phase
      when 'rows' then perform ledger.step_rows(v_audit, p_acts);
      when 'acts' then perform ledger.step_acts(v_audit, p_acts);
      when 'released' then perform ledger.step_released(v_audit, p_acts);
      when 'lots' then perform ledger.step_lots(v_audit, p_acts);
      when 'invoices' then perform ledger.step_invoices(v_audit, p_acts);
      when 'state' then perform ledger.step_state(v_audit);
    end case;
    exit when clock_timestamp() > v_until;
  end loop;
  perform ledger.forget_audits();
  select * into strict v_audit from ledger.audits where id = p_audit;
  return jsonb_build_object('phase', v_audit.phase, 'cursor', v_audit.cursor, 'position', v_audit.position,
    'end', (select coalesce(max(last_position), 0) from ledger.blocks));
end
$$;

-- What an audit has found.
create or replace function ledger.audit_result(p_audit uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select coalesce(jsonb_agg(to_jsonb(f)), '[]')
    from (select distinct invariant, subject, detail from ledger.audit_findings where audit_id = p_audit) f
$$;

-- Nobody asks for an audit by itself any more.
create or replace function ledger.audit_ended(p_audit uuid) returns void
language plpgsql security definer set search_path = public, pg_temp
as $$
begin
  update ledger.audits set kind = 'over' where id = p_audit and kind = 'apart';
  perform ledger.forget_audits();
end
$$;

-- Removes some of what audits that are over have left.
create or replace function ledger.forget_audits() returns void
language plpgsql set enable_seqscan = off
as $$
declare
  c_rows constant integer := 10000;
  v_audit uuid;
begin
  select id into v_audit from ledger.audits where kind = 'over' order by id limit 1 for update skip locked;
  if not found then
    return;
  end if;
  delete from ledger.audit_accounts where ctid = any(array(
    select ctid from ledger.audit_accounts where audit_id = v_audit limit c_rows));
  delete from ledger.audit_lots where ctid = any(array(
    select ctid from ledger.audit_lots where audit_id = v_audit limit c_rows));
  delete from ledger.audit_performers where ctid = any(array(
    select ctid from ledger.audit_performers where audit_id = v_audit limit c_rows));
  if not exists (select from ledger.audit_accounts where audit_id = v_audit)
    and not exists (select from ledger.audit_lots where audit_id = v_audit)
    and not exists (select from ledger.audit_performers where audit_id = v_audit)
  then
    delete from ledger.audit_findings where audit_id = v_audit;
    delete from ledger.audits where id = v_audit;
  end if;
end
$$;

-- Rows by their ids; in a round those of since the last one, and older ones that have moved.
create or replace function ledger.step_rows(p_audit ledger.audits, p_acts integer) returns void
language plpgsql
as $$
declare
  c_last constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_after uuid := p_audit.cursor;
  v_to uuid := ledger.id_behind(v_after, p_acts);
begin
  insert into ledger.audit_findings (audit_id, lasting, invariant, subject, detail)
    select p_audit.id, true, v.* from ledger.verify_rows(v_after, v_to) v limit ledger.findings_left(p_audit.id);
  if v_to <> c_last then
    update ledger.audits set cursor = v_to where id = p_audit.id;
    return;
  end if;
  if p_audit.since is not null then
    insert into ledger.audit_findings (audit_id, lasting, invariant, subject, detail)
      select p_audit.id, true, v.* from ledger.verify_moved_rows(p_audit.since) v
        limit ledger.findings_left(p_audit.id);
  end if;
  update ledger.audits set phase = 'acts' where id = p_audit.id;
end
$$;

-- Acts along the chain, each into the sums.
create or replace function ledger.step_acts(p_audit ledger.audits, p_acts integer) returns void
language plpgsql set enable_seqscan = off
as $$
declare
  v_to bigint := ledger.place_behind(p_audit.position, p_acts);
  v_totals jsonb;
begin
  if v_to is null then
    update ledger.audits set phase = 'released' where id = p_audit.id;
    return;
  end if;
  insert into ledger.audit_findings (audit_id, lasting, invariant, subject, detail)
    select p_audit.id, true, v.*
      from (
        select * from ledger.verify_places(p_audit.position, v_to)
        union all
        select * from ledger.verify_acts(array(
          select journal_id from ledger.sealed where position > p_audit.position and position <= v_to))
      ) v
      limit ledger.findings_left(p_audit.id);

  with lines as materialized (
    select e.account_id, e.lot_id, e.currency, e.amount, j.kind = 'adjustment' as is_adjustment
      from (select * from ledger.sealed where position > p_audit.position and position <= v_to) s
      cross join lateral (select kind from ledger.journal where id = s.journal_id offset 0) j
      cross join lateral (select * from ledger.entries where journal_id = s.journal_id offset 0) e
  ), moved as materialized (
    select account_id, sum(greatest(amount, 0)) as debit, -sum(least(amount, 0)) as credit,
        coalesce(sum(amount) filter (where is_adjustment), 0) as adjusted
      from lines group by account_id
  ), accounts_moved as (
    insert into ledger.audit_accounts as a (audit_id, account_id, debit, credit, adjusted)
      select p_audit.id, m.* from moved m
      on conflict (audit_id, account_id) do update set debit = a.debit + excluded.debit,
        credit = a.credit + excluded.credit, adjusted = a.adjusted + excluded.adjusted
  ), lots_moved as (
    insert into ledger.audit_lots as l (audit_id, lot_id, tokens, paise)
      select p_audit.id, lot_id, -coalesce(sum(amount) filter (where currency = 'TOKEN'), 0),
          -coalesce(sum(amount) filter (where currency = 'INR'), 0)
        from lines where lot_id is not null group by lot_id
      on conflict (audit_id, lot_id) do update set tokens = l.tokens + excluded.tokens,
        paise = l.paise + excluded.paise
  ), performers_moved as (
    insert into ledger.audit_performers as p (audit_id, performer_id, tips, tokens, earned_paise, waiting_paise)
      select p_audit.id, t.performer_id, count(*), sum(t.amount_tokens), sum(t.earned_paise),
          coalesce(sum(t.earned_paise) filter (where s.position > p_audit.released_through), 0)
        from (select * from ledger.sealed where position > p_audit.position and position <= v_to) s,
          lateral (select * from ledger.tips where id = s.journal_id offset 0) t
        group by t.performer_id
      on conflict (audit_id, performer_id) do update set tips = p.tips + excluded.tips,
        tokens = p.tokens + excluded.tokens, earned_paise = p.earned_paise + excluded.earned_paise,
        waiting_paise = p.waiting_paise + excluded.waiting_paise
  )
  select jsonb_object_agg(t.class, jsonb_build_array(t.debit, t.credit)) into v_totals from (
    select class, sum(debit) as debit, sum(credit) as credit from (
      select key as class, (value->>0)::numeric as debit, (value->>1)::numeric as credit
        from jsonb_each(p_audit.totals)
      union all
      select coalesce((select class from ledger.accounts where id = m.account_id), ''), m.debit, m.credit from moved m
    ) x group by class) t;
  insert into ledger.audit_findings (audit_id, lasting, invariant, subject, detail)
    select p_audit.id, true, 'a checkpoint says what the books said then', c.block::text, x.class
      from ledger.blocks b
      join ledger.checkpoints c on c.block = b.number
      cross join lateral (
        select coalesce(k.key, t.key) as class, k.value as said, t.value as held
          from jsonb_each(c.trial_balance) k full join jsonb_each(v_totals) t on t.key = k.key
      ) x
      where b.last_position = v_to and x.said is distinct from x.held;
  update ledger.audits set position = v_to, totals = v_totals where id = p_audit.id;
end
$$;

-- What has been released since it was added up does not wait any more.
create or replace function ledger.step_released(p_audit ledger.audits, p_acts integer) returns void
language plpgsql set enable_seqscan = off
as $$
declare
  v_through bigint := least((select released_through from ledger.sealer), p_audit.position);
  v_to bigint := least(p_audit.released_through + p_acts, v_through);
begin
  update ledger.audit_performers p set waiting_paise = p.waiting_paise - t.paise
    from (
      select performer_id, sum(earned_paise) as paise
        from ledger.tips_at(p_audit.released_through, v_to) group by performer_id
    ) t
    where p.audit_id = p_audit.id and p.performer_id = t.performer_id;
  update ledger.audits set released_through = greatest(v_to, released_through),
      phase = case when v_to >= v_through then 'lots' else phase end,
      cursor = '00000000-0000-0000-0000-000000000000'
    where id = p_audit.id;
end
$$;

create or replace function ledger.step_lots(p_audit ledger.audits, p_lots integer) returns void
language plpgsql
as $$
declare
  c_last constant uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
  v_after uuid := p_audit.cursor;
  v_to uuid := ledger.lot_behind(v_after, p_lots);
begin
  insert into ledger.audit_findings (audit_id, lasting, invariant, subject, detail)
    select p_audit.id, false, v.* from ledger.verify_lots(p_audit.id, v_after, v_to) v
      limit ledger.findings_left(p_audit.id);
  update ledger.audits set cursor = case when v_to = c_last then '' else v_to::text end,
      phase = case when v_to = c_last then 'invoices' else phase end
    where id = p_audit.id;
end
$$;

-- Invoices by their numbers; in a round those of since the last one.
create or replace function ledger.step_invoices(p_audit ledger.audits, p_invoices integer) returns void
language plpgsql
as $$
declare
  v_numbers text[] := case when p_audit.since is null then ledger.invoices_behind(p_audit.cursor, p_invoices)
    else ledger.invoices_since(p_audit.since) end;
begin
  insert into ledger.audit_findings (audit_id, lasting, invariant, subject, detail)
    select p_audit.id, true, v.* from ledger.verify_invoices(v_numbers) v limit ledger.findings_left(p_audit.id);
  if p_audit.since is null and cardinality(v_numbers) = p_invoices then
    update ledger.audits set cursor = v_numbers[p_invoices] where id = p_audit.id;
  else
    update ledger.audits set phase = 'state' where id = p_audit.id;
  end if;
end
$$;

-- What is there now, and the end. A whole audit of the job stands from here on.
create or replace function ledger.step_state(p_audit ledger.audits) returns void
language plpgsql
as $$
begin
  insert into ledger.audit_findings (audit_id, lasting, invariant, subject, detail)
    select p_audit.id, false, v.*
      from (
        select * from ledger.verify_accounts(p_audit.id)
        union all select * from ledger.verify_earnings(p_audit.id)
        union all select * from ledger.verify_items()
        union all select * from ledger.verify_end(p_audit.id)
      ) v
      limit ledger.findings_left(p_audit.id);
  if p_audit.kind = 'whole' then
    update ledger.audits set kind = 'over' where kind = 'standing';
    update ledger.audits set kind = 'standing' where id = p_audit.id;
  end if;
  update ledger.audits set phase = 'done', ended_at = clock_timestamp() where id = p_audit.id;
end
$$;

-- How many more findings are kept: whoever has so many knows enough.
create or replace function ledger.findings_left(p_audit uuid) returns bigint
language sql stable set enable_seqscan = off
as $$
  select greatest(1000 - count(*), 0) from ledger.audit_findings where audit_id = p_audit
$$;
