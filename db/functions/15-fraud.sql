-- Fraud: patterns of money that a person must look at. Rules and thresholds are rows; what is found is a case,
-- and where money could leave the house it is held first.

-- Viewers and performers whose tips look like a ring, in the window and above the sums of the rules.
create or replace function ring_findings() returns table (
  kind text, performer_id uuid, viewer_id uuid, tokens bigint, holds boolean
)
language sql stable
as $$
  with tipped as (
    select t.performer_id, t.viewer_id, sum(t.amount_tokens)::bigint as tokens
      from ledger.tips t
      where t.created_at > now() - make_interval(days => rule('ring_window_days')::int)
      group by 1, 2
  ), large as (
    select * from tipped where tokens >= rule('ring_min_tokens')
  )
  -- Both log in from one address.
  select 'ring-shared-address', l.performer_id, l.viewer_id, l.tokens, true
    from large l
    where exists (
      select from sessions v join sessions p on p.address_hash = v.address_hash
        where v.user_id = l.viewer_id and p.user_id = l.performer_id)
  union all
  -- The viewer pays with what the performer is paid to.
  select 'ring-shared-instrument', t.performer_id, t.viewer_id, t.tokens, true
    from tipped t
    where exists (
      select from payments p
        join orders o on o.id = p.order_id and o.user_id = t.viewer_id
        join payout_accounts a on a.details_hash = p.instrument_hash and a.performer_id = t.performer_id)
  union all
  -- Tips that come back, at once or over a third.
  select distinct 'ring-circle', a.performer_id, a.viewer_id, a.tokens, true
    from large a
    left join large b on b.viewer_id = a.performer_id
    left join large c on c.viewer_id = b.performer_id
    where b.performer_id = a.viewer_id or c.performer_id = a.viewer_id
  union all
  -- Nearly all that a performer earns comes from one viewer.
  select 'ring-one-viewer', l.performer_id, l.viewer_id, l.tokens, false
    from large l
    join (select performer_id, sum(tokens) as tokens from tipped group by 1) s using (performer_id)
    where l.tokens * 100 > s.tokens * rule('ring_share_percent')
$$;

-- Looks for rings and for performers whose earnings are disputed too often. Opens cases and places holds.
-- Answers how many it found.
create or replace function find_fraud() returns integer
language plpgsql security definer set search_path = public, pg_temp
as $$
declare
  v_found record;
  v_case uuid;
  v_count integer := 0;
begin
  for v_found in
    select f.kind, f.performer_id, f.holds, f.performer_id || ':' || f.viewer_id as subject,
        jsonb_build_object('performerId', f.performer_id, 'viewerId', f.viewer_id, 'tokens', f.tokens) as details
      from ring_findings() f
    union all
    select 'disputed-earnings', d.performer_id, true, d.performer_id::text,
        jsonb_build_object('performerId', d.performer_id, 'disputedPaise', d.paise, 'earnedPaise', e.paise)
      from (select performer_id, sum(paise)::bigint as paise from disputed_earnings group by 1) d
      join (select performer_id, sum(earned_paise)::bigint as paise from ledger.tips group by 1) e
        on e.performer_id = d.performer_id
      where d.paise * 100 > e.paise * rule('dispute_ratio_percent')
  loop
    -- What was looked at and resolved within the window is not found again.
    continue when exists (
      select from cases c
        where c.kind = v_found.kind and c.subject = v_found.subject and c.state = 'resolved'
          and c.resolved_at > now() - make_interval(days => rule('ring_window_days')::int));
    v_case := open_case(v_found.kind, v_found.subject, v_found.details);
    if v_found.holds then
      perform hold_payouts(v_found.performer_id, v_found.kind, v_case, null);
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
