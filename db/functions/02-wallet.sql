-- Wallets: tokens of a viewer by lots, each with the money that was paid for it.

-- Whoever moves a viewer's tokens holds this lock first, to the end of its transaction. It is no row's:
-- a row lock would be written to disk, and most acts write the row anyway.
create or replace function ledger.lock_viewer(p_viewer uuid) returns void
language sql
as $$
  select pg_advisory_xact_lock(ledger.lock_of(p_viewer))
$$;

create or replace function ledger.lock_of(p_viewer uuid) returns bigint
language sql immutable parallel safe
as $$
  select hashtextextended(p_viewer::text, 1)
$$;

-- Locks a viewer, makes the accounts of the wallet at first use, and answers what can be spent.
create or replace function ledger.lock_wallet(p_viewer uuid) returns bigint
language plpgsql
as $$
begin
  perform ledger.lock_viewer(p_viewer);
  perform ledger.account_of('viewer_tokens', p_viewer), ledger.account_of('viewer_promo', p_viewer),
    ledger.account_of('viewer_prepaid', p_viewer);
  return ledger.spendable(p_viewer);
end
$$;

-- Tokens that a viewer can spend now, promotional ones included.
create or replace function ledger.spendable(p_viewer uuid) returns bigint
language sql stable security definer set search_path = public, pg_temp set enable_seqscan = off
as $$
  select coalesce(sum(tokens_left), 0)::bigint from ledger.lots
    where owner_id = p_viewer and open and coalesce(expires_at, 'infinity') > now()
$$;

-- The money that some of a lot's tokens carry: their share of what is left, rounded so that what stays behind
-- is worth its part of the whole to the paisa, however many shares were taken before. The last token takes all.
-- Between the share rounded down and up nothing can go wrong: neither side ever pays out more than it holds.
create or replace function ledger.share_of(
  p_paise bigint, p_tokens bigint, p_of bigint, p_whole_paise bigint, p_whole_tokens bigint
) returns bigint
language sql immutable parallel safe
as $$
  select case when p_tokens = p_of then p_paise
    else p_paise * p_tokens / p_of
      + (p_paise * p_tokens % p_of > 0
        and (p_paise - p_paise * p_tokens / p_of - 1) * p_whole_tokens >= p_whole_paise * (p_of - p_tokens))::int
    end
$$;

-- From which lots so many tokens come: promotional ones first, then the oldest; or from one lot alone.
-- Takes nothing by itself. Less than was asked for means that there is no more. The viewer is locked.
create or replace function ledger.take_from_lots(p_viewer uuid, p_tokens bigint, p_lot uuid default null)
returns table (
  place bigint, lot_id uuid, account_id uuid, prepaid_account_id uuid, tokens bigint, paise bigint
)
language sql stable
as $$
  select o.place, o.id, o.account_id, o.prepaid_account_id, take.tokens,
      ledger.share_of(o.paise_left, take.tokens, o.tokens_left, o.net_paise, o.tokens)
    from (
      select l.*, row_number() over spending as place,
          sum(l.tokens_left) over spending - l.tokens_left as before
        from ledger.lots l
        where l.owner_id = p_viewer and l.open
          and (p_lot is null or l.id = p_lot)
          and coalesce(l.expires_at, 'infinity') > now()
        window spending as (
          order by l.net_paise > 0, l.expires_at, l.id
          rows between unbounded preceding and current row)
    ) o,
    lateral (select least(o.tokens_left, p_tokens - o.before)::bigint as tokens) take
    where take.tokens > 0
$$;

-- Sets tokens aside: out of their lots, into the account given. The reservation remembers the lots.
create or replace function ledger.reserve(
  p_act uuid, p_kind text, p_key text, p_fingerprint text, p_result jsonb,
  p_reservation ledger.reservations, p_lot uuid default null
) returns void
language plpgsql
as $$
declare
  v_viewer uuid := p_reservation.viewer_id;
  v_lines ledger.line[] := '{}';
  v_taken bigint := 0;
  v_paise bigint := 0;
  v_lot record;
  v_lots jsonb := '[]';
begin
  for v_lot in select * from ledger.take_from_lots(v_viewer, p_reservation.tokens, p_lot) loop
    v_lines := v_lines
      || row(v_lot.account_id, v_lot.tokens, v_lot.lot_id)::ledger.line
      || row(v_lot.prepaid_account_id, v_lot.paise, v_lot.lot_id)::ledger.line;
    v_taken := v_taken + v_lot.tokens;
    v_paise := v_paise + v_lot.paise;
    v_lots := v_lots || to_jsonb(v_lot);
  end loop;
  if v_taken < p_reservation.tokens then
    perform refuse('insufficient-balance', jsonb_build_object(
      'neededTokens', p_reservation.tokens, 'availableTokens', v_taken));
  end if;
  perform ledger.record(p_act, p_kind, p_key, p_fingerprint, p_result, v_lines
    || row(p_reservation.account_id, -v_taken, null)::ledger.line
    || ledger.line('reserved_prepaid', v_viewer, -v_paise));
  p_reservation.id := p_act;
  p_reservation.net_paise := v_paise;
  p_reservation.state := 'open';
  p_reservation.created_at := now();
  insert into ledger.reservations select p_reservation.*;
  insert into ledger.reservation_lots (reservation_id, lot_id, tokens, paise)
    select p_act, l.lot_id, l.tokens, l.paise
      from jsonb_to_recordset(v_lots) as l (lot_id uuid, tokens bigint, paise bigint);
end
$$;

-- The lines that take reserved tokens out of where they wait; what they become is the caller's to add.
create or replace function ledger.unreserve_lines(p_reservation ledger.reservations) returns ledger.line[]
language sql
as $$
  select array[
    row(p_reservation.account_id, p_reservation.tokens, null)::ledger.line,
    ledger.line('reserved_prepaid', p_reservation.viewer_id, p_reservation.net_paise)]
$$;

create or replace function ledger.close_reservation(p_reservation uuid, p_state text, p_act uuid)
returns void
language sql
as $$
  update ledger.reservations set state = p_state, closed_at = now(), closed_by = p_act
    where id = p_reservation
$$;

-- Gives reserved tokens back to the very lots that they came from.
create or replace function ledger.release_reservation(
  p_act uuid, p_kind text, p_key text, p_fingerprint text, p_result jsonb,
  p_reservation ledger.reservations
) returns void
language plpgsql
as $$
declare
  v_back ledger.line[];
begin
  select array_agg(b.line) into v_back from (
    select unnest(array[
        row(l.account_id, -r.tokens, r.lot_id)::ledger.line,
        row(l.prepaid_account_id, -r.paise, r.lot_id)::ledger.line]) as line
      from ledger.reservation_lots r join ledger.lots l on l.id = r.lot_id
      where r.reservation_id = p_reservation.id
      order by r.lot_id) b;
  perform ledger.record(p_act, p_kind, p_key, p_fingerprint, p_result,
    ledger.unreserve_lines(p_reservation) || v_back, p_reservation.id);
  perform ledger.close_reservation(p_reservation.id, 'released', p_act);
end
$$;
