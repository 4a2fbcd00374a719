-- Everything that must be true of the books.

-- What each act moved, by class.
create or replace view ledger.moved as
  select e.journal_id, a.class, a.owner_id, sum(e.amount)::bigint as amount
    from ledger.entries e join ledger.accounts a on a.id = e.account_id
    group by e.journal_id, a.class, a.owner_id;

-- One row for each thing that is not as it must be.
create or replace function ledger.verify() returns table (invariant text, subject text, detail text)
language sql stable security definer set search_path = public, pg_temp
as $$
  select 'every act sums to zero per currency', journal_id::text, currency || ': ' || sum(amount)
    from ledger.entries group by journal_id, currency having sum(amount) <> 0
  union all
  select 'every act has entries', j.id::text, j.kind
    from ledger.journal j
    where not exists (select from ledger.entries e where e.journal_id = j.id)
  union all
  select 'every entry is of an act', e.journal_id::text, e.line::text
    from ledger.entries e
    where not exists (select from ledger.journal j where j.id = e.journal_id)
  union all
  select 'every entry is of an account in its own currency', e.journal_id::text, e.line::text
    from ledger.entries e
    left join ledger.accounts a on a.id = e.account_id and a.currency = e.currency
    where a.id is null
  union all
  select 'every account is as its class says', a.id::text, a.class
    from ledger.accounts a join ledger.account_classes c on c.class = a.class
    where (a.currency, a.normal_side, a.guard, a.owner_id is not null)
      is distinct from (c.currency, c.normal_side, c.guard, c.owned)
  union all
  select 'every guarded balance equals its entries, and is not below zero', a.id::text,
      b.balance || ' is kept, ' || coalesce(s.total, 0) || ' is posted'
    from ledger.accounts a
    left join ledger.balances b on b.account_id = a.id
    left join (
      select e.account_id, sum(case x.normal_side when 'debit' then e.amount else -e.amount end) as total
        from ledger.entries e join ledger.accounts x on x.id = e.account_id
        group by e.account_id
    ) s on s.account_id = a.id
    where a.guard = 'balance' and (b.balance is distinct from coalesce(s.total, 0)::bigint or b.balance < 0)
  union all
  select 'every lot equals its entries, and is within what it held', l.id::text,
      l.tokens_left || ' tokens and ' || l.paise_left || ' paise are kept, '
        || coalesce(s.tokens, 0) || ' and ' || coalesce(s.paise, 0) || ' are posted'
    from ledger.lots l
    left join (
      select lot_id, -coalesce(sum(amount) filter (where currency = 'TOKEN'), 0) as tokens,
          -coalesce(sum(amount) filter (where currency = 'INR'), 0) as paise
        from ledger.entries where lot_id is not null group by lot_id
    ) s on s.lot_id = l.id
    where (l.tokens_left, l.paise_left) is distinct from (coalesce(s.tokens, 0), coalesce(s.paise, 0))
      or l.tokens_left not between 0 and l.tokens or l.paise_left not between 0 and l.net_paise
      or l.tokens_returned not between 0 and l.tokens or l.gst_left not between 0 and l.gst_paise
      or l.open <> (l.tokens_left > 0)
  union all
  select 'every wallet is the sum of its lots', a.owner_id::text, a.class || ': ' || coalesce(-e.amount, 0)
    from ledger.accounts a
    left join (select account_id, sum(amount) as amount from ledger.entries group by account_id) e
      on e.account_id = a.id
    left join (
      select account_id, sum(tokens_left) as amount from ledger.lots group by account_id
      union all
      select prepaid_account_id, sum(paise_left) from ledger.lots group by prepaid_account_id
    ) l on l.account_id = a.id
    where a.guard = 'lots' and coalesce(-e.amount, 0) <> coalesce(l.amount, 0)
  union all
  select 'what is reserved is what open reservations say', a.owner_id::text, a.class
    from ledger.accounts a
    left join (select account_id, -sum(amount) as amount from ledger.entries group by account_id) e
      on e.account_id = a.id
    left join (
      select account_id, sum(tokens) as amount from ledger.reservations where state = 'open' group by account_id
    ) r on r.account_id = a.id
    where a.class in ('viewer_held', 'goal_escrow', 'refunding', 'disputed')
      and coalesce(e.amount, 0) <> coalesce(r.amount, 0)
  union all
  select 'what reserved tokens were paid is what open reservations say', a.owner_id::text, e.amount::text
    from ledger.accounts a
    left join (select account_id, -sum(amount) as amount from ledger.entries group by account_id) e
      on e.account_id = a.id
    left join (
      select viewer_id, sum(net_paise) as amount from ledger.reservations where state = 'open' group by viewer_id
    ) r on r.viewer_id = a.owner_id
    where a.class = 'reserved_prepaid' and coalesce(e.amount, 0) <> coalesce(r.amount, 0)
  union all
  select 'every reservation is the sum of its lots', r.id::text, r.tokens || ' tokens'
    from ledger.reservations r
    left join (
      select reservation_id, sum(tokens) as tokens, sum(paise) as paise from ledger.reservation_lots group by 1
    ) l on l.reservation_id = r.id
    where (r.tokens, r.net_paise) is distinct from (l.tokens::bigint, l.paise::bigint)
  union all
  select 'every lot is of accounts of its owner', l.id::text, l.owner_id::text
    from ledger.lots l
    left join ledger.accounts t on t.id = l.account_id and t.owner_id = l.owner_id
      and t.class = case when l.net_paise = 0 then 'viewer_promo' else 'viewer_tokens' end
    left join ledger.accounts m on m.id = l.prepaid_account_id and m.owner_id = l.owner_id
      and m.class = 'viewer_prepaid'
    where t.id is null or m.id is null
  union all
  select 'tokens outstanding are the tokens that somebody has', 'TOKEN', sum(e.amount)::text
    from ledger.entries e where e.currency = 'TOKEN' having sum(e.amount) <> 0
  union all
  select 'every tip moved what it says', t.id::text, t.amount_tokens || ' tokens'
    from ledger.tips t
    left join (
      select journal_id,
          -sum(amount) filter (where class = 'tokens_outstanding') as tokens,
          -sum(amount) filter (where class = 'performer_pending') as earned,
          -coalesce(sum(amount) filter (where class = 'platform_revenue'), 0) as fee,
          max(owner_id::text) filter (where class = 'performer_pending') as performer
        from ledger.moved group by journal_id
    ) m on m.journal_id = t.id
    where (m.tokens, m.earned, m.fee, m.performer) is distinct from
      (t.amount_tokens::numeric, t.earned_paise::numeric, t.fee_paise::numeric, t.performer_id::text)
  union all
  select 'every tip is its viewer''s', t.id::text, t.viewer_id::text
    from ledger.tips t
    where t.source = 'tip' and exists (
      select from ledger.moved m
        where m.journal_id = t.id and m.class in ('viewer_tokens', 'viewer_promo')
          and m.owner_id is distinct from t.viewer_id)
  union all
  select 'every act that pays a performer is a tip', j.id::text, j.idempotency_key
    from ledger.journal j
    where j.kind in ('tip', 'hold-captured', 'goal-settled')
      and not exists (select from ledger.tips t where t.id = j.id)
  union all
  select 'every tip is an act', t.id::text, t.source
    from ledger.tips t
    where not exists (select from ledger.journal j
      where j.id = t.id and j.kind = case t.source
        when 'tip' then 'tip' when 'hold' then 'hold-captured' else 'goal-settled' end)
  union all
  select 'every tip in a room has its event', t.id::text, t.event_id::text
    from ledger.tips t
    where t.source = 'tip'
      and not exists (select from events v where v.id = t.event_id and v.type = 'tip.received')
  union all
  select 'every captured payment is credited once', p.gateway_payment_id, count(j.id)::text
    from payments p
    left join ledger.journal j on j.id = p.journal_id
      and j.idempotency_key = 'purchase:' || p.gateway_payment_id
    where p.state = 'captured'
    group by p.gateway_payment_id having count(j.id) <> 1
  union all
  select 'every purchase has its captured payment', j.id::text, j.idempotency_key
    from ledger.journal j
    where j.kind = 'purchase'
      and not exists (select from payments p where p.journal_id = j.id and p.state = 'captured')
  union all
  select 'every paid order has a captured payment', o.id::text, o.state
    from orders o
    where (o.state = 'paid')
      <> exists (select from payments p where p.order_id = o.id and p.state = 'captured')
  union all
  select 'every order is at the price of its package', o.id::text, o.amount_paise || ' paise'
    from orders o join packages k on k.id = o.package_id
    where (o.tokens, o.amount_paise, o.gst_paise) is distinct from (k.tokens, k.price_paise, k.gst_paise)
  union all
  select 'every purchase moved what was ordered', p.gateway_payment_id, o.tokens || ' tokens'
    from payments p
    join orders o on o.id = p.order_id
    left join (
      select journal_id,
          -sum(amount) filter (where class = 'viewer_tokens') as tokens,
          sum(amount) filter (where class = 'gateway_clearing') as paid,
          -coalesce(sum(amount) filter (where class = 'gst_payable'), 0) as gst,
          max(owner_id::text) filter (where class = 'viewer_tokens') as viewer
        from ledger.moved group by journal_id
    ) m on m.journal_id = p.journal_id
    where p.state = 'captured' and (m.tokens, m.paid, m.gst, m.viewer) is distinct from
      (o.tokens::numeric, o.amount_paise::numeric, o.gst_paise::numeric, o.user_id::text)
  union all
  select 'every token that was paid for was paid no less than it pays out', l.id::text,
      l.tokens_left || ' tokens, ' || l.paise_left || ' paise'
    from ledger.lots l
    where l.net_paise > 0
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
  select 'tokens of a lot are returned by refunds and lost disputes alone', l.id::text,
      l.tokens_returned || ' tokens'
    from ledger.lots l
    join payments p on p.journal_id = l.id
    where l.tokens_returned <> (
        select coalesce(sum(r.tokens), 0) from refunds r
          where r.gateway_payment_id = p.gateway_payment_id and r.state not in ('rejected', 'failed'))
      + (select coalesce(sum(v.tokens), 0) from disputes d
          join ledger.reservations v on v.id = d.reservation_id
          where d.gateway_payment_id = p.gateway_payment_id and d.state = 'lost')
  union all
  select 'tax that is owed is that of lots and of refunds that wait', 'INR', b.amount::text
    from (
      select coalesce(-sum(m.amount), 0) as amount
        from ledger.moved m join ledger.journal j on j.id = m.journal_id
        where m.class = 'gst_payable' and j.kind <> 'adjustment'
    ) b
    where b.amount <> (select coalesce(sum(gst_left), 0) from ledger.lots)
      + (select coalesce(sum(gst_paise), 0) from refunds where state = 'requested')
  union all
  select 'tokens wait for a refund while it waits, and no longer', r.id::text, r.state
    from refunds r
    where r.reservation_id is not null and (r.state = 'requested') <> exists (
      select from ledger.reservations v where v.id = r.reservation_id and v.state = 'open')
  union all
  select 'tokens wait for a dispute while it is open, and no longer', d.gateway_dispute_id, d.state
    from disputes d
    where d.reservation_id is not null and (d.closed_at is null) <> exists (
      select from ledger.reservations v where v.id = d.reservation_id and v.state = 'open')
  union all
  select 'a lost dispute is recovered or lost to the paisa', d.gateway_dispute_id,
      d.recovered_paise || ' and ' || d.lost_paise || ' of ' || d.amount_paise
    from disputes d
    where (d.state = 'lost' and d.recovered_paise + d.lost_paise <> d.amount_paise)
      or (d.state <> 'lost' and (d.recovered_paise, d.lost_paise) <> (0, 0))
  union all
  select 'a payment is refunded as far as its refunds say', p.gateway_payment_id, p.refunded_paise::text
    from payments p
    where p.refunded_paise <> least(p.amount_paise, (
      select coalesce(sum(r.net_paise + r.gst_paise), 0) from refunds r
        where r.gateway_payment_id = p.gateway_payment_id and r.journal_id is not null and r.state <> 'failed'))
  union all
  select 'money on its way back is that of sent refunds', 'INR', b.amount::text
    from (select coalesce(-sum(amount), 0) as amount from ledger.moved where class = 'refunds') b
    where b.amount <> (
      select coalesce(sum(net_paise + gst_paise), 0) from refunds where state in ('approved', 'sent'))
  union all
  select 'money in dispute is that of open disputes', 'INR', b.amount::text
    from (select coalesce(sum(amount), 0) as amount from ledger.moved where class = 'disputes') b
    where b.amount <> (select coalesce(sum(amount_paise), 0) from disputes where closed_at is null)
  union all
  select 'held earnings are those of open disputes', a.owner_id::text, b.balance::text
    from ledger.accounts a
    join ledger.balances b on b.account_id = a.id
    where a.class = 'performer_held' and b.balance <> (
      select coalesce(sum(e.paise), 0) from disputed_earnings e
        join disputes d on d.gateway_dispute_id = e.gateway_dispute_id and d.closed_at is null
        where e.performer_id = a.owner_id)
  union all
  select 'a performer''s pending earnings are those of tips that wait', a.owner_id::text, ledger_balance.amount::text
    from ledger.accounts a
    join (select account_id, -sum(amount) as amount from ledger.entries group by account_id) ledger_balance
      on ledger_balance.account_id = a.id
    where a.class = 'performer_pending' and ledger_balance.amount <> (
      select coalesce(sum(t.earned_paise - coalesce(d.paise, 0)), 0)
        from ledger.tips t
        left join ledger.sealed s on s.journal_id = t.id
        left join (select tip_id, sum(paise) as paise from disputed_earnings group by tip_id) d on d.tip_id = t.id
        where t.performer_id = a.owner_id
          and coalesce(s.position, 9223372036854775807) > (select released_through from ledger.sealer))
  union all
  select 'performers are owed what they earned, less what was paid, lost, and changed by hand', o.owner_id::text,
      o.amount::text
    from (
      select a.owner_id, -sum(e.amount) as amount
        from ledger.entries e
        join ledger.accounts a on a.id = e.account_id
        join ledger.journal j on j.id = e.journal_id and j.kind <> 'adjustment'
        where a.class in ('performer_pending', 'performer_available', 'performer_held', 'payout_pending')
        group by a.owner_id
    ) o
    where o.amount <> (select coalesce(sum(earned_paise), 0) from ledger.tips where performer_id = o.owner_id)
      - (select coalesce(sum(amount_paise), 0) from payouts where performer_id = o.owner_id and state = 'paid')
      - (select coalesce(sum(e.paise), 0) from disputed_earnings e
          join disputes d on d.gateway_dispute_id = e.gateway_dispute_id and d.state = 'lost'
          where e.performer_id = o.owner_id)
  union all
  select 'money asked for is that of open payouts', a.owner_id::text, b.balance::text
    from ledger.accounts a
    join ledger.balances b on b.account_id = a.id
    where a.class = 'payout_pending' and b.balance <> (
      select coalesce(sum(amount_paise), 0) from payouts
        where performer_id = a.owner_id and state in ('requested', 'approved', 'sending'))
  union all
  select 'every payout that was paid is booked as its state says', p.id::text, p.state
    from payouts p
    where (p.state in ('paid', 'reversed'))
        <> exists (select from ledger.journal j where j.idempotency_key = 'payout-paid:' || p.id)
      or (p.state = 'reversed')
        <> exists (select from ledger.journal j where j.idempotency_key = 'payout-reversed:' || p.id)
  union all
  select 'tax is kept back as payouts say', 'INR', b.amount::text
    from (
      select coalesce(-sum(m.amount), 0) as amount
        from ledger.moved m join ledger.journal j on j.id = m.journal_id
        where m.class = 'tds_payable' and j.kind in ('payout-paid', 'payout-reversed')
    ) b
    where b.amount <> (select coalesce(sum(tds_paise), 0) from payouts where state = 'paid')
  union all
  select 'what the gateway owes is explained', 'INR', (c->>'balancePaise')
    from ledger.clearing_explained() c
    where (c->>'balancePaise')::bigint <> (c->>'unsettledPaymentsPaise')::bigint
        - (c->>'unsettledRefundsPaise')::bigint + (c->>'unsettledDisputesPaise')::bigint
        + (c->>'adjustedPaise')::bigint
  union all
  select 'a change by hand was made by two of the staff', j.id::text, j.idempotency_key
    from ledger.journal j
    where j.kind = 'adjustment' and not exists (
      select from ledger.adjustments a
        where a.journal_id = j.id and a.state = 'approved' and a.decided_by <> a.proposed_by)
  union all
  select 'a change by hand is of what may be changed by hand', j.id::text, m.class
    from ledger.journal j
    join ledger.moved m on m.journal_id = j.id
    join ledger.account_classes c on c.class = m.class
    where j.kind = 'adjustment' and not c.adjustable
  union all
  select 'an act that takes another back moves the opposite of it', j.id::text, j.kind
    from ledger.journal j
    where j.reverses is not null
      and (not exists (select from ledger.journal r where r.id = j.reverses)
        -- The others take back a part, or to another account.
        or (j.kind in ('hold-released', 'goal-refund', 'refund-rejected', 'dispute-released', 'payout-failed',
            'payout-rejected')
          and exists (select from ledger.entries e where e.journal_id in (j.id, j.reverses)
            group by e.account_id, e.lot_id having sum(e.amount) <> 0)))
  union all
  select 'a settlement is the sum of its lines', s.gateway_settlement_id, s.amount_paise::text
    from settlements s
    left join (
      select gateway_settlement_id, sum(credit_paise - debit_paise) as net, sum(fee_paise) as fee,
          sum(tax_paise) as tax
        from settlement_items group by 1
    ) i on i.gateway_settlement_id = s.gateway_settlement_id
    where (s.amount_paise, s.fee_paise, s.tax_paise) is distinct from (i.net, i.fee, i.tax)
      or s.amount_paise <> coalesce((select sum(amount) from ledger.moved
        where journal_id = s.journal_id and class = 'bank'), 0)
  union all
  select 'numbers of invoices have no gaps', series, 'from 1 to ' || max(serial) || ', but ' || count(*)
    from invoices group by series having max(serial) <> count(*) or min(serial) <> 1
  union all
  select 'dates of invoices follow their numbers', x.number, instant(x.issued_at)
    from (select number, issued_at, lag(issued_at) over (partition by series order by serial) as before
      from invoices) x
    where x.issued_at < x.before
  union all
  select 'an invoice is for what was paid, a credit note for what was given back', i.number,
      i.net_paise || ' and ' || i.gst_paise || ' paise'
    from invoices i
    left join payments p on p.invoice_number = i.number and i.kind = 'invoice'
    left join orders o on o.id = p.order_id
    left join refunds r on r.credit_note_number = i.number and i.kind = 'credit-note'
    where (i.net_paise, i.gst_paise) is distinct from
      (coalesce(o.amount_paise - o.gst_paise, r.net_paise), coalesce(o.gst_paise, r.gst_paise))
  union all
  select * from ledger.verify_chain()
$$;

-- The chain against the books that it seals.
create or replace function ledger.verify_chain() returns table (invariant text, subject text, detail text)
language sql stable
as $$
  select 'every act in the chain is unchanged', s.journal_id::text,
      case when j.id is null then 'it was removed' else 'it differs from what was sealed' end
    from ledger.sealed s left join ledger.journal j on j.id = s.journal_id
    where ledger.hash_of(s.journal_id) is distinct from s.hash
  union all
  select 'positions in the chain have no gaps', x.position::text, 'behind ' || x.before
    from (select position, lag(position, 1, 0::bigint) over (order by position) as before from ledger.sealed) x
    where x.position <> x.before + 1
  union all
  select 'every block follows the one before it', b.number::text, ''
    from (
      select b.*, lag(hash, 1, sha256('')) over w as hash_before, lag(last_position, 1, 0::bigint) over w as end_before,
          lag(number, 1, 0::bigint) over w as number_before
        from ledger.blocks b window w as (order by number)
    ) b
    where b.previous_hash <> b.hash_before or b.first_position <> b.end_before + 1
      or b.last_position < b.first_position or b.number <> b.number_before + 1
  union all
  select 'every block has the hash of its acts in their order', b.number::text, ''
    from ledger.blocks b
    where b.hash is distinct from (
      select sha256(b.previous_hash || string_agg(s.hash, '' order by s.position))
        from ledger.sealed s where s.position between b.first_position and b.last_position)
  union all
  select 'every place in the chain is in a block', s.position::text, s.journal_id::text
    from ledger.sealed s
    where s.position > (select coalesce(max(last_position), 0) from ledger.blocks)
  union all
  select 'every act is in the chain soon', j.id::text, j.kind
    from ledger.journal j
    where j.created_at < now() - interval '5 minutes'
      and exists (select from ledger.blocks where sealed_at > j.created_at + interval '5 minutes')
      and not exists (select from ledger.sealed s where s.journal_id = j.id)
  union all
  select 'folded totals equal the sealed entries', coalesce(t.account_id, e.account_id)::text,
      coalesce(t.debit, 0) || '/' || coalesce(t.credit, 0) || ' is kept, '
        || coalesce(e.debit, 0) || '/' || coalesce(e.credit, 0) || ' is sealed'
    from ledger.totals t
    full join (
      select e.account_id, coalesce(sum(e.amount) filter (where e.amount > 0), 0) as debit,
          coalesce(-sum(e.amount) filter (where e.amount < 0), 0) as credit
        from ledger.sealed s join ledger.entries e on e.journal_id = s.journal_id
        group by e.account_id
    ) e on e.account_id = t.account_id
    where (t.debit, t.credit) is distinct from (e.debit::bigint, e.credit::bigint)
  union all
  select 'folded counts of tips equal the sealed ones', coalesce(t.performer_id, s.performer_id)::text,
      coalesce(t.tips, 0) || ' tips and ' || coalesce(t.tokens, 0) || ' tokens are kept, '
        || coalesce(s.tips, 0) || ' and ' || coalesce(s.tokens, 0) || ' are sealed'
    from ledger.tip_totals t
    full join (
      select p.performer_id, count(*) as tips, sum(p.amount_tokens)::bigint as tokens
        from ledger.sealed s join ledger.tips p on p.id = s.journal_id
        group by p.performer_id
    ) s on s.performer_id = t.performer_id
    where (t.tips, t.tokens) is distinct from (s.tips, s.tokens)
  union all
  select 'the newest checkpoint says what the books said then', c.block::text, x.account_class
    from (select * from ledger.checkpoints order by block desc limit 1) c,
      lateral (
        select coalesce(k.class, b.key) as account_class, b.value,
            jsonb_build_array(k.debit, k.credit) as sealed
          from (
            select a.class, coalesce(sum(e.amount) filter (where e.amount > 0), 0) as debit,
                coalesce(-sum(e.amount) filter (where e.amount < 0), 0) as credit
              from ledger.sealed s
              join ledger.entries e on e.journal_id = s.journal_id
              join ledger.accounts a on a.id = e.account_id
              where s.position <= c.position
              group by a.class) k
          full join jsonb_each(c.trial_balance) b on b.key = k.class) x
    where x.value is distinct from x.sealed
  union all
  select 'every checkpoint is of its block', c.block::text, ''
    from ledger.checkpoints c left join ledger.blocks b on b.number = c.block
    where (c.hash, c.position) is distinct from (b.hash, b.last_position)
$$;

-- Nobody may buy tokens, tip an accomplice and cash out at a profit: holds for every package that was ever on
-- offer (its tokens may still be unspent) and every fee policy that is or will be in force.
create or replace function ledger.check_no_arbitrage() returns trigger
language plpgsql
as $$
begin
  -- Packages and policies are changed by few and seldom; a lock makes two such changes wait for each other.
  perform pg_advisory_xact_lock(hashtext('ledger.check_no_arbitrage'));
  if exists (
    select from packages k, ledger.fee_policies f
      where f.version >= coalesce(
          (select max(version) from ledger.fee_policies where valid_from <= now()), 0)
        and f.payout_paise_per_token * k.tokens >= k.price_paise - k.gst_paise
  ) then
    raise exception 'a token must pay out less than its cheapest net price'
      using errcode = 'check_violation', constraint = 'no_arbitrage';
  end if;
  return null;
end
$$;
