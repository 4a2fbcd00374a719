-- Tables of the whole life of money: lots, reservations, the chain, refunds, disputes, payouts, safeguards.
-- Functions are in db/functions from here on; those of before whose shape changes make room.

drop trigger entries_append_only on ledger.entries;
--> statement-breakpoint
drop trigger entries_checked on ledger.entries;
--> statement-breakpoint
drop function ledger.tip(uuid, uuid, bigint, text, boolean, text);
--> statement-breakpoint
drop function ledger.purchase_captured(text, text, bigint);
--> statement-breakpoint
drop function ledger.post(uuid, uuid[], bigint[]);
--> statement-breakpoint
drop function ledger.replay(text, text);
--> statement-breakpoint
drop function ledger.verify();
--> statement-breakpoint
drop function create_order(uuid, uuid, text);
--> statement-breakpoint
drop function set_gateway_order(uuid, text);
--> statement-breakpoint
drop function orders_to_check(integer);
--> statement-breakpoint
drop function order_json(orders);
--> statement-breakpoint
CREATE TABLE "ledger"."blocks" (
	"number" bigint PRIMARY KEY NOT NULL,
	"first_position" bigint NOT NULL,
	"last_position" bigint NOT NULL,
	"previous_hash" "bytea" NOT NULL,
	"hash" "bytea" NOT NULL,
	"sealed_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "blocks_last_position" UNIQUE("last_position")
);
--> statement-breakpoint
CREATE TABLE "ledger"."checkpoints" (
	"block" bigint PRIMARY KEY NOT NULL,
	"position" bigint NOT NULL,
	"hash" "bytea" NOT NULL,
	"trial_balance" jsonb NOT NULL,
	"signature" text NOT NULL,
	"key_id" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger"."sealed" (
	"position" bigint PRIMARY KEY NOT NULL,
	"journal_id" uuid NOT NULL,
	"hash" "bytea" NOT NULL,
	CONSTRAINT "sealed_journal_id" UNIQUE("journal_id")
);
--> statement-breakpoint
CREATE TABLE "ledger"."sealer" (
	"only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"horizon" "xid8" NOT NULL,
	"released_through" bigint DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger"."tip_totals" (
	"performer_id" uuid PRIMARY KEY NOT NULL,
	"tips" bigint NOT NULL,
	"tokens" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger"."totals" (
	"account_id" uuid PRIMARY KEY NOT NULL,
	"debit" bigint NOT NULL,
	"credit" bigint NOT NULL,
	"block" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "ledger"."adjustments" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"lines" jsonb NOT NULL,
	"reason" text NOT NULL,
	"proposed_by" uuid NOT NULL,
	"decided_by" uuid,
	"state" text DEFAULT 'proposed' NOT NULL,
	"idempotency_key" text NOT NULL,
	"journal_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_at" timestamp with time zone,
	CONSTRAINT "adjustments_idempotency_key" UNIQUE("proposed_by","idempotency_key"),
	CONSTRAINT "adjustments_state_known" CHECK ("ledger"."adjustments"."state" in ('proposed', 'approved', 'rejected')),
	CONSTRAINT "adjustments_four_eyes" CHECK ("ledger"."adjustments"."decided_by" <> "ledger"."adjustments"."proposed_by" or "ledger"."adjustments"."state" = 'rejected')
);
--> statement-breakpoint
CREATE TABLE "ledger"."goals" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"performer_id" uuid NOT NULL,
	"stream_id" uuid,
	"title" text NOT NULL,
	"target_tokens" bigint NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"deadline" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone,
	CONSTRAINT "goals_state_known" CHECK ("ledger"."goals"."state" in ('open', 'reached', 'missed')),
	CONSTRAINT "goals_target" CHECK ("ledger"."goals"."target_tokens" > 0)
);
--> statement-breakpoint
CREATE TABLE "ledger"."lots" (
	"id" uuid PRIMARY KEY NOT NULL,
	"owner_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"prepaid_account_id" uuid NOT NULL,
	"tokens" bigint NOT NULL,
	"net_paise" bigint NOT NULL,
	"gst_paise" bigint NOT NULL,
	"tokens_left" bigint DEFAULT 0 NOT NULL,
	"paise_left" bigint DEFAULT 0 NOT NULL,
	"tokens_returned" bigint DEFAULT 0 NOT NULL,
	"gst_left" bigint DEFAULT 0 NOT NULL,
	"open" boolean DEFAULT false NOT NULL,
	"expires_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "lots_left" CHECK ("ledger"."lots"."tokens_left" >= 0 and "ledger"."lots"."paise_left" >= 0 and ("ledger"."lots"."tokens_left" > 0 or "ledger"."lots"."paise_left" = 0))
);
--> statement-breakpoint
CREATE TABLE "ledger"."reservation_lots" (
	"reservation_id" uuid NOT NULL,
	"lot_id" uuid NOT NULL,
	"tokens" bigint NOT NULL,
	"paise" bigint NOT NULL,
	CONSTRAINT "reservation_lots_reservation_id_lot_id_pk" PRIMARY KEY("reservation_id","lot_id")
);
--> statement-breakpoint
CREATE TABLE "ledger"."reservations" (
	"id" uuid PRIMARY KEY NOT NULL,
	"purpose" text NOT NULL,
	"viewer_id" uuid NOT NULL,
	"performer_id" uuid,
	"stream_id" uuid,
	"goal_id" uuid,
	"account_id" uuid NOT NULL,
	"tokens" bigint NOT NULL,
	"net_paise" bigint NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"expires_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone,
	"closed_by" uuid,
	CONSTRAINT "reservations_purpose_known" CHECK ("ledger"."reservations"."purpose" in ('hold', 'goal', 'refund', 'dispute')),
	CONSTRAINT "reservations_state_known" CHECK ("ledger"."reservations"."state" in ('open', 'captured', 'released')),
	CONSTRAINT "reservations_tokens" CHECK ("ledger"."reservations"."tokens" > 0)
);
--> statement-breakpoint
CREATE TABLE "disputed_earnings" (
	"gateway_dispute_id" text NOT NULL,
	"tip_id" uuid NOT NULL,
	"performer_id" uuid NOT NULL,
	"paise" bigint NOT NULL,
	CONSTRAINT "disputed_earnings_once" UNIQUE("gateway_dispute_id","tip_id")
);
--> statement-breakpoint
CREATE TABLE "disputes" (
	"gateway_dispute_id" text PRIMARY KEY NOT NULL,
	"gateway_payment_id" text NOT NULL,
	"user_id" uuid NOT NULL,
	"amount_paise" bigint NOT NULL,
	"phase" text NOT NULL,
	"reason_code" text NOT NULL,
	"state" text NOT NULL,
	"respond_by" timestamp with time zone,
	"reservation_id" uuid,
	"recovered_paise" bigint DEFAULT 0 NOT NULL,
	"lost_paise" bigint DEFAULT 0 NOT NULL,
	"opened_by" uuid NOT NULL,
	"closed_by" uuid,
	"opened_at" timestamp with time zone DEFAULT now() NOT NULL,
	"closed_at" timestamp with time zone,
	CONSTRAINT "disputes_state_known" CHECK ("disputes"."state" in ('open', 'under_review', 'won', 'lost', 'closed')),
	CONSTRAINT "disputes_amount" CHECK ("disputes"."amount_paise" > 0)
);
--> statement-breakpoint
CREATE TABLE "invoice_series" (
	"series" text PRIMARY KEY NOT NULL,
	"next_serial" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invoices" (
	"number" text PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"series" text NOT NULL,
	"serial" integer NOT NULL,
	"user_id" uuid NOT NULL,
	"gateway_payment_id" text NOT NULL,
	"refund_id" uuid,
	"net_paise" bigint NOT NULL,
	"gst_paise" bigint NOT NULL,
	"gst_rate_bp" integer NOT NULL,
	"issued_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "invoices_refund_id_key" UNIQUE("refund_id"),
	CONSTRAINT "invoices_serial" UNIQUE("series","serial"),
	CONSTRAINT "invoices_kind_known" CHECK ("invoices"."kind" in ('invoice', 'credit-note'))
);
--> statement-breakpoint
CREATE TABLE "refunds" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"gateway_payment_id" text NOT NULL,
	"user_id" uuid NOT NULL,
	"tokens" bigint NOT NULL,
	"net_paise" bigint NOT NULL,
	"gst_paise" bigint NOT NULL,
	"amount_paise" bigint GENERATED ALWAYS AS (net_paise + gst_paise) STORED NOT NULL,
	"state" text NOT NULL,
	"reason" text NOT NULL,
	"requested_by" uuid,
	"decided_by" uuid,
	"idempotency_key" text NOT NULL,
	"reservation_id" uuid,
	"journal_id" uuid,
	"gateway_refund_id" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	"settlement_id" text,
	"credit_note_number" text,
	CONSTRAINT "refunds_gateway_refund_id_key" UNIQUE("gateway_refund_id"),
	CONSTRAINT "refunds_idempotency_key" UNIQUE("requested_by","idempotency_key"),
	CONSTRAINT "refunds_state_known" CHECK ("refunds"."state" in ('requested', 'rejected', 'approved', 'sent', 'processed', 'failed')),
	CONSTRAINT "refunds_amounts" CHECK ("refunds"."net_paise" >= 0 and "refunds"."gst_paise" >= 0 and "refunds"."net_paise" + "refunds"."gst_paise" > 0),
	CONSTRAINT "refunds_four_eyes" CHECK ("refunds"."decided_by" <> "refunds"."requested_by" or "refunds"."state" = 'rejected')
);
--> statement-breakpoint
CREATE TABLE "sellers" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"address" text NOT NULL,
	"gstin" text NOT NULL,
	"sac" text NOT NULL,
	"state_code" text NOT NULL,
	"valid_from" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "settlement_items" (
	"gateway_settlement_id" text NOT NULL,
	"line" integer NOT NULL,
	"entity_id" text NOT NULL,
	"type" text NOT NULL,
	"credit_paise" bigint NOT NULL,
	"debit_paise" bigint NOT NULL,
	"amount_paise" bigint NOT NULL,
	"fee_paise" bigint NOT NULL,
	"tax_paise" bigint NOT NULL,
	"dispute_id" text,
	"explained" text NOT NULL,
	CONSTRAINT "settlement_items_pkey" PRIMARY KEY("gateway_settlement_id","line"),
	CONSTRAINT "settlement_items_explained_known" CHECK ("settlement_items"."explained" in ('payment', 'refund', 'dispute', 'nothing'))
);
--> statement-breakpoint
CREATE TABLE "settlements" (
	"gateway_settlement_id" text PRIMARY KEY NOT NULL,
	"amount_paise" bigint NOT NULL,
	"fee_paise" bigint NOT NULL,
	"tax_paise" bigint NOT NULL,
	"utr" text,
	"settled_at" timestamp with time zone NOT NULL,
	"journal_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "payout_accounts" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"performer_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"sealed_details" text NOT NULL,
	"mask" text NOT NULL,
	"details_hash" text NOT NULL,
	"state" text DEFAULT 'pending' NOT NULL,
	"registered_name" text,
	"failure" text,
	"gateway_contact_id" text,
	"gateway_fund_account_id" text,
	"gateway_validation_id" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone DEFAULT now(),
	"usable_from" timestamp with time zone NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payout_accounts_kind_known" CHECK ("payout_accounts"."kind" in ('bank', 'upi')),
	CONSTRAINT "payout_accounts_state_known" CHECK ("payout_accounts"."state" in ('pending', 'verified', 'failed', 'replaced'))
);
--> statement-breakpoint
CREATE TABLE "payout_approvals" (
	"payout_id" uuid NOT NULL,
	"approved_by" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payout_approvals_once" UNIQUE("payout_id","approved_by")
);
--> statement-breakpoint
CREATE TABLE "payout_holds" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"performer_id" uuid NOT NULL,
	"reason" text NOT NULL,
	"case_id" uuid,
	"placed_by" uuid,
	"lifted_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"lifted_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "payouts" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"performer_id" uuid NOT NULL,
	"payout_account_id" uuid NOT NULL,
	"amount_paise" bigint NOT NULL,
	"tds_paise" bigint NOT NULL,
	"tds_section" text NOT NULL,
	"tds_rate_bp" integer NOT NULL,
	"state" text NOT NULL,
	"approvals_needed" integer NOT NULL,
	"idempotency_key" text NOT NULL,
	"request_journal_id" uuid NOT NULL,
	"gateway_payout_id" text,
	"utr" text,
	"fee_paise" bigint,
	"failure" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"approved_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	CONSTRAINT "payouts_gateway_payout_id_key" UNIQUE("gateway_payout_id"),
	CONSTRAINT "payouts_idempotency_key" UNIQUE("performer_id","idempotency_key"),
	CONSTRAINT "payouts_state_known" CHECK ("payouts"."state" in ('requested', 'approved', 'sending', 'paid', 'failed', 'rejected', 'reversed')),
	CONSTRAINT "payouts_amounts" CHECK ("payouts"."amount_paise" > 0 and "payouts"."tds_paise" >= 0 and "payouts"."tds_paise" < "payouts"."amount_paise")
);
--> statement-breakpoint
CREATE TABLE "tax_profiles" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"sealed_pan" text NOT NULL,
	"mask" text NOT NULL,
	"pan_hash" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tax_rates" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"section" text NOT NULL,
	"rate_bp" integer NOT NULL,
	"rate_without_pan_bp" integer NOT NULL,
	"threshold_paise" bigint NOT NULL,
	"valid_from" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tax_rates_known" CHECK ("tax_rates"."rate_bp" between 0 and 10000 and "tax_rates"."rate_without_pan_bp" between 0 and 10000)
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"action" text NOT NULL,
	"actor_id" uuid,
	"subject" text,
	"details" jsonb NOT NULL,
	"address_hash" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "cases" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"details" jsonb NOT NULL,
	"state" text DEFAULT 'open' NOT NULL,
	"due_at" timestamp with time zone,
	"resolution" text,
	"resolved_by" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"resolved_at" timestamp with time zone,
	CONSTRAINT "cases_state_known" CHECK ("cases"."state" in ('open', 'resolved'))
);
--> statement-breakpoint
CREATE TABLE "job_leases" (
	"name" text PRIMARY KEY NOT NULL,
	"holder" text,
	"lease_until" timestamp with time zone,
	"next_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_started_at" timestamp with time zone,
	"last_ended_at" timestamp with time zone,
	"last_succeeded" boolean,
	"last_error" text
);
--> statement-breakpoint
CREATE TABLE "rules" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"value" bigint,
	"meaning" text NOT NULL,
	"valid_from" timestamp with time zone DEFAULT now() NOT NULL,
	"set_by" uuid
);
--> statement-breakpoint
CREATE TABLE "spending_limits" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"day_tokens" bigint,
	"month_tokens" bigint,
	"day_paise" bigint,
	"month_paise" bigint,
	"next_day_tokens" bigint,
	"next_month_tokens" bigint,
	"next_day_paise" bigint,
	"next_month_paise" bigint,
	"next_from" timestamp with time zone,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "spending_limits_positive" CHECK (least("spending_limits"."day_tokens", "spending_limits"."month_tokens", "spending_limits"."day_paise", "spending_limits"."month_paise") >= 0)
);
--> statement-breakpoint
ALTER TABLE "ledger"."entries" DROP CONSTRAINT "entries_amount_not_zero";--> statement-breakpoint
ALTER TABLE "ledger"."tips" DROP CONSTRAINT "tips_amount";--> statement-breakpoint
ALTER TABLE "orders" DROP CONSTRAINT "orders_state_known";--> statement-breakpoint
ALTER TABLE "ledger"."entries" DROP CONSTRAINT "entries_journal_id_journal_id_fk";
--> statement-breakpoint
ALTER TABLE "ledger"."tips" DROP CONSTRAINT "tips_id_journal_id_fk";
--> statement-breakpoint
DROP INDEX "ledger"."entries_journal";--> statement-breakpoint
DROP INDEX "ledger"."tips_viewer";--> statement-breakpoint
DROP INDEX "ledger"."entries_account";--> statement-breakpoint
DROP INDEX "orders_to_check";--> statement-breakpoint
ALTER TABLE "ledger"."journal" ALTER COLUMN "created_at" SET DEFAULT clock_timestamp();--> statement-breakpoint
ALTER TABLE "ledger"."tips" ALTER COLUMN "stream_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."tips" ALTER COLUMN "event_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "payments" ALTER COLUMN "journal_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."account_classes" ADD COLUMN "guard" text;--> statement-breakpoint
UPDATE "ledger"."account_classes" SET "guard" = CASE WHEN "guarded" THEN 'lots' ELSE 'nothing' END;--> statement-breakpoint
ALTER TABLE "ledger"."account_classes" ALTER COLUMN "guard" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."account_classes" ADD COLUMN "adjustable" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."accounts" ADD COLUMN "currency" text;--> statement-breakpoint
ALTER TABLE "ledger"."accounts" ADD COLUMN "normal_side" text;--> statement-breakpoint
ALTER TABLE "ledger"."accounts" ADD COLUMN "guard" text;--> statement-breakpoint
ALTER TABLE "ledger"."entries" ADD COLUMN "line" smallint;--> statement-breakpoint
UPDATE "ledger"."entries" e SET "line" = n."line" FROM (
	SELECT "id", row_number() OVER (PARTITION BY "journal_id" ORDER BY "id") AS "line" FROM "ledger"."entries"
) n WHERE n."id" = e."id";--> statement-breakpoint
ALTER TABLE "ledger"."entries" ALTER COLUMN "line" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."entries" ADD COLUMN "lot_id" uuid;--> statement-breakpoint
ALTER TABLE "ledger"."journal" ADD COLUMN "reverses" uuid;--> statement-breakpoint
ALTER TABLE "ledger"."journal" ADD COLUMN "transaction" "xid8" DEFAULT pg_current_xact_id() NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."tips" ADD COLUMN "source" text DEFAULT 'tip' NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."tips" ADD COLUMN "fee_paise" bigint;--> statement-breakpoint
ALTER TABLE "ledger"."tips" DISABLE TRIGGER "tips_append_only";--> statement-breakpoint
UPDATE "ledger"."tips" t SET "fee_paise" = (
	SELECT -coalesce(sum(e."amount"), 0) FROM "ledger"."entries" e JOIN "ledger"."accounts" a ON a."id" = e."account_id"
	WHERE e."journal_id" = t."id" AND a."class" = 'platform_revenue');--> statement-breakpoint
ALTER TABLE "ledger"."tips" ENABLE TRIGGER "tips_append_only";--> statement-breakpoint
ALTER TABLE "ledger"."tips" ALTER COLUMN "fee_paise" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "packages" ADD COLUMN "replaces" uuid;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "state" text NOT NULL DEFAULT 'captured';--> statement-breakpoint
ALTER TABLE "payments" ALTER COLUMN "state" DROP DEFAULT;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "method" text;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "instrument_hash" text;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "fee_paise" bigint;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "fee_tax_paise" bigint;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "error_reason" text;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "refunded_paise" bigint DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "settlement_id" text;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "invoice_number" text;--> statement-breakpoint
ALTER TABLE "payments" ADD COLUMN "captured_at" timestamp with time zone;--> statement-breakpoint
UPDATE "payments" SET "captured_at" = "created_at";--> statement-breakpoint
ALTER TABLE "webhook_events" ADD COLUMN "refusal" text;--> statement-breakpoint
ALTER TABLE "sessions" ADD COLUMN "address_hash" text;--> statement-breakpoint
ALTER TABLE "users" ADD COLUMN "banned_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "ledger"."reservation_lots" ADD CONSTRAINT "reservation_lots_reservation_id_reservations_id_fk" FOREIGN KEY ("reservation_id") REFERENCES "ledger"."reservations"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disputed_earnings" ADD CONSTRAINT "disputed_earnings_gateway_dispute_id_disputes_gateway_dispute_id_fk" FOREIGN KEY ("gateway_dispute_id") REFERENCES "public"."disputes"("gateway_dispute_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "disputes" ADD CONSTRAINT "disputes_gateway_payment_id_payments_gateway_payment_id_fk" FOREIGN KEY ("gateway_payment_id") REFERENCES "public"."payments"("gateway_payment_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "refunds" ADD CONSTRAINT "refunds_gateway_payment_id_payments_gateway_payment_id_fk" FOREIGN KEY ("gateway_payment_id") REFERENCES "public"."payments"("gateway_payment_id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payout_accounts" ADD CONSTRAINT "payout_accounts_performer_id_users_id_fk" FOREIGN KEY ("performer_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payout_approvals" ADD CONSTRAINT "payout_approvals_payout_id_payouts_id_fk" FOREIGN KEY ("payout_id") REFERENCES "public"."payouts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payout_holds" ADD CONSTRAINT "payout_holds_performer_id_users_id_fk" FOREIGN KEY ("performer_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payouts" ADD CONSTRAINT "payouts_performer_id_users_id_fk" FOREIGN KEY ("performer_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payouts" ADD CONSTRAINT "payouts_payout_account_id_payout_accounts_id_fk" FOREIGN KEY ("payout_account_id") REFERENCES "public"."payout_accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tax_profiles" ADD CONSTRAINT "tax_profiles_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "spending_limits" ADD CONSTRAINT "spending_limits_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "checkpoints_time" ON "ledger"."checkpoints" USING btree ("created_at");--> statement-breakpoint
CREATE INDEX "goals_open" ON "ledger"."goals" USING btree ("deadline") WHERE "ledger"."goals"."state" = 'open';--> statement-breakpoint
CREATE INDEX "goals_performer" ON "ledger"."goals" USING btree ("performer_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "lots_open" ON "ledger"."lots" USING btree ("owner_id","id") WHERE "ledger"."lots"."open";--> statement-breakpoint
CREATE INDEX "lots_expiry" ON "ledger"."lots" USING btree ("expires_at") WHERE "ledger"."lots"."open" and "ledger"."lots"."expires_at" is not null;--> statement-breakpoint
CREATE INDEX "reservations_viewer" ON "ledger"."reservations" USING btree ("viewer_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "reservations_goal" ON "ledger"."reservations" USING btree ("goal_id") WHERE "ledger"."reservations"."goal_id" is not null;--> statement-breakpoint
CREATE INDEX "reservations_expiry" ON "ledger"."reservations" USING btree ("expires_at") WHERE "ledger"."reservations"."state" = 'open';--> statement-breakpoint
CREATE INDEX "disputed_earnings_tip" ON "disputed_earnings" USING btree ("tip_id");--> statement-breakpoint
CREATE INDEX "disputed_earnings_performer" ON "disputed_earnings" USING btree ("performer_id");--> statement-breakpoint
CREATE INDEX "disputes_payment" ON "disputes" USING btree ("gateway_payment_id");--> statement-breakpoint
CREATE INDEX "disputes_open" ON "disputes" USING btree ("respond_by") WHERE "disputes"."closed_at" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "invoices_of_payment" ON "invoices" USING btree ("gateway_payment_id") WHERE "invoices"."kind" = 'invoice';--> statement-breakpoint
CREATE INDEX "invoices_user" ON "invoices" USING btree ("user_id","issued_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "refunds_payment" ON "refunds" USING btree ("gateway_payment_id");--> statement-breakpoint
CREATE INDEX "refunds_to_send" ON "refunds" USING btree ("next_attempt_at") WHERE "refunds"."state" in ('approved', 'sent');--> statement-breakpoint
CREATE INDEX "refunds_user" ON "refunds" USING btree ("user_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "refunds_without_note" ON "refunds" USING btree ("ended_at") WHERE "refunds"."state" = 'processed' and "refunds"."credit_note_number" is null;--> statement-breakpoint
CREATE INDEX "settlement_items_entity" ON "settlement_items" USING btree ("entity_id");--> statement-breakpoint
CREATE INDEX "settlement_items_dispute" ON "settlement_items" USING btree ("dispute_id") WHERE "settlement_items"."dispute_id" is not null;--> statement-breakpoint
CREATE INDEX "settlement_items_unexplained" ON "settlement_items" USING btree ("gateway_settlement_id") WHERE "settlement_items"."explained" = 'nothing';--> statement-breakpoint
CREATE UNIQUE INDEX "payout_accounts_one" ON "payout_accounts" USING btree ("performer_id") WHERE "payout_accounts"."state" in ('pending', 'verified');--> statement-breakpoint
CREATE INDEX "payout_accounts_details" ON "payout_accounts" USING btree ("details_hash");--> statement-breakpoint
CREATE INDEX "payout_accounts_to_verify" ON "payout_accounts" USING btree ("next_attempt_at") WHERE "payout_accounts"."state" = 'pending';--> statement-breakpoint
CREATE INDEX "payout_holds_open" ON "payout_holds" USING btree ("performer_id") WHERE "payout_holds"."lifted_at" is null;--> statement-breakpoint
CREATE INDEX "payouts_performer" ON "payouts" USING btree ("performer_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "payouts_to_send" ON "payouts" USING btree ("next_attempt_at") WHERE "payouts"."state" in ('approved', 'sending');--> statement-breakpoint
CREATE INDEX "payouts_waiting" ON "payouts" USING btree ("created_at") WHERE "payouts"."state" = 'requested';--> statement-breakpoint
CREATE INDEX "audit_log_time" ON "audit_log" USING btree ("created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "audit_log_actor" ON "audit_log" USING btree ("actor_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "cases_one_open" ON "cases" USING btree ("kind","subject") WHERE "cases"."state" = 'open';--> statement-breakpoint
CREATE INDEX "cases_list" ON "cases" USING btree ("state","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "rules_name" ON "rules" USING btree ("name","valid_from" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "journal_transaction" ON "ledger"."journal" USING btree ("transaction");--> statement-breakpoint
CREATE UNIQUE INDEX "journal_reverses" ON "ledger"."journal" USING btree ("reverses") WHERE "ledger"."journal"."reverses" is not null;--> statement-breakpoint
CREATE INDEX "orders_user" ON "orders" USING btree ("user_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "payments_order" ON "payments" USING btree ("order_id");--> statement-breakpoint
CREATE INDEX "payments_instrument" ON "payments" USING btree ("instrument_hash");--> statement-breakpoint
CREATE INDEX "payments_unsettled" ON "payments" USING btree ("captured_at") WHERE "payments"."state" = 'captured' and "payments"."settlement_id" is null;--> statement-breakpoint
CREATE INDEX "payments_without_invoice" ON "payments" USING btree ("captured_at") WHERE "payments"."state" = 'captured' and "payments"."invoice_number" is null;--> statement-breakpoint
CREATE INDEX "webhook_events_unprocessed" ON "webhook_events" USING btree ("received_at") WHERE "webhook_events"."processed_at" is null;--> statement-breakpoint
CREATE INDEX "sessions_address_hash" ON "sessions" USING btree ("address_hash");--> statement-breakpoint
CREATE INDEX "entries_account" ON "ledger"."entries" USING btree ("account_id","journal_id");--> statement-breakpoint
CREATE INDEX "orders_to_check" ON "orders" USING btree ("check_at") WHERE "orders"."state" <> 'paid';--> statement-breakpoint
ALTER TABLE "ledger"."account_classes" DROP COLUMN "guarded";--> statement-breakpoint
ALTER TABLE "ledger"."accounts" DISABLE TRIGGER "accounts_append_only";--> statement-breakpoint
UPDATE "ledger"."accounts" a SET "currency" = c."currency", "normal_side" = c."normal_side", "guard" = c."guard"
	FROM "ledger"."account_classes" c WHERE c."class" = a."class";--> statement-breakpoint
ALTER TABLE "ledger"."accounts" ENABLE TRIGGER "accounts_append_only";--> statement-breakpoint
ALTER TABLE "ledger"."accounts" ALTER COLUMN "currency" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."accounts" ALTER COLUMN "normal_side" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."accounts" ALTER COLUMN "guard" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "ledger"."entries" DROP COLUMN "id";--> statement-breakpoint
ALTER TABLE "ledger"."entries" ADD CONSTRAINT "entries_pkey" PRIMARY KEY("journal_id","line");--> statement-breakpoint
ALTER TABLE "ledger"."account_classes" ADD CONSTRAINT "account_classes_guard_known" CHECK ("ledger"."account_classes"."guard" in ('balance', 'lots', 'nothing'));--> statement-breakpoint
ALTER TABLE "ledger"."tips" ADD CONSTRAINT "tips_amounts" CHECK ("ledger"."tips"."amount_tokens" > 0 and "ledger"."tips"."fee_paise" >= 0);--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_state_known" CHECK ("orders"."state" in ('created', 'attempted', 'paid'));--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_state_known" CHECK ("payments"."state" in ('created', 'failed', 'authorized', 'captured'));--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_credited_when_captured" CHECK (("payments"."state" = 'captured') = ("payments"."journal_id" is not null));--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_refunded" CHECK ("payments"."refunded_paise" between 0 and "payments"."amount_paise");