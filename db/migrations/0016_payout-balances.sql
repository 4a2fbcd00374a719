CREATE TABLE "payout_balances" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"balance_paise" bigint NOT NULL,
	"least_paise" bigint NOT NULL,
	"most_paise" bigint NOT NULL,
	"position" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
-- Whose check has ended, or was never begun before they were replaced, is not asked about any more.
update payout_accounts set next_attempt_at = null where state <> 'pending';--> statement-breakpoint
DROP INDEX "payout_accounts_to_verify";--> statement-breakpoint
CREATE INDEX "payout_accounts_to_verify" ON "payout_accounts" USING btree ("next_attempt_at") WHERE "payout_accounts"."next_attempt_at" is not null;
