-- A PAN is one person's, corrected by staff alone; numbers of invoices are given for a person's own purchases.
CREATE TABLE "former_pans" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"user_id" uuid NOT NULL,
	"sealed_pan" text NOT NULL,
	"mask" text NOT NULL,
	"replaced_by" uuid NOT NULL,
	"reason" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
ALTER TABLE "tax_profiles" ADD COLUMN "payable_from" timestamp with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "former_pans" ADD CONSTRAINT "former_pans_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "former_pans_user" ON "former_pans" USING btree ("user_id");--> statement-breakpoint
-- Who has given a PAN that somebody had given before keeps it until staff have looked: it is marked as theirs alone.
insert into cases (kind, subject, details)
  select 'pan-shared', t.user_id::text, jsonb_build_object('userId', t.user_id, 'mask', t.mask)
    from tax_profiles t
    where exists (select from tax_profiles b
      where b.pan_hash = t.pan_hash and (b.created_at, b.user_id) < (t.created_at, t.user_id))
  on conflict do nothing;
--> statement-breakpoint
update tax_profiles t set pan_hash = t.pan_hash || ':' || t.user_id
  where exists (select from tax_profiles b
    where b.pan_hash = t.pan_hash and (b.created_at, b.user_id) < (t.created_at, t.user_id));
--> statement-breakpoint
ALTER TABLE "tax_profiles" ADD CONSTRAINT "tax_profiles_pan_hash_key" UNIQUE("pan_hash");--> statement-breakpoint
create trigger former_pans_append_only before update or delete or truncate on former_pans
  for each statement execute function ledger.forbid_change();
--> statement-breakpoint
-- Their arguments change.
drop function if exists ledger.return_gst(uuid, bigint, bigint);
--> statement-breakpoint
drop function if exists issue_invoices(integer, text);
