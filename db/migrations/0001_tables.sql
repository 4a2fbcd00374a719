CREATE SCHEMA "ledger";
--> statement-breakpoint
CREATE TABLE "ledger"."account_classes" (
	"class" text PRIMARY KEY NOT NULL,
	"currency" text NOT NULL,
	"normal_side" text NOT NULL,
	"owned" boolean NOT NULL,
	"guarded" boolean NOT NULL,
	"meaning" text NOT NULL,
	CONSTRAINT "account_classes_currency_known" CHECK ("ledger"."account_classes"."currency" in ('TOKEN', 'INR')),
	CONSTRAINT "account_classes_side_known" CHECK ("ledger"."account_classes"."normal_side" in ('debit', 'credit'))
);
--> statement-breakpoint
CREATE TABLE "ledger"."accounts" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"class" text NOT NULL,
	"owner_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "accounts_class_owner" UNIQUE NULLS NOT DISTINCT("class","owner_id")
);
--> statement-breakpoint
CREATE TABLE "ledger"."balances" (
	"account_id" uuid PRIMARY KEY NOT NULL,
	"balance" bigint DEFAULT 0 NOT NULL,
	CONSTRAINT "balances_never_negative" CHECK ("ledger"."balances"."balance" >= 0)
);
--> statement-breakpoint
CREATE TABLE "ledger"."entries" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "ledger"."entries_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"journal_id" uuid NOT NULL,
	"account_id" uuid NOT NULL,
	"currency" text NOT NULL,
	"amount" bigint NOT NULL,
	CONSTRAINT "entries_amount_not_zero" CHECK ("ledger"."entries"."amount" <> 0)
);
--> statement-breakpoint
CREATE TABLE "ledger"."fee_policies" (
	"version" integer PRIMARY KEY NOT NULL,
	"payout_paise_per_token" bigint NOT NULL,
	"valid_from" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "fee_policies_payout_positive" CHECK ("ledger"."fee_policies"."payout_paise_per_token" > 0)
);
--> statement-breakpoint
CREATE TABLE "ledger"."journal" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"kind" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"fingerprint" text NOT NULL,
	"result" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "journal_idempotency_key" UNIQUE("idempotency_key")
);
--> statement-breakpoint
CREATE TABLE "ledger"."tips" (
	"id" uuid PRIMARY KEY NOT NULL,
	"stream_id" uuid NOT NULL,
	"viewer_id" uuid NOT NULL,
	"performer_id" uuid NOT NULL,
	"amount_tokens" bigint NOT NULL,
	"earned_paise" bigint NOT NULL,
	"fee_policy_version" integer NOT NULL,
	"message" text NOT NULL,
	"anonymous" boolean NOT NULL,
	"event_id" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tips_amount" CHECK ("ledger"."tips"."amount_tokens" between 1 and 10000)
);
--> statement-breakpoint
CREATE TABLE "orders" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"user_id" uuid NOT NULL,
	"package_id" uuid NOT NULL,
	"tokens" bigint NOT NULL,
	"amount_paise" bigint NOT NULL,
	"gst_paise" bigint NOT NULL,
	"state" text DEFAULT 'created' NOT NULL,
	"gateway_order_id" text,
	"idempotency_key" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"paid_at" timestamp with time zone,
	"check_at" timestamp with time zone,
	CONSTRAINT "orders_gateway_order_id_key" UNIQUE("gateway_order_id"),
	CONSTRAINT "orders_state_known" CHECK ("orders"."state" in ('created', 'paid')),
	CONSTRAINT "orders_amounts" CHECK ("orders"."tokens" > 0 and "orders"."gst_paise" >= 0 and "orders"."gst_paise" < "orders"."amount_paise")
);
--> statement-breakpoint
CREATE TABLE "packages" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"name" text NOT NULL,
	"tokens" bigint NOT NULL,
	"price_paise" bigint NOT NULL,
	"gst_rate_bp" integer NOT NULL,
	"gst_paise" bigint GENERATED ALWAYS AS ((price_paise * gst_rate_bp + (10000 + gst_rate_bp) / 2) / (10000 + gst_rate_bp)) STORED NOT NULL,
	"offered_from" timestamp with time zone DEFAULT now() NOT NULL,
	"offered_until" timestamp with time zone,
	CONSTRAINT "packages_tokens_positive" CHECK ("packages"."tokens" > 0),
	CONSTRAINT "packages_price_positive" CHECK ("packages"."price_paise" > 0),
	CONSTRAINT "packages_gst_rate" CHECK ("packages"."gst_rate_bp" between 0 and 10000)
);
--> statement-breakpoint
CREATE TABLE "payments" (
	"gateway_payment_id" text PRIMARY KEY NOT NULL,
	"order_id" uuid NOT NULL,
	"amount_paise" bigint NOT NULL,
	"journal_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "payments_journal_id_key" UNIQUE("journal_id")
);
--> statement-breakpoint
CREATE TABLE "webhook_events" (
	"gateway_event_id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"body" text NOT NULL,
	"deliveries" integer DEFAULT 1 NOT NULL,
	"received_at" timestamp with time zone DEFAULT now() NOT NULL,
	"processed_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "refresh_tokens" (
	"hash" "bytea" PRIMARY KEY NOT NULL,
	"session_id" uuid NOT NULL,
	"generation" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"generation" integer DEFAULT 0 NOT NULL,
	"rotated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"revoked_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"email" text NOT NULL,
	"username" text NOT NULL,
	"password_hash" text NOT NULL,
	"date_of_birth" date NOT NULL,
	"country" text NOT NULL,
	"role" text DEFAULT 'viewer' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "users_email_key" UNIQUE("email"),
	CONSTRAINT "users_role_known" CHECK ("users"."role" in ('viewer', 'performer', 'admin'))
);
--> statement-breakpoint
CREATE TABLE "chat_messages" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"stream_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"body" text NOT NULL,
	"idempotency_key" text NOT NULL,
	"event_id" bigint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "events_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"stream_id" uuid NOT NULL,
	"type" text NOT NULL,
	"data" jsonb NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"published_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "stream_media" (
	"stream_id" uuid PRIMARY KEY NOT NULL,
	"node_id" text NOT NULL,
	"node_url" text NOT NULL,
	"publishing" boolean DEFAULT false NOT NULL,
	"publishing_seen_at" timestamp with time zone,
	"video_codec" text,
	"viewers" integer DEFAULT 0 NOT NULL,
	"transcoder_id" text,
	"transcoder_url" text,
	"transcode_lease_until" timestamp with time zone,
	"transcode_state" text,
	"thumbnail_url" text
);
--> statement-breakpoint
CREATE TABLE "streams" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"performer_id" uuid NOT NULL,
	"title" text NOT NULL,
	"category" text NOT NULL,
	"state" text DEFAULT 'created' NOT NULL,
	"end_reason" text,
	"idempotency_key" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"state_since" timestamp with time zone DEFAULT now() NOT NULL,
	"started_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	CONSTRAINT "streams_state_known" CHECK ("streams"."state" in ('created', 'starting', 'live', 'ended'))
);
--> statement-breakpoint
ALTER TABLE "ledger"."accounts" ADD CONSTRAINT "accounts_class_account_classes_class_fk" FOREIGN KEY ("class") REFERENCES "ledger"."account_classes"("class") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger"."balances" ADD CONSTRAINT "balances_account_id_accounts_id_fk" FOREIGN KEY ("account_id") REFERENCES "ledger"."accounts"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger"."entries" ADD CONSTRAINT "entries_journal_id_journal_id_fk" FOREIGN KEY ("journal_id") REFERENCES "ledger"."journal"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "ledger"."tips" ADD CONSTRAINT "tips_id_journal_id_fk" FOREIGN KEY ("id") REFERENCES "ledger"."journal"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "orders" ADD CONSTRAINT "orders_package_id_packages_id_fk" FOREIGN KEY ("package_id") REFERENCES "public"."packages"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "payments" ADD CONSTRAINT "payments_order_id_orders_id_fk" FOREIGN KEY ("order_id") REFERENCES "public"."orders"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "refresh_tokens" ADD CONSTRAINT "refresh_tokens_session_id_sessions_id_fk" FOREIGN KEY ("session_id") REFERENCES "public"."sessions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_media" ADD CONSTRAINT "stream_media_stream_id_streams_id_fk" FOREIGN KEY ("stream_id") REFERENCES "public"."streams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "streams" ADD CONSTRAINT "streams_performer_id_users_id_fk" FOREIGN KEY ("performer_id") REFERENCES "public"."users"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "entries_account" ON "ledger"."entries" USING btree ("account_id","id");--> statement-breakpoint
CREATE INDEX "entries_journal" ON "ledger"."entries" USING btree ("journal_id");--> statement-breakpoint
CREATE INDEX "tips_performer" ON "ledger"."tips" USING btree ("performer_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE INDEX "tips_viewer" ON "ledger"."tips" USING btree ("viewer_id","created_at" DESC NULLS LAST);--> statement-breakpoint
CREATE UNIQUE INDEX "orders_idempotency_key" ON "orders" USING btree ("user_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "orders_to_check" ON "orders" USING btree ("check_at") WHERE "orders"."state" = 'created';--> statement-breakpoint
CREATE INDEX "refresh_tokens_session_id" ON "refresh_tokens" USING btree ("session_id");--> statement-breakpoint
CREATE INDEX "sessions_user_id" ON "sessions" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "users_username_key" ON "users" USING btree (lower("username"));--> statement-breakpoint
CREATE UNIQUE INDEX "chat_messages_idempotency_key" ON "chat_messages" USING btree ("user_id","idempotency_key");--> statement-breakpoint
CREATE INDEX "chat_messages_stream" ON "chat_messages" USING btree ("stream_id","created_at");--> statement-breakpoint
CREATE INDEX "events_stream" ON "events" USING btree ("stream_id","id");--> statement-breakpoint
CREATE INDEX "events_stream_time" ON "events" USING btree ("stream_id","created_at");--> statement-breakpoint
CREATE INDEX "events_unpublished" ON "events" USING btree ("id") WHERE "events"."published_at" is null;--> statement-breakpoint
CREATE INDEX "stream_media_publishing" ON "stream_media" USING btree ("stream_id") WHERE "stream_media"."publishing";--> statement-breakpoint
CREATE UNIQUE INDEX "streams_idempotency_key" ON "streams" USING btree ("performer_id","idempotency_key");--> statement-breakpoint
CREATE UNIQUE INDEX "streams_one_on_air" ON "streams" USING btree ("performer_id") WHERE "streams"."state" in ('starting', 'live');--> statement-breakpoint
CREATE INDEX "streams_live" ON "streams" USING btree ("id" DESC NULLS LAST) WHERE "streams"."state" = 'live';--> statement-breakpoint
CREATE INDEX "streams_performer" ON "streams" USING btree ("performer_id","created_at" DESC NULLS LAST);