CREATE TABLE "ledger"."promotions" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"viewer_id" uuid NOT NULL,
	"tokens" bigint NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"reason" text NOT NULL,
	"proposed_by" uuid NOT NULL,
	"decided_by" uuid,
	"state" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"journal_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"decided_at" timestamp with time zone,
	CONSTRAINT "promotions_idempotency_key" UNIQUE("proposed_by","idempotency_key"),
	CONSTRAINT "promotions_state_known" CHECK ("ledger"."promotions"."state" in ('given', 'proposed', 'approved', 'rejected')),
	CONSTRAINT "promotions_tokens" CHECK ("ledger"."promotions"."tokens" > 0),
	CONSTRAINT "promotions_four_eyes" CHECK ("ledger"."promotions"."proposed_by" <> "ledger"."promotions"."viewer_id" and ("ledger"."promotions"."state" = 'rejected'
        or ("ledger"."promotions"."decided_by" <> "ledger"."promotions"."proposed_by" and "ledger"."promotions"."decided_by" <> "ledger"."promotions"."viewer_id") is not false)),
	CONSTRAINT "promotions_given" CHECK (("ledger"."promotions"."state" in ('given', 'approved')) = ("ledger"."promotions"."journal_id" is not null)
        and ("ledger"."promotions"."state" in ('approved', 'rejected')) = ("ledger"."promotions"."decided_by" is not null))
);
--> statement-breakpoint
ALTER TABLE "orders" ADD COLUMN "reopened_at" timestamp with time zone;--> statement-breakpoint
CREATE INDEX "promotions_staff" ON "ledger"."promotions" USING btree ("proposed_by","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "promotions_viewer" ON "ledger"."promotions" USING btree ("viewer_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "promotions_waiting" ON "ledger"."promotions" USING btree ("id") WHERE "ledger"."promotions"."state" = 'proposed';--> statement-breakpoint
CREATE INDEX "cases_subject" ON "cases" USING btree ("subject","kind");--> statement-breakpoint
-- Lists for staff are read by state and id, page by page.
DROP INDEX "cases_list";--> statement-breakpoint
DROP INDEX "payouts_waiting";--> statement-breakpoint
CREATE INDEX "cases_list" ON "cases" USING btree ("state","id");--> statement-breakpoint
CREATE INDEX "payouts_list" ON "payouts" USING btree ("state","id");--> statement-breakpoint
CREATE INDEX "refunds_list" ON "refunds" USING btree ("state","id");--> statement-breakpoint
CREATE INDEX "disputes_list" ON "disputes" USING btree ("opened_at","gateway_dispute_id");--> statement-breakpoint
CREATE INDEX "audit_log_subject" ON "audit_log" USING btree ("subject","id");
