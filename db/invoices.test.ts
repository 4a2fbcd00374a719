// Invoices and credit notes: one for each purchase and each refund, numbered without a gap in each year.
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import {
  decideRefund,
  issueInvoices,
  issueOwnInvoices,
  listInvoices,
  observeRefund,
  readInvoice,
  requestRefund,
  verifyBooks,
} from './index.ts';

/** At most so many characters: rule 46 of the CGST Rules, 2017. */
const numberCharsMax = 16;

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
let staffId: string;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  staffId = (await cast.person('admin')).id;
});
afterAll(async () => {
  await database.close();
});

async function serials(kind: 'invoice' | 'credit-note'): Promise<number[]> {
  const rows = await database.asOwner<{ serial: number }>(
    'select serial from invoices where kind = $1 order by serial',
    [kind],
  );
  return rows.map((row) => row.serial);
}

const upTo = (end: number) => Array.from({ length: end }, (_, index) => index + 1);

/** A refund of some tokens, as far as `processed`. */
async function refunded(userId: string, gatewayPaymentId: string, tokens: number) {
  const refund = await requestRefund(database.db, {
    by: userId,
    gatewayPaymentId,
    tokens,
    reason: 'too many',
    idempotencyKey: cast.unique('key'),
  });
  await decideRefund(database.db, { refundId: refund.id, staffId, approve: true });
  await observeRefund(database.db, {
    refundId: refund.id,
    gatewayRefundId: cast.unique('rfnd'),
    gatewayPaymentId,
    amountPaise: refund.amountPaise,
    status: 'processed',
  });
  return refund;
}

test('many that number at the same time leave no gap, give no paper twice, and date them in order', async () => {
  const buyers = await Promise.all(Array.from({ length: 24 }, () => cast.buyer()));
  const issued = await Promise.all([
    ...Array.from({ length: 6 }, () => issueInvoices(database.db, 5)),
    ...buyers.map(({ user }) => issueOwnInvoices(database.db, user.id, 5)),
  ]);
  expect(issued.reduce((sum, count) => sum + count, 0)).toBe(buyers.length);
  expect(await serials('invoice')).toEqual(upTo(buyers.length));
  expect(await issueInvoices(database.db, 100)).toBe(0);
  const dates = await database.asOwner<{ at: Date }>(
    'select issued_at as at from invoices order by serial',
  );
  expect(dates.toSorted((a, b) => a.at.getTime() - b.at.getTime())).toEqual(dates);
  for (const { user } of buyers) {
    expect(await listInvoices(database.db, user.id, { limit: 10 })).toHaveLength(1);
  }
});

/** How many locks are held behind a look at somebody's own papers, of those that others would wait for. */
async function locksTakenFor(userId: string): Promise<number> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  try {
    await client.query('begin');
    await client.query('select issue_own_invoices($1, 10)', [userId]);
    const { rows } = await client.query<{ locks: number }>(
      `select count(*)::int as locks from pg_locks where pid = pg_backend_pid() and locktype = 'advisory'`,
    );
    return rows[0]?.locks ?? Number.NaN;
  } finally {
    await client.end();
  }
}

/** Somebody who numbers, and does not come to an end until they are let go. */
async function slowNumbering(): Promise<() => Promise<void>> {
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  await client.query('begin');
  await client.query('select issue_invoices(1)');
  return async () => {
    await client.query('rollback');
    await client.end();
  };
}

test('who has all their papers waits for nobody who numbers; who misses one waits a moment, and gets it next time', async () => {
  const [complete, fresh] = [await cast.buyer(), await cast.buyer()];
  await issueOwnInvoices(database.db, complete.user.id, 10);
  const before = await serials('invoice');
  expect(await locksTakenFor(complete.user.id)).toBe(0);
  const letGo = await slowNumbering();
  expect(await issueOwnInvoices(database.db, complete.user.id, 10)).toBe(0);
  expect(await listInvoices(database.db, complete.user.id, { limit: 10 })).toHaveLength(1);
  // Who waited until they are let go would wait for ever.
  expect(await issueOwnInvoices(database.db, fresh.user.id, 10)).toBe(0);
  expect(await listInvoices(database.db, fresh.user.id, { limit: 10 })).toEqual([]);
  await letGo();
  expect(await issueOwnInvoices(database.db, fresh.user.id, 10)).toBe(1);
  expect(await listInvoices(database.db, fresh.user.id, { limit: 10 })).toHaveLength(1);
  expect(await serials('invoice')).toEqual(upTo(before.length + 1));
});

test('a round that is undone leaves no gap', async () => {
  await cast.buyer();
  const before = await serials('invoice');
  const client = new pg.Client({ connectionString: database.ownerUrl });
  await client.connect();
  await client.query('begin');
  await client.query('select issue_invoices(10)');
  await client.query('rollback');
  await client.end();
  await issueInvoices(database.db, 10);
  expect(await serials('invoice')).toEqual(upTo(before.length + 1));
});

test('it says what was sold, by whom, to whom, and the tax within; nobody else reads it', async () => {
  const { user } = await cast.buyer(1);
  await issueOwnInvoices(database.db, user.id, 10);
  const [invoice] = await listInvoices(database.db, user.id, { limit: 10 });
  expect(invoice).toMatchObject({
    kind: 'invoice',
    tokens: 100,
    netPaise: 9746,
    gstPaise: 1754,
    totalPaise: 11_500,
    returnable: { tokens: 100, unspentTokens: 100, refundPaise: 11_500, obstacle: null },
  });
  const number = invoice?.number ?? '';
  expect(number.length).toBeLessThanOrEqual(numberCharsMax);
  expect(number).toMatch(/^LP\/\d\d-\d\d\/\d{7}$/);
  expect(await readInvoice(database.db, user.id, number)).toMatchObject({
    tokens: 100,
    packageName: 'Starter',
    gstRateBp: 1800,
    buyer: { email: user.email },
    original: null,
  });
  const stranger = await cast.person();
  expect(await readInvoice(database.db, stranger.id, number)).toBeNull();
});

test('each refund that was carried out has a credit note in a series of its own, for its amount', async () => {
  const { user, gatewayPaymentId } = await cast.buyer(1);
  const [one, other] = [
    await refunded(user.id, gatewayPaymentId, 30),
    await refunded(user.id, gatewayPaymentId, 20),
  ];
  // Neither one that waits nor one that failed has a note.
  await requestRefund(database.db, {
    by: user.id,
    gatewayPaymentId,
    tokens: 5,
    reason: 'waits',
    idempotencyKey: cast.unique('key'),
  });
  await Promise.all(Array.from({ length: 4 }, () => issueInvoices(database.db, 2)));
  await issueInvoices(database.db, 10);
  expect(await serials('credit-note')).toEqual([1, 2]);
  const papers = await listInvoices(database.db, user.id, { limit: 10 });
  const notes = papers.filter(({ kind }) => kind === 'credit-note');
  expect(notes).toMatchObject([
    { tokens: 20, netPaise: other.netPaise, gstPaise: other.gstPaise, returnable: null },
    { tokens: 30, netPaise: one.netPaise, gstPaise: one.gstPaise, returnable: null },
  ]);
  const original = papers.find(({ kind }) => kind === 'invoice');
  expect(await readInvoice(database.db, user.id, notes[0]?.number ?? '')).toMatchObject({
    tokens: 20,
    original: { number: original?.number },
  });
});

test('money that was given back at the gateway has its credit note as well', async () => {
  const { user, gatewayPaymentId } = await cast.buyer(1);
  await observeRefund(database.db, {
    gatewayRefundId: cast.unique('rfnd'),
    gatewayPaymentId,
    amountPaise: 5_750,
    status: 'processed',
  });
  await issueInvoices(database.db, 10);
  const papers = await listInvoices(database.db, user.id, { limit: 10 });
  expect(papers.map(({ kind, totalPaise }) => [kind, totalPaise])).toEqual(
    expect.arrayContaining([
      ['credit-note', 5_750],
      ['invoice', 11_500],
    ]),
  );
});

test('somebody’s own papers are numbered, and nobody else’s', async () => {
  const [mine, theirs] = [await cast.buyer(1), await cast.buyer(1)];
  const refund = await refunded(mine.user.id, mine.gatewayPaymentId, 5);
  expect(await issueOwnInvoices(database.db, mine.user.id, 10)).toBe(2);
  const papers = await listInvoices(database.db, mine.user.id, { limit: 10 });
  expect(papers.map(({ kind, totalPaise }) => [kind, totalPaise])).toEqual([
    ['invoice', 11_500],
    ['credit-note', refund.amountPaise],
  ]);
  expect(await listInvoices(database.db, theirs.user.id, { limit: 10 })).toEqual([]);
  expect(await issueInvoices(database.db, 10)).toBe(1);
});

test.each([
  ['invoice', '2026-03-31T18:29:59Z', 'LP/25-26'],
  ['invoice', '2026-03-31T18:30:00Z', 'LP/26-27'],
  ['credit-note', '2027-01-01T00:00:00Z', 'CN/26-27'],
  ['credit-note', '2100-04-01T00:00:00Z', 'CN/00-01'],
])('an %s of %s is numbered in the series %s', async (kind, at, series) => {
  const rows = await database.asOwner('select invoice_series_of($1, $2) as series', [kind, at]);
  expect(rows).toEqual([{ series }]);
});

test('a new year begins with 1 and the old one is left as it is', async () => {
  const { user } = await cast.buyer();
  const before = await serials('invoice');
  // As if all papers so far were of a year before.
  await database.asOwner(
    `begin;
    set local session_replication_role = replica;
    update invoices set series = 'LP/20-21', number = replace(number, series, 'LP/20-21')
      where kind = 'invoice';
    update payments set invoice_number = 'LP/20-21' || substr(invoice_number, 9);
    update invoice_series set series = 'LP/20-21' where series like 'LP/%';
    commit`,
  );
  await issueOwnInvoices(database.db, user.id, 10);
  expect(await serials('invoice')).toEqual([1, ...before]);
});

test('a paper that was given its number is never changed nor removed', async () => {
  for (const change of ['update invoices set net_paise = 1', 'delete from invoices']) {
    await expect(database.asOwner(change)).rejects.toThrow('append-only');
    await expect(database.db.execute(change)).rejects.toMatchObject({ cause: { code: '42501' } });
  }
});

test('after all of this every invariant holds; a gap and a wrong amount are found', async () => {
  expect(await verifyBooks(database.db)).toEqual([]);
  expect(await cast.whenForged('delete from invoices where serial = 3')).toEqual(
    expect.arrayContaining(['numbers of invoices have no gaps']),
  );
  expect(await cast.whenForged('update invoices set gst_paise = gst_paise + 1')).toEqual([
    'an invoice is for what was paid, a credit note for what was given back',
  ]);
});
