// Leases: of several runners one carries out a job, and another one takes over when it has died.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { endLease, renewLease, takeLease } from './index.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await database.close();
});

const seconds = 60;

test('a job that is due is taken by one of many runners, and by nobody before its next time', async () => {
  const { db } = database;
  const taken = await Promise.all(
    Array.from({ length: 10 }, (_, runner) =>
      takeLease(db, { job: 'seal', holder: `runner-${runner}`, seconds }),
    ),
  );
  const holder = `runner-${taken.indexOf(true)}`;
  expect(taken.filter(Boolean)).toHaveLength(1);
  expect(await renewLease(db, { job: 'seal', holder, seconds })).toBe(true);
  expect(await renewLease(db, { job: 'seal', holder: 'another', seconds })).toBe(false);
  expect(await endLease(db, { job: 'seal', holder: 'another', nextSeconds: 0, error: null })).toBe(
    false,
  );
  expect(await endLease(db, { job: 'seal', holder, nextSeconds: 60, error: null })).toBe(true);
  expect(await takeLease(db, { job: 'seal', holder, seconds })).toBe(false);
  expect(await takeLease(db, { job: 'seal', holder, seconds, force: true })).toBe(true);
});

test('a runner that died loses its lease when its time is over, and notices', async () => {
  const { db } = database;
  await takeLease(db, { job: 'payouts', holder: 'dead', seconds });
  expect(await takeLease(db, { job: 'payouts', holder: 'living', seconds, force: true })).toBe(
    false,
  );
  await database.asOwner(
    `update job_leases set lease_until = now() - interval '1 second' where name = 'payouts'`,
  );
  expect(await renewLease(db, { job: 'payouts', holder: 'dead', seconds })).toBe(false);
  expect(await takeLease(db, { job: 'payouts', holder: 'living', seconds })).toBe(true);
  const gone = { job: 'payouts', holder: 'dead', nextSeconds: 0, error: 'late' };
  expect(await endLease(db, gone)).toBe(false);
  const [row] = await database.asOwner(
    `select holder, last_error from job_leases where name = 'payouts'`,
  );
  expect(row).toEqual({ holder: 'living', last_error: null });
});
