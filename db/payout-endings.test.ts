// Endings of payouts that grew too old to send: by the word of enough of the staff, once, and never against the gateway's.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  endFoundPayout,
  endUnsentPayout,
  findPayoutToLookFor,
  holdPayouts,
  leavePayout,
  liftPayoutHold,
  observePayout,
  openCase,
  type PayoutRow,
  releaseEarnings,
  requestPayout,
  takePayoutsToSend,
  verifyBooks,
} from './index.ts';

const earnedPaise = 150_000;
const kind = 'payout-too-old-to-send';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
let one: string;
let other: string;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  [one, other] = [(await cast.person('admin')).id, (await cast.person('admin')).id];
  await cast.setRule('payout_min_paise', 100);
  await cast.setRule('payout_auto_max_paise', 10_000);
});
afterAll(async () => {
  const wrong = await verifyBooks(database.db);
  await database.close();
  expect(wrong).toEqual([]);
});

/** A payout that was given to its sender, and of which nobody knows more. */
async function sending(amountPaise: number): Promise<PayoutRow> {
  const { performer, streamId } = await cast.liveStream();
  const { user } = await cast.buyer(5);
  await cast.tipped(user.id, streamId, 3_000);
  await cast.ageEarnings();
  await releaseEarnings(database.db);
  await cast.verifiedAccount(performer.id);
  const payout = await requestPayout(database.db, {
    performerId: performer.id,
    amountPaise,
    idempotencyKey: cast.unique('key'),
  });
  await database.asOwner(
    `update payouts set state = 'approved', approved_at = now(), next_attempt_at = now() where id = $1`,
    [payout.id],
  );
  const taken = await takePayoutsToSend(database.db, 100);
  const attempts = taken.find(({ id }) => id === payout.id)?.attempts ?? 0;
  expect(await leavePayout(database.db, { payoutId: payout.id, attempts })).toBe(true);
  return payout;
}

/** One whose key is too old for another attempt, for so long. */
async function tooOld(amountPaise = 10_000, since = '25 hours'): Promise<PayoutRow> {
  const payout = await sending(amountPaise);
  await openOldCase(payout, since);
  return payout;
}

async function openOldCase(payout: PayoutRow, since: string): Promise<void> {
  await openCase(database.db, { kind, subject: payout.id, details: { attempts: 2 } });
  await database.asOwner(
    `update cases set created_at = now() - $2::interval where subject = $1 and kind = $3`,
    [payout.id, since, kind],
  );
}

const neverSent = (payout: PayoutRow, staffId: string) =>
  endUnsentPayout(database.db, { payoutId: payout.id, staffId, reason: 'not at the gateway' });
const found = (payout: PayoutRow, status: 'sent' | 'paid' | 'failed', id = `pout_${payout.id}`) =>
  endFoundPayout(database.db, {
    payoutId: payout.id,
    staffId: one,
    reason: 'seen at the gateway',
    facts: { gatewayPayoutId: id, amountPaise: payout.netPaise, status },
  });
const told = (payout: PayoutRow, status: 'sent' | 'paid' | 'failed') =>
  observePayout(database.db, {
    payoutId: payout.id,
    gatewayPayoutId: `pout_${payout.id}`,
    amountPaise: payout.netPaise,
    status,
  });
const code = async (promise: Promise<unknown>) => (await refusalOf(promise)).code;
const audited = async (payout: PayoutRow) =>
  (
    await database.asOwner<{ action: string; actor_id: string }>(
      'select action, actor_id from audit_log where subject = $1 order by id',
      [payout.id],
    )
  ).map((row) => [row.action, row.actor_id]);
const caseOf = async (payout: PayoutRow) =>
  (
    await database.asOwner(
      'select state, resolution, resolved_by from cases where subject = $1 and kind = $2',
      [payout.id, kind],
    )
  )[0];
const holdsOf = async (payout: PayoutRow) =>
  (
    await database.asOwner<{ reason: string }>(
      'select reason from payout_holds where performer_id = $1 and lifted_at is null',
      [payout.performerId],
    )
  ).map(({ reason }) => reason);

describe('it never went out', () => {
  test('a small one is available again by the word of one, once, with the case closed', async () => {
    const payout = await tooOld(10_000);
    const moved = await cast.movedBy(async () => {
      const answers = await Promise.all(
        Array.from({ length: 5 }, (_, n) => neverSent(payout, n % 2 === 0 ? one : other)),
      );
      for (const answer of answers) {
        expect(answer).toMatchObject({ state: 'failed', failure: 'It never went out.' });
      }
    });
    expect(moved).toEqual({ payout_pending: -10_000, performer_available: 10_000 });
    expect(await cast.accountsOf(payout.performerId)).toEqual({ performer_available: earnedPaise });
    expect(await audited(payout)).toHaveLength(1);
    expect(await caseOf(payout)).toMatchObject({
      state: 'resolved',
      resolution: 'It never went out: not at the gateway',
    });
    await database.asOwner('update payouts set next_attempt_at = now() where id = $1', [payout.id]);
    const taken = await takePayoutsToSend(database.db, 100);
    expect(taken.map(({ id }) => id)).not.toContain(payout.id);
  });

  test('one that was large enough to need approval takes two', async () => {
    const payout = await tooOld(10_001);
    const moved = await cast.movedBy(async () => {
      expect(await neverSent(payout, one)).toMatchObject({ state: 'sending' });
      expect(await code(neverSent(payout, one))).toBe('second-person-needed');
    });
    expect(moved).toEqual({});
    expect(await caseOf(payout)).toMatchObject({ state: 'open' });
    expect(await neverSent(payout, other)).toMatchObject({ state: 'failed' });
    expect(await cast.accountsOf(payout.performerId)).toEqual({ performer_available: earnedPaise });
    expect(await caseOf(payout)).toMatchObject({ state: 'resolved', resolved_by: other });
    expect(await audited(payout)).toEqual([
      ['payout.never-sent', one],
      ['payout.never-sent', other],
    ]);
  });

  test('one that nobody had to approve takes two where it would have to be approved by now', async () => {
    const payout = await tooOld(10_000);
    await cast.setRule('payout_auto_max_paise', 9_999);
    expect(await neverSent(payout, one)).toMatchObject({ state: 'sending' });
    expect(await neverSent(payout, other)).toMatchObject({ state: 'failed' });
    await cast.setRule('payout_auto_max_paise', 10_000);
  });

  test('two who say so at once are two, and the same one twice at once is one', async () => {
    const alone = await tooOld(20_000);
    await Promise.allSettled([neverSent(alone, one), neverSent(alone, one), neverSent(alone, one)]);
    expect(await findPayoutToLookFor(database.db, alone.id)).toMatchObject({ state: 'sending' });
    const both = await tooOld(20_000);
    await Promise.all([neverSent(both, one), neverSent(both, other)]);
    expect(await findPayoutToLookFor(database.db, both.id)).toMatchObject({ state: 'failed' });
  });

  test('not while its last request may still be carried out', async () => {
    const payout = await tooOld(10_000, '23 hours');
    const refusal = await refusalOf(neverSent(payout, one));
    expect(refusal.code).toBe('payout-in-doubt');
    const inHours = (Date.parse(String(refusal.details.from)) - Date.now()) / 3_600_000;
    expect(inHours).toBeCloseTo(1, 1);
    expect(await audited(payout)).toEqual([]);
  });

  test('not one that is sent as usual, known to the gateway, ended, or asked for by whoever says so', async () => {
    const young = await sending(10_000);
    expect((await refusalOf(neverSent(young, one))).details).toEqual({ state: 'sending' });
    const known = await tooOld();
    await told(known, 'sent');
    const paid = await tooOld();
    await told(paid, 'paid');
    // A job that has searched before the gateway told of it opens the case after that.
    await openOldCase(known, '25 hours');
    for (const payout of [young, known, paid]) {
      expect(await code(neverSent(payout, one))).toBe('payout-not-in-doubt');
    }
    const own = await tooOld();
    expect(await code(neverSent(own, own.performerId))).toBe('forbidden');
    await database.asOwner(`update users set role = 'admin' where id = $1`, [own.performerId]);
    expect(await code(neverSent(own, own.performerId))).toBe('second-person-needed');
    expect(await code(neverSent({ ...own, id: own.performerId }, one))).toBe('not-found');
  });

  test('what the gateway tells at the same moment goes before: it is paid, or available, never both', async () => {
    for (let turn = 0; turn < 6; turn += 1) {
      const payout = await tooOld();
      await Promise.allSettled(
        turn % 2 === 0
          ? [neverSent(payout, one), told(payout, 'paid')]
          : [told(payout, 'paid'), neverSent(payout, one)],
      );
      const { state } = await findPayoutToLookFor(database.db, payout.id);
      const available = state === 'paid' ? earnedPaise - 10_000 : earnedPaise;
      expect(await cast.accountsOf(payout.performerId)).toEqual({ performer_available: available });
      expect(await holdsOf(payout)).toEqual(state === 'paid' ? [] : ['payout-contradiction']);
    }
  });

  test.each(['sent', 'paid'] as const)(
    'the gateway says afterwards that it was %s: no entry, a case, and nothing more leaves',
    async (status) => {
      const payout = await tooOld();
      await neverSent(payout, one);
      expect(await cast.movedBy(() => told(payout, status))).toEqual({});
      expect(await cast.casesOf(payout.id)).toEqual(['payout-contradiction']);
      expect(await holdsOf(payout)).toEqual(['payout-contradiction']);
      const again = requestPayout(database.db, {
        performerId: payout.performerId,
        amountPaise: 1_000,
        idempotencyKey: cast.unique('key'),
      });
      expect(await code(again)).toBe('payout-on-hold');
    },
  );

  test('nor is it found afterwards, whatever case a late job has opened', async () => {
    const payout = await tooOld();
    await neverSent(payout, one);
    await openCase(database.db, {
      kind: 'payout-held-in-doubt',
      subject: payout.id,
      details: { performerId: payout.performerId },
    });
    const moved = await cast.movedBy(async () => {
      expect(await code(found(payout, 'paid'))).toBe('payout-not-in-doubt');
    });
    expect([moved, await holdsOf(payout)]).toEqual([{}, []]);
  });

  test('the gateway agrees that it failed: nothing more happens', async () => {
    const payout = await tooOld();
    await neverSent(payout, one);
    expect(await cast.movedBy(() => told(payout, 'failed'))).toEqual({});
    expect([await cast.casesOf(payout.id), await holdsOf(payout)]).toEqual([[], []]);
  });
});

describe('one that is held', () => {
  /** Not found when it was looked for, since when it waits for so long; `next` is the next attempt. */
  async function held(amountPaise: number, since = '25 hours') {
    const payout = await sending(amountPaise);
    const holdId = await holdPayouts(database.db, {
      performerId: payout.performerId,
      reason: 'ring-circle',
    });
    const next = async () => {
      await database.asOwner('update payouts set next_attempt_at = now() where id = $1', [
        payout.id,
      ]);
      const taken = await takePayoutsToSend(database.db, 100);
      const attempts = taken.find(({ id }) => id === payout.id)?.attempts ?? 0;
      return leavePayout(database.db, { payoutId: payout.id, attempts });
    };
    expect(await next()).toBe(false);
    await database.asOwner(
      'update cases set created_at = now() - $2::interval where subject = $1',
      [payout.id, since],
    );
    return { payout, holdId, next };
  }

  test('is ended as one that is too old: after its time, by two, and nothing of it leaves', async () => {
    const early = await held(20_000, '23 hours');
    expect(await code(neverSent(early.payout, one))).toBe('payout-in-doubt');
    const { payout, holdId, next } = await held(20_000);
    // It grows too old as well: one word ends both.
    await openOldCase(payout, '1 hour');
    await neverSent(payout, one);
    expect(await code(neverSent(payout, one))).toBe('second-person-needed');
    expect(await neverSent(payout, other)).toMatchObject({ state: 'failed' });
    expect(await cast.casesOf(payout.id)).toEqual([]);
    expect(await cast.accountsOf(payout.performerId)).toEqual({ performer_available: earnedPaise });
    await liftPayoutHold(database.db, holdId, one);
    expect(await next()).toBe(false);
  });

  test('takes two when it needed approval, however small', async () => {
    const { payout } = await held(5_000);
    await database.asOwner('update payouts set approvals_needed = 1 where id = $1', [payout.id]);
    expect(await neverSent(payout, one)).toMatchObject({ state: 'sending' });
    expect(await neverSent(payout, other)).toMatchObject({ state: 'failed' });
  });

  test('that left again, because the hold was lifted, is in no doubt; what was said before does not count', async () => {
    const { payout, holdId, next } = await held(20_000);
    await neverSent(payout, one);
    await liftPayoutHold(database.db, holdId, one);
    expect(await next()).toBe(true);
    expect(await code(neverSent(payout, other))).toBe('payout-not-in-doubt');
    await openOldCase(payout, '25 hours');
    expect(await neverSent(payout, other)).toMatchObject({ state: 'sending' });
  });

  test('and was found after all is followed to its end', async () => {
    const { payout } = await held(20_000);
    await told(payout, 'sent');
    expect(await cast.casesOf(payout.id)).toEqual([]);
    expect(await cast.movedBy(() => told(payout, 'paid'))).toMatchObject({
      payout_pending: -20_000,
    });
  });
});

describe('it went out', () => {
  test('it is followed under the gateway’s id, and the case is closed', async () => {
    const payout = await tooOld(20_000);
    const answers = await Promise.all(Array.from({ length: 3 }, () => found(payout, 'sent')));
    for (const answer of answers) expect(answer).toMatchObject({ state: 'sending' });
    expect(await audited(payout)).toEqual([['payout.found', one]]);
    expect(await caseOf(payout)).toEqual({
      state: 'resolved',
      resolution: `It went out as pout_${payout.id}: seen at the gateway`,
      resolved_by: one,
    });
    await database.asOwner('update payouts set next_attempt_at = now() where id = $1', [payout.id]);
    const taken = await takePayoutsToSend(database.db, 100);
    expect(taken.find(({ id }) => id === payout.id)).toMatchObject({
      gatewayPayoutId: `pout_${payout.id}`,
    });
    const moved = await cast.movedBy(() => told(payout, 'paid'));
    expect(moved).toMatchObject({ payout_pending: -20_000 });
  });

  test('paid already, it is booked as paid, once', async () => {
    const payout = await tooOld(20_000);
    const moved = await cast.movedBy(async () => {
      await found(payout, 'paid');
      await found(payout, 'paid');
    });
    expect(moved).toMatchObject({ payout_pending: -20_000, bank: -payout.netPaise });
    expect(await code(found(payout, 'paid', 'pout_another'))).toBe('payout-not-in-doubt');
  });

  test('an id that belongs to another payout moves nothing, and the case stays open', async () => {
    const [payout, another] = [await tooOld(), await sending(10_000)];
    await told(another, 'sent');
    const moved = await cast.movedBy(async () => {
      expect(await code(found(payout, 'paid', `pout_${another.id}`))).toBe('payout-mismatch');
    });
    expect(moved).toEqual({});
    expect(await caseOf(payout)).toMatchObject({ state: 'open' });
    expect(await audited(payout)).toEqual([]);
  });

  test('what the books do not believe is no finding: the case stays open, and nothing more leaves', async () => {
    const payout = await tooOld();
    const gatewayPayoutId = `pout_${payout.id}`;
    const moved = await cast.movedBy(async () => {
      const ended = endFoundPayout(database.db, {
        payoutId: payout.id,
        staffId: one,
        reason: 'seen at the gateway',
        facts: { gatewayPayoutId, amountPaise: payout.netPaise + 1, status: 'paid' },
      });
      expect(await code(ended)).toBe('payment-mismatch');
    });
    expect(moved).toEqual({});
    expect(await caseOf(payout)).toMatchObject({ state: 'open' });
    expect([await audited(payout), await holdsOf(payout)]).toEqual([[], ['payout-mismatch']]);
  });

  test('what the gateway could not place before is settled with it', async () => {
    const payout = await tooOld();
    const gatewayPayoutId = cast.unique('pout');
    const unplaced = { gatewayPayoutId, amountPaise: payout.netPaise, status: 'paid' as const };
    expect(await code(observePayout(database.db, unplaced))).toBe('not-found');
    expect(await cast.casesOf(gatewayPayoutId)).toEqual(['payout-unknown']);
    await found(payout, 'paid', gatewayPayoutId);
    expect(await cast.casesOf(gatewayPayoutId)).toEqual([]);
  });
});

test('when the gateway tells of it by itself, the case closes by itself', async () => {
  for (const status of ['sent', 'paid', 'failed'] as const) {
    const payout = await tooOld();
    await told(payout, status);
    expect(await caseOf(payout)).toEqual({
      state: 'resolved',
      resolution: 'The gateway told of it.',
      resolved_by: null,
    });
  }
});
