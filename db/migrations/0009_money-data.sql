-- What the tables of before hold, taken over; and the reference data of the new ones.

create type ledger.line as (account_id uuid, amount bigint, lot_id uuid);
--> statement-breakpoint
create type ledger.house as (outstanding uuid, revenue uuid, promotion uuid);
--> statement-breakpoint
create type ledger.planned_tip as (
  id uuid, key text, fingerprint text, receipt jsonb, answer jsonb, event_id bigint, news jsonb,
  stream_id uuid, viewer_id uuid, performer_id uuid, amount bigint, earned bigint, fee bigint,
  policy integer, message text, anonymous boolean,
  accounts uuid[], amounts bigint[], lots uuid[]
);
--> statement-breakpoint
insert into ledger.account_classes (class, currency, normal_side, owned, guard, meaning) values
  ('viewer_promo', 'TOKEN', 'credit', true, 'lots', 'Tokens that a viewer was given and can still spend'),
  ('viewer_held', 'TOKEN', 'credit', true, 'balance', 'Tokens of a viewer set aside for a private show'),
  ('goal_escrow', 'TOKEN', 'credit', true, 'nothing', 'Tokens gathered for a goal'),
  ('refunding', 'TOKEN', 'credit', true, 'balance', 'Tokens of a viewer whose refund waits for approval'),
  ('disputed', 'TOKEN', 'credit', true, 'balance', 'Tokens of a viewer whose payment is disputed'),
  ('reserved_prepaid', 'INR', 'credit', true, 'nothing', 'Net price of a viewer''s reserved tokens, not yet earned'),
  ('performer_pending', 'INR', 'credit', true, 'nothing', 'Earned by a performer, in its waiting time'),
  ('performer_available', 'INR', 'credit', true, 'balance', 'Owed to a performer who may ask for it'),
  ('performer_held', 'INR', 'credit', true, 'balance', 'Earned by a performer with tokens whose payment is disputed'),
  ('payout_pending', 'INR', 'credit', true, 'balance', 'Asked for by a performer, not yet paid'),
  ('tds_payable', 'INR', 'credit', false, 'nothing', 'Income tax kept back from payouts, owed to the state'),
  ('refunds', 'INR', 'credit', false, 'nothing', 'On its way back to buyers'),
  ('disputes', 'INR', 'debit', false, 'nothing', 'Taken by banks of buyers while a dispute is open'),
  ('dispute_losses', 'INR', 'debit', false, 'nothing', 'Lost in disputes and recovered from nobody'),
  ('promotion_expense', 'INR', 'debit', false, 'nothing', 'Paid by the platform for tips with given tokens'),
  ('gateway_fees', 'INR', 'debit', false, 'nothing', 'Kept by the gateway for its service'),
  ('gst_input', 'INR', 'debit', false, 'nothing', 'Tax within the gateway''s fees, to be claimed'),
  ('bank', 'INR', 'debit', false, 'nothing', 'In the platform''s bank and payout accounts'),
  ('payout_fees', 'INR', 'debit', false, 'nothing', 'Kept by the bank for carrying out payouts'),
  ('unexplained', 'INR', 'credit', false, 'nothing', 'Settled by the gateway and explained by nothing of ours');
--> statement-breakpoint
update ledger.account_classes set adjustable = true
  where class in ('platform_revenue', 'gst_payable', 'gateway_clearing', 'performer_available', 'tds_payable',
    'dispute_losses', 'promotion_expense', 'gateway_fees', 'gst_input', 'bank', 'payout_fees', 'unexplained');
--> statement-breakpoint
create function ledger.like_its_class() returns trigger language plpgsql as $$ begin return new; end $$;
--> statement-breakpoint
-- What performers are owed becomes pending, and waits as new earnings do.
alter table ledger.accounts disable trigger user;
--> statement-breakpoint
update ledger.accounts set class = 'performer_pending' where class = 'performer_payable';
--> statement-breakpoint
delete from ledger.account_classes where class = 'performer_payable';
--> statement-breakpoint
insert into ledger.accounts (class, currency, normal_side, guard)
  select class, currency, normal_side, guard from ledger.account_classes c
  where not owned and not exists (select from ledger.accounts a where a.class = c.class);
--> statement-breakpoint
alter table ledger.accounts enable trigger user;
--> statement-breakpoint
-- A tip that is sent again across the change is still known by what it asked for.
alter table ledger.journal disable trigger user;
--> statement-breakpoint
update ledger.journal j set fingerprint = encode(sha256(convert_to(
    jsonb_build_array(t.stream_id, t.amount_tokens, t.message, t.anonymous)::text, 'UTF8')), 'hex')
  from ledger.tips t where t.id = j.id;
--> statement-breakpoint
alter table ledger.journal enable trigger user;
--> statement-breakpoint
-- What was paid for before has a lot as well, without tokens: those that are left have mixed in their wallet.
-- A refund at the gateway or a dispute finds there whose they were, and the tax.
insert into ledger.lots (id, owner_id, account_id, prepaid_account_id, tokens, net_paise, gst_paise, gst_left,
    created_at)
  select p.journal_id, o.user_id, t.id, m.id, o.tokens, o.amount_paise - o.gst_paise, o.gst_paise, o.gst_paise,
      p.created_at
    from payments p
    join orders o on o.id = p.order_id
    join ledger.accounts t on t.class = 'viewer_tokens' and t.owner_id = o.user_id
    join ledger.accounts m on m.class = 'viewer_prepaid' and m.owner_id = o.user_id;
--> statement-breakpoint
-- Wallets get their first lot: what they hold, at the price of what is left. An act of its own, out of the
-- account and back into it, so that lots and entries agree.
do $$
declare
  v_wallet record;
  v_lot uuid;
begin
  for v_wallet in
    select t.owner_id, t.id as tokens_account, b.balance as tokens, p.id as prepaid_account,
        (select -coalesce(sum(e.amount), 0) from ledger.entries e where e.account_id = p.id)::bigint as paise
      from ledger.accounts t
      join ledger.balances b on b.account_id = t.id and b.balance > 0
      join ledger.accounts p on p.class = 'viewer_prepaid' and p.owner_id = t.owner_id
      where t.class = 'viewer_tokens'
  loop
    v_lot := uuid_v7();
    insert into ledger.journal (id, kind, idempotency_key, fingerprint, result)
      values (v_lot, 'lot', 'lot:' || v_wallet.owner_id, '', '{}');
    insert into ledger.lots (id, owner_id, account_id, prepaid_account_id, tokens, net_paise, gst_paise,
        tokens_left, paise_left, open)
      values (v_lot, v_wallet.owner_id, v_wallet.tokens_account, v_wallet.prepaid_account, v_wallet.tokens, v_wallet.paise, 0,
        v_wallet.tokens, v_wallet.paise, true);
    insert into ledger.entries (journal_id, line, account_id, currency, amount, lot_id) values
      (v_lot, 1, v_wallet.tokens_account, 'TOKEN', v_wallet.tokens, null),
      (v_lot, 2, v_wallet.tokens_account, 'TOKEN', -v_wallet.tokens, v_lot),
      (v_lot, 3, v_wallet.prepaid_account, 'INR', v_wallet.paise, null),
      (v_lot, 4, v_wallet.prepaid_account, 'INR', -v_wallet.paise, v_lot);
  end loop;
end
$$;
--> statement-breakpoint
-- From here on the lots guard what viewers have.
delete from ledger.balances b using ledger.accounts a where a.id = b.account_id and a.guard <> 'balance';
--> statement-breakpoint
insert into ledger.sealer (horizon) values ('0');
--> statement-breakpoint
insert into rules (name, value, meaning) values
  ('earnings_hold_hours', 168, 'Earnings can be asked for after so many hours'),
  ('payout_min_paise', 50000, 'The smallest payout'),
  ('payout_auto_max_paise', 500000, 'Payouts up to this need nobody''s approval'),
  ('payout_second_approval_paise', 5000000, 'Payouts above this need two of the staff'),
  ('payout_details_hold_hours', 72, 'New bank details are paid to after so many hours'),
  ('young_account_hours', 24, 'An account is new for so long'),
  ('young_account_day_tokens', 5000, 'A new account spends at most so many tokens a day'),
  ('order_day_paise', 20000000, 'A person buys tokens for at most this much a day'),
  ('order_open_max', 20, 'A person has at most so many unpaid orders in an hour'),
  ('limit_raise_hours', 24, 'A raised spending limit counts after so many hours'),
  ('refund_window_days', 90, 'Unspent tokens can be given back so many days after they were bought'),
  ('ring_share_percent', 80, 'One viewer who pays more than this share of a performer''s tips is looked at'),
  ('ring_min_tokens', 5000, 'Rings below this many tokens are not looked at'),
  ('ring_window_days', 30, 'Tips of so many days are looked at for rings'),
  ('dispute_ratio_percent', 5, 'A performer with more disputed earnings than this is put on hold'),
  ('settlement_late_days', 7, 'A captured payment that no settlement brought within so many days is a case');
--> statement-breakpoint
insert into tax_rates (section, rate_bp, rate_without_pan_bp, threshold_paise) values ('194-O', 10, 500, 0);
--> statement-breakpoint
insert into sellers (name, address, gstin, sac, state_code) values
  ('LivePanty', 'The address of the seller', '29AAAAA0000A1Z5', '998439', '29');
--> statement-breakpoint
create trigger entries_append_only before update or delete or truncate on ledger.entries
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger entries_checked after insert on ledger.entries
  referencing new table as new_entries
  for each statement execute function ledger.check_and_apply_entries();
--> statement-breakpoint
create trigger accounts_like_their_class before insert on ledger.accounts
  for each row execute function ledger.like_its_class();
--> statement-breakpoint
create trigger blocks_append_only before update or delete or truncate on ledger.blocks
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger sealed_append_only before update or delete or truncate on ledger.sealed
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger checkpoints_append_only before update or delete or truncate on ledger.checkpoints
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger audit_log_append_only before update or delete or truncate on audit_log
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger invoices_append_only before update or delete or truncate on invoices
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger tax_rates_append_only before update or delete or truncate on tax_rates
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
create trigger rules_append_only before update or delete or truncate on rules
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
-- Room for the next version of a row beside it, so that moving a balance touches no index.
alter table ledger.balances set (fillfactor = 50);
--> statement-breakpoint
alter table ledger.lots set (fillfactor = 50);
