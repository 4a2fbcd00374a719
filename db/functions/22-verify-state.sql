-- What must be true of what is there now: balances, lots and open items as a whole, against the sums of an audit and
-- the acts that have come since. Each of these is one look at one moment, however long it takes.

-- Lots behind one id and up to another, against all entries that name them.
create or replace function ledger.verify_lots(p_audit uuid, p_after uuid, p_to uuid)
returns table (invariant text, subject text, detail text)
language sql stable
as $$
  with newer as materialized (
    select lot_id, -coalesce(sum(amount) filter (where currency = 'TOKEN'), 0) as tokens,
        -coalesce(sum(amount) filter (where currency = 'INR'), 0) as paise
      from (
        select lot_id, currency, amount from ledger.entries_at(
          (select position from ledger.audits where id = p_audit), 9223372036854775807)
        union all select lot_id, currency, amount from ledger.entries_unsealed()
      ) e
      where lot_id > p_after and lot_id <= p_to
      group by lot_id
  )
  select 'every lot equals its entries, and is within what it held', coalesce(l.id, s.lot_id)::text,
      coalesce(l.tokens_left, 0) || ' tokens and ' || coalesce(l.paise_left, 0) || ' paise are kept, '
        || coalesce(s.tokens, 0) || ' and ' || coalesce(s.paise, 0) || ' are posted'
    from (select * from ledger.lots where id > p_after and id <= p_to) l
    full join (
      select coalesce(f.lot_id, n.lot_id) as lot_id, coalesce(f.tokens, 0) + coalesce(n.tokens, 0) as tokens,
          coalesce(f.paise, 0) + coalesce(n.paise, 0) as paise
        from (select * from ledger.audit_lots
          where audit_id = p_audit and lot_id > p_after and lot_id <= p_to) f
        full join newer n on n.lot_id = f.lot_id
    ) s on s.lot_id = l.id
    where l.id is null
      or (l.tokens_left::bigint, l.paise_left::bigint)
        is distinct from (coalesce(s.tokens, 0)::bigint, coalesce(s.paise, 0)::bigint)
      or l.tokens_left not between 0 and l.tokens or l.paise_left not between 0 and l.net_paise
      or l.tokens_returned not between 0 and l.tokens or l.gst_left not between 0 and l.gst_paise
      or l.open <> (l.tokens_left > 0)
$$;

-- The last of so many lots behind an id; beyond every id where there are fewer.
create or replace function ledger.lot_behind(p_after uuid, p_limit integer) returns uuid
language sql stable set enable_seqscan = off
as $$
  select coalesce(
    (select id from ledger.lots where id > p_after order by id offset p_limit - 1 limit 1),
    'ffffffff-ffff-ffff-ffff-ffffffffffff')
$$;

-- What every account holds now by its entries, debits positive, and how much of it was moved by hand.
create or replace function ledger.held_by_entries(p_audit uuid)
returns table (account_id uuid, class text, owner_id uuid, guard text, amount numeric, adjusted numeric)
language sql stable
as $$
  select a.id, a.class, a.owner_id, a.guard, coalesce(f.debit - f.credit, 0) + coalesce(n.amount, 0),
      coalesce(f.adjusted, 0) + coalesce(n.adjusted, 0)
    from ledger.accounts a
    left join ledger.audit_accounts f on f.audit_id = p_audit and f.account_id = a.id
    left join (
      select e.account_id, sum(e.amount) as amount,
          sum(e.amount) filter (where (select kind from ledger.journal where id = e.journal_id) = 'adjustment')
            as adjusted
        from (
          select * from ledger.entries_at((select position from ledger.audits where id = p_audit), 9223372036854775807)
          union all select * from ledger.entries_unsealed()
        ) e
        group by e.account_id
    ) n on n.account_id = a.id
$$;

-- Accounts, against lots, balances and everything that is open.
create or replace function ledger.verify_accounts(p_audit uuid)
returns table (invariant text, subject text, detail text)
language sql stable
as $$
  with held as materialized (
    select * from ledger.held_by_entries(p_audit)
  )
  select 'every account is as its class says', a.id::text, a.class
    from ledger.accounts a join ledger.account_classes c on c.class = a.class
    where (a.currency, a.normal_side, a.guard, a.owner_id is not null)
      is distinct from (c.currency, c.normal_side, c.guard, c.owned)
  union all
  select 'every guarded balance equals its entries, and is not below zero', h.account_id::text,
      b.balance || ' is kept, ' || h.amount * x.sign || ' is posted'
    from held h
    join (select class, case normal_side when 'debit' then 1 else -1 end as sign from ledger.account_classes) x
      on x.class = h.class
    left join ledger.balances b on b.account_id = h.account_id
    where h.guard = 'balance' and (b.balance is distinct from (h.amount * x.sign)::bigint or b.balance < 0)
  union all
  select 'every wallet is the sum of its lots', h.owner_id::text, h.class || ': ' || -h.amount
    from held h
    left join (
      select account_id, sum(tokens_left) as amount from ledger.lots where open group by account_id
      union all
      select prepaid_account_id, sum(paise_left) from ledger.lots where open group by prepaid_account_id
    ) l on l.account_id = h.account_id
    where h.guard = 'lots' and -h.amount <> coalesce(l.amount, 0)
  union all
  select 'what is reserved is what open reservations say', h.owner_id::text, h.class
    from held h
    left join (
      select account_id, sum(tokens) as amount from ledger.reservations where state = 'open' group by account_id
    ) r on r.account_id = h.account_id
    where h.class in ('viewer_held', 'goal_escrow', 'refunding', 'disputed') and -h.amount <> coalesce(r.amount, 0)
  union all
  select 'what reserved tokens were paid is what open reservations say', h.owner_id::text, (-h.amount)::text
    from held h
    left join (
      select viewer_id, sum(net_paise) as amount from ledger.reservations where state = 'open' group by viewer_id
    ) r on r.viewer_id = h.owner_id
    where h.class = 'reserved_prepaid' and -h.amount <> coalesce(r.amount, 0)
  union all
  select 'tokens outstanding are the tokens that somebody has', 'TOKEN', sum(h.amount)::text
    from held h join ledger.account_classes c on c.class = h.class and c.currency = 'TOKEN'
    having sum(h.amount) <> 0
  union all
  select 'tax that is owed is that of lots and of refunds that wait', 'INR', (h.adjusted - h.amount)::text
    from held h
    where h.class = 'gst_payable'
      and h.adjusted - h.amount <> (select coalesce(sum(gst_left), 0) from ledger.lots)
        + (select coalesce(sum(gst_paise), 0) from refunds where state = 'requested')
  union all
  select 'money on its way back is that of sent refunds', 'INR', (-h.amount)::text
    from held h
    where h.class = 'refunds' and -h.amount <> (
      select coalesce(sum(net_paise + gst_paise), 0) from refunds where state in ('approved', 'sent'))
  union all
  select 'money in dispute is that of open disputes', 'INR', h.amount::text
    from held h
    where h.class = 'disputes' and h.amount <> (
      select coalesce(sum(amount_paise), 0) from disputes where closed_at is null)
  union all
  select 'tax is kept back as payouts say', 'INR', (h.adjusted - h.amount)::text
    from held h
    where h.class = 'tds_payable' and h.adjusted - h.amount <> (
      select coalesce(sum(tds_paise), 0) from payouts where state = 'paid')
  union all
  select 'money asked for is that of open payouts', h.owner_id::text, (-h.amount)::text
    from held h
    left join (
      select performer_id, sum(amount_paise) as paise from payouts
        where state in ('requested', 'approved', 'sending') group by performer_id
    ) p on p.performer_id = h.owner_id
    where h.class = 'payout_pending' and -h.amount <> coalesce(p.paise, 0)
  union all
  select 'held earnings are those of open disputes', h.owner_id::text, (-h.amount)::text
    from held h
    left join (
      select e.performer_id, sum(e.paise) as paise
        from disputes d join disputed_earnings e on e.gateway_dispute_id = d.gateway_dispute_id
        where d.closed_at is null group by e.performer_id
    ) d on d.performer_id = h.owner_id
    where h.class = 'performer_held' and -h.amount <> coalesce(d.paise, 0)
$$;

-- What performers are owed, against their tips: all of it, and what of it waits.
create or replace function ledger.verify_earnings(p_audit uuid)
returns table (invariant text, subject text, detail text)
language sql stable
as $$
  with audit as materialized (
    select a.*, s.released_through as released_now
      from ledger.audits a, ledger.sealer s where a.id = p_audit
  ), newer as materialized (
    select * from ledger.tips_at((select position from audit), 9223372036854775807)
    union all select * from ledger.tips_unsealed()
  ), owed as (
    select owner_id as performer_id, sum(adjusted) - sum(amount) as paise,
        -coalesce(sum(amount) filter (where class = 'performer_pending'), 0) as pending
      from ledger.held_by_entries(p_audit)
      where class in ('performer_pending', 'performer_available', 'performer_held', 'payout_pending')
      group by owner_id
  ), earned as (
    select performer_id, sum(paise) as paise, sum(waiting) as waiting
      from (
        select performer_id, earned_paise as paise, waiting_paise as waiting
          from ledger.audit_performers where audit_id = p_audit
        union all select performer_id, earned_paise, earned_paise from newer
        -- Released since, or taken back from release, which nothing does.
        union all select t.performer_id, 0, -t.earned_paise
          from audit a, lateral ledger.tips_at(a.released_through, a.released_now) t
        union all select t.performer_id, 0, t.earned_paise
          from audit a, lateral ledger.tips_at(a.released_now, a.released_through) t
        -- Of tips that wait what is held for disputes waits elsewhere.
        union all select e.performer_id, 0, -e.paise
          from disputed_earnings e
          where coalesce((select position from ledger.sealed where journal_id = e.tip_id), 9223372036854775807)
            > (select released_now from audit)
      ) x
      group by performer_id
  )
  select 'a performer''s pending earnings are those of tips that wait', o.performer_id::text, o.pending::text
    from owed o left join earned e on e.performer_id = o.performer_id
    where o.pending <> coalesce(e.waiting, 0)
  union all
  select 'performers are owed what they earned, less what was paid, lost, and changed by hand', o.performer_id::text,
      o.paise::text
    from owed o
    left join earned e on e.performer_id = o.performer_id
    left join (
      select performer_id, sum(amount_paise) as paise from payouts where state = 'paid' group by performer_id
    ) p on p.performer_id = o.performer_id
    left join (
      select l.performer_id, sum(l.paise) as paise
        from disputed_earnings l
        join disputes d on d.gateway_dispute_id = l.gateway_dispute_id and d.state = 'lost'
        group by l.performer_id
    ) d on d.performer_id = o.performer_id
    where o.paise <> coalesce(e.paise, 0) - coalesce(p.paise, 0) - coalesce(d.paise, 0)
$$;

-- Open lots, disputes, settlements and prices, each by itself.
create or replace function ledger.verify_items() returns table (invariant text, subject text, detail text)
language sql stable
as $$
  select 'every token that was paid for was paid no less than it pays out', l.id::text,
      l.tokens_left || ' tokens, ' || l.paise_left || ' paise'
    from ledger.lots l
    where l.open and l.net_paise > 0
      and l.paise_left < l.tokens_left * (
        select payout_paise_per_token from ledger.fee_policies
          where valid_from <= now() order by version desc limit 1)
  union all
  select 'a token always pays out less than it cost', k.name,
      f.payout_paise_per_token || ' paise paid out per token'
    from packages k, ledger.fee_policies f
    where f.payout_paise_per_token * k.tokens >= k.price_paise - k.gst_paise
      and f.version = (select max(version) from ledger.fee_policies)
  union all
  select 'tokens wait for a dispute while it is open, and no longer', d.gateway_dispute_id, d.state
    from disputes d
    where d.reservation_id is not null
      and (d.closed_at is null) <>
        ((select state from ledger.reservations v where v.id = d.reservation_id) is not distinct from 'open')
  union all
  select 'a lost dispute is recovered or lost to the paisa', d.gateway_dispute_id,
      d.recovered_paise || ' and ' || d.lost_paise || ' of ' || d.amount_paise
    from disputes d
    where (d.state = 'lost' and d.recovered_paise + d.lost_paise <> d.amount_paise)
      or (d.state <> 'lost' and (d.recovered_paise, d.lost_paise) <> (0, 0))
  union all
  select 'every settlement is an act', s.gateway_settlement_id, s.amount_paise::text
    from settlements s
    where (select idempotency_key from ledger.journal where id = s.journal_id)
      is distinct from 'settlement:' || s.gateway_settlement_id
  union all
  select 'an approved change by hand is an act of its own', a.id::text, a.journal_id::text
    from ledger.adjustments a
    where a.state = 'approved'
      and (select kind from ledger.journal where id = a.journal_id) is distinct from 'adjustment'
  union all
  select 'what the gateway owes is explained', 'INR', (c->>'balancePaise')
    from ledger.clearing_explained() c
    where (c->>'balancePaise')::bigint <> (c->>'unsettledPaymentsPaise')::bigint
        - (c->>'unsettledRefundsPaise')::bigint + (c->>'unsettledDisputesPaise')::bigint
        + (c->>'adjustedPaise')::bigint
$$;

-- The end of the chain, the acts behind it, and what the sealer has folded.
create or replace function ledger.verify_end(p_audit uuid)
returns table (invariant text, subject text, detail text)
language sql stable set enable_seqscan = off
as $$
  with audit as materialized (
    select *, coalesce(as_of, now()) as moment from ledger.audits where id = p_audit
  ), last as materialized (
    select coalesce(max(number), 0) as number, coalesce(max(last_position), 0) as position from ledger.blocks
  )
  select * from ledger.verify_acts(array(select ledger.unsealed() limit 20000))
  union all
  select 'every act is in the chain soon', j.id::text, j.kind
    from ledger.unsealed() u, lateral (select * from ledger.journal where id = u offset 0) j
    where j.created_at < (select moment - ledger.sealing_lag_max() from audit)
  union all
  select 'every place in the chain is in a block', s.position::text, s.journal_id::text
    from ledger.sealed s where s.position > (select position from last)
  union all
  select 'every place in the chain is in a block', s.position::text, s.journal_id::text
    from ledger.sealed s where s.position < 1
  union all
  select 'every checkpoint is of its block', c.block::text, 'there is no such block'
    from ledger.checkpoints c where c.block > (select number from last)
  union all
  select 'the end of the chain is signed soon', b.number::text, instant(b.sealed_at)
    from (
      select * from ledger.blocks
        where number > coalesce((select max(block) from ledger.checkpoints), 0) order by number limit 1
    ) b
    where b.sealed_at < (select moment - ledger.signing_lag_max() from audit)
  union all
  select 'folded totals equal the sealed entries', coalesce(t.account_id, e.account_id)::text,
      coalesce(t.debit, 0) || '/' || coalesce(t.credit, 0) || ' is kept, '
        || coalesce(e.debit, 0) || '/' || coalesce(e.credit, 0) || ' is sealed'
    from ledger.totals t
    full join (
      select account_id, sum(debit)::bigint as debit, sum(credit)::bigint as credit
        from (
          select account_id, debit, credit from ledger.audit_accounts where audit_id = p_audit
          union all
          select account_id, greatest(amount, 0), -least(amount, 0)
            from ledger.entries_at((select position from audit), 9223372036854775807)
        ) x
        group by account_id
    ) e on e.account_id = t.account_id
    where (t.debit, t.credit) is distinct from (e.debit, e.credit)
  union all
  select 'folded counts of tips equal the sealed ones', coalesce(t.performer_id, s.performer_id)::text,
      coalesce(t.tips, 0) || ' tips and ' || coalesce(t.tokens, 0) || ' tokens are kept, '
        || coalesce(s.tips, 0) || ' and ' || coalesce(s.tokens, 0) || ' are sealed'
    from ledger.tip_totals t
    full join (
      select performer_id, sum(tips)::bigint as tips, sum(tokens)::bigint as tokens
        from (
          select performer_id, tips, tokens from ledger.audit_performers where audit_id = p_audit
          union all
          select performer_id, 1, amount_tokens
            from ledger.tips_at((select position from audit), 9223372036854775807)
        ) x
        group by performer_id
    ) s on s.performer_id = t.performer_id
    where (t.tips, t.tokens) is distinct from (s.tips, s.tokens)
$$;
