ALTER TABLE "disputes" ADD COLUMN "turns" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE TABLE "settlement_solutions" (
	"adjustment_id" uuid PRIMARY KEY NOT NULL,
	"gateway_settlement_id" text NOT NULL,
	"line" integer NOT NULL,
	"paise" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "taken_net_paise" bigint;--> statement-breakpoint
ALTER TABLE "refunds" ADD COLUMN "taken_gst_paise" bigint;--> statement-breakpoint
-- Refunds that were made at the gateway took what tokens they found; the tax they always took whole.
update refunds r set taken_gst_paise = gst_paise,
	taken_net_paise = case when reservation_id is not null then net_paise else coalesce((
		select sum(e.amount) from ledger.entries e
			where e.journal_id = r.journal_id and e.lot_id is not null and e.currency = 'INR'), 0) end;
--> statement-breakpoint
ALTER TABLE "refunds" ALTER COLUMN "taken_net_paise" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "refunds" ALTER COLUMN "taken_gst_paise" SET NOT NULL;--> statement-breakpoint
-- Nobody has asked yet what became of them.
update refunds set next_attempt_at = now() where state = 'sent' and next_attempt_at is null;
--> statement-breakpoint
ALTER TABLE "settlement_solutions" ADD CONSTRAINT "settlement_solutions_adjustment_id_adjustments_id_fk" FOREIGN KEY ("adjustment_id") REFERENCES "ledger"."adjustments"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "settlement_solutions" ADD CONSTRAINT "settlement_solutions_line" FOREIGN KEY ("gateway_settlement_id","line") REFERENCES "public"."settlement_items"("gateway_settlement_id","line") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "settlement_solutions_of_line" ON "settlement_solutions" USING btree ("gateway_settlement_id","line");