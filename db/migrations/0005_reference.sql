-- Reference data: classes of accounts, the first fee policy, the packages on sale.

insert into ledger.account_classes (class, currency, normal_side, owned, guarded, meaning) values
  ('viewer_tokens', 'TOKEN', 'credit', true, true, 'Tokens that a viewer can still spend'),
  ('tokens_outstanding', 'TOKEN', 'debit', false, false, 'Counterpart of all tokens in wallets'),
  ('viewer_prepaid', 'INR', 'credit', true, true, 'Net price of a viewer''s unspent tokens, not yet earned'),
  ('performer_payable', 'INR', 'credit', true, false, 'Owed to a performer'),
  ('platform_revenue', 'INR', 'credit', false, false, 'Earned by the platform'),
  ('gst_payable', 'INR', 'credit', false, false, 'Tax collected, owed to the state'),
  ('gateway_clearing', 'INR', 'debit', false, false, 'Captured by the payment gateway, not yet settled');
--> statement-breakpoint
insert into ledger.accounts (class) select class from ledger.account_classes where not owned;
--> statement-breakpoint
insert into ledger.fee_policies (version, payout_paise_per_token) values (1, 50);
--> statement-breakpoint
insert into packages (name, tokens, price_paise, gst_rate_bp) values
  ('Taster', 50, 5900, 1800),
  ('Starter', 100, 11500, 1800),
  ('Regular', 250, 28000, 1800),
  ('Fan', 500, 54500, 1800),
  ('Super fan', 1200, 125000, 1800),
  ('Patron', 3000, 300000, 1800);
