// Tax numbers: a PAN is given once, is nobody else's, and is put right by staff alone, after which payouts wait.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import {
  correctTaxProfile,
  readPayouts,
  releaseEarnings,
  requestPayout,
  setPayoutAccount,
  setTaxProfile,
  takePayoutsToSend,
  verifyBooks,
} from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
let staffId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  staffId = (await cast.person('admin')).id;
});
afterAll(async () => {
  const wrong = await verifyBooks(database.db);
  await database.close();
  expect(wrong).toEqual([]);
});

const sealed = (panHash: string, mask = 'ABC••••••F') => ({
  sealedPan: `sealed ${panHash}`,
  mask,
  panHash,
});
const give = (userId: string, panHash: string) =>
  setTaxProfile(database.db, { userId, ...sealed(panHash) });
const correct = (userId: string, panHash: string, by = staffId) =>
  correctTaxProfile(database.db, {
    userId,
    staffId: by,
    reason: 'two letters were swapped',
    ...sealed(panHash, 'XYZ••••••A'),
  });
const code = async (promise: Promise<unknown>) => (await refusalOf(promise)).code;
const newPan = () => cast.unique('pan');

async function profileOf(userId: string) {
  const [row] = await database.asOwner<{ sealed_pan: string; pan_hash: string; mask: string }>(
    'select sealed_pan, pan_hash, mask from tax_profiles where user_id = $1',
    [userId],
  );
  return row;
}

const trailOf = (userId: string) =>
  database.asOwner<{ action: string; actor_id: string; details: object }>(
    `select action, actor_id, details from audit_log where subject = $1 order by id`,
    [userId],
  );

/** A performer who can ask for a payout. */
async function earner(): Promise<string> {
  const { performer, streamId } = await cast.liveStream();
  const { user } = await cast.buyer(5);
  await cast.tipped(user.id, streamId, 3_000);
  await cast.ageEarnings();
  await releaseEarnings(database.db);
  await cast.verifiedAccount(performer.id);
  return performer.id;
}

const request = (performerId: string) =>
  requestPayout(database.db, {
    performerId,
    amountPaise: 60_000,
    idempotencyKey: cast.unique('key'),
  });

test('the first PAN stays: the same again is the same answer and nothing else, another one is refused', async () => {
  const { id } = await cast.person('performer');
  const [first, second] = [newPan(), newPan()];
  const answers = await Promise.all(Array.from({ length: 4 }, () => give(id, first)));
  expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
  expect(answers[0]).toMatchObject({ userId: id, panMask: 'ABC••••••F' });
  expect(await refusalOf(give(id, second))).toMatchObject({
    code: 'already-decided',
    details: { detail: expect.stringContaining('given once') },
  });
  expect(await profileOf(id)).toMatchObject({ pan_hash: first });
  expect(await trailOf(id)).toEqual([
    { action: 'tax-profile.given', actor_id: id, details: { mask: 'ABC••••••F' } },
  ]);
  // It is new, and nothing waits for it.
  expect((await readPayouts(database.db, id, 1)).blockedBy).toBe('payout-account-missing');
});

test('of many who give one PAN at once it becomes one’s', async () => {
  const pan = newPan();
  const people = await Promise.all(Array.from({ length: 6 }, () => cast.person('performer')));
  const given = await Promise.allSettled(people.map(({ id }) => give(id, pan)));
  expect(given.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  for (const one of given) {
    if (one.status === 'rejected') expect(one.reason.code).toBe('pan-taken');
  }
});

test('staff put it right, with a reason in the trail, and the one of before is kept', async () => {
  const { id } = await cast.person('performer');
  const [wrong, right] = [newPan(), newPan()];
  await give(id, wrong);
  const corrected = await correct(id, right);
  expect(corrected).toMatchObject({ userId: id, panMask: 'XYZ••••••A' });
  const hours = (Date.parse(corrected.payableFrom) - Date.now()) / 3_600_000;
  expect(hours).toBeGreaterThan(71.9);
  expect(await profileOf(id)).toEqual({
    sealed_pan: `sealed ${right}`,
    pan_hash: right,
    mask: 'XYZ••••••A',
  });
  // Again, it is the same answer: no second entry, no longer wait.
  expect(await correct(id, right)).toEqual(corrected);
  expect((await trailOf(id)).slice(1)).toEqual([
    {
      action: 'tax-profile.corrected',
      actor_id: staffId,
      details: {
        before: 'ABC••••••F',
        after: 'XYZ••••••A',
        reason: 'two letters were swapped',
      },
    },
  ]);
  const former = await database.asOwner(
    'select sealed_pan, mask, replaced_by, reason from former_pans where user_id = $1',
    [id],
  );
  expect(former).toEqual([
    {
      sealed_pan: `sealed ${wrong}`,
      mask: 'ABC••••••F',
      replaced_by: staffId,
      reason: 'two letters were swapped',
    },
  ]);
  await expect(database.asOwner('delete from former_pans')).rejects.toThrow('append-only');
  // What was wrong is free for whose it is; its owner of before does not take it back.
  expect(await code(give(id, wrong))).toBe('already-decided');
  await give((await cast.person('performer')).id, wrong);
});

test('no correction to a PAN of somebody else, of one’s own, of nobody’s, nor by anybody else', async () => {
  const [one, other] = [await cast.person('performer'), await cast.person('performer')];
  const [pan, taken] = [newPan(), newPan()];
  await give(one.id, pan);
  await give(other.id, taken);
  expect(await code(correct(one.id, taken))).toBe('pan-taken');
  expect(await code(correct(one.id, newPan(), other.id))).toBe('forbidden');
  expect(await code(correct((await cast.person()).id, newPan()))).toBe('not-found');
  const staff = await cast.person('admin');
  await give(staff.id, newPan());
  expect(await code(correct(staff.id, newPan(), staff.id))).toBe('second-person-needed');
  expect(await profileOf(one.id)).toMatchObject({ pan_hash: pan });
  expect(await database.asOwner('select from former_pans where user_id = $1', [one.id])).toEqual(
    [],
  );
  expect(await trailOf(one.id)).toHaveLength(1);
});

test('after a correction nothing is asked for, and nothing that was approved leaves, until the wait is over', async () => {
  const performerId = await earner();
  await give(performerId, newPan());
  const approved = await request(performerId);
  expect(approved.state).toBe('approved');
  const { payableFrom } = await correct(performerId, newPan());
  expect(await refusalOf(request(performerId))).toMatchObject({
    code: 'payout-details-on-hold',
    details: { usableFrom: payableFrom },
  });
  expect(await readPayouts(database.db, performerId, 1)).toMatchObject({
    panMask: 'XYZ••••••A',
    blockedBy: 'payout-details-on-hold',
    blockedUntil: payableFrom,
  });
  const taken = async () =>
    (await takePayoutsToSend(database.db, 100)).filter(({ id }) => id === approved.id);
  expect(await taken()).toEqual([]);
  await database.asOwner('update tax_profiles set payable_from = now() where user_id = $1', [
    performerId,
  ]);
  expect(await taken()).toHaveLength(1);
  expect(await request(performerId)).toMatchObject({ state: 'approved' });
});

test('the same account again, while it is checked and when it is verified, changes nothing', async () => {
  const { id } = await cast.person('performer');
  const account = {
    performerId: id,
    kind: 'upi' as const,
    sealedDetails: 'sealed',
    mask: 'pe••••@okaxis',
    detailsHash: cast.unique('hash'),
  };
  const first = await setPayoutAccount(database.db, account);
  const again = await Promise.all(
    Array.from({ length: 4 }, () => setPayoutAccount(database.db, account)),
  );
  expect(again).toEqual(Array(4).fill(first));
  await database.asOwner(`update payout_accounts set state = 'verified' where id = $1`, [first.id]);
  expect(await setPayoutAccount(database.db, account)).toEqual({ ...first, state: 'verified' });
  expect(await trailOf(first.id)).toHaveLength(1);
});
