// The chain: no committed act is ever left out of it, and nothing that it holds is changed without being found.
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { connectOwned, createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import {
  checkpointDue,
  findForeignEnds,
  issueInvoices,
  keepCheckpoint,
  listCheckpoints,
  readBalance,
  readChainLag,
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
      ...buyers.map(async ({ user }) => {
        for (let turn = 0; turn < 10; turn += 1) await tipped(user.id, streamId, 5);
      }),
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
      ['a checkpoint says what the books said then'],
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

describe('what time tells of the chain', () => {
  let books: TestDatabase;
  let people: ReturnType<typeof createMoneyCast>;
  let viewerId: string;
  let streamId: string;

  beforeEach(async () => {
    use(await createTestDatabase());
    const { user } = await people.buyer(1);
    viewerId = user.id;
    ({ streamId } = await people.liveStream());
    await people.tipped(viewerId, streamId, 5);
  });
  afterEach(() => books.close());

  function use(database: TestDatabase): void {
    books = database;
    people = createMoneyCast(database);
  }

  const invariants = async (asOf?: Date) =>
    [...new Set((await verifyBooks(books.db, { asOf })).map(({ invariant }) => invariant))].sort();

  async function forge(statements: string): Promise<void> {
    await books.asOwner(
      `begin; set local session_replication_role = replica; ${statements}; commit`,
    );
  }

  /**
   * One more tip, sealed so many minutes ago; and signed, if it is. In one block, or in more where a transaction of
   * another database has held the sealer back for a moment.
   */
  async function block(minutesAgo: number, isSigned: boolean): Promise<void> {
    const { blocks } = await chain(books);
    await people.tipped(viewerId, streamId, 1);
    await people.sealAll();
    await forge(`update ledger.blocks set sealed_at = now() - interval '${minutesAgo} minutes'
      where number > ${blocks}`);
    if (!isSigned) return;
    const due = await checkpointDue(books.db);
    if (due) await keepCheckpoint(books.db, due, { signature: 'signed', keyId: 'key' });
  }

  test('acts that nobody has sealed for days are found, also where nothing was ever sealed', async () => {
    await forge(`update ledger.journal set created_at = created_at - interval '3 days'`);
    expect(await invariants()).toEqual(['every act is in the chain soon']);
    const lag = await readChainLag(books.db);
    expect(lag).toMatchObject({ isLate: true, unsignedSeconds: null });
    expect(lag.unsealedSeconds).toBeGreaterThan(2 * 86_400);
    // Where nobody has been running since, nobody is late.
    expect(await invariants(new Date(Date.now() - 3 * 86_400_000))).toEqual([]);
    await people.sealAll();
    expect(await invariants()).toEqual([]);
    expect(await readChainLag(books.db)).toMatchObject({ isLate: false, unsealedSeconds: null });
  });

  test('an act that the sealer has left behind is found, however new it is', async () => {
    await people.sealAll();
    await forge(`delete from ledger.blocks where number = (select max(number) from ledger.blocks);
      delete from ledger.sealed where position > coalesce((select max(last_position) from ledger.blocks), 0)`);
    expect(await invariants()).toContain('every act is in the chain soon');
  });

  test('a chain whose end nobody has signed for ten minutes is found, and until then it is not', async () => {
    await block(9, false);
    expect(await invariants()).toEqual([]);
    await forge(`update ledger.blocks set sealed_at = sealed_at - interval '2 minutes'`);
    expect(await invariants()).toEqual(['the end of the chain is signed soon']);
    expect(await readChainLag(books.db)).toMatchObject({ isLate: true, unsealedSeconds: null });
    expect(await invariants(new Date(Date.now() - 11 * 60_000))).toEqual([]);
    await block(0, true);
    expect(await invariants()).toEqual([]);
    expect(await readChainLag(books.db)).toMatchObject({ isLate: false, unsignedSeconds: null });
  });

  test('a machine that was off for a night, or for many, has broken nothing', async () => {
    await block(3 * 1_440, true);
    await block(2 * 1_440 + 1, false);
    await block(1_440 + 1, true);
    await block(1_440, false);
    await block(20, false);
    await block(19, true);
    await block(0, false);
    expect(await invariants()).toEqual([]);
  });

  test('a chain that grew for longer than ten minutes without a signature is found for good', async () => {
    await block(60, true);
    for (const minutesAgo of [50, 46, 43, 40, 37]) await block(minutesAgo, false);
    await block(36, true);
    expect(await invariants()).toEqual(['the chain is signed as it grows']);
    await block(0, true);
    expect(await invariants()).toEqual(['the chain is signed as it grows']);
  });

  describe('and witnesses tell', () => {
    async function ends() {
      return listCheckpoints(books.db, { limit: 100 });
    }
    const blocksOf = (some: { block: number }[]) =>
      some.map((end) => end.block).toSorted((a, b) => a - b);
    const foreign = async (witness: Awaited<ReturnType<typeof ends>>) =>
      blocksOf(await findForeignEnds(books.db, witness));

    /** The tip of 7 tokens becomes another performer's, and the chain is made anew from there on. */
    async function rewritePast(): Promise<void> {
      const other = await people.liveStream();
      const accountOf = (who: string) =>
        `(select id from ledger.accounts where class = 'performer_pending' and owner_id = ${who})`;
      const theirs = `'${other.performer.id}'`;
      const tip = '(select id from ledger.tips where amount_tokens = 7)';
      const before = `(select performer_id from streams where id = '${streamId}')`;
      await forge(`insert into ledger.tip_totals values (${theirs}, 1, 7);
        insert into ledger.totals values (${accountOf(theirs)}, 0, 350, 1);
        update ledger.tip_totals set tips = tips - 1, tokens = tokens - 7 where performer_id = ${before};
        update ledger.totals set credit = credit - 350 where account_id = ${accountOf(before)};
        update ledger.entries set account_id = ${accountOf(theirs)}
          where journal_id = ${tip} and account_id = ${accountOf(before)};
        update ledger.tips set performer_id = ${theirs}, stream_id = '${other.streamId}' where amount_tokens = 7;
        delete from ledger.checkpoints;
        update ledger.sealed set hash = ledger.hash_of(journal_id);
        do $$
        declare
          b ledger.blocks;
          v_before bytea := sha256('');
        begin
          for b in select * from ledger.blocks order by number loop
            update ledger.blocks set previous_hash = v_before, hash = (
                select sha256(v_before || string_agg(s.hash, '' order by s.position)) from ledger.sealed s
                  where s.position between b.first_position and b.last_position)
              where number = b.number returning hash into v_before;
          end loop;
        end $$`);
    }

    test('of a past that was rewritten with its chain, and signed anew', async () => {
      await block(60, true);
      const before = await ends();
      await people.tipped(viewerId, streamId, 7);
      for (const minutesAgo of [45, 30, 15]) await block(minutesAgo, true);
      const kept = await ends();
      const rewritten = blocksOf(kept.slice(0, 3));
      expect(kept.slice(3)).toEqual(before);
      expect(await foreign(kept)).toEqual([]);
      await rewritePast();
      expect(await invariants()).toEqual(['the end of the chain is signed soon']);
      expect(await foreign(kept)).toEqual(rewritten);
      await block(0, true);
      expect(await invariants()).toEqual(['the chain is signed as it grows']);
      expect(await foreign(kept)).toEqual(rewritten);
    });

    test('of an end that was cut off, as an older copy has none', async () => {
      await block(3, true);
      const { name, url, ownerUrl } = books;
      // Whoever is connected keeps it from being copied.
      await books.close();
      const copy = await createTestDatabase(name);
      use({ ...connectOwned(url, ownerUrl), name });
      await block(2, true);
      await block(1, true);
      const kept = await ends();
      const cut = blocksOf(kept.slice(0, 2));
      await books.close();
      use(copy);
      expect(await invariants()).toEqual([]);
      expect(await foreign(kept)).toEqual(cut);
      // Nor does it help that the copy grows as long.
      await block(0, true);
      await block(0, true);
      expect(await invariants()).toEqual([]);
      expect(await foreign(kept)).toEqual(cut);
    });
  });
});
