// Payouts: accounts to pay to, requests and their approval, and what the bank says became of them.
import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  Id,
  Instant,
  Payout,
  PayoutAccount,
  PayoutHoldList,
  PayoutOverview,
  StaffPayout,
} from '#contract';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';
import { type IdPage, idPage } from './id-page.ts';

export type PayoutRow = z.infer<typeof StaffPayout>;

/** Everything a performer must know before asking for a payout, and the newest ones. */
export async function readPayouts(
  db: Db,
  performerId: string,
  limit: number,
): Promise<Omit<PayoutOverview, 'nextCursor'>> {
  return callFunction(
    db,
    sql`select jsonb_build_object(
      'account', payout_account_of(${performerId}),
      'panMask', (select t.mask from tax_profiles t where t.user_id = ${performerId}),
      'minPaise', greatest(rule('payout_min_paise'), 1),
      'availablePaise', ledger.balance_now('performer_available', ${performerId}),
      'tax', payout_tax(${performerId}),
      'blockedBy', r.refusal->>'refused',
      'blockedUntil', r.refusal->'details'->>'usableFrom',
      'payouts', ${payoutsOf(performerId, { limit })}) || jsonb_strip_nulls(jsonb_build_object('maxNetPaise', payout_net_max(${performerId}))) as result
      from payout_refusal(${performerId}) r (refusal)`,
    PayoutOverview.omit({ nextCursor: true }),
  );
}

/** A performer's payouts behind one of them, newest first. */
export async function listEarlierPayouts(
  db: Db,
  performerId: string,
  page: IdPage,
): Promise<Payout[]> {
  return callFunction(db, sql`select ${payoutsOf(performerId, page)} as result`, Payout.array());
}

function payoutsOf(performerId: string, page: IdPage): SQL {
  const { rows, order } = idPage(page, 'newest');
  return sql`(select coalesce(jsonb_agg(payout_json(p::payouts) order by ${order}), '[]') from (
    select * from payouts where performer_id = ${performerId} ${rows}) p)`;
}

/** New details of where to pay, sealed. The old ones are put away; the new ones must be verified, and wait. */
export async function setPayoutAccount(
  db: Db,
  account: {
    performerId: string;
    kind: 'bank' | 'upi';
    sealedDetails: string;
    mask: string;
    detailsHash: string;
  },
): Promise<PayoutAccount> {
  return callFunction(
    db,
    sql`select set_payout_account(${account.performerId}, ${account.kind}, ${account.sealedDetails},
      ${account.mask}, ${account.detailsHash}) as result`,
    PayoutAccount,
  );
}

const AccountToVerify = PayoutAccount.extend({
  performerId: Id,
  sealedDetails: z.string(),
  attempts: z.int(),
  gatewayContactId: z.string().nullable(),
  gatewayFundAccountId: z.string().nullable(),
  gatewayValidationId: z.string().nullable(),
});
export type AccountToVerify = z.infer<typeof AccountToVerify>;

/** Accounts that wait for their penny-drop check, replaced ones too; each comes again until its check has an end. */
export async function takeAccountsToVerify(db: Db, limit: number): Promise<AccountToVerify[]> {
  return callFunction(
    db,
    sql`select payout_accounts_to_verify(${limit}) as result`,
    AccountToVerify.array(),
  );
}

/** Takes how far the check of an account has come; what is left out stays. Null for an unknown account. */
export async function observePayoutAccount(
  db: Db,
  facts: {
    accountId?: string;
    gatewayContactId?: string;
    gatewayFundAccountId?: string;
    gatewayValidationId?: string;
    state?: 'verified' | 'failed';
    registeredName?: string;
    failure?: string;
  },
): Promise<PayoutAccount | null> {
  return callFunction(
    db,
    sql`select payout_account_observed(${JSON.stringify(facts)}::jsonb) as result`,
    PayoutAccount.nullable(),
  );
}

/** Books what the check of an account has cost, once; the tax is part of the fee. */
export async function payForValidation(
  db: Db,
  cost: {
    accountId: string;
    gatewayValidationId: string;
    sentPaise: number;
    feePaise: number;
    feeTaxPaise: number;
  },
): Promise<void> {
  await callFunction(
    db,
    sql`select to_jsonb(ledger.validation_paid(${cost.gatewayValidationId}, ${cost.accountId},
      ${cost.sentPaise}, ${cost.feePaise}, ${cost.feeTaxPaise})::text) as result`,
    z.unknown(),
  );
}

/**
 * Asks for available earnings. Refuses `account-banned`, `payout-on-hold`, `payout-account-missing`,
 * `payout-account-unverified`, `payout-details-on-hold`, `payout-too-small`, `payout-too-large`,
 * `insufficient-earnings`, `idempotency-key-reused`.
 */
export async function requestPayout(
  db: Db,
  request: { performerId: string; amountPaise: number; idempotencyKey: string },
): Promise<PayoutRow> {
  return callFunction(
    db,
    sql`select ledger.payout_requested(${request.performerId}, ${request.amountPaise},
      ${request.idempotencyKey}) as result`,
    StaffPayout,
  );
}

/** One of the staff agrees; the last one that is needed lets it go. Refuses `second-person-needed`, `already-decided`. */
export async function approvePayout(db: Db, payoutId: string, staffId: string): Promise<PayoutRow> {
  return callFunction(
    db,
    sql`select ledger.payout_approved(${payoutId}, ${staffId}) as result`,
    StaffPayout,
  );
}

/** The money is available again. Refuses `already-decided`. */
export async function rejectPayout(
  db: Db,
  payoutId: string,
  staffId: string,
  reason: string,
): Promise<PayoutRow> {
  return callFunction(
    db,
    sql`select ledger.payout_rejected(${payoutId}, ${staffId}, ${reason}) as result`,
    StaffPayout,
  );
}

const PayoutToSend = StaffPayout.extend({
  gatewayPayoutId: z.string().nullable(),
  attempts: z.int(),
  firstAttemptAt: Instant.nullable(),
  kind: z.enum(['bank', 'upi']),
  gatewayFundAccountId: z.string().nullable(),
});
export type PayoutToSend = z.infer<typeof PayoutToSend>;

/** Approved payouts whose turn it is to be sent, or asked about; only the job that sends them calls this. */
export async function takePayoutsToSend(db: Db, limit: number): Promise<PayoutToSend[]> {
  return callFunction(db, sql`select payouts_to_send(${limit}) as result`, PayoutToSend.array());
}

/**
 * To be asked right before a payout is sent, the first time or again: from here on the gateway may have it. False
 * when it must not leave: it has ended, is held, or was taken by somebody else since.
 */
export async function leavePayout(
  db: Db,
  payout: { payoutId: string; attempts: number },
): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(payout_leaves(${payout.payoutId}, ${payout.attempts})) as result`,
    z.boolean(),
  );
}

/** Takes what the bank says of a payout, once for each state. Refuses `not-found`, `payment-mismatch`. */
export async function observePayout(
  db: Db,
  facts: {
    payoutId?: string | undefined;
    gatewayPayoutId: string;
    amountPaise: number;
    status: 'sent' | 'paid' | 'failed' | 'reversed';
    feePaise?: number | null;
    feeTaxPaise?: number | null;
    utr?: string | null;
    failure?: string | null;
  },
): Promise<PayoutRow> {
  return callFunction(
    db,
    sql`select payout_observed(${JSON.stringify(facts)}::jsonb) as result`,
    StaffPayout,
  );
}

/** Payouts, newest first: in one state, or all; those that have not ended, oldest first. */
export async function listPayouts(
  db: Db,
  page: IdPage & { state?: PayoutRow['state'] | undefined },
): Promise<PayoutRow[]> {
  const state = page.state ?? null;
  const isWaiting = state !== null && ['requested', 'approved', 'sending'].includes(state);
  const { rows, order } = idPage(page, isWaiting ? 'oldest' : 'newest');
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(payout_json(p::payouts) order by ${order}), '[]') as result from (
      select * from payouts where (${state}::text is null or state = ${state}::text) ${rows}) p`,
    StaffPayout.array(),
  );
}

/** Stops a performer's payouts until the hold is lifted; one for each reason and case. Answers the hold's id. */
export async function holdPayouts(
  db: Db,
  hold: { performerId: string; reason: string; caseId?: string; staffId?: string },
): Promise<string> {
  return callFunction(
    db,
    sql`select to_jsonb(hold_payouts(${hold.performerId}, ${hold.reason},
      ${hold.caseId ?? null}::uuid, ${hold.staffId ?? null}::uuid)) as result`,
    Id,
  );
}

/** Holds that are on, oldest first: of one performer, or all. */
export async function listPayoutHolds(
  db: Db,
  page: IdPage & { performerId?: string | undefined },
): Promise<PayoutHoldList['holds']> {
  const performerId = page.performerId ?? null;
  const { rows, order } = idPage(page, 'oldest');
  return callFunction(
    db,
    sql`select coalesce(jsonb_agg(jsonb_build_object(
        'id', h.id, 'performerId', h.performer_id, 'reason', h.reason, 'caseId', h.case_id,
        'placedBy', h.placed_by, 'createdAt', instant(h.created_at)) order by ${order}), '[]') as result
      from (select * from payout_holds
        where lifted_at is null and (${performerId}::uuid is null or performer_id = ${performerId}::uuid) ${rows}) h`,
    PayoutHoldList.shape.holds,
  );
}

/** One that is lifted stays as it is. Refuses `not-found`, `second-person-needed`. */
export async function liftPayoutHold(db: Db, holdId: string, staffId: string): Promise<void> {
  await callFunction(
    db,
    sql`select to_jsonb(lift_payout_hold(${holdId}, ${staffId})::text) as result`,
    z.unknown(),
  );
}

/** Moves earnings whose waiting time is over to where they can be asked for, round after round. */
export async function releaseEarnings(db: Db): Promise<{ performers: number; paise: number }> {
  const released = { performers: 0, paise: 0 };
  for (;;) {
    const { more, ...round } = await callFunction(
      db,
      sql`select ledger.release_earnings() as result`,
      z.object({ performers: z.int(), paise: z.int(), more: z.boolean() }),
    );
    if (!more) return released;
    released.performers += round.performers;
    released.paise += round.paise;
  }
}
