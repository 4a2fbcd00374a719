-- Tax on payouts: what is kept back of them, and the tax number that it is reported under, which its owner gives
-- once and only staff correct.

-- The beginning of India's financial year in which a moment lies.
create or replace function financial_year_start(p_at timestamptz) returns timestamptz
language sql stable
as $$
  select (make_date(
      extract(year from p_at at time zone 'Asia/Kolkata')::int
        - (extract(month from p_at at time zone 'Asia/Kolkata') < 4)::int, 4, 1)::timestamp)
    at time zone 'Asia/Kolkata'
$$;

create or replace function tax_rate_in_force() returns tax_rates
language sql stable
as $$
  select r from tax_rates r where r.valid_from <= now() order by r.valid_from desc, r.id desc limit 1
$$;

-- What a performer was paid, or has asked for, in the running financial year; what came back does not count.
create or replace function paid_in_year(p_performer uuid) returns bigint
language sql stable
as $$
  select coalesce(sum(amount_paise), 0)::bigint from payouts
    where performer_id = p_performer and state not in ('failed', 'rejected', 'reversed')
      and created_at >= financial_year_start(now())
$$;

-- The tax to keep back from a payout: at the rate in force, once a year's payouts exceed its threshold. The
-- threshold is for those who have given a PAN (section 194-O(2)).
create or replace function tds_of(p_performer uuid, p_amount bigint)
returns table (section text, rate_bp integer, paise bigint)
language sql stable
as $$
  select r.section, rate.bp,
      case when pan.is_known and paid_in_year(p_performer) + p_amount <= r.threshold_paise then 0
        else p_amount * rate.bp / 10000 end
    from tax_rate_in_force() r,
      lateral (select exists (select from tax_profiles where user_id = p_performer) as is_known) pan,
      lateral (select case when pan.is_known then r.rate_bp else r.rate_without_pan_bp end as bp) rate
$$;

-- What a performer must know of it before asking.
create or replace function payout_tax(p_performer uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select jsonb_build_object(
      'section', r.section, 'rateWithPanBp', r.rate_bp, 'rateWithoutPanBp', r.rate_without_pan_bp,
      'thresholdPaise', r.threshold_paise, 'yearFrom', instant(financial_year_start(now())),
      'yearPaise', paid_in_year(p_performer),
      'availableTdsPaise',
        (select paise from tds_of(p_performer, ledger.balance_now('performer_available', p_performer))))
    from tax_rate_in_force() r
$$;

create or replace function tax_profile_json(p_profile tax_profiles) returns jsonb
language sql stable
as $$
  select jsonb_build_object(
    'userId', p_profile.user_id, 'panMask', p_profile.mask, 'payableFrom', instant(p_profile.payable_from))
$$;

-- A person's own PAN, sealed. Given once: the same again changes nothing, another one is refused.
create or replace function set_tax_profile(p_user uuid, p_sealed text, p_mask text, p_hash text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_profile tax_profiles;
begin
  perform pg_advisory_xact_lock(hashtextextended(p_user::text, 2));
  select * into v_profile from tax_profiles where user_id = p_user;
  if found then
    if v_profile.pan_hash <> p_hash then
      perform refuse('already-decided', jsonb_build_object(
        'detail', 'A PAN is given once; whoever gave a wrong one lets us correct it'));
    end if;
    return tax_profile_json(v_profile);
  end if;
  insert into tax_profiles (user_id, sealed_pan, mask, pan_hash) values (p_user, p_sealed, p_mask, p_hash)
    on conflict (pan_hash) do nothing
    returning * into v_profile;
  if not found then
    perform refuse('pan-taken');
  end if;
  perform audit('tax-profile.given', p_user, p_user::text, jsonb_build_object('mask', p_mask));
  return tax_profile_json(v_profile);
end
$$;

-- One of the staff puts a PAN right that was given wrongly. The one of before is kept, since tax was reported under
-- it, and payouts wait as they do after changed bank details: whoever it is about can object before money leaves.
create or replace function correct_tax_profile(
  p_user uuid, p_staff uuid, p_sealed text, p_mask text, p_hash text, p_reason text
) returns jsonb
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_profile tax_profiles;
  v_mask_before text;
begin
  perform require_permission(p_staff, 'correct-tax');
  if p_user = p_staff then
    perform refuse('second-person-needed');
  end if;
  perform pg_advisory_xact_lock(hashtextextended(p_user::text, 2));
  select * into v_profile from tax_profiles where user_id = p_user;
  if not found then
    perform refuse('not-found');
  end if;
  if v_profile.pan_hash = p_hash then
    return tax_profile_json(v_profile);
  end if;
  v_mask_before := v_profile.mask;
  insert into former_pans (user_id, sealed_pan, mask, replaced_by, reason)
    values (p_user, v_profile.sealed_pan, v_profile.mask, p_staff, p_reason);
  begin
    update tax_profiles set sealed_pan = p_sealed, mask = p_mask, pan_hash = p_hash,
        payable_from = now() + make_interval(hours => coalesce(rule('payout_details_hold_hours'), 0)::int)
      where user_id = p_user returning * into v_profile;
  exception when unique_violation then
    perform refuse('pan-taken');
  end;
  perform audit('tax-profile.corrected', p_staff, p_user::text,
    jsonb_build_object('before', v_mask_before, 'after', p_mask, 'reason', p_reason));
  return tax_profile_json(v_profile);
end
$$;
