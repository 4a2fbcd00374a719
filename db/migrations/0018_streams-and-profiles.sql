CREATE TABLE "avatars" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"user_id" uuid NOT NULL,
	"media_type" text NOT NULL,
	"bytes" "bytea" NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "avatars_small" CHECK (octet_length("avatars"."bytes") <= 262144)
);
--> statement-breakpoint
CREATE TABLE "country_blocks" (
	"performer_id" uuid NOT NULL,
	"country" text NOT NULL,
	CONSTRAINT "country_blocks_performer_id_country_pk" PRIMARY KEY("performer_id","country")
);
--> statement-breakpoint
CREATE TABLE "jurisdictions" (
	"country" text PRIMARY KEY NOT NULL,
	"adult_years" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "preferences" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"data" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"version" integer DEFAULT 1 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "profiles" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"display_name" text DEFAULT '' NOT NULL,
	"bio" text DEFAULT '' NOT NULL,
	"links" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"avatar_id" uuid,
	"privacy" text DEFAULT 'public' NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"search" "tsvector" GENERATED ALWAYS AS (setweight(to_tsvector('simple'::regconfig, display_name), 'A') || setweight(to_tsvector('simple'::regconfig, bio), 'C')) STORED,
	CONSTRAINT "profiles_privacy_known" CHECK ("profiles"."privacy" in ('public', 'members', 'followers'))
);
--> statement-breakpoint
CREATE TABLE "relations" (
	"from_id" uuid NOT NULL,
	"to_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "relations_from_id_kind_to_id_pk" PRIMARY KEY("from_id","kind","to_id"),
	CONSTRAINT "relations_kind_known" CHECK ("relations"."kind" in ('follow', 'block', 'mute')),
	CONSTRAINT "relations_of_two" CHECK ("relations"."from_id" <> "relations"."to_id")
);
--> statement-breakpoint
CREATE TABLE "schedule" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"performer_id" uuid NOT NULL,
	"title" text NOT NULL,
	"category" text NOT NULL,
	"starts_at" timestamp with time zone NOT NULL,
	"minutes" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "schedule_minutes_sane" CHECK ("schedule"."minutes" between 5 and 1440)
);
--> statement-breakpoint
CREATE TABLE "raids" (
	"from_stream_id" uuid PRIMARY KEY NOT NULL,
	"to_stream_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "room_bans" (
	"performer_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"by" uuid NOT NULL,
	"until" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "room_bans_performer_id_user_id_pk" PRIMARY KEY("performer_id","user_id"),
	CONSTRAINT "room_bans_kind_known" CHECK ("room_bans"."kind" in ('silenced', 'banned'))
);
--> statement-breakpoint
CREATE TABLE "stream_entries" (
	"stream_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"reservation_id" uuid,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "stream_entries_stream_id_user_id_pk" PRIMARY KEY("stream_id","user_id")
);
--> statement-breakpoint
CREATE TABLE "stream_keys" (
	"id" uuid PRIMARY KEY DEFAULT uuid_v7() NOT NULL,
	"performer_id" uuid NOT NULL,
	"name" text NOT NULL,
	"hash" "bytea" NOT NULL,
	"hint" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp with time zone,
	"revoked_at" timestamp with time zone,
	CONSTRAINT "stream_keys_hash" UNIQUE("hash")
);
--> statement-breakpoint
CREATE TABLE "stream_moderators" (
	"stream_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "stream_moderators_stream_id_user_id_pk" PRIMARY KEY("stream_id","user_id")
);
--> statement-breakpoint
ALTER TABLE "stream_media" ADD COLUMN "audience" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "stream_media" ADD COLUMN "audience_most" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "stream_media" ADD COLUMN "counted_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "tags" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "language" text;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "content_class" text DEFAULT 'general' NOT NULL;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "visibility" text DEFAULT 'public' NOT NULL;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "entry_tokens" ledger.positive;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "scheduled_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "search" "tsvector" GENERATED ALWAYS AS (setweight(to_tsvector('simple'::regconfig, "streams"."title"), 'A') || setweight(array_to_tsvector("streams"."tags"), 'B')) STORED;--> statement-breakpoint
ALTER TABLE "streams" ADD COLUMN "fingerprint" text;--> statement-breakpoint
ALTER TABLE "avatars" ADD CONSTRAINT "avatars_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "country_blocks" ADD CONSTRAINT "country_blocks_performer_id_users_id_fk" FOREIGN KEY ("performer_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "preferences" ADD CONSTRAINT "preferences_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "profiles" ADD CONSTRAINT "profiles_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "relations" ADD CONSTRAINT "relations_from_id_users_id_fk" FOREIGN KEY ("from_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "relations" ADD CONSTRAINT "relations_to_id_users_id_fk" FOREIGN KEY ("to_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "schedule" ADD CONSTRAINT "schedule_performer_id_users_id_fk" FOREIGN KEY ("performer_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "raids" ADD CONSTRAINT "raids_from_stream_id_streams_id_fk" FOREIGN KEY ("from_stream_id") REFERENCES "public"."streams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "raids" ADD CONSTRAINT "raids_to_stream_id_streams_id_fk" FOREIGN KEY ("to_stream_id") REFERENCES "public"."streams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "room_bans" ADD CONSTRAINT "room_bans_performer_id_users_id_fk" FOREIGN KEY ("performer_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "room_bans" ADD CONSTRAINT "room_bans_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_entries" ADD CONSTRAINT "stream_entries_stream_id_streams_id_fk" FOREIGN KEY ("stream_id") REFERENCES "public"."streams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_entries" ADD CONSTRAINT "stream_entries_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_keys" ADD CONSTRAINT "stream_keys_performer_id_users_id_fk" FOREIGN KEY ("performer_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_moderators" ADD CONSTRAINT "stream_moderators_stream_id_streams_id_fk" FOREIGN KEY ("stream_id") REFERENCES "public"."streams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stream_moderators" ADD CONSTRAINT "stream_moderators_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "avatars_user_id" ON "avatars" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "profiles_search" ON "profiles" USING gin ("search");--> statement-breakpoint
CREATE INDEX "relations_to" ON "relations" USING btree ("to_id","kind");--> statement-breakpoint
CREATE INDEX "schedule_performer" ON "schedule" USING btree ("performer_id","starts_at");--> statement-breakpoint
CREATE INDEX "stream_entries_user" ON "stream_entries" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "stream_keys_performer" ON "stream_keys" USING btree ("performer_id");--> statement-breakpoint
CREATE INDEX "stream_moderators_user" ON "stream_moderators" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "streams_search" ON "streams" USING gin ("search");--> statement-breakpoint
CREATE INDEX "streams_tags" ON "streams" USING gin ("tags");--> statement-breakpoint
ALTER TABLE "streams" ADD CONSTRAINT "streams_content_class_known" CHECK ("streams"."content_class" in ('general', 'mature'));--> statement-breakpoint
ALTER TABLE "streams" ADD CONSTRAINT "streams_visibility_known" CHECK ("streams"."visibility" in ('public', 'unlisted', 'followers', 'ticketed'));--> statement-breakpoint
ALTER TABLE "streams" ADD CONSTRAINT "streams_entry_of_ticketed" CHECK (("streams"."entry_tokens" is not null) = ("streams"."visibility" = 'ticketed'));--> statement-breakpoint
ALTER TABLE "streams" ADD CONSTRAINT "streams_tags_few" CHECK (cardinality("streams"."tags") <= 10);--> statement-breakpoint
-- Where people come of age later than at 18; a court, a ministry or a lawyer may say more, and each is a row.
INSERT INTO "jurisdictions" ("country", "adult_years") VALUES ('KR', 19), ('TH', 20);
