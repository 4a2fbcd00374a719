-- Rights: the services read, call the acts, and write only what no rule hangs on.

revoke all on all functions in schema public, ledger from public, livepanty_app;
revoke all on all tables in schema public, ledger from public, livepanty_app;
grant usage on schema public, ledger to livepanty_app;
grant select on all tables in schema public, ledger to livepanty_app;
-- What is sealed is read by the acts that need it, and by nothing else.
revoke select on payout_accounts, tax_profiles, former_pans, users, refresh_tokens, mail_tokens, mails, totp_factors,
  recovery_codes, passkeys, challenges, known_devices, stream_keys from livepanty_app;
grant select (id, email, username, country, role, email_verified_at, banned_at, erase_at, created_at)
  on users to livepanty_app;
grant select (id, performer_id, kind, mask, details_hash, state, registered_name, failure, usable_from, created_at)
  on payout_accounts to livepanty_app;
grant select (user_id, mask, pan_hash, payable_from, created_at) on tax_profiles to livepanty_app;
grant insert, update on webhook_events to livepanty_app;
grant delete on sessions to livepanty_app;
-- The relay marks what it has published; nothing else of an event ever changes.
grant update (published_at) on events to livepanty_app;

grant execute on function
  uuid_v7(), uuid_v7_floor(timestamptz), refuse(text, jsonb), event_json(events), instant(timestamptz),
  create_user(text, text, text, date, text), account_of(uuid), login_of(text, bytea),
  become_performer(uuid, uuid),
  open_session(jsonb, integer), rotate_session(bytea, bytea, interval), end_own_session(bytea, uuid, uuid, text),
  end_sessions_of(uuid, uuid, text), end_sessions_by_staff(uuid, uuid), sessions_of(uuid),
  register_user(jsonb, jsonb), link_owner(bytea, text), ask_verification(uuid, jsonb), verify_email(bytea, uuid),
  receiver_of(text), ask_link(uuid, jsonb), credentials_of(uuid), reset_password(bytea, text, jsonb),
  change_password(uuid, uuid, text, text, jsonb), ask_email_change(uuid, jsonb), change_email(bytea, uuid, jsonb),
  undo_email(bytea), use_login_link(bytea), closing_of(uuid), close_account(uuid, jsonb, jsonb), keep_account(bytea),
  rename_user(uuid, uuid, text), forget_usernames(), export_of(uuid, integer), accounts_to_erase(integer),
  erase_words(uuid, integer), erase_account(uuid, jsonb),
  begin_totp(uuid, text), totp_of(uuid), take_totp_step(uuid, bigint), prove_session(uuid, uuid, text),
  confirm_totp(uuid, text[]), set_recovery_codes(uuid, text[]), use_recovery_code(uuid, text), end_totp(uuid),
  factors_of(uuid), begin_challenge(uuid, text, interval), try_challenge(uuid, text, integer), end_challenge(uuid),
  forget_challenges(), begin_passkey_challenge(uuid, text, bytea, interval),
  take_passkey_challenge(uuid, text, uuid), add_passkey(uuid, uuid, jsonb, integer), passkeys_of(uuid), passkey_of(bytea),
  use_passkey(bytea, bigint, boolean), rename_passkey(uuid, bytea, text), remove_passkey(uuid, bytea),
  revocations_after(bigint, integer), revocations_begin(interval), revocations_unpublished(integer),
  revocations_published(bigint[]), forget_revocations(interval),
  stream_of(uuid), live_page(jsonb), search_page(jsonb), every_live(uuid, integer), streams_of(uuid, uuid, integer), create_stream(uuid, jsonb, text),
  edit_stream(uuid, uuid, integer, jsonb), watch_facts(uuid, uuid, text[]), adult_years_of(text),
  buy_entry(uuid, uuid, bigint, text), settle_entries(integer), set_entry(uuid, uuid, uuid, boolean),
  stage_of(uuid, uuid), invite_to_stage(uuid, uuid, text, integer), answer_stage(uuid, uuid, boolean),
  put_off_stage(uuid, uuid, uuid), hold_media(uuid, uuid, uuid, text, jsonb),
  set_moderator(uuid, uuid, uuid, boolean), moderators_of(uuid), set_room_ban(uuid, uuid, uuid, text, timestamptz),
  delete_message(uuid, uuid, uuid),
  create_stream_key(uuid, jsonb, bytea, integer), stream_keys_of(uuid), rotate_stream_key(uuid, uuid, bytea, text),
  end_stream_key(uuid, uuid), use_stream_key(bytea, text, uuid, interval),
  raid(uuid, uuid, uuid),
  count_audiences(jsonb), audiences_of(uuid[]), rank_tips(interval),
  queue_mail(uuid, text, text), mails_to_send(integer), mail_sent(uuid), mail_failed(uuid, integer, text, boolean),
  forget_mails(interval),
  profile_of(text, uuid, text[]), own_profile(uuid), edit_profile(uuid, integer, jsonb),
  set_avatar(uuid, text, bytea), avatar_of(uuid), preferences_of(uuid), edit_preferences(uuid, integer, jsonb),
  relate(uuid, text, uuid, integer), unrelate(uuid, text, uuid), relations_of(uuid, text, uuid, integer),
  country_blocks_of(uuid), set_country_blocks(uuid, jsonb),
  schedule_to_come(uuid, integer), announce(uuid, text, jsonb, integer), edit_announcement(uuid, uuid, jsonb),
  unannounce(uuid, uuid),
  transition_stream(uuid, text, text), post_message(uuid, uuid, text, text),
  report_sfu(text, text, jsonb), report_transcoder(text, text, integer, jsonb, interval),
  place_stream(uuid, text, text, text), end_lost_streams(interval, interval, text[]),
  rule(text), period_start(text, timestamptz), open_case(text, text, jsonb, timestamptz),
  resolve_case(uuid, uuid, text), audit(text, uuid, text, jsonb, text),
  set_ban(uuid, uuid, boolean, text), limits_json(uuid),
  set_limits(uuid, bigint, bigint, bigint, bigint),
  take_lease(text, text, integer, boolean), renew_lease(text, text, integer),
  end_lease(text, text, integer, boolean, text),
  create_order(uuid, uuid, text), reopen_order(uuid), set_gateway_order(uuid, text), orders_to_check(integer), order_status(uuid),
  payment_observed(jsonb), refund_json(refunds), refunds_to_send(integer), refund_observed(jsonb),
  dispute_json(disputes), dispute_observed(jsonb),
  payout_json(payouts), payout_account_of(uuid), payout_refusal(uuid), payout_tax(uuid),
  set_tax_profile(uuid, text, text, text), correct_tax_profile(uuid, uuid, text, text, text, text),
  set_payout_account(uuid, text, text, text, text), payout_accounts_to_verify(integer),
  payout_account_observed(jsonb), payouts_to_send(integer), payout_leaves(uuid, integer),
  payout_observed(jsonb),
  hold_payouts(uuid, text, uuid, uuid), lift_payout_hold(uuid, uuid),
  payout_net_max(uuid), payout_to_look_for(uuid),
  rules_json(), set_rule(text, bigint, uuid, text), decide_rule(uuid, uuid, boolean),
  issue_invoices(integer, uuid), issue_own_invoices(uuid, integer), financial_year_start(timestamptz), find_fraud(),
  ledger.tip(uuid, uuid, bigint, text, boolean, text), ledger.tip_many(jsonb),
  ledger.spendable(uuid), ledger.balance_at(text, uuid, timestamptz), ledger.balance_now(text, uuid),
  ledger.balances_now(uuid), ledger.tips_received(uuid),
  ledger.promotion_granted(uuid, uuid, bigint, timestamptz, text, text),
  ledger.promotion_decided(uuid, uuid, boolean), ledger.expire_promotions(integer),
  ledger.hold(uuid, uuid, uuid, bigint, timestamptz, text), ledger.hold_captured(uuid, bigint),
  ledger.hold_released(uuid), ledger.open_goal(uuid, uuid, text, bigint, timestamptz),
  ledger.goal_contribution(uuid, uuid, bigint, text), ledger.goal_tokens(uuid), ledger.close_goals(integer),
  ledger.settle_reservations(integer),
  ledger.refund_requested(uuid, text, bigint, text, text), ledger.refund_decided(uuid, uuid, boolean),
  ledger.returnable(text), ledger.statement(uuid, text, date, date, uuid, integer),
  ledger.release_earnings(integer), ledger.next_release(uuid), ledger.payout_requested(uuid, bigint, text),
  ledger.payout_approved(uuid, uuid), ledger.payout_rejected(uuid, uuid, text),
  payout_balance_asked(), payout_balance_told(bigint, bigint),
  ledger.validation_paid(text, uuid, bigint, bigint, bigint),
  ledger.payout_never_sent(uuid, uuid, text), ledger.payout_found(uuid, uuid, text, jsonb),
  ledger.adjustment_proposed(uuid, jsonb, text, text), ledger.adjustment_decided(uuid, uuid, boolean),
  ledger.settlement_observed(jsonb), ledger.settlement_unknown(jsonb), ledger.settlement_solved(uuid, uuid, text, integer),
  ledger.late_settlements(), ledger.clearing_explained(),
  ledger.seal(integer), ledger.checkpoint_due(), ledger.checkpoint_signed(jsonb, text, text),
  ledger.trial_balance(), ledger.chain_lag(), ledger.verify(),
  ledger.audit_round(), ledger.audit_whole(), ledger.audit_apart(timestamptz), ledger.audit_step(uuid, integer, integer),
  ledger.audit_result(uuid), ledger.audit_ended(uuid)
  to livepanty_app;
