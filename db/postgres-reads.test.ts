// Reads on few connections: many at once, one that fails, and a connection that breaks.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { isDatabaseUnavailable } from './index.ts';
import { connectReads, type PooledReads } from './postgres-reads.ts';

let database: TestDatabase;
let reads: PooledReads;
beforeAll(async () => {
  database = await createTestDatabase();
  reads = connectReads(database.url);
});
afterAll(async () => {
  await reads.close();
  await database.close();
});

const echo = { name: 'echo', text: 'select $1::text' };
const linesOpen = async () =>
  (
    await database.asOwner<{ pid: number }>(
      `select pid from pg_stat_activity
        where application_name = 'livepanty-reads' and datname = current_database()`,
    )
  ).map(({ pid }) => pid);

test('a thousand at once are each answered with their own, over two connections', async () => {
  const answers = await Promise.all(
    Array.from({ length: 1_000 }, (_, index) => reads.one(echo, [String(index)])),
  );
  expect(answers).toEqual(Array.from({ length: 1_000 }, (_, index) => String(index)));
  expect(await linesOpen()).toHaveLength(2);
});

test('one that fails harms none of those around it', async () => {
  const broken = { name: 'broken', text: 'select (1 / $1::int)::text' };
  const answers = await Promise.allSettled(
    Array.from({ length: 40 }, (_, index) =>
      index % 4 === 0 ? reads.one(broken, [0]) : reads.one(echo, [String(index)]),
    ),
  );
  expect(answers.filter(({ status }) => status === 'rejected')).toHaveLength(10);
  expect(answers[1]).toEqual({ status: 'fulfilled', value: '1' });
  expect(answers[39]).toEqual({ status: 'fulfilled', value: '39' });
  await expect(reads.one({ name: 'nothing', text: 'select null' }, [])).rejects.toThrow();
});

test('who asks the same at once shares one answer; who asks after it gets a new one', async () => {
  const clock = { name: 'clock', text: 'select clock_timestamp()::text || $1::text' };
  const ask = (value: string) => reads.shared(clock, [value]);
  const answers = await Promise.all([...Array.from({ length: 50 }, () => ask('a')), ask('b')]);
  expect(new Set(answers.slice(0, 50)).size).toBe(1);
  expect(answers[50]).toMatch(/b$/);
  expect(await ask('a')).not.toBe(answers[0]);
  // Nobody else's question, though it is the same, where it is not shared.
  expect(await Promise.all([ask('c'), reads.one(clock, ['c'])])).toSatisfy(
    ([shared, own]) => shared !== own,
  );
});

test('a shared question that fails, fails for all who asked, and is asked anew', async () => {
  const ask = (divisor: number) =>
    reads.shared({ name: 'failing', text: 'select (1 / $1::int)::text' }, [divisor]);
  const failed = await Promise.allSettled([ask(0), ask(0), ask(1)]);
  expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'fulfilled']);
  await expect(ask(0)).rejects.toThrow();
  expect(await ask(1)).toBe('1');
});

test('a connection that breaks takes its reads with it, as unavailable, and is made anew', async () => {
  const slow = { name: 'slow', text: `select pg_sleep(4)::text || $1::text` };
  const lost = Promise.allSettled([reads.one(slow, ['a']), reads.one(slow, ['b'])]);
  await expect
    .poll(
      async () =>
        (
          await database.asOwner<{ count: number }>(
            `select count(*)::int from pg_stat_activity where query like '%pg_sleep(4)%' and state = 'active'
        and application_name = 'livepanty-reads'`,
          )
        )[0]?.count,
    )
    .toBe(2);
  for (const pid of await linesOpen()) {
    await database.asOwner('select pg_terminate_backend($1)', [pid]);
  }
  for (const one of await lost) {
    expect(one.status).toBe('rejected');
    if (one.status === 'rejected') expect(isDatabaseUnavailable(one.reason)).toBe(true);
  }
  await expect.poll(() => reads.one(echo, ['again']).catch(() => null)).toBe('again');
});

test('while nobody is there a read is refused as unavailable', async () => {
  const lonely = connectReads('postgres://nobody@127.0.0.1:1/nothing');
  const reason = await lonely.one(echo, ['x']).catch((error: unknown) => error);
  expect(isDatabaseUnavailable(reason)).toBe(true);
});
