// Migrations: books of the version before are taken over to the paisa, and go on as if nothing had happened.
import { randomBytes } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast, refusalOf } from '../testing/money.ts';
import { postgresUrl } from '../testing/services.ts';
import {
  listWalletEntries,
  observeDispute,
  observePayment,
  observeRefund,
  readBalance,
  readEarnings,
  releaseEarnings,
  requestPayout,
  requestRefund,
  tip,
  verifyBooks,
} from './index.ts';
import { migrateDatabase } from './migrate.ts';

/** The last migration of the version before money had its whole life. */
const lastBeforeMoney = 7;
/** The last one before a PAN was one person's. */
const lastWithSharedPans = 10;
/** What one token pays a performer. */
const payoutPaise = 50;

/** A new database as a version left it. */
async function databaseOf(lastMigration: number): Promise<{ name: string; url: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'livepanty-migrations-'));
  await cp(fileURLToPath(new URL('./migrations', import.meta.url)), folder, { recursive: true });
  const journalFile = join(folder, 'meta/_journal.json');
  const journal = JSON.parse(await readFile(journalFile, 'utf8'));
  journal.entries = journal.entries.filter((entry: { idx: number }) => entry.idx <= lastMigration);
  await writeFile(journalFile, JSON.stringify(journal));

  const name = `before_${randomBytes(6).toString('hex')}`;
  const server = new pg.Client({ connectionString: postgresUrl() });
  await server.connect();
  await server.query(`create database ${name}`);
  await server.end();
  const url = Object.assign(new URL(postgresUrl()), { pathname: `/${name}` }).href;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await migrate(drizzle({ client }), { migrationsFolder: folder });
  await client.end();
  await rm(folder, { recursive: true });
  return { name, url };
}

interface Story {
  viewers: { id: string; tokens: number; prepaidPaise: number }[];
  performers: { id: string; streamId: string; earnedPaise: number }[];
  payments: { id: string; orderId: string; amountPaise: number; viewer: number }[];
  /** A tip that somebody will send again. */
  sent: { viewerId: string; streamId: string; amountTokens: number; key: string; tipId: string };
  unpaid: { gatewayOrderId: string; amountPaise: number; tokens: number; viewer: number };
}

/** Purchases at several prices, tips that mix them, a wallet that is empty, an order that is not paid yet. */
async function liveThrough(url: string): Promise<Story> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const ask = async (text: string, values: unknown[] = []) =>
    (await client.query(text, values)).rows;
  const person = async (name: string, role: string) => {
    const [row] = await ask(
      `insert into users (email, username, password_hash, date_of_birth, country, role)
        values ($1 || '@example.com', $1, 'x', '1990-01-01', 'IN', $2) returning id`,
      [name, role],
    );
    return row.id as string;
  };
  const viewers: string[] = [];
  for (const name of ['v1', 'v2', 'v3', 'v4']) viewers.push(await person(name, 'viewer'));
  const performers = [];
  for (const name of ['p1', 'p2']) {
    const id = await person(name, 'performer');
    const [row] = await ask(
      `insert into streams (performer_id, title, category, state, idempotency_key)
        values ($1, 'A stream', 'music', 'live', 'key') returning id`,
      [id],
    );
    performers.push({ id, streamId: row.id as string, earnedPaise: 0 });
  }
  const packages = await ask('select id from packages order by tokens');
  const payments: Story['payments'] = [];
  const order = async (viewer: number, index: number) => {
    const key = `order-${viewer}-${index}`;
    const [made] = await ask('select create_order($1, $2, $3) as made', [
      viewers[viewer],
      packages[index].id,
      key,
    ]);
    await ask('select set_gateway_order($1, $2)', [made.made.id, `gateway-${key}`]);
    return { ...made.made, gatewayOrderId: `gateway-${key}` };
  };
  // Each buys at another price; the first at three.
  for (const [viewer, index] of [
    [0, 0],
    [0, 2],
    [0, 5],
    [1, 1],
    [2, 0],
  ] as const) {
    const made = await order(viewer, index);
    const id = `pay_${viewer}_${index}`;
    await ask('select ledger.purchase_captured($1, $2, $3)', [
      made.gatewayOrderId,
      id,
      made.amountPaise,
    ]);
    payments.push({ id, orderId: made.gatewayOrderId, amountPaise: made.amountPaise, viewer });
  }
  const sent: Story['sent'] = {
    viewerId: viewers[0] ?? '',
    streamId: performers[0]?.streamId ?? '',
    amountTokens: 77,
    key: 'sent-twice',
    tipId: '',
  };
  for (const [viewer, performer, amount, key] of [
    [0, 0, 77, sent.key],
    [0, 1, 1_234, 'b'],
    [0, 0, 3, 'c'],
    [1, 1, 99, 'd'],
    [2, 0, 50, 'e'],
  ] as const) {
    const to = performers[performer];
    if (!to) throw new Error('no such performer');
    const [row] = await ask(`select ledger.tip($1, $2, $3, 'hello', false, $4) as receipt`, [
      viewers[viewer],
      to.streamId,
      amount,
      key,
    ]);
    to.earnedPaise += amount * payoutPaise;
    if (key === sent.key) sent.tipId = row.receipt.tipId;
  }
  const unpaid = await order(1, 3);
  const held = await ask(
    `select a.class, a.owner_id, b.balance from ledger.balances b join ledger.accounts a on a.id = b.account_id`,
  );
  const heldBy = (id: string, name: string) =>
    Number(held.find((row) => row.owner_id === id && row.class === name)?.balance ?? 0);
  expect(await ask('select * from ledger.verify()')).toEqual([]);
  await client.end();
  return {
    viewers: viewers.map((id) => ({
      id,
      tokens: heldBy(id, 'viewer_tokens'),
      prepaidPaise: heldBy(id, 'viewer_prepaid'),
    })),
    performers,
    payments,
    sent,
    unpaid: {
      gatewayOrderId: unpaid.gatewayOrderId,
      amountPaise: unpaid.amountPaise,
      tokens: unpaid.tokens,
      viewer: 1,
    },
  };
}

describe('books of the version before', () => {
  let database: TestDatabase;
  let cast: ReturnType<typeof createMoneyCast>;
  let story: Story;

  beforeAll(async () => {
    const before = await databaseOf(lastBeforeMoney);
    story = await liveThrough(before.url);
    // Two start at the same time.
    await Promise.all([migrateDatabase({ url: before.url }), migrateDatabase({ url: before.url })]);
    database = await createTestDatabase(before.name);
    cast = createMoneyCast(database);
  });
  afterAll(async () => {
    await database.close();
  });

  test('keep every invariant and every balance', async () => {
    expect(await verifyBooks(database.db)).toEqual([]);
    for (const viewer of story.viewers) {
      expect(await readBalance(database.db, viewer.id)).toBe(viewer.tokens);
      const held = await cast.accountsOf(viewer.id);
      expect(held.viewer_prepaid ?? 0).toBe(viewer.prepaidPaise);
    }
    for (const performer of story.performers) {
      expect(await readEarnings(database.db, performer.id)).toMatchObject({
        pendingPaise: performer.earnedPaise,
        earnedPaise: performer.earnedPaise,
      });
    }
    const [first] = story.viewers;
    expect(first?.tokens).toBe(50 + 250 + 3_000 - 77 - 1_234 - 3);
    const history = await listWalletEntries(database.db, first?.id ?? '', { limit: 50 });
    expect(history.map(({ kind }) => kind)).toEqual([
      'tip',
      'tip',
      'tip',
      'purchase',
      'purchase',
      'purchase',
    ]);
  });

  test('know a tip again that is sent again, and refuse its key for another one', async () => {
    const { sent } = story;
    const again = { ...sent, message: 'hello', anonymous: false, idempotencyKey: sent.key };
    expect(await tip(database.db, again)).toMatchObject({ tipId: sent.tipId, replayed: true });
    const other = tip(database.db, { ...again, amountTokens: 78 });
    expect((await refusalOf(other)).code).toBe('idempotency-key-reused');
  });

  test('credit nothing that was credited, and what was ordered before and is paid now', async () => {
    for (const payment of story.payments) {
      const facts = {
        gatewayPaymentId: payment.id,
        gatewayOrderId: payment.orderId,
        amountPaise: payment.amountPaise,
        currency: 'INR',
        status: 'captured' as const,
      };
      expect((await observePayment(database.db, facts)).credited).toBe(false);
    }
    const { unpaid } = story;
    const paid = await observePayment(database.db, {
      gatewayPaymentId: 'pay_late',
      gatewayOrderId: unpaid.gatewayOrderId,
      amountPaise: unpaid.amountPaise,
      currency: 'INR',
      status: 'captured',
    });
    expect(paid).toMatchObject({
      credited: true,
      balanceTokens: (story.viewers[unpaid.viewer]?.tokens ?? 0) + unpaid.tokens,
    });
  });

  test('spend what was mixed, to the last paisa', async () => {
    const [viewer] = story.viewers;
    const [performer] = story.performers;
    if (!viewer || !performer) throw new Error('nobody was taken over');
    let left = viewer.tokens;
    for (let amount = 7; left > 0; amount += 311) {
      const spent = Math.min(amount, left);
      await cast.tipped(viewer.id, performer.streamId, spent);
      left -= spent;
    }
    expect(await cast.accountsOf(viewer.id)).toEqual({});
    expect(await verifyBooks(database.db)).toEqual([]);
  });

  test('release old earnings like new ones, and pay them out', async () => {
    const [, performer] = story.performers;
    if (!performer) throw new Error('nobody was taken over');
    await cast.ageEarnings();
    await releaseEarnings(database.db);
    expect(await cast.accountsOf(performer.id)).toEqual({
      performer_available: performer.earnedPaise,
    });
    await cast.verifiedAccount(performer.id);
    await requestPayout(database.db, {
      performerId: performer.id,
      amountPaise: performer.earnedPaise,
      idempotencyKey: cast.unique('key'),
    });
    expect(await verifyBooks(database.db)).toEqual([]);
  });

  test('book a dispute and a refund of an old payment, as losses where its tokens cannot be told apart', async () => {
    const [spent, kept] = [story.payments[4], story.payments[3]];
    if (!spent || !kept) throw new Error('nothing was taken over');
    const facts = {
      gatewayDisputeId: 'disp_old',
      gatewayPaymentId: spent.id,
      amountPaise: spent.amountPaise,
      phase: 'chargeback',
      reasonCode: 'fraud',
      respondBy: null,
    };
    await observeDispute(database.db, { ...facts, status: 'open' });
    expect(await observeDispute(database.db, { ...facts, status: 'lost' })).toMatchObject({
      recoveredPaise: 900,
      lostPaise: 5_000,
    });
    const asked = requestRefund(database.db, {
      by: story.viewers[kept.viewer]?.id ?? '',
      gatewayPaymentId: kept.id,
      reason: 'too many',
      idempotencyKey: cast.unique('key'),
    });
    expect((await refusalOf(asked)).code).toBe('not-refundable');
    await observeRefund(database.db, {
      gatewayRefundId: 'rfnd_old',
      gatewayPaymentId: kept.id,
      amountPaise: kept.amountPaise,
      status: 'processed',
    });
    expect(await verifyBooks(database.db)).toEqual([]);
  });
});

test('one PAN that several had given stays with the first; staff look at the others', async () => {
  const { name, url } = await databaseOf(lastWithSharedPans);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(
    `insert into users (email, username, password_hash, date_of_birth, country, role)
      select n || '@example.com', n, 'x', '1990-01-01', 'IN', 'performer' from unnest(array['a1', 'a2', 'a3', 'b1']) n;
    insert into tax_profiles (user_id, sealed_pan, mask, pan_hash, created_at)
      select id, 'sealed', 'ABC••••••F', 'hash of ' || left(username, 1),
          now() - make_interval(days => 10 - right(username, 1)::int)
        from users`,
  );
  await client.end();
  await migrateDatabase({ url });
  const database = await createTestDatabase(name);
  const rows = await database.asOwner(
    `select u.username, t.pan_hash = 'hash of ' || left(u.username, 1) as is_theirs, c.kind
      from tax_profiles t join users u on u.id = t.user_id
      left join cases c on c.subject = u.id::text and c.state = 'open' order by 1`,
  );
  expect(rows).toEqual([
    { username: 'a1', is_theirs: true, kind: null },
    { username: 'a2', is_theirs: false, kind: 'pan-shared' },
    { username: 'a3', is_theirs: false, kind: 'pan-shared' },
    { username: 'b1', is_theirs: true, kind: null },
  ]);
  await database.close();
});

test('a function whose text has changed is defined anew, and so is one that was lost', async () => {
  const database = await createTestDatabase();
  await database.asOwner(
    `create or replace function ledger.spendable(p_viewer uuid) returns bigint
      language sql stable security definer set search_path = public, pg_temp as 'select 1000000::bigint'`,
  );
  const { user } = await createMoneyCast(database).buyer();
  expect(await readBalance(database.db, user.id)).toBe(1_000_000);
  await database.asOwner(`update drizzle.functions set hash = 'of another version'`);
  await Promise.all([
    migrateDatabase({ url: database.ownerUrl }),
    migrateDatabase({ url: database.ownerUrl }),
  ]);
  expect(await readBalance(database.db, user.id)).toBe(50);
  const rows = await database.asOwner('select hash from drizzle.functions');
  expect(rows).toHaveLength(1);
  await database.close();
});
