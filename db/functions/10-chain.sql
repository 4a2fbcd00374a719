-- The chain: behind the commit, every journal row gets its place in a hash chain, so that a changed, removed or
-- reordered entry can be found. No act waits for it.

-- SHA-256 over an act and its entries, in one order and one spelling.
create or replace function ledger.hash_of(p_journal uuid) returns bytea
language sql stable
as $$
  select sha256(convert_to(jsonb_build_array(
      j.id, j.kind, j.idempotency_key, j.fingerprint, j.result, j.reverses, instant_exact(j.created_at),
      (select jsonb_agg(jsonb_build_array(e.line, e.account_id, e.currency, e.amount, e.lot_id) order by e.line)
        from ledger.entries e where e.journal_id = j.id))::text, 'UTF8'))
    from ledger.journal j where j.id = p_journal
$$;

-- Whether the books were restored into another cluster, whose transaction ids are not those of the journal: the
-- sealer's place, or an act that is not in the chain, is ahead of every transaction that can have ended here.
create or replace function ledger.is_restored() returns boolean
language sql stable
as $$
  select s.horizon > pg_snapshot_xmin(pg_current_snapshot()) or exists (
      select from (select id, transaction from ledger.journal order by transaction desc limit 1) j
        where j.transaction >= pg_snapshot_xmax(pg_current_snapshot())
          and j.transaction is distinct from pg_current_xact_id_if_assigned()
          and not exists (select from ledger.sealed where journal_id = j.id))
    from ledger.sealer s
$$;

-- Acts that are not in the chain yet: those behind the sealer's place; after a restore all have to be looked at.
-- Look-ups by index on purpose, here and below ("offset 0" keeps them where they stand): what was sealed before
-- is never read, however much it is, also by a plan that was made when it was little.
create or replace function ledger.unsealed() returns setof uuid
language sql stable
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  select j.id from ledger.journal j
    where j.transaction >= (
        select case when ledger.is_restored() then '0'::xid8 else s.horizon end from ledger.sealer s)
      and (select s.position from ledger.sealed s where s.journal_id = j.id) is null
$$;

-- Seals what was committed since the last round, at most so many acts. Answers how many, and whether there are more.
-- Transactions are taken in their order of ids below the oldest that still runs, so that none is left out
-- however late it commits.
create or replace function ledger.seal(p_limit integer default 20000) returns jsonb
language plpgsql security definer set search_path = public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
declare
  v_from xid8;
  v_below xid8;
  v_oldest xid8;
  v_last ledger.blocks;
  v_sealed bigint;
  v_restored boolean;
  v_horizon xid8;
  v_hash bytea;
  v_oldest_at timestamptz;
begin
  -- What runs is looked at behind the lock: the sealer before this one may have come further.
  select horizon into strict v_from from ledger.sealer for no key update;
  v_oldest := pg_snapshot_xmin(pg_current_snapshot());
  v_below := v_oldest;
  -- Books that were restored into another cluster bring transaction ids of theirs: whatever is not in the
  -- chain is looked for once, and from there on the ids are ours.
  v_restored := ledger.is_restored();
  if v_restored then
    v_from := '0';
    v_below := '18446744073709551615';
  end if;
  select * into v_last from ledger.blocks order by number desc limit 1;
  v_last.number := coalesce(v_last.number, 0);
  v_last.last_position := coalesce(v_last.last_position, 0);
  v_last.hash := coalesce(v_last.hash, sha256(''));

  with due as materialized (
    select v_last.last_position + row_number() over (order by j.transaction, j.id) as position, j.id,
        j.transaction, j.created_at, ledger.hash_of(j.id) as hash
      from (
        select id, transaction, created_at from ledger.journal j
          where j.transaction >= v_from and j.transaction < v_below
            and (select s.position from ledger.sealed s where s.journal_id = j.id) is null
          order by j.transaction, j.id limit p_limit) j
  ), placed as (
    insert into ledger.sealed (position, journal_id, hash) select position, id, hash from due
  ), folded as (
    insert into ledger.totals as t (account_id, debit, credit, block)
      select e.account_id, coalesce(sum(e.amount) filter (where e.amount > 0), 0),
          coalesce(-sum(e.amount) filter (where e.amount < 0), 0), v_last.number + 1
        from due d, lateral (select * from ledger.entries where journal_id = d.id offset 0) e
        group by e.account_id
      on conflict (account_id) do update set
        debit = t.debit + excluded.debit, credit = t.credit + excluded.credit, block = excluded.block
  ), counted as (
    insert into ledger.tip_totals as t (performer_id, tips, tokens)
      select p.performer_id, count(*), sum(p.amount_tokens)
        from due d, lateral (select * from ledger.tips where id = d.id offset 0) p
        group by p.performer_id
      on conflict (performer_id) do update set
        tips = t.tips + excluded.tips, tokens = t.tokens + excluded.tokens
  )
  select count(*), max(transaction), sha256(v_last.hash || string_agg(hash, '' order by position)), min(created_at)
    into v_sealed, v_horizon, v_hash, v_oldest_at from due;
  -- A round that was cut short goes on from the transaction in which it stopped; after a restore from the
  -- beginning, until nothing is left.
  if v_sealed < p_limit then
    v_horizon := v_oldest;
  elsif v_restored then
    v_horizon := null;
  end if;
  -- With nothing to seal the place stays: there is nothing behind it that would be looked at again.
  if v_sealed > 0 or v_restored then
    update ledger.sealer set horizon = v_horizon where horizon <> v_horizon;
  end if;
  if v_sealed > 0 then
    insert into ledger.blocks (number, first_position, last_position, previous_hash, hash, sealed_at, oldest_at)
      values (v_last.number + 1, v_last.last_position + 1, v_last.last_position + v_sealed, v_last.hash, v_hash,
        clock_timestamp(), v_oldest_at);
  end if;
  return jsonb_build_object('sealed', v_sealed, 'more', v_sealed = p_limit);
end
$$;

-- A moment with all its digits.
create or replace function instant_exact(p_at timestamptz) returns text
language sql stable
as $$
  select to_char(p_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;

-- What a checkpoint signs: the end of the chain, and the trial balance at that block. Null when nothing has been
-- sealed since the last one.
create or replace function ledger.checkpoint_due() returns jsonb
language sql stable security definer set search_path = public, pg_temp
as $$
  select jsonb_build_object(
      'block', b.number, 'position', b.last_position, 'hash', encode(b.hash, 'hex'),
      'trialBalance', (
        select jsonb_object_agg(x.class, jsonb_build_array(x.debit, x.credit)) from (
          select a.class, sum(t.debit) as debit, sum(t.credit) as credit
            from ledger.totals t join ledger.accounts a on a.id = t.account_id
            group by a.class) x))
    from (select * from ledger.blocks order by number desc limit 1) b
    where not exists (select from ledger.checkpoints c where c.block = b.number)
$$;

-- Keeps a signed checkpoint; the first one of a block stays.
create or replace function ledger.checkpoint_signed(p_checkpoint jsonb, p_signature text, p_key_id text)
returns void
language sql security definer set search_path = public, pg_temp
as $$
  insert into ledger.checkpoints (block, position, hash, trial_balance, signature, key_id)
    values ((p_checkpoint->>'block')::bigint, (p_checkpoint->>'position')::bigint,
      decode(p_checkpoint->>'hash', 'hex'), p_checkpoint->'trialBalance', p_signature, p_key_id)
    on conflict (block) do nothing
$$;

-- How long the oldest act has waited for its place in the chain, and the oldest block for a signature; null where
-- nothing waits. Late ones were left behind, or held back by a transaction that does not end, in whichever database
-- of the server.
create or replace function ledger.chain_lag() returns jsonb
language sql stable security definer set search_path = public, pg_temp
set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off
as $$
  select jsonb_build_object(
      'unsealedSeconds', ceil(extract(epoch from unsealed.age)),
      'unsignedSeconds', ceil(extract(epoch from unsigned.age)),
      'isLate', coalesce(unsealed.age > ledger.sealing_lag_max(), false)
        or coalesce(unsigned.age > ledger.signing_lag_max(), false))
    from (
      -- In the order in which they are sealed. After a restore the newest stands for all, until the sealer has come.
      select clock_timestamp() - (
        select j.created_at from ledger.journal j
          where j.transaction >= (
              select case when ledger.is_restored()
                  then (select transaction from ledger.journal order by transaction desc limit 1)
                  else s.horizon end from ledger.sealer s)
            and (select s.position from ledger.sealed s where s.journal_id = j.id) is null
          order by j.transaction limit 1) as age
    ) unsealed, (
      select clock_timestamp() - (
        select b.sealed_at from ledger.blocks b
          where b.number > coalesce((select max(block) from ledger.checkpoints), 0)
          order by b.number limit 1) as age
    ) unsigned
$$;

-- Debits and credits of each class: what is folded, and what has come since.
create or replace function ledger.trial_balance()
returns table (account_class text, currency text, debit bigint, credit bigint)
language sql stable security definer set search_path = public, pg_temp
as $$
  with tail as (
    select e.account_id, coalesce(sum(e.amount) filter (where e.amount > 0), 0) as debit,
        coalesce(-sum(e.amount) filter (where e.amount < 0), 0) as credit
      from ledger.unsealed() u, lateral (select * from ledger.entries where journal_id = u offset 0) e
      group by e.account_id
  ), both_parts as (
    select account_id, debit, credit from ledger.totals
    union all select account_id, debit, credit from tail
  )
  select c.class, c.currency, coalesce(sum(b.debit), 0)::bigint, coalesce(sum(b.credit), 0)::bigint
    from ledger.account_classes c
    left join ledger.accounts a on a.class = c.class
    left join both_parts b on b.account_id = a.id
    group by c.class, c.currency
    order by c.currency, c.class
$$;

-- What the accounts of an owner hold now, each on its normal side, by class: what is folded, and what has come
-- since.
create or replace function ledger.balances_now(p_owner uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  with own as materialized (
    select a.id, a.class, a.normal_side
      from ledger.account_classes c
      join ledger.accounts a on a.class = c.class and a.owner_id = p_owner
  ), tail as (
    select e.account_id, sum(e.amount) as amount
      from ledger.unsealed() u, lateral (select * from ledger.entries where journal_id = u offset 0) e
      where e.account_id in (select id from own)
      group by e.account_id
  )
  select coalesce(jsonb_object_agg(o.class,
      (case o.normal_side when 'debit' then 1 else -1 end)
        * (coalesce(t.debit - t.credit, 0) + coalesce(l.amount, 0))), '{}')
    from own o
    left join ledger.totals t on t.account_id = o.id
    left join tail l on l.account_id = o.id
$$;

-- The balance of one account now, on its normal side.
create or replace function ledger.balance_now(p_class text, p_owner uuid default null) returns bigint
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select coalesce(sum(case a.normal_side when 'debit' then x.amount else -x.amount end), 0)::bigint
    from ledger.accounts a,
      lateral (
        select t.debit - t.credit as amount from ledger.totals t where t.account_id = a.id
        union all
        select e.amount from ledger.unsealed() u,
          lateral (select * from ledger.entries where journal_id = u and account_id = a.id offset 0) e) x
    where a.id = ledger.known_account(p_class, p_owner)
$$;

-- How many tips a performer was sent, and how many tokens: what is folded, and what has come since.
create or replace function ledger.tips_received(p_performer uuid) returns jsonb
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select jsonb_build_object('tips', coalesce(sum(x.tips), 0), 'tokens', coalesce(sum(x.tokens), 0)) from (
    select tips, tokens from ledger.tip_totals where performer_id = p_performer
    union all
    select 1, t.amount_tokens from ledger.unsealed() u,
      lateral (select * from ledger.tips where id = u and performer_id = p_performer offset 0) t) x
$$;
