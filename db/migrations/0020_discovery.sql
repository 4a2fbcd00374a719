ALTER TABLE "stream_media" ADD COLUMN "tipped_tokens" ledger.quantity DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX "users_username_prefix" ON "users" USING btree (lower("username") text_pattern_ops);--> statement-breakpoint
CREATE INDEX "stream_media_audience" ON "stream_media" USING btree ("audience" DESC NULLS LAST,"stream_id" DESC NULLS LAST) WHERE "stream_media"."audience" > 0;--> statement-breakpoint
CREATE INDEX "stream_media_tipped" ON "stream_media" USING btree ("tipped_tokens" DESC NULLS LAST,"stream_id" DESC NULLS LAST) WHERE "stream_media"."tipped_tokens" > 0;--> statement-breakpoint
CREATE INDEX "streams_newest" ON "streams" USING btree ("started_at" DESC NULLS LAST,"id" DESC NULLS LAST) WHERE "streams"."state" = 'live' and "streams"."visibility" = 'public';--> statement-breakpoint
CREATE INDEX "streams_upcoming" ON "streams" USING btree ("scheduled_at") WHERE "streams"."state" = 'created';