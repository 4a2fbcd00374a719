// Promotions: one of the staff alone gives little, more takes a second one, and what earnings are made of is looked at.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { promotionTokensMax } from '#contract';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  decidePromotion,
  findFraud,
  grantTokens,
  liftPayoutHold,
  listPromotions,
  readBalance,
  resolveCase,
  verifyBooks,
} from './index.ts';

const dayMs = 86_400_000;

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(() => database.close());

const staffMember = async () => (await cast.person('admin')).id;
const viewer = async () => (await cast.person()).id;
const tomorrow = new Date(Date.now() + dayMs);

function grant(staffId: string, viewerId: string, tokens: number, key = cast.unique('key')) {
  return grantTokens(database.db, {
    staffId,
    viewerId,
    tokens,
    expiresAt: tomorrow,
    reason: 'a gift',
    idempotencyKey: key,
  });
}

/** Given by as many of the staff as it takes. */
async function given(viewerId: string, tokens: number): Promise<void> {
  const made = await grant(await staffMember(), viewerId, tokens);
  if (made.state === 'proposed') {
    await decidePromotion(database.db, made.id, await staffMember(), true);
  }
}

const actionsFor = async (viewerId: string) =>
  (
    await database.asOwner<{ action: string }>(
      'select action from audit_log where subject = $1 order by id',
      [viewerId],
    )
  ).map((row) => row.action);

describe('one of the staff alone', () => {
  test('gives as much in a day as the rule says, whoever gets it; the rest is proposed', async () => {
    const staff = await staffMember();
    const [first, second] = [await viewer(), await viewer()];
    expect(await grant(staff, first, 300)).toMatchObject({ state: 'given', tokens: 300 });
    expect(await grant(staff, second, 200)).toMatchObject({ state: 'given' });
    expect(await grant(staff, second, 1)).toMatchObject({ state: 'proposed', lotId: null });
    expect(await readBalance(database.db, second)).toBe(200);
    expect(await actionsFor(second)).toEqual(['promotion.granted', 'promotion.proposed']);
  });

  test('and no viewer gets more by being given it by many', async () => {
    const user = await viewer();
    expect(await grant(await staffMember(), user, 400)).toMatchObject({ state: 'given' });
    expect(await grant(await staffMember(), user, 101)).toMatchObject({ state: 'proposed' });
    expect(await grant(await staffMember(), user, 100)).toMatchObject({ state: 'given' });
    expect(await readBalance(database.db, user)).toBe(500);
  });

  test('not by asking many times at once either', async () => {
    const staff = await staffMember();
    const users = await Promise.all(Array.from({ length: 12 }, viewer));
    const made = await Promise.all(users.map((user) => grant(staff, user, 100)));
    expect(made.filter(({ state }) => state === 'given')).toHaveLength(5);
  });

  test('proposes no more than a promotion may be', async () => {
    const [staff, user] = [await staffMember(), await viewer()];
    expect(await grant(staff, user, promotionTokensMax)).toMatchObject({ state: 'proposed' });
    for (const tokens of [promotionTokensMax + 1, 0, -1]) {
      expect((await refusalOf(grant(staff, user, tokens))).code).toBe('invalid-request');
    }
  });

  test('has as much again on the next day', async () => {
    const [staff, user] = [await staffMember(), await viewer()];
    await grant(staff, user, 500);
    await database.asOwner(
      `update ledger.promotions set created_at = period_start('day', now()) - interval '1 second'
        where proposed_by = $1`,
      [staff],
    );
    expect(await grant(staff, user, 500)).toMatchObject({ state: 'given' });
  });
});

describe('a proposal', () => {
  test('is given by another of the staff, once, who is neither the giver nor the viewer', async () => {
    const [staff, other] = [await staffMember(), await staffMember()];
    const user = await staffMember();
    const key = cast.unique('key');
    const [made, again] = await Promise.all([
      grant(staff, user, 5_000, key),
      grant(staff, user, 5_000, key),
    ]);
    expect(again.id).toBe(made.id);
    expect(await cast.casesOf(made.id)).toEqual(['promotion-proposed']);
    for (const who of [staff, user]) {
      expect((await refusalOf(decidePromotion(database.db, made.id, who, true))).code).toBe(
        'second-person-needed',
      );
    }
    expect(
      (await refusalOf(decidePromotion(database.db, made.id, await viewer(), true))).code,
    ).toBe('forbidden');
    expect(await readBalance(database.db, user)).toBe(0);
    const decisions = await Promise.all(
      Array.from({ length: 4 }, () => decidePromotion(database.db, made.id, other, true)),
    );
    expect(decisions.filter(({ replayed }) => !replayed)).toHaveLength(1);
    expect(await readBalance(database.db, user)).toBe(5_000);
    expect(await cast.casesOf(made.id)).toEqual([]);
    expect(await grant(staff, user, 5_000, key)).toMatchObject({
      state: 'approved',
      replayed: true,
    });
    expect((await refusalOf(grant(staff, user, 5_001, key))).code).toBe('idempotency-key-reused');
    const late = await refusalOf(decidePromotion(database.db, made.id, await staffMember(), false));
    expect(late.code).toBe('already-decided');
    expect(await actionsFor(user)).toEqual(['promotion.proposed', 'promotion.approved']);
  });

  test('is rejected by anybody, and gives nothing', async () => {
    const [staff, user] = [await staffMember(), await viewer()];
    const made = await grant(staff, user, 501);
    expect(await decidePromotion(database.db, made.id, staff, false)).toMatchObject({
      state: 'rejected',
    });
    const refusal = await refusalOf(
      decidePromotion(database.db, made.id, await staffMember(), true),
    );
    expect(refusal).toMatchObject({ code: 'already-decided', details: { state: 'rejected' } });
    expect(await readBalance(database.db, user)).toBe(0);
  });

  test('is rejected with its case, and not by the viewer', async () => {
    const user = await staffMember();
    const made = await grant(await staffMember(), user, 501);
    const [found] = await database.asOwner<{ id: string }>(
      'select id from cases where subject = $1',
      [made.id],
    );
    const caseId = found?.id ?? '';
    const own = await refusalOf(resolveCase(database.db, caseId, user, 'x'));
    expect(own.code).toBe('second-person-needed');
    await resolveCase(database.db, caseId, await staffMember(), 'too much');
    const late = await refusalOf(decidePromotion(database.db, made.id, await staffMember(), true));
    expect(late).toMatchObject({ code: 'already-decided', details: { state: 'rejected' } });
    expect(await database.asOwner('select resolution from cases where id = $1', [caseId])).toEqual([
      { resolution: 'too much' },
    ]);
    expect(await actionsFor(user)).toEqual(['promotion.proposed', 'promotion.rejected']);
  });

  test('whose tokens have expired meanwhile gives none', async () => {
    const made = await grant(await staffMember(), await viewer(), 501);
    await database.asOwner('update ledger.promotions set expires_at = now() where id = $1', [
      made.id,
    ]);
    const refusal = await refusalOf(
      decidePromotion(database.db, made.id, await staffMember(), true),
    );
    expect(refusal.code).toBe('already-decided');
  });

  test('that waits longest stands first, in pages', async () => {
    const made: string[] = [];
    for (let n = 0; n < 3; n += 1) {
      made.push((await grant(await staffMember(), await viewer(), 501)).id);
    }
    const waiting = await listPromotions(database.db, { state: 'proposed', limit: 100 });
    const ids = waiting.map(({ id }) => id);
    expect(ids.slice(-3)).toEqual(made);
    const paged: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await listPromotions(database.db, { state: 'proposed', after, limit: 2 });
      if (page.length === 0) break;
      paged.push(...page.map(({ id }) => id));
      after = paged.at(-1);
    }
    expect(paged).toEqual(ids);
    const [newest] = await listPromotions(database.db, { limit: 1 });
    expect(newest).toMatchObject({ id: made.at(-1), state: 'proposed', tokens: 501 });
  });
});

describe('earnings from given tokens', () => {
  const holdsOf = (performerId: string) =>
    database.asOwner(
      'select reason, case_id is not null as asked from payout_holds where performer_id = $1 and lifted_at is null',
      [performerId],
    );

  test('hold payouts with a case when they are more than their share of the window', async () => {
    const { performer, streamId } = await cast.liveStream();
    const [fan, guest] = [(await cast.buyer(5)).user.id, await viewer()];
    await given(guest, 1_500);
    await cast.tipped(fan, streamId, 1_500);
    await cast.tipped(guest, streamId, 1_499);
    await findFraud(database.db);
    expect(await holdsOf(performer.id)).toEqual([]);
    await given(guest, 10);
    await cast.tipped(guest, streamId, 10);
    await findFraud(database.db);
    expect(await holdsOf(performer.id)).toEqual([{ reason: 'promotion-earnings', asked: true }]);
    const [found] = await database.asOwner<{ id: string; details: object }>(
      `select id, details from cases where kind = 'promotion-earnings' and subject = $1`,
      [performer.id],
    );
    expect(found?.details).toEqual({
      performerId: performer.id,
      tokens: 1_509,
      givenPaise: 75_450,
      earnedPaise: 150_450,
      givenBy: [expect.any(String)],
    });
    // What somebody has looked at is found again within the window when it is twice as much, and not before.
    await resolveCase(database.db, found?.id ?? '', await staffMember(), 'a launch campaign');
    await given(guest, 1_509);
    await cast.tipped(guest, streamId, 1_508);
    await findFraud(database.db);
    expect(await cast.casesOf(performer.id)).toEqual([]);
    await cast.tipped(guest, streamId, 1);
    await findFraud(database.db);
    expect(await cast.casesOf(performer.id)).toEqual(['promotion-earnings']);
  });

  test('are not for whoever gave them alone to wave through', async () => {
    const { performer, streamId } = await cast.liveStream();
    const [giver, other] = [await staffMember(), await staffMember()];
    for (let n = 0; n < 2; n += 1) {
      const guest = await viewer();
      await grant(giver, guest, 250);
      await given(guest, 251);
      await cast.tipped(guest, streamId, 501);
    }
    await findFraud(database.db);
    const [hold] = await database.asOwner<{ id: string; caseId: string }>(
      'select id, case_id as "caseId" from payout_holds where performer_id = $1',
      [performer.id],
    );
    const { id: holdId = '', caseId = '' } = hold ?? {};
    const lifted = refusalOf(liftPayoutHold(database.db, holdId, giver));
    expect((await lifted).code).toBe('second-person-needed');
    const resolved = refusalOf(resolveCase(database.db, caseId, giver, 'it is well'));
    expect((await resolved).code).toBe('second-person-needed');
    await resolveCase(database.db, caseId, other, 'looked at');
    await liftPayoutHold(database.db, holdId, other);
    expect(await holdsOf(performer.id)).toEqual([]);
  });

  test('a welcome gift holds nobody’s payouts, though it is all that was earned', async () => {
    const { performer, streamId } = await cast.liveStream();
    const guest = await viewer();
    await given(guest, 999);
    await cast.tipped(guest, streamId, 999);
    await findFraud(database.db);
    expect(await holdsOf(performer.id)).toEqual([]);
  });
});

test('after all of this every invariant holds', async () => {
  await cast.sealAll();
  expect(await verifyBooks(database.db)).toEqual([]);
});
