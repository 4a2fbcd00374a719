-- Fraud: patterns of money that a person must look at. Rules and thresholds are rows; what is found is a case,
-- and where money could leave the house it is held first.

drop function if exists ring_findings();

-- What looks like a ring in the tips of the window, above the sums of the rules. An address alone says little:
-- carriers give one to thousands of honest people. It holds nobody's money until more speaks for a ring.
create or replace function ring_findings() returns table (
  kind text, performer_id uuid, subject text, details jsonb, holds boolean
)
language sql stable
as $$
  with tipped as (
    select t.performer_id, t.viewer_id, sum(t.amount_tokens)::bigint as tokens, sum(t.earned_paise)::bigint as paise
      from ledger.tips t
      -- By the id, which begins with the time: older tips are not even looked at.
      where t.id >= uuid_v7_floor(now() - make_interval(days => rule('ring_window_days')::int))
      group by 1, 2
  ), earned as (
    select performer_id, sum(tokens)::bigint as tokens, sum(paise)::bigint as paise from tipped group by 1
  ), large as (
    select * from tipped where tokens >= rule('ring_min_tokens')
  ), neighbours as (
    -- Both log in from one address.
    select t.* from tipped t join earned e on e.performer_id = t.performer_id
      where e.tokens >= rule('ring_min_tokens') and exists (
        select from sessions v join sessions p on p.address_hash = v.address_hash
          where v.user_id = t.viewer_id and p.user_id = t.performer_id)
  ), pairs as (
    select 'ring-shared-address' as kind, n.performer_id, n.viewer_id, n.tokens, false as holds
      from neighbours n
      where n.tokens >= rule('ring_min_tokens')
    union all
    -- And both have paid with one card, account or UPI address.
    select 'ring-address-and-instrument', n.performer_id, n.viewer_id, n.tokens, true
      from neighbours n
      where n.tokens >= rule('ring_min_tokens') and exists (
        select from orders o
          join payments p on p.order_id = o.id
          join payments q on q.instrument_hash = p.instrument_hash
          join orders own on own.id = q.order_id and own.user_id = n.performer_id
          where o.user_id = n.viewer_id)
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
      from large l join earned e on e.performer_id = l.performer_id
      where l.tokens * 100 > e.tokens * rule('ring_share_percent')
  )
  select p.kind, p.performer_id, p.performer_id || ':' || p.viewer_id,
      jsonb_build_object('performerId', p.performer_id, 'viewerId', p.viewer_id, 'tokens', p.tokens), p.holds
    from pairs p
  union all
  -- Much of what a performer earns comes from accounts at an address of theirs, however many share it out.
  select 'ring-address-earnings', n.performer_id, n.performer_id::text,
      jsonb_build_object('performerId', n.performer_id, 'viewers', n.viewers, 'tokens', n.tokens,
        'ringPaise', n.paise, 'earnedPaise', e.paise), true
    from (
      select performer_id, count(*) as viewers, sum(tokens)::bigint as tokens, sum(paise)::bigint as paise
        from neighbours group by 1
    ) n
    join earned e on e.performer_id = n.performer_id
    where n.tokens >= rule('ring_min_tokens') and n.paise * 100 >= e.paise * rule('ring_address_percent')
$$;

-- Performers whose earnings of the window come from given tokens for more than the share of the rule. What given
-- tokens earn is an expense of the platform, so that its account names each of their acts. Whoever gave some of these
-- viewers tokens without a second of the staff is named: they are not the one to say that all is well.
create or replace function promotion_findings() returns table (performer_id uuid, details jsonb)
language sql stable
as $$
  with bounds as (
    select now() - make_interval(days => rule('ring_window_days')::int) as since
  ), given as (
    select t.performer_id, array_agg(distinct t.viewer_id) as viewers, sum(e.amount)::bigint as paise,
        sum(e.amount / p.payout_paise_per_token)::bigint as tokens
      from ledger.house h
      cross join bounds b
      join ledger.entries e on e.account_id = h.promotion and e.journal_id >= uuid_v7_floor(b.since)
      join ledger.tips t on t.id = e.journal_id
      join ledger.fee_policies p on p.version = t.fee_policy_version
      group by 1
  )
  select g.performer_id, jsonb_build_object('performerId', g.performer_id, 'tokens', g.tokens,
      'givenPaise', g.paise, 'earnedPaise', e.paise, 'givenBy', s.givers)
    from given g
    cross join bounds b
    cross join lateral (
      select sum(earned_paise)::bigint as paise from ledger.tips
        where performer_id = g.performer_id and created_at >= b.since) e
    cross join lateral (
      select coalesce(jsonb_agg(distinct m.proposed_by), '[]') as givers
        from unnest(g.viewers) v join ledger.promotions m on m.viewer_id = v and m.state = 'given') s
    where g.tokens >= rule('promotion_min_tokens') and g.paise * 100 > e.paise * rule('promotion_share_percent')
$$;

-- Performers with a dispute of the window, whose earnings are disputed for more than the share of the rule, of all that
-- they ever got. It is counted in tokens, since what they got is folded in tokens; each tip says what a token of it
-- earned.
create or replace function dispute_findings() returns table (performer_id uuid, details jsonb)
language sql stable
as $$
  select l.performer_id, jsonb_build_object('performerId', l.performer_id, 'tokens', d.tokens,
      'disputedPaise', d.paise, 'tokensReceived', r.tokens)
    from (
      -- `offset 0`, here and below: from disputes to earnings to tips, never the other way.
      select distinct e.performer_id
        from disputes o cross join lateral (
          select performer_id from disputed_earnings
            where gateway_dispute_id = o.gateway_dispute_id offset 0) e
        where o.opened_at >= now() - make_interval(days => rule('ring_window_days')::int)
    ) l
    cross join lateral (
      select sum(e.paise)::bigint as paise, sum(e.paise * t.amount_tokens / t.earned_paise)::bigint as tokens
        from (select tip_id, paise from disputed_earnings where performer_id = l.performer_id offset 0) e
        cross join lateral (
          select amount_tokens, earned_paise from ledger.tips where id = e.tip_id and earned_paise > 0 offset 0) t
    ) d
    cross join lateral (select (ledger.tips_received(l.performer_id)->>'tokens')::bigint as tokens offset 0) r
    where d.tokens * 100 > r.tokens * rule('dispute_ratio_percent')
$$;

-- Looks for rings, and for performers whose earnings are disputed too often or come from given tokens. Opens cases and
-- places holds. What somebody has resolved within the window is found again once it has grown by as much as the rule
-- says. Answers how many it found.
create or replace function find_fraud() returns integer
language plpgsql security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
declare
  v_found record;
  v_case uuid;
  v_count integer := 0;
begin
  for v_found in
    select f.* from ring_findings() f
    union all
    select 'promotion-earnings', p.performer_id, p.performer_id::text, p.details, true from promotion_findings() p
    union all
    select 'disputed-earnings', d.performer_id, d.performer_id::text, d.details, true from dispute_findings() d
  loop
    continue when exists (
      select from cases c
        where c.kind = v_found.kind and c.subject = v_found.subject and c.resolved_by is not null
          and c.resolved_at > now() - make_interval(days => rule('ring_window_days')::int)
          and (v_found.details->>'tokens')::bigint * 100
            < (c.details->>'tokens')::bigint * rule('ring_again_percent'));
    v_case := new_case(v_found.kind, v_found.subject, v_found.details);
    if v_found.holds then
      perform hold_payouts(v_found.performer_id, v_found.kind, v_case, null);
    end if;
    v_count := v_count + 1;
  end loop;
  return v_count;
end
$$;
