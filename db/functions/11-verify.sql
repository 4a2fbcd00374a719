-- Everything that must be true of the books.

-- All of it at once, for books that are small.
create or replace function ledger.verify() returns table (invariant text, subject text, detail text)
language plpgsql volatile security definer set search_path = public, pg_temp
as $$
declare
  v_audit uuid := ledger.audit_apart();
begin
  loop
    exit when ledger.audit_step(v_audit)->>'phase' = 'done';
  end loop;
  return query select f.invariant, f.subject, f.detail from ledger.audit_findings f where f.audit_id = v_audit;
  perform ledger.audit_ended(v_audit);
end
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
