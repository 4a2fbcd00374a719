// History: what is asked of the books every day reads no more rows of them when they have grown.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import { contributeToGoal, openGoal, releaseEarnings, tipMany, tipsPerCallMax } from './index.ts';

/** A plan that is made for good is made after five times. */
const timesUntilPlanned = 6;
/** More than a page of a statement looks through. */
const littleTips = 600;
const grownTips = 2_000;
/** Pages of indexes are not where they were. */
const rowsMoreMax = 40;

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
/** One session, whose plans were made when there was little. */
let session: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  session = new pg.Client({ connectionString: database.ownerUrl });
  await session.connect();
});
afterAll(async () => {
  await session.end();
  await database.close();
});

type Reads = Map<string, number>;

/** Rows that the session has read of each table, also in transactions of before that nobody has counted yet. */
async function readsSoFar(): Promise<Reads> {
  const { rows } = await session.query<{ name: string; read: string }>(
    'select relname as name, seq_tup_read + idx_tup_fetch as read from pg_stat_xact_user_tables',
  );
  return new Map(rows.map(({ name, read }) => [name, Number(read)]));
}

/** How many rows a call reads of each table; what it does is undone. */
async function readsOf(call: string): Promise<Reads> {
  await session.query('begin');
  const before = await readsSoFar();
  await session.query(call);
  const after = await readsSoFar();
  await session.query('rollback');
  return new Map([...after].map(([name, read]) => [name, read - (before.get(name) ?? 0)]));
}

test('no call reads a history that is over', async () => {
  const { user } = await cast.buyer(5);
  const { performer, streamId } = await cast.liveStream();
  const goalId = await openGoal(database.db, {
    performerId: performer.id,
    streamId,
    title: 'A goal',
    targetTokens: 1_000,
    deadline: new Date(Date.now() + 3_600_000),
  });
  await contributeToGoal(database.db, {
    viewerId: user.id,
    goalId,
    tokens: 30,
    idempotencyKey: cast.unique('key'),
  });

  async function tipped(times: number): Promise<void> {
    for (let made = 0; made < times; made += tipsPerCallMax) {
      await tipMany(
        database.db,
        Array.from({ length: Math.min(tipsPerCallMax, times - made) }, () => ({
          viewerId: user.id,
          streamId,
          amountTokens: 1,
          message: '',
          anonymous: false,
          idempotencyKey: cast.unique('key'),
        })),
      );
    }
  }
  /** Tips that were released and audited long ago, and a few behind them that can be released. */
  async function comeTo(times: number): Promise<void> {
    await tipped(times);
    await cast.ageEarnings();
    while ((await releaseEarnings(database.db)).performers > 0);
    await cast.ageEarnings();
    await session.query(audit);
    await database.asOwner(
      `begin;
      set local session_replication_role = replica;
      update ledger.tips set created_at = created_at - interval '31 days'
        where created_at > now() - interval '30 days';
      commit`,
    );
    // A round looks again at what is as new as an act lasts.
    await database.asOwner(`update ledger.audits set round_began_at = now() + interval '2 hours'`);
    await tipped(5);
    await cast.ageEarnings();
  }

  const audit = `do $$
    declare v_audit uuid := ledger.audit_round();
    begin
      while ledger.audit_step(v_audit)->>'phase' <> 'done' loop end loop;
    end $$`;
  const calls = {
    'a round of the audit': audit,
    'what is released': 'select ledger.release_earnings()',
    'when more is released': `select ledger.next_release('${performer.id}')`,
    'what somebody has': `select ledger.balances_now('${user.id}'), ledger.balances_now('${performer.id}')`,
    'what the house has': `select ledger.balance_now('platform_revenue')`,
    'what the house had': `select ledger.balance_at('platform_revenue', null, now())`,
    'what a goal has': `select ledger.goal_tokens('${goalId}')`,
    'how many tips somebody got': `select ledger.tips_received('${performer.id}')`,
    'a page of a statement': `select ledger.statement('${user.id}', null, null, null, null, 20)`,
    'the trial balance': 'select * from ledger.trial_balance()',
    'what a checkpoint signs': 'select ledger.checkpoint_due()',
    'how late the chain is': 'select ledger.chain_lag()',
    'what is sealed': 'select ledger.seal()',
    'what the gateway owes': 'select * from ledger.clearing_explained()',
  };

  await comeTo(littleTips);
  const before = new Map<string, Reads>();
  for (const [name, call] of Object.entries(calls)) {
    for (let time = 0; time < timesUntilPlanned; time += 1) before.set(name, await readsOf(call));
  }
  await comeTo(grownTips);
  const more: Record<string, number> = {};
  for (const [name, call] of Object.entries(calls)) {
    for (const [table, read] of await readsOf(call)) {
      const rows = read - (before.get(name)?.get(table) ?? 0);
      if (rows > rowsMoreMax) more[`${name}, of ${table}`] = rows;
    }
  }
  expect(more).toEqual({});
}, 120_000);
