// The chain: no committed act is ever left out of it, and nothing that it holds is changed without being found.
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import {
  checkpointDue,
  issueInvoices,
  keepCheckpoint,
  listCheckpoints,
  readBalance,
  readEarnings,
  readTrialBalance,
  sealJournal,
  tipMany,
  verifyBooks,
} from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;

beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
});
afterAll(async () => {
  await database.close();
});

async function tipped(viewerId: string, streamId: string, times: number): Promise<void> {
  await tipMany(
    database.db,
    Array.from({ length: times }, () => ({
      viewerId,
      streamId,
      amountTokens: 1,
      message: '',
      anonymous: false,
      idempotencyKey: cast.unique('key'),
    })),
  );
}

interface Chain {
  acts: number;
  sealed: number;
  lastPosition: number;
  gaps: number;
  blocks: number;
}

async function chain(of = database): Promise<Chain> {
  const [row] = await of.asOwner<Record<keyof Chain, string>>(
    `select (select count(*) from ledger.journal) as acts, (select count(*) from ledger.sealed) as sealed,
      (select coalesce(max(position), 0) from ledger.sealed) as "lastPosition",
      (select count(*) from (select position, row_number() over (order by position) as place
        from ledger.sealed) s where position <> place) as gaps,
      (select count(*) from ledger.blocks) as blocks`,
  );
  return Object.fromEntries(
    Object.entries(row ?? {}).map(([name, value]) => [name, Number(value)]),
  ) as unknown as Chain;
}

async function expectWhole(of = database): Promise<void> {
  const { acts, sealed, lastPosition, gaps } = await chain(of);
  expect({ sealed, lastPosition, gaps }).toEqual({ sealed: acts, lastPosition: acts, gaps: 0 });
  expect(await verifyBooks(of.db)).toEqual([]);
}

/** The whole sum of every class, beside which folded totals must stand. */
async function fullSums(of = database) {
  const rows = await of.asOwner<{ class: string; debit: string; credit: string }>(
    `select a.class, coalesce(sum(e.amount) filter (where e.amount > 0), 0) as debit,
        coalesce(-sum(e.amount) filter (where e.amount < 0), 0) as credit
      from ledger.entries e join ledger.accounts a on a.id = e.account_id group by a.class`,
  );
  return new Map(rows.map((row) => [row.class, [Number(row.debit), Number(row.credit)]]));
}

async function expectBalanced(of = database): Promise<void> {
  const sums = await fullSums(of);
  for (const row of await readTrialBalance(of.db)) {
    expect([row.debit, row.credit], row.accountClass).toEqual(sums.get(row.accountClass) ?? [0, 0]);
  }
}

describe('sealing', () => {
  test('every act gets one place, without gaps, however short the rounds are', async () => {
    const { user } = await cast.buyer(1);
    const { streamId } = await cast.liveStream();
    await tipped(user.id, streamId, 30);
    await expectBalanced();
    for (;;) {
      const round = await sealJournal(database.db, 7);
      expect(round.sealed).toBeLessThanOrEqual(7);
      expect(round.more).toBe(round.sealed === 7);
      await expectBalanced();
      const { acts, sealed } = await chain();
      if (acts === sealed) break;
    }
    await expectWhole();
    const { blocks } = await chain();
    await sealJournal(database.db);
    expect((await chain()).blocks).toBe(blocks);
  });

  test('an act that commits late, behind others and across rounds, is not left out', async () => {
    const { user } = await cast.buyer(1);
    const other = await cast.buyer(1);
    const { streamId } = await cast.liveStream();
    await cast.sealAll();
    const late = new pg.Client({ connectionString: database.ownerUrl });
    const undone = new pg.Client({ connectionString: database.ownerUrl });
    await Promise.all([late.connect(), undone.connect()]);
    await late.query('begin');
    const act = `select ledger.tip($1, $2, 1, '', false, $3)`;
    await late.query(act, [user.id, streamId, cast.unique('key')]);
    await undone.query('begin');
    await undone.query(act, [other.user.id, streamId, cast.unique('key')]);
    await undone.query('rollback');
    for (let round = 0; round < 5; round += 1) {
      await tipped(other.user.id, streamId, 5);
      await sealJournal(database.db, 3);
      await sealJournal(database.db);
      await expectBalanced();
    }
    // It writes once more at the very end.
    await late.query(act, [user.id, streamId, cast.unique('key')]);
    await late.query('commit');
    await expectBalanced();
    await cast.sealAll();
    await Promise.all([late.end(), undone.end()]);
    await expectWhole();
  });

  test('several sealers at once, while tips come in, seal each act once', async () => {
    const buyers = await Promise.all(Array.from({ length: 4 }, () => cast.buyer(1)));
    const { streamId } = await cast.liveStream();
    await Promise.all([
      ...buyers.flatMap(({ user }) =>
        Array.from({ length: 10 }, () => tipped(user.id, streamId, 5)),
      ),
      ...Array.from({ length: 40 }, (_, turn) => sealJournal(database.db, 1 + (turn % 9))),
    ]);
    await cast.sealAll();
    await expectWhole();
    await expectBalanced();
  });

  test('counts of a performer’s tips are folded, and right at every moment', async () => {
    const { user } = await cast.buyer(1);
    const { performer, streamId } = await cast.liveStream();
    const counts = async () => {
      const { tips, tokensReceived } = await readEarnings(database.db, performer.id);
      return [tips, tokensReceived];
    };
    expect(await counts()).toEqual([0, 0]);
    await tipped(user.id, streamId, 3);
    expect(await counts()).toEqual([3, 3]);
    await cast.sealAll();
    expect(await counts()).toEqual([3, 3]);
    await cast.tipped(user.id, streamId, 5);
    await sealJournal(database.db, 1);
    await cast.tipped(user.id, streamId, 2);
    expect(await counts()).toEqual([5, 10]);
    await cast.sealAll();
    expect(await counts()).toEqual([5, 10]);
    const [row] = await database.asOwner(
      'select tips, tokens from ledger.tip_totals where performer_id = $1',
      [performer.id],
    );
    expect(row).toEqual({ tips: '5', tokens: '10' });
  });
});

describe('books that were restored into another cluster', () => {
  /** As if all acts came from a cluster that had come much further. */
  const foreign = (horizon: string) =>
    database.asOwner(
      `begin;
      set local session_replication_role = replica;
      update ledger.journal set transaction = (transaction::text::bigint + 900000000000)::text::xid8
        where transaction < '900000000000';
      update ledger.sealer set horizon = '${horizon}';
      commit`,
    );

  test.each([
    ['ahead of this cluster', '900000000000'],
    ['behind it', '3'],
  ])('whose sealer stood %s are sealed to the end, once, and go on', async (_, horizon) => {
    const { user } = await cast.buyer(1);
    const { performer, streamId } = await cast.liveStream();
    await tipped(user.id, streamId, 10);
    await cast.sealAll();
    await tipped(user.id, streamId, 10);
    await foreign(horizon);
    await tipped(user.id, streamId, 10);
    await expectBalanced();
    expect(await readEarnings(database.db, performer.id)).toMatchObject({
      pendingPaise: 30 * 50,
      tips: 30,
    });
    // In rounds that are cut short, with acts between them.
    await sealJournal(database.db, 4);
    await expectBalanced();
    await tipped(user.id, streamId, 5);
    await sealJournal(database.db, 4);
    await cast.sealAll();
    await expectWhole();
    await tipped(user.id, streamId, 5);
    await cast.sealAll();
    await expectWhole();
    const [place] = await database.asOwner<{ restored: boolean }>(
      'select ledger.is_restored() as restored',
    );
    expect(place?.restored).toBe(false);
  });
});

test('a checkpoint is due once for each end of the chain, and the first one of a block stays', async () => {
  const { user } = await cast.buyer();
  await cast.sealAll();
  const due = await checkpointDue(database.db);
  if (!due) throw new Error('a checkpoint is due');
  await keepCheckpoint(database.db, due, { signature: 'one', keyId: 'key' });
  await keepCheckpoint(database.db, due, { signature: 'two', keyId: 'key' });
  expect(await checkpointDue(database.db)).toBeNull();
  const kept = await listCheckpoints(database.db, { limit: 10 });
  expect(kept).toMatchObject([{ ...due, signature: 'one' }]);
  const { streamId } = await cast.liveStream();
  await tipped(user.id, streamId, 1);
  expect(await checkpointDue(database.db)).toBeNull();
  await cast.sealAll();
  const next = await checkpointDue(database.db);
  expect(next?.block).toBe(due.block + 1);
  expect(await verifyBooks(database.db)).toEqual([]);
});

describe('what is changed behind the back of all rules is found', () => {
  let books: TestDatabase;
  let name: string;

  beforeAll(async () => {
    books = await createTestDatabase();
    name = books.name;
    const people = createMoneyCast(books);
    const { user } = await people.buyer(1);
    const { streamId } = await people.liveStream();
    await people.tipped(user.id, streamId, 5, 6, 7);
    await people.ageEarnings();
    await people.tipped(user.id, streamId, 8, 9);
    await people.sealAll();
    await books.asOwner('select ledger.release_earnings()');
    await issueInvoices(books.db, 10);
    await people.sealAll();
    const due = await checkpointDue(books.db);
    if (!due) throw new Error('a checkpoint is due');
    await keepCheckpoint(books.db, due, { signature: 'signed', keyId: 'key' });
    await people.tipped(user.id, streamId, 3);
    expect(await verifyBooks(books.db)).toEqual([]);
    expect(await readBalance(books.db, user.id)).toBe(62);
    await books.close();
  });

  /** The tip of 7 tokens. */
  const act = `(select id from ledger.tips where amount_tokens = 7)`;
  const account = (kind: string) =>
    `(select id from ledger.accounts where class = '${kind}' limit 1)`;
  const unchanged = 'every act in the chain is unchanged';
  const sums = 'every act sums to zero per currency';
  const totals = 'folded totals equal the sealed entries';

  test.each<[change: string, statements: string, invariants: string[]]>([
    [
      'an amount',
      `update ledger.entries set amount = amount + 1 where journal_id = ${act} and line = 1`,
      [unchanged, sums, totals],
    ],
    [
      'two amounts that still sum to zero',
      `update ledger.entries set amount = amount * 2 where journal_id = ${act}`,
      [unchanged, totals, 'every tip moved what it says'],
    ],
    [
      'whom an entry is for',
      `update ledger.entries set account_id = ${account('bank')}
        where journal_id = ${act} and account_id = ${account('platform_revenue')}`,
      [unchanged, totals],
    ],
    [
      'what an act answered',
      `update ledger.journal set result = result || '{"balanceTokens": 1000}' where id = ${act}`,
      [unchanged],
    ],
    [
      'when an act was written',
      `update ledger.journal set created_at = created_at - interval '1 microsecond' where id = ${act}`,
      [unchanged],
    ],
    [
      'the key of an act',
      `update ledger.journal set idempotency_key = idempotency_key || 'x' where id = ${act}`,
      [unchanged],
    ],
    [
      'an entry that was removed',
      `delete from ledger.entries where journal_id = ${act} and line = 4`,
      [unchanged, sums, totals],
    ],
    [
      'an act that was removed with all that belongs to it',
      `delete from ledger.entries where journal_id = ${act};
      delete from ledger.journal where id = ${act};
      delete from ledger.tips where amount_tokens = 7`,
      [unchanged, totals],
    ],
    [
      'an act that was removed with its place in the chain',
      `delete from ledger.sealed where journal_id = ${act};
      delete from ledger.entries where journal_id = ${act};
      delete from ledger.journal where id = ${act}`,
      [
        'positions in the chain have no gaps',
        'every block has the hash of its acts in their order',
      ],
    ],
    [
      'the last block',
      `delete from ledger.blocks where number = (select max(number) from ledger.blocks)`,
      ['every place in the chain is in a block', 'every checkpoint is of its block'],
    ],
    [
      'the last block with its places',
      `delete from ledger.sealed where position >= (select max(first_position) from ledger.blocks);
      delete from ledger.blocks where number = (select max(number) from ledger.blocks)`,
      ['every checkpoint is of its block', totals],
    ],
    [
      'a block in the middle',
      `delete from ledger.blocks where number = 2`,
      ['every block follows the one before it'],
    ],
    [
      'the hash of a block',
      `update ledger.blocks set hash = sha256('x') where number = 2`,
      [
        'every block follows the one before it',
        'every block has the hash of its acts in their order',
      ],
    ],
    [
      'the order of two acts',
      `update ledger.sealed set position = 0 where position = 2;
      update ledger.sealed set position = 2 where position = 3;
      update ledger.sealed set position = 3 where position = 0`,
      ['every block has the hash of its acts in their order'],
    ],
    [
      'an entry that was added',
      `insert into ledger.entries (journal_id, line, account_id, currency, amount)
        values (${act}, 90, ${account('bank')}, 'INR', 5), (${act}, 91, ${account('unexplained')}, 'INR', -5)`,
      [unchanged, totals],
    ],
    [
      'tokens that were minted with an act of their own',
      `insert into ledger.journal (id, kind, idempotency_key, fingerprint, result)
        values ('01980000-0000-7000-8000-000000000001', 'purchase', 'purchase:forged', '', '{}');
      insert into ledger.entries (journal_id, line, account_id, currency, amount, lot_id)
        select '01980000-0000-7000-8000-000000000001', n, case n when 1 then l.account_id
          else ${account('tokens_outstanding')} end, 'TOKEN', case n when 1 then -1000 else 1000 end,
          case n when 1 then l.id end from ledger.lots l, generate_series(1, 2) n;
      update ledger.lots set tokens_left = tokens_left + 1000`,
      [
        'every purchase has its captured payment',
        'every lot equals its entries, and is within what it held',
      ],
    ],
    [
      'a balance',
      `update ledger.balances set balance = balance + 1000000
        where account_id = ${account('performer_available')}`,
      ['every guarded balance equals its entries, and is not below zero'],
    ],
    [
      'a lot',
      'update ledger.lots set tokens_left = tokens_left + 1',
      [
        'every lot equals its entries, and is within what it held',
        'every wallet is the sum of its lots',
      ],
    ],
    [
      'the tax of a lot',
      'update ledger.lots set gst_left = gst_left - 1',
      ['tax that is owed is that of lots and of refunds that wait'],
    ],
    [
      'a folded total',
      `update ledger.totals set credit = credit + 1 where account_id = ${account('bank')}
        or account_id = ${account('platform_revenue')}`,
      [totals],
    ],
    [
      'a folded count of tips',
      'update ledger.tip_totals set tokens = tokens + 1',
      ['folded counts of tips equal the sealed ones'],
    ],
    [
      'what a checkpoint says',
      `update ledger.checkpoints set trial_balance = jsonb_set(trial_balance, '{bank}', '[1, 1]')`,
      ['the newest checkpoint says what the books said then'],
    ],
    [
      'what a tip says',
      `update ledger.tips set amount_tokens = 70 where amount_tokens = 7`,
      ['every tip moved what it says', 'folded counts of tips equal the sealed ones'],
    ],
    [
      'how far earnings were released',
      'update ledger.sealer set released_through = released_through + 2',
      ["a performer's pending earnings are those of tips that wait"],
    ],
    [
      'an account that was made another’s',
      `update ledger.accounts set normal_side = 'debit' where class = 'performer_available'`,
      ['every account is as its class says'],
    ],
    [
      'a payment',
      'update payments set refunded_paise = 100',
      ['a payment is refunded as far as its refunds say'],
    ],
    [
      'an order',
      'update orders set tokens = tokens * 10',
      ['every order is at the price of its package', 'every purchase moved what was ordered'],
    ],
  ])('%s', async (_, statements, invariants) => {
    const copy = await createTestDatabase(name);
    try {
      await copy.asOwner(
        `begin; set local session_replication_role = replica; ${statements}; commit`,
      );
      const found = await verifyBooks(copy.db);
      for (const invariant of invariants) {
        expect(found.map((violation) => violation.invariant)).toContain(invariant);
      }
    } finally {
      await copy.close();
    }
  });
});
