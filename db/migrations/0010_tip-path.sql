-- What a tip needs is found with less: the house's accounts in one row, lots in the order in which they are spent,
-- and amounts kept from falling below zero by their type.
create domain ledger.quantity as bigint constraint never_negative check (value >= 0);
--> statement-breakpoint
create domain ledger.positive as bigint constraint more_than_nothing check (value > 0);
--> statement-breakpoint
ALTER TABLE "ledger"."lots" DROP CONSTRAINT "lots_left";--> statement-breakpoint
ALTER TABLE "ledger"."tips" DROP CONSTRAINT "tips_amounts";--> statement-breakpoint
ALTER TABLE "ledger"."lots"
	ALTER COLUMN "tokens_left" SET DATA TYPE ledger.quantity,
	ALTER COLUMN "paise_left" SET DATA TYPE ledger.quantity;--> statement-breakpoint
ALTER TABLE "ledger"."tips"
	ALTER COLUMN "amount_tokens" SET DATA TYPE ledger.positive,
	ALTER COLUMN "fee_paise" SET DATA TYPE ledger.quantity;--> statement-breakpoint
DROP INDEX "events_stream_time";--> statement-breakpoint
DROP INDEX "ledger"."lots_open";--> statement-breakpoint
CREATE INDEX "lots_open" ON "ledger"."lots" USING btree ("owner_id",("net_paise" > 0),"expires_at","id") WHERE "ledger"."lots"."open";--> statement-breakpoint
-- Their arguments change, or they have no use any more.
drop function if exists ledger.plan_tip(uuid, uuid, bigint, text, boolean, text, ledger.house);
--> statement-breakpoint
drop function if exists ledger.house_accounts();
--> statement-breakpoint
drop function if exists ledger.move_lot(uuid, bigint, bigint, uuid, uuid);
--> statement-breakpoint
drop type ledger.house;
--> statement-breakpoint
CREATE TABLE "ledger"."house" (
	"outstanding" uuid PRIMARY KEY NOT NULL,
	"revenue" uuid NOT NULL,
	"promotion" uuid NOT NULL
);
--> statement-breakpoint
ALTER TABLE "ledger"."house" ADD CONSTRAINT "house_outstanding_accounts_id_fk" FOREIGN KEY ("outstanding") REFERENCES "ledger"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger"."house" ADD CONSTRAINT "house_revenue_accounts_id_fk" FOREIGN KEY ("revenue") REFERENCES "ledger"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger"."house" ADD CONSTRAINT "house_promotion_accounts_id_fk" FOREIGN KEY ("promotion") REFERENCES "ledger"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
insert into ledger.house (outstanding, revenue, promotion)
  select o.id, r.id, p.id from ledger.accounts o, ledger.accounts r, ledger.accounts p
    where o.class = 'tokens_outstanding' and r.class = 'platform_revenue' and p.class = 'promotion_expense';
--> statement-breakpoint
-- Whoever has a stream has an account for what it earns.
create function ledger.open_earnings() returns trigger language plpgsql as $$ begin return null; end $$;
--> statement-breakpoint
create trigger streams_open_earnings after insert on streams
  for each row execute function ledger.open_earnings();
--> statement-breakpoint
alter table ledger.accounts disable trigger user;
--> statement-breakpoint
insert into ledger.accounts (class, owner_id, currency, normal_side, guard)
  select distinct 'performer_pending', performer_id, 'INR', 'credit', 'nothing' from streams
  on conflict on constraint accounts_class_owner do nothing;
--> statement-breakpoint
alter table ledger.accounts enable trigger user;
--> statement-breakpoint
-- Of whom accounts older than this bound are never asked: their tips are spared the look.
alter table rules add constraint rules_young_account
  check (name <> 'young_account_hours' or value <= 720);
