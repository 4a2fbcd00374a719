-- Least privilege: the services read, call the acts below, and write only what no rule hangs on.

revoke all on schema public from public;
--> statement-breakpoint
revoke all on all functions in schema public, ledger from public;
--> statement-breakpoint
-- Functions that later migrations add are nobody's until they are granted, too.
alter default privileges revoke execute on functions from public;
--> statement-breakpoint
grant usage on schema public, ledger to livepanty_app;
--> statement-breakpoint
grant select on all tables in schema public, ledger to livepanty_app;
--> statement-breakpoint
grant insert, update on users, sessions, refresh_tokens, webhook_events to livepanty_app;
--> statement-breakpoint
grant insert on streams to livepanty_app;
--> statement-breakpoint
grant delete on sessions to livepanty_app;
--> statement-breakpoint
-- The relay marks what it has published; nothing else of an event ever changes.
grant update (published_at) on events to livepanty_app;
--> statement-breakpoint
grant execute on function
  uuid_v7(), refuse(text, jsonb), event_json(events), rotate_refresh_token(bytea, bytea, interval),
  transition_stream(uuid, text, text), post_message(uuid, uuid, text, text),
  report_sfu(text, text, jsonb), report_transcoder(text, text, integer, jsonb, interval),
  place_stream(uuid, text, text, text), end_lost_streams(interval, interval, text[]),
  create_order(uuid, uuid, text), set_gateway_order(uuid, text), orders_to_check(integer),
  ledger.purchase_captured(text, text, bigint),
  ledger.tip(uuid, uuid, bigint, text, boolean, text),
  ledger.trial_balance(), ledger.verify()
  to livepanty_app;
