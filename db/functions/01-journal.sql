-- The journal: what holds for every entry whoever writes it, and how an act is recorded once.
-- Debits are positive, credits negative; every act sums to zero in each currency.
--
-- Every act, here and in the other files, runs with `enable_seqscan = off`: a session keeps the plans that it
-- made first, and one that was made while a table was a page or two would read it as a whole for ever after.

create or replace function ledger.forbid_change() returns trigger
language plpgsql
as $$
begin
  raise exception '% is append-only: correct it with a reversal', tg_table_name
    using errcode = 'restrict_violation';
end
$$;

-- Holds for every INSERT: the entries of an act come in one statement (each act has a line 1, which a second
-- statement would need again) and sum to zero per currency, act and accounts exist, and guarded balances
-- and lots move with the entries.
--
-- The entries of an act stand together, line 1 first, and so do those of a lot within it: nothing is sorted here.
-- Few and small statements on purpose: each takes its time to start, and so does every expression that a transaction
-- evaluates for the first time. `offset 0` keeps the look for the account a look by its key for each entry, whatever
-- the planner thinks of the size of the tables.
create or replace function ledger.check_and_apply_entries() returns trigger
language plpgsql
as $$
declare
  n record;
  v_act uuid;
  v_tokens bigint := 0;
  v_paise bigint := 0;
  v_lot uuid;
  v_lot_tokens bigint;
  v_lot_paise bigint;
  v_tokens_account uuid;
  v_paise_account uuid;
begin
  for n in
    select e.journal_id, e.line, e.account_id, e.currency, e.amount, e.lot_id,
        a.currency as account_currency, a.guard, a.normal_side
      from new_entries e
      left join lateral (
        select currency, guard, normal_side from ledger.accounts where id = e.account_id offset 0) a on true
  loop
    if n.journal_id is distinct from v_act then
      if v_tokens <> 0 or v_paise <> 0 then
        raise exception 'the entries of act % do not sum to zero', v_act using errcode = 'check_violation';
      end if;
      if n.line <> 1 or not exists (select from ledger.journal where id = n.journal_id) then
        raise exception 'entries come behind the journal row of their act, and all at once'
          using errcode = 'check_violation';
      end if;
      v_act := n.journal_id;
    end if;
    if n.account_currency is distinct from n.currency or n.amount = 0 then
      raise exception 'entry of nothing, of an unknown account, or in a foreign currency'
        using errcode = 'check_violation';
    end if;
    if (n.guard = 'lots') <> (n.lot_id is not null) then
      raise exception 'entries name a lot where their account is kept by lots, and nowhere else'
        using errcode = 'check_violation';
    end if;

    -- Tokens and money of a lot move in one update, since neither may be left alone.
    if n.lot_id is distinct from v_lot then
      if v_lot is not null
        and not ledger.move_lot(v_lot, v_lot_tokens, v_lot_paise, v_tokens_account, v_paise_account)
      then
        raise exception 'an entry names a lot of another account, or leaves money in it without tokens'
          using errcode = 'check_violation';
      end if;
      v_lot := n.lot_id;
      v_lot_tokens := 0;
      v_lot_paise := 0;
      v_tokens_account := null;
      v_paise_account := null;
    end if;
    if n.currency = 'TOKEN' then
      v_tokens := v_tokens + n.amount;
      v_lot_tokens := v_lot_tokens + n.amount;
      v_tokens_account := n.account_id;
    else
      v_paise := v_paise + n.amount;
      v_lot_paise := v_lot_paise + n.amount;
      v_paise_account := n.account_id;
    end if;
    if n.guard = 'balance' then
      update ledger.balances
        set balance = balance + case n.normal_side when 'debit' then n.amount else -n.amount end
        where account_id = n.account_id;
    end if;
  end loop;
  if v_lot is not null
    and not ledger.move_lot(v_lot, v_lot_tokens, v_lot_paise, v_tokens_account, v_paise_account)
  then
    raise exception 'an entry names a lot of another account, or leaves money in it without tokens'
      using errcode = 'check_violation';
  end if;
  if v_tokens <> 0 or v_paise <> 0 then
    raise exception 'the entries of act % do not sum to zero', v_act using errcode = 'check_violation';
  end if;
  return null;
end
$$;

-- Takes tokens and money out of a lot, or puts them back. False when the accounts that they are posted to are not
-- the lot's own, or money would stay without tokens.
create or replace function ledger.move_lot(
  p_lot uuid, p_tokens bigint, p_paise bigint, p_tokens_account uuid, p_paise_account uuid
) returns boolean
language plpgsql
as $$
begin
  update ledger.lots set tokens_left = tokens_left - p_tokens, paise_left = paise_left - p_paise,
      open = tokens_left > p_tokens
    where id = p_lot
      and account_id = coalesce(p_tokens_account, account_id)
      and prepaid_account_id = coalesce(p_paise_account, prepaid_account_id)
      and (tokens_left <> p_tokens or paise_left = p_paise);
  return found;
end
$$;

-- An account carries what the insert trigger asks of its class.
create or replace function ledger.like_its_class() returns trigger
language plpgsql
as $$
begin
  select currency, guard, normal_side into new.currency, new.guard, new.normal_side
    from ledger.account_classes where class = new.class;
  return new;
end
$$;

-- Every account that a balance row guards has it from birth.
create or replace function ledger.open_balance() returns trigger
language plpgsql
as $$
begin
  if new.guard = 'balance' then
    insert into ledger.balances (account_id) values (new.id);
  end if;
  return null;
end
$$;

-- The account of this class and owner (null: the house); made at first use.
create or replace function ledger.account_of(p_class text, p_owner uuid default null) returns uuid
language plpgsql
as $$
declare
  v_id uuid;
begin
  -- Two statements, because "is not distinct from" cannot use the index.
  if p_owner is null then
    select id into v_id from ledger.accounts where class = p_class and owner_id is null;
  else
    select id into v_id from ledger.accounts where class = p_class and owner_id = p_owner;
  end if;
  if v_id is not null then
    return v_id;
  end if;
  if (p_owner is not null) <> (select owned from ledger.account_classes where class = p_class) then
    raise exception 'accounts of class % have no such owner', p_class using errcode = 'check_violation';
  end if;
  insert into ledger.accounts (class, owner_id) values (p_class, p_owner)
    on conflict on constraint accounts_class_owner do nothing
    returning id into v_id;
  if v_id is null then
    select id into strict v_id from ledger.accounts
      where class = p_class and owner_id is not distinct from p_owner;
  end if;
  return v_id;
end
$$;

-- One line of an act: an account by class and owner, an amount, and the lot where tokens have one.
create or replace function ledger.line(
  p_class text, p_owner uuid, p_amount bigint, p_lot uuid default null
) returns ledger.line
language sql
as $$
  select row(ledger.account_of(p_class, p_owner), p_amount, p_lot)::ledger.line
$$;

-- Writes an act and its entries; lines with an amount of zero are left out.
create or replace function ledger.record(
  p_id uuid, p_kind text, p_key text, p_fingerprint text, p_result jsonb,
  p_lines ledger.line[], p_reverses uuid default null
) returns void
language plpgsql
as $$
begin
  insert into ledger.journal (id, kind, idempotency_key, fingerprint, result, reverses)
    values (p_id, p_kind, p_key, p_fingerprint, p_result, p_reverses);
  insert into ledger.entries (journal_id, line, account_id, currency, amount, lot_id)
    select p_id, row_number() over (order by l.ordinality), l.account_id, a.currency, l.amount, l.lot_id
      from unnest(p_lines) with ordinality as l (account_id, amount, lot_id, ordinality)
      join ledger.accounts a on a.id = l.account_id
      where l.amount <> 0;
end
$$;

create or replace function ledger.fingerprint(variadic p_parts text[]) returns text
language sql immutable parallel safe
as $$
  select encode(sha256(convert_to(to_jsonb(p_parts)::text, 'UTF8')), 'hex')
$$;

-- The result of an act that was carried out under this key, or null. Refuses a key used for another act.
-- Of two equal requests at once the second waits here, and then sees what the first has done.
create or replace function ledger.replay(p_key text, p_fingerprint text) returns jsonb
language plpgsql
as $$
declare
  v_fingerprint text;
  v_result jsonb;
begin
  perform pg_advisory_xact_lock(hashtextextended(p_key, 0));
  select fingerprint, result into v_fingerprint, v_result
    from ledger.journal where idempotency_key = p_key;
  if not found then
    return null;
  end if;
  if v_fingerprint <> p_fingerprint then
    perform refuse('idempotency-key-reused');
  end if;
  return v_result || jsonb_build_object('replayed', true);
end
$$;

-- Writes the opposite of an act's entries. An act is taken back once; the books keep both.
create or replace function ledger.reverse(p_id uuid, p_kind text, p_key text, p_result jsonb, p_act uuid)
returns void
language plpgsql
as $$
declare
  v_lines ledger.line[];
begin
  select array_agg(row(account_id, -amount, lot_id)::ledger.line order by line) into v_lines
    from ledger.entries where journal_id = p_act;
  perform ledger.record(p_id, p_kind, p_key, ledger.fingerprint(p_act::text), p_result, v_lines, p_act);
end
$$;

-- The account of this class and owner (null: the house) if there is one; "is not distinct from" would use no index.
create or replace function ledger.known_account(p_class text, p_owner uuid) returns uuid
language sql stable
as $$
  select case when p_owner is null
    then (select id from ledger.accounts where class = p_class and owner_id is null)
    else (select id from ledger.accounts where class = p_class and owner_id = p_owner) end
$$;

-- So long after it was given its id, at the latest, an act is written.
create or replace function ledger.act_lasts_max() returns interval
language sql immutable parallel safe
as $$
  select interval '1 hour'
$$;

-- What an account held at a moment, on its normal side: every act that was written by then counts.
create or replace function ledger.balance_at(p_class text, p_owner uuid, p_at timestamptz)
returns bigint
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select case a.normal_side when 'debit' then 1 else -1 end * case when p_owner is null
      then ledger.house_held_at(a.id, p_class, p_at) else ledger.held_at(a.id, p_at) end
    from ledger.account_classes c
    left join ledger.accounts a on a.id = ledger.known_account(p_class, p_owner)
    where c.class = p_class
$$;

-- Of one of many accounts: its entries. Ids begin with their moment, so that few acts have to be asked for theirs.
create or replace function ledger.held_at(p_account uuid, p_at timestamptz) returns bigint
language sql stable set enable_seqscan = off
as $$
  select coalesce(sum(amount), 0)::bigint from (
    select amount from ledger.entries
      where account_id = p_account and journal_id < uuid_v7_floor(p_at - ledger.act_lasts_max())
    union all
    select e.amount from ledger.entries e
      where e.account_id = p_account and e.journal_id >= uuid_v7_floor(p_at - ledger.act_lasts_max())
        and e.journal_id < uuid_v7_floor(p_at + interval '1 millisecond')
        and (select created_at from ledger.journal where id = e.journal_id) <= p_at) x
$$;

-- Of an account of the house, to which nearly every act posts: what the last checkpoint before said of its class, all
-- blocks from there on that were sealed by then, and of those in which that moment lies, and of what is in none yet,
-- the acts of before.
create or replace function ledger.house_held_at(p_account uuid, p_class text, p_at timestamptz) returns bigint
language plpgsql stable set enable_seqscan = off
as $$
declare
  v_checkpoint ledger.checkpoints;
  v_block ledger.blocks;
  v_from bigint;
  v_number bigint;
  v_to bigint;
begin
  select * into v_checkpoint from ledger.checkpoints
    where created_at <= p_at order by created_at desc limit 1;
  v_from := coalesce(v_checkpoint.position, 0);
  v_number := coalesce(v_checkpoint.block, 0);
  v_to := v_from;
  for v_block in select * from ledger.blocks where number > v_number order by number loop
    exit when v_block.sealed_at > p_at;
    v_number := v_block.number;
    v_to := v_block.last_position;
  end loop;
  return coalesce((v_checkpoint.trial_balance->p_class->>0)::bigint, 0)
    - coalesce((v_checkpoint.trial_balance->p_class->>1)::bigint, 0)
    + coalesce((select sum(amount) from ledger.entries_at(v_from, v_to) where account_id = p_account), 0)
    + coalesce((
        select sum(e.amount)
          from ledger.blocks b, lateral ledger.entries_at(b.first_position - 1, b.last_position) e
          where tstzrange(least(b.oldest_at, b.sealed_at), b.sealed_at, '[]') @> p_at and b.number > v_number
            and e.account_id = p_account
            and (select created_at from ledger.journal where id = e.journal_id) <= p_at), 0)
    + coalesce((
        select sum(e.amount) from ledger.entries_unsealed() e
          where e.account_id = p_account
            and (select created_at from ledger.journal where id = e.journal_id) <= p_at), 0);
end
$$;
