-- Audits keep how far they have come; blocks, when the first of their acts was written; webhooks, no details of payers.
CREATE TABLE "ledger"."audit_accounts" (
	"audit_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"debit" bigint NOT NULL,
	"credit" bigint NOT NULL,
	"adjusted" bigint NOT NULL,
	CONSTRAINT "audit_accounts_audit_id_account_id_pk" PRIMARY KEY("audit_id","account_id")
);
--> statement-breakpoint
CREATE TABLE "ledger"."audit_findings" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ledger"."audit_findings_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"audit_id" uuid NOT NULL,
	"lasting" boolean NOT NULL,
	"invariant" text NOT NULL,
	"subject" text,
	"detail" text
);
--> statement-breakpoint
CREATE TABLE "ledger"."audit_lots" (
	"audit_id" uuid NOT NULL,
	"lot_id" uuid NOT NULL,
	"tokens" bigint NOT NULL,
	"paise" bigint NOT NULL,
	CONSTRAINT "audit_lots_audit_id_lot_id_pk" PRIMARY KEY("audit_id","lot_id")
);
--> statement-breakpoint
CREATE TABLE "ledger"."audit_performers" (
	"audit_id" uuid NOT NULL,
	"performer_id" uuid NOT NULL,
	"tips" bigint NOT NULL,
	"tokens" bigint NOT NULL,
	"earned_paise" bigint NOT NULL,
	"waiting_paise" bigint NOT NULL,
	CONSTRAINT "audit_performers_audit_id_performer_id_pk" PRIMARY KEY("audit_id","performer_id")
);
--> statement-breakpoint
CREATE TABLE "ledger"."audits" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"kind" text NOT NULL,
	"phase" text DEFAULT 'rows' NOT NULL,
	"cursor" text DEFAULT '00000000-0000-0000-0000-000000000000' NOT NULL,
	"position" bigint DEFAULT 0 NOT NULL,
	"released_through" bigint NOT NULL,
	"totals" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"since" timestamp with time zone,
	"as_of" timestamp with time zone,
	"began_at" timestamp with time zone DEFAULT now() NOT NULL,
	"round_began_at" timestamp with time zone DEFAULT now() NOT NULL,
	"ended_at" timestamp with time zone,
	CONSTRAINT "audits_kind_known" CHECK ("ledger"."audits"."kind" in ('standing', 'whole', 'apart', 'over')),
	CONSTRAINT "audits_phase_known" CHECK ("ledger"."audits"."phase" in ('rows', 'acts', 'released', 'lots', 'invoices', 'state', 'done'))
);
--> statement-breakpoint
ALTER TABLE "ledger"."blocks" ADD COLUMN "oldest_at" timestamp with time zone;--> statement-breakpoint
alter table ledger.blocks disable trigger user;
--> statement-breakpoint
update ledger.blocks b set oldest_at = coalesce((
    select min(j.created_at) from ledger.sealed s join ledger.journal j on j.id = s.journal_id
      where s.position between b.first_position and b.last_position), b.sealed_at);
--> statement-breakpoint
alter table ledger.blocks enable trigger user;
--> statement-breakpoint
ALTER TABLE "ledger"."blocks" ALTER COLUMN "oldest_at" SET NOT NULL;--> statement-breakpoint
CREATE INDEX "audit_findings_audit" ON "ledger"."audit_findings" USING btree ("audit_id");--> statement-breakpoint
CREATE UNIQUE INDEX "audits_one_of_kind" ON "ledger"."audits" USING btree ("kind") WHERE "ledger"."audits"."kind" in ('standing', 'whole');--> statement-breakpoint
CREATE INDEX "blocks_moments" ON "ledger"."blocks" USING gist (tstzrange(least("oldest_at", "sealed_at"), "sealed_at", '[]'));--> statement-breakpoint
CREATE INDEX "webhook_events_kept" ON "webhook_events" USING btree ("received_at") WHERE "webhook_events"."body" <> '';--> statement-breakpoint
-- What webhooks of before told of whom is nobody's business any more.
update webhook_events set body = '' where body <> '';
--> statement-breakpoint
drop function if exists ledger.verify_chain();
--> statement-breakpoint
drop view if exists ledger.moved;
