// Sending payouts: a thousand with answers that are lost, and two runners at once: each is paid once, none is lost.
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { readEarnings, requestPayout, verifyBooks } from '#db';
import { sandboxAccountNumber } from '../../scripts/launch/environment.ts';
import {
  gatewayKeyId,
  gatewayKeySecret,
  newKey,
  startTestEdge,
  type TestEdge,
} from '../../testing/edge.ts';
import type { Deps } from '../deps.ts';
import { createPayoutGateway } from '../services/payout-gateway.ts';
import { type Cast, createCast, type Member } from '../testing/cast.ts';
import { sealBooks } from './chain.ts';
import { jobs } from './index.ts';
import { runLeased } from './lease.ts';
import { verifyPayoutAccounts } from './payout-accounts.ts';
import { comparePayoutBalance } from './payout-balance.ts';
import { followReversals } from './payout-reversals.ts';
import { sendPayouts } from './payouts.ts';

let edge: TestEdge;
let cast: Cast;
/** Gives up soon on answers that never come. */
let deps: Deps;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
  deps = {
    ...edge.parts.deps,
    payouts: createPayoutGateway({
      keyId: gatewayKeyId,
      keySecret: gatewayKeySecret,
      accountNumber: sandboxAccountNumber,
      apiUrl: edge.sandbox.url,
      answerTimeoutMs: 150,
    }),
  };
  await edge.control.setBalance(1_000_000_000_000);
});
afterEach(() => edge.control.resetFaults());
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

const makeDue = (table: 'payouts' | 'payout_accounts') =>
  edge.database.asOwner(
    `update ${table} set next_attempt_at = now() where next_attempt_at is not null`,
  );

/** Performers whose accounts the bank knows, with so much to ask for. */
async function earners(count: number, paise: number): Promise<Member[]> {
  const made = await Promise.all(Array.from({ length: count }, () => cast.member('performer')));
  for (const performer of made) {
    await performer.call('PUT', '/v1/payouts/account', {
      body: {
        kind: 'upi',
        address: `p${performer.id.slice(-12)}@okaxis`,
        accountHolder: 'Asha Rao',
      },
    });
  }
  const pending = async () =>
    (await edge.database.asOwner(`select from payout_accounts where state = 'pending'`)).length;
  while ((await pending()) > 0) {
    await makeDue('payout_accounts');
    await verifyPayoutAccounts(deps);
    await edge.control.settled();
  }
  await cast.earn(
    made.map(({ id }) => id),
    paise,
  );
  return made;
}

const open = async () =>
  (
    await edge.database.asOwner<{ count: number }>(
      `select count(*)::int from payouts where state in ('requested', 'approved', 'sending')`,
    )
  )[0]?.count ?? 0;

/** The books and the bank agree about every payout. */
async function expectBooksToFitTheBank(performers: readonly Member[], eachPaise: number) {
  const rows = await edge.database.asOwner<{
    id: string;
    state: string;
    net: string;
    performer_id: string;
  }>(`select id, state, performer_id, amount_paise - tds_paise as net from payouts`);
  const transfers = Map.groupBy(await edge.control.transfers(), (one) => one.reference_id);
  for (const row of rows) {
    const made = transfers.get(row.id) ?? [];
    expect(made.length, row.id).toBeLessThanOrEqual(1);
    const kept = made.filter(({ returned }) => !returned);
    expect(
      kept.map(({ amount }) => amount),
      `${row.id} ${row.state}`,
    ).toEqual(row.state === 'paid' ? [Number(row.net)] : []);
  }
  for (const { id } of performers) {
    const { availablePaise, payoutPendingPaise, paidPaise } = await readEarnings(
      edge.database.db,
      id,
    );
    expect([availablePaise + paidPaise, payoutPendingPaise], id).toEqual([eachPaise, 0]);
  }
  return Object.fromEntries(
    [...Map.groupBy(rows, ({ state }) => state)].map(([state, of]) => [state, of.length]),
  );
}

test('1,000 payouts, a fifth of whose outcomes stay in the dark: none paid twice, none lost, the rest given back', async () => {
  const each = 10 * 50_000;
  const performers = await earners(100, each);
  await edge.control.setFaults({
    webhooks: { dropRate: 0.1, extraCopies: 2, shuffleMs: 30 },
    payouts: { failRate: 0.05, reverseRate: 0.05 },
    answers: {
      rules: (['hang', 'cut-after', 'error-after', 'cut-before', 'error-before'] as const).map(
        (fault) => ({ fault, rate: 0.045, path: '/v1/payouts' }),
      ),
    },
    seed: 7,
  });
  // Not through HTTP, which lets nobody ask ten times in a minute and more.
  for (const { id } of performers) {
    await Promise.all(
      Array.from({ length: 10 }, () =>
        requestPayout(edge.database.db, {
          performerId: id,
          amountPaise: 50_000,
          idempotencyKey: newKey(),
        }),
      ),
    );
  }
  expect(await open()).toBe(1_000);
  let inTheDark = 0;
  for (let round = 0; (await open()) > 0; round += 1) {
    expect(round).toBeLessThan(80);
    await makeDue('payouts');
    inTheDark += (await sendPayouts(deps)).failed;
    await edge.control.settled();
  }
  await edge.control.resetFaults();
  // Whatever came back, and was not told.
  await followReversals(deps);
  expect(inTheDark).toBeGreaterThan(200);
  const ends = await expectBooksToFitTheBank(performers, each);
  expect(ends.paid).toBeGreaterThan(800);
  expect(ends.failed).toBeGreaterThan(10);
  expect(ends.reversed).toBeGreaterThan(10);
  expect((ends.paid ?? 0) + (ends.failed ?? 0) + (ends.reversed ?? 0)).toBe(1_000);
}, 240_000);

test('a request that is carried out late, when the next one has been sent already, pays once', async () => {
  const [performer] = await earners(1, 200_000);
  const { body } = (await performer?.act('POST', '/v1/payouts', { amountPaise: 50_000 })) ?? {};
  const late = { fault: 'late', method: 'POST', path: '/v1/payouts', times: 1 } as const;
  await edge.control.setFaults({
    answers: {
      rules: [
        { ...late, delayMs: 500 },
        { ...late, delayMs: 1_000 },
      ],
    },
  });
  // Nobody waits for the first one, nothing is found when it is looked for, and both are still to come.
  expect(await sendPayouts(deps)).toEqual({ sent: 0, failed: 1 });
  await makeDue('payouts');
  expect(await sendPayouts({ ...deps, payouts: edge.parts.deps.payouts })).toEqual({
    sent: 1,
    failed: 0,
  });
  await edge.control.settled();
  expect(await edge.control.transfers({ reference_id: body.id })).toHaveLength(1);
});

test('two runners at once, with the lease and even without it, pay once', async () => {
  const performers = await earners(5, 200_000);
  const ask = () =>
    Promise.all(
      performers.map(({ id }) =>
        requestPayout(edge.database.db, {
          performerId: id,
          amountPaise: 50_000,
          idempotencyKey: newKey(),
        }),
      ),
    );
  const job = jobs.find(({ name }) => name === 'payouts');
  if (!job) throw new Error('no such job');
  await ask();
  const rounds = await Promise.all(['one', 'two'].map((holder) => runLeased(deps, job, holder)));
  expect(rounds.toSorted()).toEqual(['done', 'not-due']);
  await ask();
  await Promise.all([sendPayouts(deps), sendPayouts(deps), makeDue('payouts')]);
  await Promise.all([sendPayouts(deps), sendPayouts(deps)]);
  await edge.control.settled();
  while ((await open()) > 0) {
    await makeDue('payouts');
    await sendPayouts(deps);
    await edge.control.settled();
  }
  for (const { id } of performers) {
    const rows = await edge.database.asOwner<{ id: string }>(
      'select id from payouts where performer_id = $1',
      [id],
    );
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(await edge.control.transfers({ reference_id: row.id })).toHaveLength(1);
    }
  }
});

test('a round that has lost its lease sends nothing more', async () => {
  const [performer] = await earners(1, 200_000);
  for (let n = 0; n < 3; n += 1) {
    await performer?.act('POST', '/v1/payouts', { amountPaise: 50_000 });
  }
  let checks = 0;
  const lease = {
    check() {
      checks += 1;
      if (checks > 1) throw new Error('lost');
    },
  };
  const before = (await edge.control.transfers()).length;
  await expect(sendPayouts(deps, lease)).rejects.toThrow('lost');
  await edge.control.settled();
  expect(await edge.control.transfers()).toHaveLength(before + 1);
  // Nothing of the others has left: the age of their keys does not count yet.
  const others = await edge.database.asOwner(
    `select from payouts where state = 'approved' and attempts = 1 and first_attempt_at is null`,
  );
  expect(others).toHaveLength(2);
  await makeDue('payouts');
  await sendPayouts(deps);
  await edge.control.settled();
  expect(await edge.control.transfers()).toHaveLength(before + 3);
});

test('the balance at the bank is what the books say, and anything else is a case', async () => {
  const performers = await earners(2, 200_000);
  const compare = async () => {
    await sealBooks(deps);
    return comparePayoutBalance(deps);
  };
  expect(await compare()).toBe(0);
  for (const performer of performers) {
    await performer.act('POST', '/v1/payouts', { amountPaise: 50_000 });
  }
  // One more account is checked on the way.
  await earners(1, 200_000);
  for (let round = 0; round < 2; round += 1) {
    await makeDue('payouts');
    await sendPayouts(deps);
    await edge.control.settled();
    expect(await compare()).toBe(0);
  }
  const { balancePaise } = await edge.control.payoutAccount();
  await edge.control.setBalance(balancePaise - 700);
  expect(await compare()).toBe(-700);
  const cases = await edge.database.asOwner<{ details: object }>(
    `select details from cases where kind = 'payout-balance-differs'`,
  );
  expect(cases).toMatchObject([
    { details: { differsPaise: -700, balancePaise: balancePaise - 700 } },
  ]);
  const payouts = deps.payouts && { ...deps.payouts, readBalance: async () => null };
  expect(await comparePayoutBalance({ ...deps, payouts })).toBeNull();
});

test('what came back and was told to nobody is asked for before the balance is compared', async () => {
  const [performer] = await earners(1, 200_000);
  await edge.control.setFaults({
    webhooks: { mode: 'manual', events: ['payout.reversed'] },
    payouts: { reverseRate: 1 },
  });
  await performer?.act('POST', '/v1/payouts', { amountPaise: 50_000 });
  for (let round = 0; round < 2; round += 1) {
    await makeDue('payouts');
    await sendPayouts(deps);
    await edge.control.settled();
  }
  await sealBooks(deps);
  expect(await readEarnings(edge.database.db, performer?.id ?? '')).toMatchObject({
    paidPaise: 50_000,
  });
  await comparePayoutBalance(deps);
  expect(await readEarnings(edge.database.db, performer?.id ?? '')).toMatchObject({
    availablePaise: 200_000,
    paidPaise: 0,
  });
});

test('without a payout account nothing is sent, and nothing is lost', async () => {
  expect(await sendPayouts({ ...deps, payouts: null })).toEqual({ sent: 0, failed: 0 });
  expect(await verifyPayoutAccounts({ ...deps, payouts: null })).toEqual({ seen: 0, failed: 0 });
  expect(await followReversals({ ...deps, payouts: null })).toEqual({ seen: 0, failed: 0 });
  expect(await comparePayoutBalance({ ...deps, payouts: null })).toBeNull();
});
