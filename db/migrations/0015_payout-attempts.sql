ALTER TABLE "payouts" ADD COLUMN "first_attempt_at" timestamp with time zone;--> statement-breakpoint
-- What was given to a sender may have been sent, at the earliest when it was approved.
update payouts set first_attempt_at = approved_at where state = 'sending';
