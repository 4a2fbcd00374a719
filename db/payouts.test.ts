// Payouts: earnings that have waited, paid once to whom they belong, or available again; never more than there is.
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { somebodyElse, waits } from '../testing/locks.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  approvePayout,
  holdPayouts,
  leavePayout,
  liftPayoutHold,
  listPayouts,
  observePayout,
  observePayoutAccount,
  openCase,
  type PayoutRow,
  type PayoutToSend,
  payForValidation,
  readEarnings,
  readPayouts,
  rejectPayout,
  releaseEarnings,
  requestPayout,
  sealJournal,
  setPayoutAccount,
  setTaxProfile,
  takeAccountsToVerify,
  takePayoutsToSend,
  verifyBooks,
} from './index.ts';

/** What a performer has who was sent a whole package of tokens. */
const earnedPaise = 150_000;
const patronIndex = 5;
const patronTokens = 3_000;
const roundMax = 100;
/** Kept back without a PAN: 5 %. */
const withoutPan = 0.05;

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
let staff: string[];

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  staff = await Promise.all(Array.from({ length: 3 }, async () => (await cast.person('admin')).id));
  await cast.setRule('payout_min_paise', 100);
  await cast.setRule('payout_auto_max_paise', 10_000);
  await cast.setRule('payout_second_approval_paise', 50_000);
});
afterAll(async () => {
  await database.close();
});

/** A performer with pending earnings; `released` ones can be asked for. */
async function earner(options: { released?: boolean; account?: boolean } = {}): Promise<string> {
  const { performer, streamId } = await cast.liveStream();
  const { user } = await cast.buyer(patronIndex);
  await cast.tipped(user.id, streamId, patronTokens);
  if (options.released !== false) {
    await cast.ageEarnings();
    await releaseEarnings(database.db);
  }
  if (options.account !== false) await cast.verifiedAccount(performer.id);
  return performer.id;
}

function request(performerId: string, amountPaise: number, key = cast.unique('key')) {
  return requestPayout(database.db, { performerId, amountPaise, idempotencyKey: key });
}

/** One that was sent, and of which nobody knows more. */
async function sending(performerId: string, amountPaise = 10_000): Promise<PayoutRow> {
  const payout = await request(performerId, amountPaise);
  expect(await leaves(await taken(payout))).toBe(true);
  return payout;
}

/** As its sender is given it. */
async function taken(payout: PayoutRow): Promise<PayoutToSend> {
  const found = (await takePayoutsToSend(database.db, roundMax)).find(({ id }) => id === payout.id);
  if (!found) throw new Error('nobody was given it');
  return found;
}

const leaves = ({ id, attempts }: PayoutToSend) =>
  leavePayout(database.db, { payoutId: id, attempts });

type Facts = Parameters<typeof observePayout>[1];
function say(payout: PayoutRow, status: Facts['status'], change: Partial<Facts> = {}) {
  return observePayout(database.db, {
    payoutId: payout.id,
    gatewayPayoutId: `pout_${payout.id}`,
    amountPaise: payout.netPaise,
    status,
    ...change,
  });
}

const code = async (promise: Promise<unknown>) => (await refusalOf(promise)).code;

async function age(payout: PayoutRow, interval: string): Promise<void> {
  await database.asOwner(
    'update payouts set next_attempt_at = next_attempt_at - $2::interval where id = $1',
    [payout.id, interval],
  );
}

/** How many of a few senders at once were given it. */
async function takers(payout: PayoutRow): Promise<number> {
  const rounds = await Promise.all(
    Array.from({ length: 4 }, () => takePayoutsToSend(database.db, roundMax)),
  );
  return rounds.flat().filter(({ id }) => id === payout.id).length;
}

describe('earnings', () => {
  test('they wait, and are released once when their waiting time is over', async () => {
    const performerId = await earner({ released: false });
    await releaseEarnings(database.db);
    expect(await cast.accountsOf(performerId)).toEqual({ performer_pending: earnedPaise });
    await sealJournal(database.db);
    await releaseEarnings(database.db);
    const waiting = await readEarnings(database.db, performerId);
    expect(waiting).toMatchObject({ pendingPaise: earnedPaise, availablePaise: 0, holdHours: 168 });
    const inHours = (Date.parse(waiting.nextReleaseAt ?? '') - Date.now()) / 3_600_000;
    expect(inHours).toBeGreaterThan(160);
    await cast.ageEarnings();
    await Promise.all(Array.from({ length: 5 }, () => releaseEarnings(database.db)));
    expect(await cast.accountsOf(performerId)).toEqual({ performer_available: earnedPaise });
    expect(await readEarnings(database.db, performerId)).toMatchObject({
      pendingPaise: 0,
      availablePaise: earnedPaise,
      earnedPaise,
      nextReleaseAt: null,
    });
  });

  test('without a waiting time they are released as soon as they are sealed', async () => {
    await cast.setRule('earnings_hold_hours', null);
    const performerId = await earner({ released: false });
    await cast.sealAll();
    await releaseEarnings(database.db);
    expect(await readEarnings(database.db, performerId)).toMatchObject({
      availablePaise: earnedPaise,
      holdHours: 0,
    });
    await cast.setRule('earnings_hold_hours', 168);
  });

  test('tips that come while others are released wait for their own time', async () => {
    const { performer, streamId } = await cast.liveStream();
    const { user } = await cast.buyer(patronIndex);
    await cast.tipped(user.id, streamId, 1_000);
    await cast.ageEarnings();
    await Promise.all([
      ...Array.from({ length: 10 }, () => cast.tipped(user.id, streamId, 100)),
      releaseEarnings(database.db),
      sealJournal(database.db),
      releaseEarnings(database.db),
    ]);
    expect(await cast.accountsOf(performer.id)).toEqual({
      performer_available: 50_000,
      performer_pending: 50_000,
    });
  });
});

describe('a request', () => {
  test('takes the money at once, and is answered alike when it is repeated', async () => {
    const performerId = await earner();
    const key = cast.unique('key');
    const moved = await cast.movedBy(async () => {
      const made = await Promise.all(
        Array.from({ length: 6 }, () => request(performerId, 20_000, key)),
      );
      expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    });
    expect(moved).toEqual({ performer_available: -20_000, payout_pending: 20_000 });
    expect(await code(request(performerId, 20_001, key))).toBe('idempotency-key-reused');
  });

  test('two hundred at once take what there is and not a paisa more', async () => {
    const performerId = await earner();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, () => request(performerId, 1_100)),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('insufficient-earnings');
    }
    const fitting = Math.floor(earnedPaise / 1_100);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(fitting);
    expect(await cast.accountsOf(performerId)).toEqual({
      performer_available: earnedPaise - fitting * 1_100,
      payout_pending: fitting * 1_100,
    });
  });

  test('too little, too much, no account, one that is not verified, a hold, a ban: each has its refusal', async () => {
    const performerId = await earner({ account: false });
    expect(await code(request(performerId, 1_000))).toBe('payout-account-missing');
    const details = {
      performerId,
      kind: 'bank' as const,
      sealedDetails: 'sealed',
      mask: 'HDFC ••••1234',
      detailsHash: cast.unique('hash'),
    };
    const account = await setPayoutAccount(database.db, details);
    expect((await refusalOf(request(performerId, 1_000))).details).toEqual({ state: 'pending' });
    await observePayoutAccount(database.db, { accountId: account.id, state: 'failed' });
    expect((await refusalOf(request(performerId, 1_000))).details).toEqual({ state: 'failed' });
    await cast.verifiedAccount(performerId);
    expect(await code(request(performerId, 1_000))).toBe('payout-details-on-hold');
    await database.asOwner(
      'update payout_accounts set usable_from = now() where performer_id = $1',
      [performerId],
    );
    expect(await code(request(performerId, 99))).toBe('payout-too-small');
    expect(await code(request(performerId, 0))).toBe('payout-too-small');
    expect(await code(request(performerId, -5_000))).toBe('payout-too-small');
    expect((await refusalOf(request(performerId, earnedPaise + 1))).details).toEqual({
      neededPaise: earnedPaise + 1,
      availablePaise: earnedPaise,
    });
    const holdId = await holdPayouts(database.db, { performerId, reason: 'a question' });
    expect(await code(request(performerId, 1_000))).toBe('payout-on-hold');
    await liftPayoutHold(database.db, holdId, staff[0] ?? '');
    await database.asOwner('update users set banned_at = now() where id = $1', [performerId]);
    expect(await code(request(performerId, 1_000))).toBe('account-banned');
    await database.asOwner('update users set banned_at = null where id = $1', [performerId]);
    await request(performerId, earnedPaise);
  });

  test('a UPI address is sent so much at once and no more, tax kept back already; a bank account more', async () => {
    await cast.setRule('upi_payout_max_paise', 19_000);
    const performerId = await earner();
    // With a twentieth kept back, and then with next to nothing.
    expect((await refusalOf(request(performerId, 20_002))).details).toMatchObject({
      netPaise: 19_002,
      maxNetPaise: 19_000,
      detail:
        'A UPI address can be sent at most ₹190 at once, after tax. Ask for less, or give a bank account.',
    });
    expect(await request(performerId, 20_000)).toMatchObject({ netPaise: 19_000 });
    await database.asOwner(
      `insert into tax_profiles (user_id, sealed_pan, mask, pan_hash) values ($1, 'sealed', 'ABC••••••F', $2)`,
      [performerId, cast.unique('pan')],
    );
    expect(await code(request(performerId, 20_000))).toBe('payout-too-large');
    expect(await request(performerId, 19_019)).toMatchObject({ netPaise: 19_000 });
    expect(await cast.accountsOf(performerId)).toMatchObject({ payout_pending: 39_019 });
    expect(await readPayouts(database.db, performerId, 1)).toMatchObject({ maxNetPaise: 19_000 });

    await database.asOwner(`update payout_accounts set kind = 'bank' where performer_id = $1`, [
      performerId,
    ]);
    expect(await request(performerId, 20_000)).toMatchObject({ netPaise: 19_980 });
    expect(await readPayouts(database.db, performerId, 1)).not.toHaveProperty('maxNetPaise');
    await cast.setRule('upi_payout_max_paise', 10_000_000);
  });

  test('what a performer must know is told with the rights of the services', async () => {
    const performerId = await earner();
    await request(performerId, 2_000);
    const told = await readPayouts(database.db, performerId, 10);
    expect(told).toMatchObject({
      account: { mask: 'pe••••@okaxis', state: 'verified' },
      panMask: null,
      minPaise: 100,
      availablePaise: earnedPaise - 2_000,
      tax: {
        section: '194-O',
        rateWithPanBp: 10,
        rateWithoutPanBp: 500,
        thresholdPaise: 0,
        yearPaise: 2_000,
        availableTdsPaise: (earnedPaise - 2_000) * withoutPan,
      },
      blockedBy: null,
      blockedUntil: null,
    });
    expect(told.payouts).toHaveLength(1);
    const stranger = await cast.person('performer');
    expect(await readPayouts(database.db, stranger.id, 10)).toMatchObject({
      account: null,
      blockedBy: 'payout-account-missing',
    });
  });
});

describe('approval', () => {
  test('small ones need nobody, larger ones one of the staff, the largest two', async () => {
    const performerId = await earner();
    expect(await request(performerId, 10_000)).toMatchObject({
      approvalsNeeded: 0,
      state: 'approved',
    });
    const one = await request(performerId, 10_001);
    expect(one).toMatchObject({ approvalsNeeded: 1, state: 'requested' });
    expect(await approvePayout(database.db, one.id, staff[0] ?? '')).toMatchObject({
      state: 'approved',
      approvals: 1,
    });
    const two = await request(performerId, 50_001);
    expect(two).toMatchObject({ approvalsNeeded: 2, state: 'requested' });
    const agree = (by = '') => approvePayout(database.db, two.id, by);
    expect(await agree(staff[0])).toMatchObject({ state: 'requested', approvals: 1 });
    expect(await takers(two)).toBe(0);
    expect(await code(agree(staff[0]))).toBe('second-person-needed');
    expect(await agree(staff[1])).toMatchObject({ state: 'approved', approvals: 2 });
    expect(await agree(staff[0])).toMatchObject({ state: 'approved', approvals: 2 });
    expect(await code(agree(staff[2]))).toBe('already-decided');
  });

  test('what nobody has approved counts together, so that small ones in a row need approval like a large one', async () => {
    const performerId = await earner();
    const needed = async (amountPaise: number) =>
      (await request(performerId, amountPaise)).approvalsNeeded;
    expect(await needed(6_000)).toBe(0);
    // At once: one after the other all the same.
    const atOnce = await Promise.all([needed(4_000), needed(4_000), needed(4_000)]);
    expect(atOnce.toSorted()).toEqual([0, 1, 1]);
    const most = await request(performerId, 32_000);
    expect(most.approvalsNeeded).toBe(1);
    expect(await needed(200)).toBe(2);
    // What one of the staff has approved counts until a second one has, and what came to nothing does not count.
    await approvePayout(database.db, most.id, staff[0] ?? '');
    expect(await needed(200)).toBe(2);
    for (const { id, state } of await listPayouts(database.db, { limit: 10 })) {
      if (state === 'requested') await rejectPayout(database.db, id, staff[0] ?? '', 'no');
    }
    expect(await needed(200)).toBe(1);
    await database.asOwner(
      `update payouts set created_at = created_at - interval '25 hours' where performer_id = $1`,
      [performerId],
    );
    expect(await needed(10_000)).toBe(0);
  });

  test('a large one is not let go in parts by one of the staff alone', async () => {
    const performerId = await earner();
    const [by = '', second = ''] = staff;
    const half = await request(performerId, 30_000);
    expect(half.approvalsNeeded).toBe(1);
    expect(await approvePayout(database.db, half.id, by)).toMatchObject({ state: 'approved' });
    const other = await request(performerId, 30_000);
    expect(other.approvalsNeeded).toBe(2);
    expect(await approvePayout(database.db, other.id, by)).toMatchObject({ state: 'requested' });
    expect(await approvePayout(database.db, other.id, second)).toMatchObject({ state: 'approved' });
    // What nobody need approve is not made more by what was approved.
    expect(await request(performerId, 10_000)).toMatchObject({ approvalsNeeded: 0 });
    expect(await request(performerId, 9_000)).toMatchObject({ approvalsNeeded: 1 });
  });

  test('paid ones count like those that wait, and those that failed or came back do not', async () => {
    const performerId = await earner();
    for (const end of ['paid', 'failed', 'reversed'] as const) {
      await say(await sending(performerId, 3_000), end);
    }
    expect(await request(performerId, 7_000)).toMatchObject({ approvalsNeeded: 0 });
    expect(await request(performerId, 100)).toMatchObject({ approvalsNeeded: 1 });
  });

  test('a second approval that is switched off is not asked for', async () => {
    await cast.setRule('payout_second_approval_paise', null);
    const performerId = await earner();
    expect(await request(performerId, earnedPaise)).toMatchObject({ approvalsNeeded: 1 });
    await cast.setRule('payout_second_approval_paise', 50_000);
  });

  test('nobody approves their own, nor does anybody who is not staff', async () => {
    const performerId = await earner();
    const payout = await request(performerId, 20_000);
    expect(await code(approvePayout(database.db, payout.id, performerId))).toBe('forbidden');
    await database.asOwner(`update users set role = 'admin' where id = $1`, [performerId]);
    expect(await code(approvePayout(database.db, payout.id, performerId))).toBe(
      'second-person-needed',
    );
    const holdId = await holdPayouts(database.db, { performerId, reason: 'a question' });
    expect(await code(liftPayoutHold(database.db, holdId, performerId))).toBe(
      'second-person-needed',
    );
    expect(await code(approvePayout(database.db, payout.id, staff[0] ?? ''))).toBe(
      'payout-on-hold',
    );
  });

  test('refused, the money is available again; also one that was approved and has not left yet', async () => {
    const performerId = await earner();
    const [by = ''] = staff;
    const [one, other] = [await request(performerId, 20_000), await request(performerId, 10_000)];
    const refuse = (payout: PayoutRow) => rejectPayout(database.db, payout.id, by, 'no');
    expect(await code(rejectPayout(database.db, one.id, performerId, 'no'))).toBe('forbidden');
    expect(await refuse(one)).toMatchObject({ state: 'rejected', failure: 'no' });
    expect(await refuse(one)).toMatchObject({ state: 'rejected' });
    expect(await refuse(other)).toMatchObject({ state: 'rejected' });
    expect(await cast.accountsOf(performerId)).toEqual({ performer_available: earnedPaise });
    expect(await takers(other)).toBe(0);
    const told = await database.asOwner(
      `select a.actor_id, a.details, j.reverses = p.request_journal_id as is_of_its_act
        from payouts p
        join audit_log a on a.subject = p.id::text and a.action = 'payout.rejected'
        join ledger.journal j on j.idempotency_key = 'payout-rejected:' || p.id
        where p.performer_id = $1`,
      [performerId],
    );
    const once = { actor_id: by, details: { reason: 'no' }, is_of_its_act: true };
    expect(told).toEqual([once, once]);
    const gone = await sending(performerId);
    expect(await code(refuse(gone))).toBe('already-decided');
  });

  test('what is given back is locked in the order of requests, so that neither waits for the other', async () => {
    const performerId = await earner();
    const payout = await request(performerId, 20_000);
    const requester = await somebodyElse(database);
    const lock = (accountClass: string) =>
      requester.query(
        `select from ledger.balances b join ledger.accounts a on a.id = b.account_id
          where a.class = $1 and a.owner_id = $2 for no key update of b nowait`,
        [accountClass, performerId],
      );
    await lock('performer_available');
    const returned = rejectPayout(database.db, payout.id, staff[0] ?? '', 'no');
    await waits(database, returned);
    await lock('payout_pending');
    await requester.end();
    expect(await returned).toMatchObject({ state: 'rejected' });
  });

  test('approval and refusal at once: one of them counts', async () => {
    const performerId = await earner();
    for (let turn = 0; turn < 5; turn += 1) {
      const payout = await request(performerId, 20_000);
      await Promise.allSettled([
        approvePayout(database.db, payout.id, staff[0] ?? ''),
        rejectPayout(database.db, payout.id, staff[1] ?? '', 'no'),
        takePayoutsToSend(database.db, roundMax),
      ]);
    }
    expect(await verifyBooks(database.db)).toEqual([]);
  });
});

describe('holds and bans', () => {
  test('the same reason holds once, also when it is found twice at the same time', async () => {
    const performer = await cast.person('performer');
    const ids = await Promise.all(
      Array.from({ length: 8 }, () =>
        holdPayouts(database.db, { performerId: performer.id, reason: 'a ring' }),
      ),
    );
    expect(new Set(ids).size).toBe(1);
    await liftPayoutHold(database.db, ids[0] ?? '', staff[0] ?? '');
  });

  test('another case of the same reason holds for itself: lifting one is no decision on the other', async () => {
    const performerId = (await cast.person('performer')).id;
    const hold = async (caseId: string) =>
      holdPayouts(database.db, { performerId, reason: 'payout-name-close', caseId });
    const [one, other] = [crypto.randomUUID(), crypto.randomUUID()];
    const ids = [await hold(one), await hold(one), await hold(other)];
    expect(ids[1]).toBe(ids[0]);
    await liftPayoutHold(database.db, ids[0] ?? '', staff[0] ?? '');
    expect(await readPayouts(database.db, performerId, 1)).toMatchObject({
      blockedBy: 'payout-on-hold',
    });
    await liftPayoutHold(database.db, ids[2] ?? '', staff[0] ?? '');
    expect(await readPayouts(database.db, performerId, 1)).toMatchObject({
      blockedBy: 'payout-account-missing',
    });
  });

  test('a request waits for a hold that is being placed, and is refused', async () => {
    const performerId = await earner();
    const other = await somebodyElse(database);
    await other.query(`select hold_payouts($1, 'a question', null, null)`, [performerId]);
    const asked = request(performerId, 1_000);
    await waits(database, asked);
    await other.query('commit');
    await other.end();
    expect(await code(asked)).toBe('payout-on-hold');
  });

  test('nobody lifts a hold whose case is about them', async () => {
    const performerId = (await cast.person('performer')).id;
    const [about = '', other = ''] = staff;
    for (const details of [{ viewerId: about }, { userId: about }, { givenBy: [about] }]) {
      const caseId = await openCase(database.db, {
        kind: 'ring-one-viewer',
        subject: cast.unique('ring'),
        details: { performerId, ...details },
      });
      const holdId = await holdPayouts(database.db, { performerId, reason: 'a ring', caseId });
      expect(await code(liftPayoutHold(database.db, holdId, about))).toBe('second-person-needed');
      await liftPayoutHold(database.db, holdId, other);
    }
  });

  test('a hold that somebody is lifting is not lifted a second time', async () => {
    const performerId = (await cast.person('performer')).id;
    const holdId = await holdPayouts(database.db, { performerId, reason: 'a question' });
    const other = await somebodyElse(database);
    await other.query('select lift_payout_hold($1, $2)', [holdId, staff[0]]);
    const lifted = liftPayoutHold(database.db, holdId, staff[1] ?? '');
    await waits(database, lifted);
    await other.query('commit');
    await other.end();
    await lifted;
    const [hold] = await database.asOwner('select lifted_by from payout_holds where id = $1', [
      holdId,
    ]);
    expect(hold).toEqual({ lifted_by: staff[0] });
  });

  test('a hold is lifted once: again, and by others, it stays as it is and the trail says it once', async () => {
    const performerId = (await cast.person('performer')).id;
    const holdId = await holdPayouts(database.db, { performerId, reason: 'a question' });
    const lift = (by = '') => liftPayoutHold(database.db, holdId, by);
    await Promise.all(Array.from({ length: 4 }, () => lift(staff[0])));
    await lift(staff[1]);
    const rows = await database.asOwner(
      `select h.lifted_by, count(a)::int as told from payout_holds h
        join audit_log a on a.action = 'payout-hold.lifted' and a.details->>'holdId' = h.id::text
        where h.id = $1 group by 1`,
      [holdId],
    );
    expect(rows).toEqual([{ lifted_by: staff[0], told: 1 }]);
    // What was lifted does not hold any more: the same reason holds anew.
    const again = await holdPayouts(database.db, { performerId, reason: 'a question' });
    expect(again).not.toBe(holdId);
    expect(await code(liftPayoutHold(database.db, again, performerId))).toBe('forbidden');
    expect(await readPayouts(database.db, performerId, 1)).toMatchObject({
      blockedBy: 'payout-on-hold',
    });
    const unknown = liftPayoutHold(database.db, performerId, staff[0] ?? '');
    expect(await code(unknown)).toBe('not-found');
  });

  test('what has not left waits while a hold is on or its performer is banned; what has is followed to its end', async () => {
    const performerId = await earner();
    const left = await sending(performerId, 5_000);
    const waiting = await request(performerId, 5_000);
    const holdId = await holdPayouts(database.db, { performerId, reason: 'a question' });
    expect(await takers(waiting)).toBe(0);
    await age(left, '31 seconds');
    expect(await takers(left)).toBe(1);
    await liftPayoutHold(database.db, holdId, staff[0] ?? '');
    await database.asOwner('update users set banned_at = now() where id = $1', [performerId]);
    expect(await takers(waiting)).toBe(0);
    await age(left, '61 seconds');
    expect(await takers(left)).toBe(1);
    await database.asOwner('update users set banned_at = null where id = $1', [performerId]);
    expect(await takers(waiting)).toBe(1);
  });
});

describe('one that may have left', () => {
  const again = async (payout: PayoutRow) => {
    await age(payout, '1 day');
    return taken(payout);
  };
  const refuse = (payout: PayoutRow) => rejectPayout(database.db, payout.id, staff[0] ?? '', 'no');
  const hold = (performerId: string) =>
    holdPayouts(database.db, { performerId, reason: 'a question' });

  test('has not left by being taken: a hold in between stops it, and so does a refusal', async () => {
    const performerId = await earner();
    const [one, other] = [await request(performerId, 4_000), await request(performerId, 5_000)];
    const rounds = await takePayoutsToSend(database.db, roundMax);
    const mine = rounds.filter(({ performerId: of }) => of === performerId);
    expect(mine).toMatchObject([{ firstAttemptAt: null }, { firstAttemptAt: null }]);
    const holdId = await hold(performerId);
    for (const payout of mine) expect(await leaves(payout)).toBe(false);
    expect(await cast.casesOf(one.id)).toEqual([]);
    await age(one, '1 day');
    expect(await takers(one)).toBe(0);
    expect(await refuse(one)).toMatchObject({ state: 'rejected' });
    await liftPayoutHold(database.db, holdId, staff[0] ?? '');
    for (const payout of mine) expect(await leaves(payout)).toBe(payout.id === other.id);
    expect(await code(refuse(other))).toBe('already-decided');
  });

  test.each([
    ['hold', `select hold_payouts($1, 'a question', null, null)`],
    ['ban', 'update users set banned_at = now() where id = $1'],
  ])('waits for a %s that is being placed, and does not leave', async (_, statement) => {
    const performerId = await earner();
    const payout = await taken(await request(performerId, 10_000));
    const holder = await somebodyElse(database);
    await holder.query(statement, [performerId]);
    const left = leaves(payout);
    await waits(database, left);
    await holder.query('commit');
    await holder.end();
    expect(await left).toBe(false);
    expect(await refuse(payout)).toMatchObject({ state: 'rejected' });
  });

  const endings: Record<'rejected' | 'failed', (payout: PayoutRow) => pg.QueryConfig> = {
    rejected: (payout) => ({
      text: 'select ledger.payout_rejected($1, $2, $3)',
      values: [payout.id, staff[0], 'no'],
    }),
    failed: ({ id: payoutId, netPaise: amountPaise }) => ({
      text: 'select payout_observed($1)',
      values: [{ payoutId, gatewayPayoutId: `pout_${payoutId}`, amountPaise, status: 'failed' }],
    }),
  };

  test.each(['rejected', 'failed'] as const)(
    'waits for an end that is being written, and does not leave: %s',
    async (state) => {
      const performerId = await earner();
      const payout = await taken(await request(performerId, 10_000));
      const other = await somebodyElse(database);
      await other.query(endings[state](payout));
      const left = leaves(payout);
      await waits(database, left);
      await other.query('commit');
      await other.end();
      expect(await left).toBe(false);
      const [found] = await listPayouts(database.db, { limit: 1 });
      expect(found).toMatchObject({ id: payout.id, state });
      expect(await cast.accountsOf(performerId)).toEqual({ performer_available: earnedPaise });
    },
  );

  test('is not refused any more once it is leaving', async () => {
    const performerId = await earner();
    const payout = await taken(await request(performerId, 10_000));
    const other = await somebodyElse(database);
    await other.query('select payout_leaves($1, $2)', [payout.id, payout.attempts]);
    const refused = refuse(payout);
    await waits(database, refused);
    await other.query('commit');
    await other.end();
    expect(await code(refused)).toBe('already-decided');
    expect(await cast.accountsOf(performerId)).toMatchObject({ payout_pending: 10_000 });
  });

  test('keeps the moment of its first attempt, and leaves again only by who took it last', async () => {
    const performerId = await earner();
    const payout = await request(performerId, 10_000);
    const first = await taken(payout);
    // Taken over by another runner before it was sent.
    const second = await again(payout);
    expect(second).toMatchObject({ attempts: 2, firstAttemptAt: null });
    expect([await leaves(first), await leaves(second)]).toEqual([false, true]);
    const third = await again(payout);
    const agoMs = Date.now() - Date.parse(third.firstAttemptAt ?? '');
    expect(agoMs).toBeLessThan(60_000);
    expect(await leaves(third)).toBe(true);
    expect(await again(payout)).toMatchObject({ firstAttemptAt: third.firstAttemptAt });
    await say(payout, 'sent');
    expect(await leaves(await again(payout))).toBe(false);
  });

  test('is looked for while it is held, is a case, and leaves again when nothing holds it', async () => {
    const performerId = await earner();
    const payout = await sending(performerId);
    const holdId = await hold(performerId);
    for (let round = 0; round < 2; round += 1) {
      expect(await leaves(await again(payout))).toBe(false);
      expect(await cast.casesOf(payout.id)).toEqual(['payout-held-in-doubt']);
    }
    expect(await code(refuse(payout))).toBe('already-decided');
    await liftPayoutHold(database.db, holdId, staff[0] ?? '');
    await database.asOwner('update users set banned_at = now() where id = $1', [performerId]);
    expect(await leaves(await again(payout))).toBe(false);
    await database.asOwner('update users set banned_at = null where id = $1', [performerId]);
    expect(await leaves(await again(payout))).toBe(true);
    expect(await cast.casesOf(payout.id)).toEqual([]);
  });
});

describe('what the bank says', () => {
  test('one sender at a time, later and later, until the end is known', async () => {
    const performerId = await earner();
    const payout = await request(performerId, 10_000);
    expect(await takers(payout)).toBe(1);
    expect(await takers(payout)).toBe(0);
    await age(payout, '31 seconds');
    expect(await takers(payout)).toBe(1);
    await age(payout, '31 seconds');
    expect(await takers(payout)).toBe(0);
    await say(payout, 'sent');
    await age(payout, '1 hour');
    expect(await takers(payout)).toBe(1);
    await say(payout, 'paid');
    await age(payout, '1 day');
    expect(await takers(payout)).toBe(0);
  });

  test('paid, it left the bank with its fee, and the tax is owed', async () => {
    const performerId = await earner();
    const payout = await sending(performerId);
    const tax = 10_000 * withoutPan;
    expect(payout).toMatchObject({ tdsPaise: tax, netPaise: 10_000 - tax });
    const moved = await cast.movedBy(() =>
      Promise.all(
        Array.from({ length: 4 }, () =>
          say(payout, 'paid', { feePaise: 590, feeTaxPaise: 90, utr: 'UTR1' }),
        ),
      ),
    );
    expect(moved).toEqual({
      payout_pending: -10_000,
      tds_payable: tax,
      bank: -(10_000 - tax) - 590,
      payout_fees: 500,
      gst_input: 90,
    });
    expect(await readEarnings(database.db, performerId)).toMatchObject({
      paidPaise: 10_000,
      payoutPendingPaise: 0,
      earnedPaise,
    });
  });

  test('a fee whose tax is not named is booked as a fee', async () => {
    const payout = await sending(await earner());
    const moved = await cast.movedBy(() => say(payout, 'paid', { feePaise: 590 }));
    expect(moved).toMatchObject({ payout_fees: 590, bank: -payout.netPaise - 590 });
  });

  test('failed, the money is available again, and somebody hears of it', async () => {
    const performerId = await earner();
    const payout = await sending(performerId);
    await Promise.all(
      Array.from({ length: 4 }, () => say(payout, 'failed', { failure: 'closed account' })),
    );
    expect(await cast.accountsOf(performerId)).toEqual({ performer_available: earnedPaise });
    expect(await cast.casesOf(payout.id)).toEqual(['payout-failed']);
    await request(performerId, earnedPaise);
  });

  test('sent, paid and reversed in any order, again and again: the money is back, fee and tax included', async () => {
    const told = ['sent', 'paid', 'reversed'] as const;
    const orders = [
      [0, 1, 2],
      [0, 2, 1],
      [1, 0, 2],
      [1, 2, 0],
      [2, 0, 1],
      [2, 1, 0],
    ];
    for (const order of orders) {
      const performerId = await earner();
      const payout = await sending(performerId);
      const tell = () =>
        cast.movedBy(async () => {
          for (const index of order) {
            const facts = { feePaise: 590, feeTaxPaise: 90, utr: 'UTR2' };
            await say(payout, told[index] ?? 'sent', facts);
          }
        });
      expect(await tell()).toEqual({ payout_pending: -10_000, performer_available: 10_000 });
      expect(await tell()).toEqual({});
      const [found] = await listPayouts(database.db, { limit: 1 });
      expect(found).toMatchObject({ id: payout.id, state: 'reversed', utr: 'UTR2' });
      expect(await cast.casesOf(payout.id)).toEqual(['payout-reversed']);
      expect(await readEarnings(database.db, performerId)).toMatchObject({
        paidPaise: 0,
        earnedPaise,
      });
    }
  });

  test('failed after it was paid, the money came back', async () => {
    const performerId = await earner();
    const payout = await sending(performerId);
    const moved = await cast.movedBy(async () => {
      await say(payout, 'paid', { feePaise: 590, feeTaxPaise: 90 });
      await say(payout, 'failed');
      await say(payout, 'failed');
    });
    expect(moved).toEqual({ payout_pending: -10_000, performer_available: 10_000 });
    expect(await cast.casesOf(payout.id)).toEqual(['payout-reversed']);
  });

  test('paid after it was said to have failed is not believed: somebody looks, and nothing more leaves', async () => {
    const performerId = await earner();
    const payout = await sending(performerId);
    await say(payout, 'failed');
    const moved = await cast.movedBy(() => say(payout, 'paid'));
    expect(moved).toEqual({});
    expect(await cast.casesOf(payout.id)).toEqual(['payout-contradiction', 'payout-failed']);
    expect(await code(request(performerId, 1_000))).toBe('payout-on-hold');
  });

  test.each([
    ['failed', 'sent'],
    ['failed', 'paid'],
    ['rejected', 'paid'],
  ] as const)(
    'what was given back as %s and is %s under another number: no entry, a case, and nothing more leaves',
    async (state, status) => {
      const performerId = await earner();
      const payout = await request(performerId, 10_000);
      if (state === 'rejected') {
        await rejectPayout(database.db, payout.id, staff[0] ?? '', 'no');
      } else {
        expect(await leaves(await taken(payout))).toBe(true);
        await say(payout, 'failed', { gatewayPayoutId: `refused_${payout.id}` });
      }
      const moved = await cast.movedBy(async () => {
        expect(await code(say(payout, status))).toBe('payment-mismatch');
      });
      expect(moved).toEqual({});
      expect(await cast.casesOf(`pout_${payout.id}`)).toEqual(['payout-mismatch']);
      expect(await code(request(performerId, 1_000))).toBe('payout-on-hold');
    },
  );

  test('what has failed under another number holds nothing: no money has left', async () => {
    const performerId = await earner();
    const payout = await request(performerId, 20_000);
    expect(await code(say(payout, 'failed'))).toBe('payment-mismatch');
    expect(await cast.casesOf(`pout_${payout.id}`)).toEqual(['payout-mismatch']);
    await request(performerId, 1_000);
  });

  test('another amount, another number, somebody else’s number, one that nobody sent: a case, and no entry', async () => {
    const performerId = await earner();
    const [payout, other] = [await sending(performerId, 5_000), await sending(performerId, 5_000)];
    const waiting = await request(performerId, 20_000);
    await say(payout, 'sent');
    const moved = await cast.movedBy(async () => {
      const attempts: [PayoutRow, Partial<Facts>][] = [
        [payout, { amountPaise: payout.netPaise + 1 }],
        [payout, { gatewayPayoutId: 'pout_another' }],
        [other, { gatewayPayoutId: `pout_${payout.id}` }],
        [waiting, {}],
      ];
      for (const [one, change] of attempts) {
        expect(await code(say(one, 'paid', change))).toBe('payment-mismatch');
      }
      const unknown = { payoutId: undefined, gatewayPayoutId: 'pout_unknown' };
      expect(await code(say(payout, 'paid', unknown))).toBe('not-found');
      const answer = await database.asOwner<{ result: { refused?: string } }>(
        'select payout_observed($1::jsonb) as result',
        [
          JSON.stringify({
            payoutId: other.id,
            gatewayPayoutId: `pout_${other.id}`,
            status: 'paid',
          }),
        ],
      );
      expect(answer[0]?.result.refused).toBe('payment-mismatch');
    });
    expect(moved).toEqual({});
    expect(await cast.casesOf('pout_another')).toEqual(['payout-mismatch']);
    expect(await cast.casesOf('pout_unknown')).toEqual(['payout-unknown']);
  });

  test('many with an unknown outcome are asked about until each has ended once', async () => {
    await cast.setRule('payout_auto_max_paise', earnedPaise);
    const performerId = await earner();
    const ends: Facts['status'][] = ['paid', 'failed', 'reversed'];
    const payouts = await Promise.all(
      Array.from({ length: 60 }, () => request(performerId, 1_000)),
    );
    for (let open = payouts.length; open > 0; ) {
      await database.asOwner('update payouts set next_attempt_at = now()');
      const taken = await takePayoutsToSend(database.db, 25);
      open = taken.length;
      // Every fifth answer is lost, and is asked for again.
      await Promise.all(
        taken.map((payout, index) =>
          index % 5 === payout.attempts
            ? null
            : say(payout, ends[payouts.findIndex(({ id }) => id === payout.id) % 3] ?? 'paid'),
        ),
      );
    }
    expect(await cast.accountsOf(performerId)).toEqual({
      performer_available: earnedPaise - 20 * 1_000,
    });
    await cast.setRule('payout_auto_max_paise', 10_000);
  });
});

describe('where it is paid', () => {
  const details = (performerId: string, detailsHash = cast.unique('hash')) => ({
    performerId,
    kind: 'upi' as const,
    sealedDetails: 'sealed',
    mask: 'me••••@okaxis',
    detailsHash,
  });

  test('the first details are usable at once, changed ones wait, the same ones again change nothing', async () => {
    const performer = await cast.person('performer');
    const first = details(performer.id);
    const made = await setPayoutAccount(database.db, first);
    expect(Date.parse(made.usableFrom)).toBeLessThanOrEqual(Date.now());
    expect(await setPayoutAccount(database.db, first)).toMatchObject({ id: made.id });
    const changed = await setPayoutAccount(database.db, details(performer.id));
    const waits = (Date.parse(changed.usableFrom) - Date.now()) / 3_600_000;
    expect(waits).toBeGreaterThan(71);
    // Back to the old ones is a change as well.
    const back = await setPayoutAccount(database.db, first);
    expect(back.id).not.toBe(made.id);
    expect(Date.parse(back.usableFrom)).toBeGreaterThan(Date.now());
  });

  test('ones that come while others are being kept are changed ones, and wait', async () => {
    const performer = await cast.person('performer');
    const other = await somebodyElse(database);
    await other.query(`select set_payout_account($1, 'upi', 'sealed', 'ot••••@okaxis', $2)`, [
      performer.id,
      cast.unique('hash'),
    ]);
    const set = setPayoutAccount(database.db, details(performer.id));
    await waits(database, set);
    await other.query('commit');
    await other.end();
    const { id, usableFrom } = await set;
    expect(Date.parse(usableFrom)).toBeGreaterThan(Date.now());
    const kept = await database.asOwner(
      `select id from payout_accounts where performer_id = $1 and state = 'pending'`,
      [performer.id],
    );
    expect(kept).toEqual([{ id }]);
  });

  test('what was asked for before goes to the account that it was asked for', async () => {
    const performerId = await earner();
    const payout = await request(performerId, 5_000);
    await setPayoutAccount(database.db, details(performerId));
    expect(await code(request(performerId, 5_000))).toBe('payout-account-unverified');
    expect((await taken(payout)).account).toBe('pe••••@okaxis');
  });

  test('an account of two people is looked at', async () => {
    const [one, other] = [await cast.person('performer'), await cast.person('performer')];
    const hash = cast.unique('hash');
    await setPayoutAccount(database.db, details(one.id, hash));
    const second = await setPayoutAccount(database.db, details(other.id, hash));
    expect(await cast.casesOf(second.id)).toEqual(['payout-account-shared']);
  });

  test('it is checked by one at a time, each step kept, and verified once', async () => {
    const performer = await cast.person('performer');
    const account = await setPayoutAccount(database.db, details(performer.id));
    const mine = async () => {
      const rounds = await Promise.all(
        Array.from({ length: 4 }, () => takeAccountsToVerify(database.db, roundMax)),
      );
      return rounds.flat().filter(({ id }) => id === account.id);
    };
    expect(await mine()).toHaveLength(1);
    expect(await mine()).toHaveLength(0);
    const accountId = account.id;
    await observePayoutAccount(database.db, { accountId, gatewayContactId: 'cont_1' });
    await observePayoutAccount(database.db, { accountId, gatewayFundAccountId: 'fa_1' });
    await observePayoutAccount(database.db, { accountId, gatewayValidationId: 'fav_1' });
    await database.asOwner(`update payout_accounts set next_attempt_at = now() where id = $1`, [
      accountId,
    ]);
    expect(await mine()).toMatchObject([
      { gatewayContactId: 'cont_1', gatewayFundAccountId: 'fa_1', gatewayValidationId: 'fav_1' },
    ]);
    const verified = { gatewayValidationId: 'fav_1', state: 'verified' as const };
    expect(await observePayoutAccount(database.db, verified)).toMatchObject({ state: 'verified' });
    const late = await observePayoutAccount(database.db, { accountId, state: 'failed' });
    expect(late).toMatchObject({ state: 'verified' });
    expect(
      await observePayoutAccount(database.db, { gatewayValidationId: 'fav_unknown' }),
    ).toBeNull();
  });
});

test('what the check of an account cost is booked once, whoever tells it how often', async () => {
  const { id: accountId } = await cast.person('performer');
  const cost = { accountId, gatewayValidationId: cast.unique('fav'), sentPaise: 100 };
  const pay = (more: { feePaise: number; feeTaxPaise: number }) =>
    payForValidation(database.db, { ...cost, ...more });
  const fee = { feePaise: 236, feeTaxPaise: 36 };
  const moved = await cast.movedBy(async () => {
    await Promise.all(Array.from({ length: 4 }, () => pay(fee)));
    await pay({ feePaise: 0, feeTaxPaise: 0 });
  });
  expect(moved).toEqual({ bank: -336, payout_fees: 300, gst_input: 36 });
  const free = { ...cost, gatewayValidationId: cast.unique('fav'), sentPaise: 0 };
  const nothing = { feePaise: 0, feeTaxPaise: 0 };
  expect(await cast.movedBy(() => payForValidation(database.db, { ...free, ...nothing }))).toEqual(
    {},
  );
});

describe('tax', () => {
  const rate = (rateBp: number, withoutPanBp: number, thresholdPaise: number) =>
    database.asOwner(
      `insert into tax_rates (section, rate_bp, rate_without_pan_bp, threshold_paise)
        values ('194-O', $1, $2, $3)`,
      [rateBp, withoutPanBp, thresholdPaise],
    );
  const pan = (userId: string, panHash = cast.unique('pan')) =>
    setTaxProfile(database.db, { userId, sealedPan: 'sealed', mask: 'ABC••••••F', panHash });

  test('with a PAN the lower rate, without one the higher', async () => {
    const performerId = await earner();
    expect(await request(performerId, 10_000)).toMatchObject({ tdsPaise: 500, tdsRateBp: 500 });
    await pan(performerId);
    expect(await request(performerId, 10_000)).toMatchObject({ tdsPaise: 10, tdsRateBp: 10 });
  });

  test('what is told of a request of everything is what is kept back of it, below and above the threshold', async () => {
    const everything = async (performerId: string) => {
      const { availablePaise, tax } = await readPayouts(database.db, performerId, 1);
      const asked = await request(performerId, availablePaise);
      expect(asked.tdsPaise).toBe(tax.availableTdsPaise);
      await rejectPayout(database.db, asked.id, staff[0] ?? '', 'for a test');
      return asked.tdsPaise;
    };
    const performerId = await earner();
    const yearOf = async () => (await readPayouts(database.db, performerId, 1)).tax;
    expect(await everything(performerId)).toBe(earnedPaise * withoutPan);
    await pan(performerId);
    expect(await everything(performerId)).toBe(earnedPaise / 1_000);
    await rate(10, 500, earnedPaise);
    expect(await everything(performerId)).toBe(0);
    // What was rejected does not count; what is on its way does.
    expect(await yearOf()).toMatchObject({ thresholdPaise: earnedPaise, yearPaise: 0 });
    await request(performerId, 100);
    expect(await yearOf()).toMatchObject({ yearPaise: 100, availableTdsPaise: 0 });
    await rate(10, 500, earnedPaise - 1);
    expect(await everything(performerId)).toBe(Math.floor((earnedPaise - 100) / 1_000));
    await rate(10, 500, 0);
  });

  test('with a PAN nothing is kept back until a year’s payouts exceed the threshold; failed ones do not count', async () => {
    await rate(10, 500, 30_000);
    const performerId = await earner();
    const anonymous = await earner();
    await pan(performerId);
    const failed = await sending(performerId);
    await say(failed, 'failed');
    expect(await request(performerId, 20_000)).toMatchObject({ tdsPaise: 0 });
    expect(await request(performerId, 10_000)).toMatchObject({ tdsPaise: 0 });
    expect(await request(performerId, 10_000)).toMatchObject({ tdsPaise: 10 });
    // The threshold is for those who have given a PAN.
    expect(await request(anonymous, 10_000)).toMatchObject({ tdsPaise: 500 });
    // Payouts of the year before do not count.
    await database.asOwner(
      `update payouts set created_at = created_at - interval '1 year' where performer_id = $1`,
      [performerId],
    );
    expect(await request(performerId, 30_000)).toMatchObject({ tdsPaise: 0 });
    await rate(10, 500, 0);
  });

  test('two requests at once do not both stay below the threshold', async () => {
    await rate(10, 500, 30_000);
    const performerId = await earner();
    await pan(performerId);
    const made = await Promise.all([request(performerId, 20_000), request(performerId, 20_000)]);
    expect(made.map(({ tdsPaise }) => tdsPaise).toSorted()).toEqual([0, 20]);
    await rate(10, 500, 0);
  });

  test.each([
    ['2026-03-31T18:29:59Z', '2025-03-31T18:30:00.000Z'],
    ['2026-03-31T18:30:00Z', '2026-03-31T18:30:00.000Z'],
    ['2027-01-15T00:00:00Z', '2026-03-31T18:30:00.000Z'],
  ])('the financial year of %s began at %s, by India’s clock', async (at, began) => {
    const [row] = await database.asOwner<{ began: string }>(
      'select instant(financial_year_start($1)) as began',
      [at],
    );
    expect(row?.began).toBe(began);
  });
});

test('after all of this every invariant holds', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
});
