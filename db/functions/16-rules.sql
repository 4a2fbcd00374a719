-- Rules: what each of them may be, and how staff change them. A change is a new row, never an update; one that
-- widens a risk takes two of the staff.

-- Every rule there is: what it begins with, the least and the greatest value that it takes, what switching it off
-- is the same as (`off_as`: less than its lowest or more than its highest value; null where it cannot be off), and
-- which way it widens a risk (`risky`; null where neither does).
create or replace function rule_book() returns table (
  name text, first_value bigint, lowest bigint, highest bigint, off_as text, risky text, meaning text
)
language sql immutable
as $$
  values
    ('earnings_hold_hours', 168::bigint, 0::bigint, 2160::bigint, 'lowest', 'lowered',
      'Earnings can be asked for after so many hours'),
    ('payout_min_paise', 50000, 100, 10000000, 'lowest', null,
      'The smallest payout'),
    ('payout_auto_max_paise', 500000, 0, 10000000, 'lowest', 'raised',
      'Payouts up to this need nobody''s approval'),
    ('payout_second_approval_paise', 5000000, 0, 100000000, 'highest', 'raised',
      'Payouts above this need two of the staff'),
    ('payout_together_hours', 24, 1, 720, null, 'lowered',
      'Payouts of so many hours count together for these two limits, until as many of the staff have approved them'),
    ('payout_details_hold_hours', 72, 0, 720, null, 'lowered',
      'New bank details are paid to after so many hours'),
    ('payout_unsent_hours', 24, 1, 720, null, 'lowered',
      'A payout too old to send can be said never to have gone out after so many hours'),
    ('upi_payout_max_paise', 10000000, 100, 50000000, null, null,
      'A UPI address is sent at most this much at once, tax kept back already'),
    -- Older accounts are never asked whether they are new: see ledger.surely_grown().
    ('young_account_hours', 24, 0, 720, 'lowest', 'lowered',
      'An account is new for so long'),
    ('young_account_day_tokens', 5000, 0, 1000000, 'highest', 'raised',
      'A new account spends at most so many tokens a day'),
    ('order_day_paise', 20000000, 0, 1000000000, 'highest', 'raised',
      'A person buys tokens for at most this much a day'),
    ('order_open_max', 20, 1, 1000, 'highest', 'raised',
      'A person has at most so many unpaid orders in an hour'),
    ('limit_raise_hours', 24, 0, 720, 'lowest', 'lowered',
      'A raised spending limit counts after so many hours'),
    ('refund_window_days', 90, 1, 3650, 'highest', null,
      'Unspent tokens can be given back so many days after they were bought'),
    ('refund_late_days', 10, 1, 90, 'highest', 'raised',
      'A refund whose end is not known so many days after it was let go is a case'),
    ('promotion_staff_day_tokens', 500, 0, 100000, null, 'raised',
      'One of the staff alone gives at most so many tokens a day'),
    ('promotion_viewer_day_tokens', 500, 0, 100000, null, 'raised',
      'A viewer is given at most so many tokens a day without a second of the staff'),
    ('promotion_share_percent', 50, 1, 100, 'highest', 'raised',
      'A performer is put on hold when more than this share of their earnings comes from given tokens'),
    ('promotion_min_tokens', 1000, 1, 1000000, 'highest', 'raised',
      'Given tokens that reach a performer are not looked at below this many'),
    ('ring_share_percent', 80, 1, 100, 'highest', 'raised',
      'One viewer who pays more than this share of a performer''s tips is looked at'),
    ('ring_address_percent', 50, 1, 100, 'highest', 'raised',
      'A performer is put on hold when at least this share of their earnings comes from accounts at their address'),
    ('ring_min_tokens', 5000, 1, 1000000, 'highest', 'raised',
      'Rings below this many tokens are not looked at'),
    ('ring_window_days', 30, 1, 365, null, 'lowered',
      'Tips of so many days are looked at for rings'),
    ('ring_again_percent', 200, 101, 1000, null, 'raised',
      'A ring that staff have resolved is found again when it has grown to this many percent of what it was'),
    ('dispute_ratio_percent', 5, 0, 100, 'highest', 'raised',
      'A performer with more disputed earnings than this is put on hold'),
    ('case_quiet_days', 30, 0, 365, 'lowest', 'raised',
      'What staff have resolved is not opened anew within so many days unless there is more to say of it'),
    ('account_erase_days', 30, 1, 365, null, 'lowered',
      'A closed account is erased after so many days, and can be had back until then'),
    ('username_change_days', 30, 0, 365, null, 'lowered',
      'A user name can be changed again after so many days, and nobody else gets the one of before until then'),
    ('settlement_late_days', 7, 1, 90, 'highest', 'raised',
      'A captured payment that no settlement brought within so many days is a case')
$$;

-- A rule that has never had a value begins with its first one.
insert into rules (name, value, meaning)
  select b.name, b.first_value, b.meaning from rule_book() b
    where not exists (select from rules r where r.name = b.name);

-- The rules as they are at this moment, by name: with who set them and since when, what they may be, and the
-- change that waits for a second person.
create or replace function rules_json() returns jsonb
language sql volatile security definer set search_path = public, pg_temp
as $$
  select jsonb_agg(jsonb_build_object(
      'name', b.name, 'value', r.value, 'meaning', b.meaning, 'validFrom', instant(r.valid_from), 'setBy', r.set_by,
      'lowest', b.lowest, 'highest', b.highest, 'canBeOff', b.off_as is not null, 'risky', b.risky,
      'proposed', (
        select jsonb_build_object('id', c.id, 'value', c.details->'value', 'reason', c.details->'reason',
            'proposedBy', c.details->'proposedBy', 'createdAt', instant(c.created_at))
          from cases c where c.kind = 'rule-change' and c.subject = b.name and c.state = 'open')
      ) order by b.name)
    from rule_book() b
    join lateral (
      select * from rules where name = b.name and valid_from <= clock_timestamp()
        order by valid_from desc, id desc limit 1
    ) r on true
$$;

create or replace function rule_json(p_name text) returns jsonb
language sql volatile
as $$
  select r from jsonb_array_elements(rules_json()) r where r->>'name' = p_name
$$;

-- Refuses a rule that there is not, and a value that it may not have.
create or replace function check_rule(p_name text, p_value bigint) returns void
language plpgsql
as $$
declare
  v_book record;
begin
  select * into v_book from rule_book() b where b.name = p_name;
  if not found then
    perform refuse('not-found');
  end if;
  if (p_value is null and v_book.off_as is null) or p_value not between v_book.lowest and v_book.highest then
    perform refuse('invalid-request', jsonb_build_object('errors', jsonb_build_array(jsonb_build_object(
      'path', 'value', 'message', format('%s is from %s to %s%s', p_name, v_book.lowest, v_book.highest,
        case when v_book.off_as is null then ', and cannot be off' else ', or off' end)))));
  end if;
end
$$;

-- Whether a rule guards less with another value.
create or replace function rule_widens(p_name text, p_from bigint, p_to bigint) returns boolean
language sql immutable
as $$
  select case b.risky when 'raised' then v.after > v.before when 'lowered' then v.after < v.before else false end
    from rule_book() b,
      lateral (select case b.off_as when 'lowest' then b.lowest - 1 else b.highest + 1 end as off) o,
      lateral (select coalesce(p_from, o.off) as before, coalesce(p_to, o.off) as after) v
    where b.name = p_name
$$;

-- The new row; whoever waited for a decision about the old one has been overtaken.
create or replace function put_rule(p_name text, p_value bigint, p_set_by uuid, p_details jsonb) returns void
language plpgsql
as $$
begin
  -- The clock, not the beginning of the transaction: whoever waited for the lock comes after whom they waited for.
  insert into rules (name, value, meaning, valid_from, set_by)
    select p_name, p_value, b.meaning, clock_timestamp(), p_set_by from rule_book() b where b.name = p_name;
  perform close_case('rule-change', p_name, 'The rule was changed otherwise.');
  perform audit('rule.set', p_set_by, p_name, p_details || jsonb_build_object('value', p_value));
end
$$;

-- Sets a rule, or proposes it where that widens a risk. Asked again, it is the same row, or the same proposal.
create or replace function set_rule(p_name text, p_value bigint, p_staff uuid, p_reason text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_now jsonb;
  v_proposal jsonb;
  v_case uuid;
begin
  perform require_permission(p_staff, 'set-rules');
  perform check_rule(p_name, p_value);
  perform pg_advisory_xact_lock(hashtextextended('rule:' || p_name, 0));
  v_now := rule_json(p_name);
  if (v_now->>'value')::bigint is not distinct from p_value then
    return v_now;
  end if;
  if not rule_widens(p_name, (v_now->>'value')::bigint, p_value) then
    perform put_rule(p_name, p_value, p_staff,
      jsonb_build_object('before', v_now->'value', 'reason', p_reason));
    return rule_json(p_name);
  end if;
  v_proposal := jsonb_build_object('value', p_value, 'reason', p_reason, 'proposedBy', p_staff);
  if v_now->'proposed' @> v_proposal then
    return v_now;
  end if;
  perform close_case('rule-change', p_name, 'Something else was proposed.');
  v_case := new_case('rule-change', p_name, v_proposal || jsonb_build_object('before', v_now->'value'));
  perform audit('rule.proposed', p_staff, p_name, v_proposal || jsonb_build_object('proposalId', v_case));
  return rule_json(p_name);
end
$$;

-- Somebody else lets a proposed change come into force, or anybody rejects it.
create or replace function decide_rule(p_proposal uuid, p_staff uuid, p_approve boolean) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_case cases;
  v_value bigint;
  v_resolution text := case when p_approve then 'Approved.' else 'Rejected.' end;
begin
  perform require_permission(p_staff, 'set-rules');
  select * into v_case from cases where id = p_proposal and kind = 'rule-change';
  if not found then
    perform refuse('not-found');
  end if;
  perform pg_advisory_xact_lock(hashtextextended('rule:' || v_case.subject, 0));
  select * into strict v_case from cases where id = p_proposal for no key update;
  if v_case.state <> 'open' then
    if v_case.resolved_by = p_staff and v_case.resolution = v_resolution then
      return rule_json(v_case.subject);
    end if;
    perform refuse('already-decided');
  end if;
  if p_approve and (v_case.details->>'proposedBy')::uuid = p_staff then
    perform refuse('second-person-needed');
  end if;
  update cases set state = 'resolved', resolution = v_resolution, resolved_by = p_staff, resolved_at = now()
    where id = p_proposal;
  if p_approve then
    v_value := (v_case.details->>'value')::bigint;
    perform check_rule(v_case.subject, v_value);
    perform put_rule(v_case.subject, v_value, (v_case.details->>'proposedBy')::uuid,
      jsonb_build_object('before', v_case.details->'before', 'reason', v_case.details->'reason',
        'approvedBy', p_staff));
  end if;
  perform audit(case when p_approve then 'rule.approved' else 'rule.rejected' end, p_staff, v_case.subject,
    jsonb_build_object('proposalId', p_proposal));
  return rule_json(v_case.subject);
end
$$;
