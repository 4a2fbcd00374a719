CREATE TABLE "media_holds" (
	"stream_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"holder" text NOT NULL,
	"sound" boolean NOT NULL,
	"picture" boolean NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "media_holds_stream_id_user_id_holder_pk" PRIMARY KEY("stream_id","user_id","holder"),
	CONSTRAINT "media_holds_holder_known" CHECK ("media_holds"."holder" in ('host', 'staff')),
	CONSTRAINT "media_holds_something" CHECK ("media_holds"."sound" or "media_holds"."picture")
);
--> statement-breakpoint
CREATE TABLE "stage_guests" (
	"stream_id" uuid NOT NULL,
	"user_id" uuid NOT NULL,
	"state" text DEFAULT 'invited' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "stage_guests_stream_id_user_id_pk" PRIMARY KEY("stream_id","user_id"),
	CONSTRAINT "stage_guests_state_known" CHECK ("stage_guests"."state" in ('invited', 'joined'))
);
--> statement-breakpoint
ALTER TABLE "revocations" DROP CONSTRAINT "revocations_kind_known";--> statement-breakpoint
ALTER TABLE "revocations" DROP CONSTRAINT "revocations_whole";--> statement-breakpoint
ALTER TABLE "revocations" ADD COLUMN "held" jsonb;--> statement-breakpoint
ALTER TABLE "media_holds" ADD CONSTRAINT "media_holds_stream_id_streams_id_fk" FOREIGN KEY ("stream_id") REFERENCES "public"."streams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "media_holds" ADD CONSTRAINT "media_holds_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stage_guests" ADD CONSTRAINT "stage_guests_stream_id_streams_id_fk" FOREIGN KEY ("stream_id") REFERENCES "public"."streams"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "stage_guests" ADD CONSTRAINT "stage_guests_user_id_users_id_fk" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "media_holds_user" ON "media_holds" USING btree ("user_id");--> statement-breakpoint
CREATE INDEX "stage_guests_user" ON "stage_guests" USING btree ("user_id");--> statement-breakpoint
ALTER TABLE "revocations" ADD CONSTRAINT "revocations_kind_known" CHECK ("revocations"."kind" in ('session', 'user', 'viewer', 'stream', 'hold'));--> statement-breakpoint
ALTER TABLE "revocations" ADD CONSTRAINT "revocations_whole" CHECK (("revocations"."subject" is null) = ("revocations"."kind" = 'stream')
        and ("revocations"."stream_id" is null) = ("revocations"."kind" in ('session', 'user'))
        and ("revocations"."held" is not null) = ("revocations"."kind" = 'hold'));