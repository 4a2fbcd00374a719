// The pool of node-postgres: what a refusal leaves of it, and what a broken connection.
import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { callFunction } from './call.ts';
import { connectPostgres, type PooledDb } from './postgres.ts';

let database: TestDatabase;
let pool: PooledDb;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = connectPostgres(database.url, { connectionsMax: 1, statementTimeoutMs: 1_000 });
});
afterAll(async () => {
  await pool.close();
  await database.close();
});

const connection = () =>
  callFunction(pool.db, sql`select to_jsonb(pg_backend_pid()) as result`, z.int());

test.each([
  ['a refusal', sql`select refuse('not-found')`],
  ['a statement that makes no sense', sql`select from nowhere`],
  ['a statement that takes too long', sql`select pg_sleep(60)`],
])('%s costs no connection', async (_, statement) => {
  const before = await connection();
  await expect(pool.db.execute(statement)).rejects.toThrow();
  expect(await connection()).toBe(before);
});

test('a connection that the server has closed is replaced', async () => {
  const before = await connection();
  const ends = expect(pool.db.execute(sql`select pg_sleep(60)`)).rejects.toThrow();
  await expect
    .poll(() => database.asOwner('select pg_terminate_backend($1)', [before]))
    .toHaveLength(1);
  await ends;
  expect(await connection()).not.toBe(before);
});

test('a query that waits for a connection gets the next one that is free', async () => {
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, turn) =>
      pool.db.execute(turn % 2 ? sql`select refuse('not-found')` : sql`select 1`),
    ),
  );
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(10);
});
