// Whatever people do in whatever order, everybody holds what a simple model says, and the books balance.
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import { listPackages, verifyBooks } from './index.ts';
import { act, viewersMax } from './testing/money-acts.ts';
import { createHistory } from './testing/money-history.ts';

const histories = 15;
const steps = { minLength: 40, maxLength: 80, size: 'max' } as const;
/** Everybody begins with some tokens, so that there is something to do from the first step on. */
const firstPackage = 2;

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  await cast.setRule('payout_min_paise', 1);
  await cast.setRule('payout_auto_max_paise', 1_000);
  await cast.setRule('payout_second_approval_paise', 3_000);
  await cast.setRule('order_open_max', null);
});
afterAll(async () => {
  await database.close();
});

test('random histories of all acts, many of them repeated or racing others, are what the model says at each step', async () => {
  const packages = await listPackages(database.db);
  await fc.assert(
    fc.asyncProperty(fc.array(act, steps), async (history) => {
      const people = await createHistory(database, cast, packages);
      for (let viewer = 0; viewer < viewersMax; viewer += 1) {
        await people.perform({ kind: 'buy', viewer, package: firstPackage, times: 2 });
      }
      for (const step of history) {
        await people.perform(step);
        expect(await people.holdings(), `after ${step.kind}`).toEqual(people.expected());
      }
      expect(await verifyBooks(database.db)).toEqual([]);
    }),
    { numRuns: histories, endOnFailure: true },
  );
}, 400_000);
