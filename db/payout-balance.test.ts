// The balance that payouts are paid from: what the books explain is no difference, whatever is on its way; the rest is.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import {
  leavePayout,
  observePayout,
  observePayoutBalance,
  type PayoutRow,
  payForValidation,
  readPayoutPosition,
  releaseEarnings,
  requestPayout,
  takePayoutsToSend,
  verifyBooks,
} from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
/** What the gateway has. */
let balancePaise = 1_000_000;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  await cast.setRule('payout_min_paise', 100);
});
afterAll(async () => {
  const wrong = await verifyBooks(database.db);
  await database.close();
  expect(wrong).toEqual([]);
});

async function compare(): Promise<number> {
  await cast.sealAll();
  const position = await readPayoutPosition(database.db);
  return observePayoutBalance(database.db, { balancePaise, position });
}

/** A payout whose request was sent. */
async function sent(amountPaise = 10_000): Promise<PayoutRow> {
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
  for (const { id, attempts } of await takePayoutsToSend(database.db, 100)) {
    await leavePayout(database.db, { payoutId: id, attempts });
  }
  return payout;
}

const say = (payout: PayoutRow, status: 'paid' | 'failed' | 'reversed') =>
  observePayout(database.db, {
    payoutId: payout.id,
    gatewayPayoutId: `pout_${payout.id}`,
    amountPaise: payout.netPaise,
    status,
    feePaise: 590,
    feeTaxPaise: 90,
  });
const differences = async () =>
  (
    await database.asOwner<{ details: { differsPaise: number } }>(
      `select details from cases where kind = 'payout-balance-differs' order by id`,
    )
  ).map(({ details }) => details.differsPaise);

test('payouts, what comes back, and checks of accounts are explained to the paisa', async () => {
  expect(await compare()).toBe(0);
  const payout = await sent();
  await say(payout, 'paid');
  balancePaise -= payout.netPaise + 590;
  expect(await compare()).toBe(0);
  await say(payout, 'reversed');
  balancePaise += payout.netPaise + 590;
  expect(await compare()).toBe(0);
  await payForValidation(database.db, {
    accountId: payout.id,
    gatewayValidationId: cast.unique('fav'),
    sentPaise: 100,
    feePaise: 236,
    feeTaxPaise: 36,
  });
  balancePaise -= 336;
  expect(await compare()).toBe(0);
  expect(await differences()).toEqual([]);
});

test('what is on its way may have been taken, or not yet, or come back', async () => {
  const [one, other] = [await sent(), await sent()];
  balancePaise -= one.netPaise + 590;
  expect(await compare()).toBe(0);
  await say(one, 'paid');
  balancePaise -= other.netPaise + 590;
  expect(await compare()).toBe(0);
  await say(other, 'failed');
  balancePaise += other.netPaise + 590;
  expect(await compare()).toBe(0);
  expect(await differences()).toEqual([]);
});

test('what was booked after the gateway was asked is counted the next time', async () => {
  await cast.sealAll();
  const position = await readPayoutPosition(database.db);
  const payout = await sent();
  await say(payout, 'paid');
  expect(await observePayoutBalance(database.db, { balancePaise, position })).toBe(0);
  balancePaise -= payout.netPaise + 590;
  expect(await compare()).toBe(0);
});

test('a paisa more or less than the books explain is a case, once', async () => {
  balancePaise -= 1;
  expect(await compare()).toBe(-1);
  expect(await compare()).toBe(0);
  const payout = await sent();
  await say(payout, 'paid');
  balancePaise += 500_000 - payout.netPaise - 590;
  expect(await compare()).toBe(500_000);
  expect(await compare()).toBe(0);
  expect(await differences()).toEqual([-1, 500_000]);
});

test('what leaves little by little is not lost in what is on its way', async () => {
  const payout = await sent();
  expect(await compare()).toBe(0);
  balancePaise -= 1;
  expect(await compare()).toBe(0);
  await say(payout, 'paid');
  balancePaise -= payout.netPaise + 590;
  expect(await compare()).toBe(-1);
});
