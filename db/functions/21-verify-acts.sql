-- What must be true of single acts, and of their places in the chain: asked for so many at a time.

-- The entries of an act, with whose they are.
create or replace function ledger.lines_of(p_act uuid)
returns table (class text, owner_id uuid, amount bigint, account_id uuid, lot_id uuid)
language sql stable
as $$
  select a.class, a.owner_id, e.amount, e.account_id, e.lot_id
    from ledger.entries e join ledger.accounts a on a.id = e.account_id
    where e.journal_id = p_act
$$;

create or replace function ledger.verify_acts(p_acts uuid[])
returns table (invariant text, subject text, detail text)
language sql stable set enable_seqscan = off
as $$
  with acts as materialized (
    select j.* from unnest(p_acts) n (id), lateral (select * from ledger.journal where id = n.id offset 0) j
  ), lines as materialized (
    select j.kind, e.*, a.class, a.owner_id, a.currency as account_currency, c.adjustable
      from acts j
      cross join lateral (select * from ledger.entries where journal_id = j.id offset 0) e
      left join lateral (select * from ledger.accounts where id = e.account_id offset 0) a on true
      left join ledger.account_classes c on c.class = a.class
  ), sums as materialized (
    select journal_id,
        -sum(amount) filter (where class = 'tokens_outstanding') as tokens,
        -sum(amount) filter (where class = 'performer_pending') as earned,
        -coalesce(sum(amount) filter (where class = 'platform_revenue'), 0) as fee,
        max(owner_id::text) filter (where class = 'performer_pending') as performer,
        min(owner_id::text) filter (where class in ('viewer_tokens', 'viewer_promo')) as viewer,
        max(owner_id::text) filter (where class in ('viewer_tokens', 'viewer_promo')) as other_viewer,
        coalesce(sum(amount) filter (where currency = 'TOKEN'), 0) as token_sum,
        coalesce(sum(amount) filter (where currency = 'INR'), 0) as inr_sum
      from lines group by journal_id
  ), tipped as materialized (
    select t.* from acts j, lateral (select * from ledger.tips where id = j.id offset 0) t
  )
  select 'every act sums to zero per currency', s.journal_id::text, x.currency || ': ' || x.sum
    from sums s, lateral (values ('TOKEN', s.token_sum), ('INR', s.inr_sum)) x (currency, sum)
    where x.sum <> 0
  union all
  select 'every act has entries', j.id::text, j.kind
    from acts j left join sums s on s.journal_id = j.id where s.journal_id is null
  union all
  select 'every entry is of an account in its own currency', l.journal_id::text, l.line::text
    from lines l where l.account_currency is distinct from l.currency
  union all
  select 'every tip moved what it says', t.id::text, t.amount_tokens || ' tokens'
    from tipped t left join sums s on s.journal_id = t.id
    where (s.tokens, s.earned, s.fee, s.performer) is distinct from
      (t.amount_tokens::numeric, t.earned_paise::numeric, t.fee_paise::numeric, t.performer_id::text)
  union all
  select 'every tip is its viewer''s', t.id::text, t.viewer_id::text
    from tipped t join sums s on s.journal_id = t.id
    where t.source = 'tip'
      and (s.viewer <> t.viewer_id::text or s.other_viewer <> t.viewer_id::text)
  union all
  select 'every act that pays a performer is a tip', j.id::text, j.idempotency_key
    from acts j
    where j.kind in ('tip', 'hold-captured', 'goal-settled')
      and (select true from ledger.tips t where t.id = j.id) is null
  union all
  select 'every tip in a room has its event', t.id::text, t.event_id::text
    from tipped t
    where t.source = 'tip' and (select type from events v where v.id = t.event_id) is distinct from 'tip.received'
  union all
  select 'every purchase has its captured payment', j.id::text, j.idempotency_key
    from acts j
    where j.kind = 'purchase'
      and (select state from payments p where p.journal_id = j.id) is distinct from 'captured'
  union all
  select 'a change by hand was made by two of the staff', j.id::text, j.idempotency_key
    from acts j
    where j.kind = 'adjustment' and not exists (
      select from ledger.adjustments a
        where a.journal_id = j.id and a.state = 'approved' and a.decided_by <> a.proposed_by)
  union all
  select 'a change by hand is of what may be changed by hand', l.journal_id::text, l.class
    from lines l where l.kind = 'adjustment' and not l.adjustable
  union all
  select 'an act that takes another back moves the opposite of it', j.id::text, j.kind
    from acts j
    where j.reverses is not null
      and ((select true from ledger.journal r where r.id = j.reverses) is null
        -- The others take back a part, or to another account.
        or (j.kind in ('hold-released', 'goal-refund', 'refund-rejected', 'dispute-released', 'payout-failed',
            'payout-rejected')
          and exists (select from ledger.entries e where e.journal_id in (j.id, j.reverses)
            group by e.account_id, e.lot_id having sum(e.amount) <> 0)))
  union all
  select 'a settlement is the sum of its lines', j.result->>'settlementId', s.amount_paise::text
    from acts j
    left join lateral (
      select * from settlements where gateway_settlement_id = j.result->>'settlementId' and journal_id = j.id offset 0
    ) s on true
    cross join lateral (
      select sum(credit_paise - debit_paise) as net, sum(fee_paise) as fee, sum(tax_paise) as tax
        from settlement_items where gateway_settlement_id = j.result->>'settlementId') i
    where j.kind = 'settlement'
      and ((s.amount_paise, s.fee_paise, s.tax_paise) is distinct from (i.net, i.fee, i.tax)
        or s.amount_paise <> (select coalesce(sum(amount), 0) from ledger.lines_of(j.id) where class = 'bank'))
$$;

-- For so long an act may wait for its place in the chain, and a place for a signature.
create or replace function ledger.sealing_lag_max() returns interval
language sql immutable parallel safe
as $$
  select interval '5 minutes'
$$;

create or replace function ledger.signing_lag_max() returns interval
language sql immutable parallel safe
as $$
  select interval '10 minutes'
$$;

-- Where the next places end that are looked at together: with a signed block within so many acts, else with any, else
-- with the next one. Null where nothing follows.
create or replace function ledger.place_behind(p_after bigint, p_acts integer) returns bigint
language sql stable set enable_seqscan = off
as $$
  select coalesce(
    (select b.last_position from ledger.blocks b
      where b.last_position > p_after and b.last_position <= p_after + p_acts
        and (select true from ledger.checkpoints c where c.block = b.number)
      order by b.last_position desc limit 1),
    (select max(last_position) from ledger.blocks
      where last_position > p_after and last_position <= p_after + p_acts),
    (select min(last_position) from ledger.blocks where last_position > p_after))
$$;

-- Places behind one and up to another, whole blocks: against the acts that were sealed, and signed in time.
create or replace function ledger.verify_places(p_after bigint, p_to bigint)
returns table (invariant text, subject text, detail text)
language sql stable set enable_seqscan = off
as $$
  with places as materialized (
    select * from ledger.sealed where position > p_after and position <= p_to order by position
  ), chain as materialized (
    select b.*, before.hash as hash_before, before.last_position as end_before, before.number as number_before
      from (select * from ledger.blocks where last_position > p_after and last_position <= p_to offset 0) b
      left join lateral (
        select * from ledger.blocks where last_position < b.last_position order by last_position desc limit 1
      ) before on true
  )
  select 'every act in the chain is unchanged', s.journal_id::text,
      case when (select true from ledger.journal where id = s.journal_id) then 'it differs from what was sealed'
        else 'it was removed' end
    from places s
    where ledger.hash_of(s.journal_id) is distinct from s.hash
  union all
  select 'positions in the chain have no gaps', x.position::text, 'behind ' || x.before
    from (select position, lag(position, 1, p_after) over (order by position) as before from places) x
    where x.position <> x.before + 1
  union all
  select 'every block follows the one before it', b.number::text, ''
    from chain b
    where b.previous_hash <> coalesce(b.hash_before, sha256(''))
      or b.first_position <> coalesce(b.end_before, 0) + 1
      or b.last_position < b.first_position
      or b.number <> coalesce(b.number_before, 0) + 1
  union all
  select 'every block has the hash of its acts in their order', b.number::text, ''
    from chain b
    left join (
      select c.number, string_agg(s.hash, '' order by s.position) as hashes
        from chain c, lateral (
          select * from ledger.sealed where position between c.first_position and c.last_position offset 0) s
        group by c.number
    ) h on h.number = b.number
    where b.hash is distinct from sha256(b.previous_hash || h.hashes)
  union all
  select 'every checkpoint is of its block', c.block::text, ''
    from chain b, lateral (select * from ledger.checkpoints where block = b.number offset 0) c
    where (c.hash, c.position) is distinct from (b.hash, b.last_position)
  union all
  -- Only what came without a signature counts, less the longest pause in it: a machine may have been off for a night.
  select 'the chain is signed as it grows', c.number::text, 'blocks came for ' || run.lasted || ' before it'
    from chain c
    cross join lateral (
      select coalesce((select block from ledger.checkpoints where block < c.number order by block desc limit 1), 0)
        as number
    ) signed
    cross join lateral (
      select max(b.sealed_at) - min(b.sealed_at) - coalesce(max(b.pause), interval '0') as lasted
        from (
          select sealed_at, sealed_at - lag(sealed_at) over (order by number) as pause
            from ledger.blocks where number > signed.number and number <= c.number
        ) b
    ) run
    where (select true from ledger.checkpoints k where k.block = c.number)
      and run.lasted > ledger.signing_lag_max()
$$;

-- Entries of acts at places behind one and up to another, and of those that have no place yet.
create or replace function ledger.entries_at(p_after bigint, p_to bigint) returns setof ledger.entries
language sql stable set enable_seqscan = off
as $$
  select e.* from ledger.sealed s, lateral (select * from ledger.entries where journal_id = s.journal_id offset 0) e
    where s.position > p_after and s.position <= p_to
$$;

create or replace function ledger.entries_unsealed() returns setof ledger.entries
language sql stable set enable_seqscan = off
as $$
  select e.* from ledger.unsealed() u, lateral (select * from ledger.entries where journal_id = u offset 0) e
$$;

create or replace function ledger.tips_at(p_after bigint, p_to bigint) returns setof ledger.tips
language sql stable set enable_seqscan = off
as $$
  select t.* from ledger.sealed s, lateral (select * from ledger.tips where id = s.journal_id offset 0) t
    where s.position > p_after and s.position <= p_to
$$;

create or replace function ledger.tips_unsealed() returns setof ledger.tips
language sql stable set enable_seqscan = off
as $$
  select t.* from ledger.unsealed() u, lateral (select * from ledger.tips where id = u offset 0) t
$$;
