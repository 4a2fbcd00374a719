// Audits: a round proves what is new and what is open, a whole one everything, and neither loses its place.
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import {
  beginAuditRound,
  beginWholeAudit,
  issueInvoices,
  readAuditResult,
  releaseEarnings,
  stepAudit,
  verifyBooks,
} from './index.ts';

let template: string;
let books: TestDatabase;
let people: ReturnType<typeof createMoneyCast>;
let viewerId: string;
let streamId: string;

/** Books in which something of everything stands, proven as a whole. */
beforeAll(async () => {
  books = await createTestDatabase();
  template = books.name;
  people = createMoneyCast(books);
  const { user } = await people.buyer(2);
  viewerId = user.id;
  ({ streamId } = await people.liveStream());
  await people.tipped(viewerId, streamId, 5, 6, 7);
  await people.ageEarnings();
  await releaseEarnings(books.db);
  await people.tipped(viewerId, streamId, 8, 9);
  await issueInvoices(books.db, 10);
  await people.sealAll();
  await books.close();
});
beforeEach(async () => {
  books = await createTestDatabase(template);
  people = createMoneyCast(books);
});
afterEach(() => books.close());

async function finish(auditId: string, step?: Parameters<typeof stepAudit>[2]): Promise<string[]> {
  while ((await stepAudit(books.db, auditId, step)).phase !== 'done');
  const found = await readAuditResult(books.db, auditId);
  return [...new Set(found.map(({ invariant }) => invariant))].sort();
}
const round = async () => finish(await beginAuditRound(books.db));
async function whole(step?: Parameters<typeof stepAudit>[2]): Promise<string[]> {
  await books.asOwner(`update ledger.audits set began_at = began_at - interval '1 day'`);
  const auditId = await beginWholeAudit(books.db);
  if (auditId === null) throw new Error('a whole audit is due');
  return finish(auditId, step);
}
const forge = (statements: string) =>
  books.asOwner(`begin; set local session_replication_role = replica; ${statements}; commit`);

/** An amount in the oldest tip, and what it is found by. */
const forgeOldTip = (factor: string) =>
  forge(`update ledger.entries set amount = amount ${factor}
    where journal_id = (select id from ledger.tips where amount_tokens = 5)`);
const oldTipFound = ['every act in the chain is unchanged', 'every tip moved what it says'];

describe('a round', () => {
  test('finds nothing in books that are right, however often, whatever comes between', async () => {
    expect(await round()).toEqual([]);
    expect(await round()).toEqual([]);
    await people.tipped(viewerId, streamId, 1, 2);
    expect(await round()).toEqual([]);
    await people.sealAll();
    const other = await people.buyer(0);
    await people.tipped(other.user.id, streamId, 3);
    expect(await round()).toEqual([]);
    await people.ageEarnings();
    expect(await round()).toEqual([]);
    await releaseEarnings(books.db);
    expect(await round()).toEqual([]);
    await issueInvoices(books.db, 10);
    await people.sealAll();
    expect(await round()).toEqual([]);
    expect(await verifyBooks(books.db)).toEqual([]);
  });

  test('does not read acts again that were proven; a whole audit does, and rounds remember it', async () => {
    expect(await round()).toEqual([]);
    await forgeOldTip('* 2');
    expect(await round()).toEqual([]);
    expect(await whole()).toEqual(expect.arrayContaining(oldTipFound));
    expect(await round()).toEqual(expect.arrayContaining(oldTipFound));
    await forgeOldTip('/ 2');
    expect(await round()).toEqual(expect.arrayContaining(oldTipFound));
    expect(await whole()).toEqual([]);
    expect(await round()).toEqual([]);
  });

  test('proves each new act, and remembers what was wrong with it', async () => {
    expect(await round()).toEqual([]);
    await people.tipped(viewerId, streamId, 4);
    await people.sealAll();
    await forge('update ledger.tips set amount_tokens = 40 where amount_tokens = 4');
    const found = ['every tip moved what it says', 'folded counts of tips equal the sealed ones'];
    expect(await round()).toEqual(found);
    await people.tipped(viewerId, streamId, 3);
    await people.sealAll();
    expect(await round()).toEqual(found);
    await forge('update ledger.tips set amount_tokens = 4 where amount_tokens = 40');
    expect(await whole()).toEqual([]);
  });

  test.each<[string, string, string]>([
    [
      'a balance',
      `update ledger.balances set balance = balance + 1 where balance > 0`,
      'every guarded balance equals its entries, and is not below zero',
    ],
    [
      'a lot',
      'update ledger.lots set tokens_left = tokens_left + 1',
      'every lot equals its entries, and is within what it held',
    ],
    [
      'the tax of a lot',
      'update ledger.lots set gst_left = gst_left - 1',
      'tax that is owed is that of lots and of refunds that wait',
    ],
    [
      'a folded total',
      `update ledger.totals set credit = credit + 1
        where account_id = (select id from ledger.accounts where class = 'gateway_clearing')`,
      'folded totals equal the sealed entries',
    ],
    [
      'a folded count of tips',
      'update ledger.tip_totals set tokens = tokens + 1',
      'folded counts of tips equal the sealed ones',
    ],
    [
      'how far earnings were released',
      'update ledger.sealer set released_through = released_through + 2',
      "a performer's pending earnings are those of tips that wait",
    ],
    [
      'how far earnings were released, backwards',
      'update ledger.sealer set released_through = 0',
      "a performer's pending earnings are those of tips that wait",
    ],
    [
      'the kind of an account',
      `update ledger.accounts set normal_side = 'debit' where class = 'performer_available'`,
      'every account is as its class says',
    ],
    [
      'a payment that was settled without a settlement',
      `update payments set settlement_id = 'x'`,
      'what the gateway owes is explained',
    ],
    [
      'the end of the chain',
      'delete from ledger.blocks where number = (select max(number) from ledger.blocks)',
      'every place in the chain is in a block',
    ],
  ])('finds %s that was changed', async (_, statements, invariant) => {
    expect(await round()).toEqual([]);
    await forge(statements);
    expect(await round()).toContain(invariant);
  });

  test('forgets what was wrong with what is open as soon as it is right', async () => {
    expect(await round()).toEqual([]);
    await forge('update ledger.lots set gst_left = gst_left - 1');
    expect(await round()).toEqual(['tax that is owed is that of lots and of refunds that wait']);
    await forge('update ledger.lots set gst_left = gst_left + 1');
    expect(await round()).toEqual([]);
  });
});

describe('an audit', () => {
  const tiny = { acts: 1, milliseconds: 0 };

  test('act by act it proves the same as at once, and stops at no place for good', async () => {
    expect(await whole(tiny)).toEqual([]);
    await forgeOldTip('* 2');
    const atOnce = await whole();
    expect(atOnce).toEqual(expect.arrayContaining(oldTipFound));
    expect(await whole(tiny)).toEqual(atOnce);
  });

  test('that somebody left is gone on with, by others too, and adds nothing up twice', async () => {
    const auditId = await beginWholeAudit(books.db);
    if (auditId === null) throw new Error('a whole audit is due');
    for (let turn = 0; turn < 12; turn += 1) {
      // Two at once, and each as if it had just been started; life goes on meanwhile.
      expect(await beginWholeAudit(books.db)).toBe(auditId);
      await Promise.all([
        stepAudit(books.db, auditId, tiny),
        stepAudit(books.db, auditId, tiny),
        people.tipped(viewerId, streamId, 1),
      ]);
      await people.sealAll();
    }
    expect(await finish(auditId, tiny)).toEqual([]);
    expect(await beginAuditRound(books.db)).toBe(auditId);
  });

  test('of the whole is due once a night; the one before it is forgotten', async () => {
    const first = await beginWholeAudit(books.db);
    expect(await finish(first ?? '')).toEqual([]);
    expect(await beginWholeAudit(books.db)).toBeNull();
    expect(await whole()).toEqual([]);
    expect(await beginWholeAudit(books.db)).toBeNull();
    await round();
    const [left] = await books.asOwner(
      `select (select count(*)::int from ledger.audits) as audits,
        (select count(distinct audit_id)::int from ledger.audit_accounts) as accounts,
        (select count(distinct audit_id)::int from ledger.audit_lots) as lots`,
    );
    expect(left).toEqual({ audits: 1, accounts: 1, lots: 1 });
    const [night] = await books.asOwner(
      `select array(select instant(ledger.audit_night(at::timestamptz)) from unnest(array[
        '2026-03-01T21:29:59Z', '2026-03-01T21:30:00Z', '2026-03-02T18:00:00Z']) at) as due`,
    );
    expect(night?.due).toEqual([
      '2026-02-28T21:30:00.000Z',
      '2026-03-01T21:30:00.000Z',
      '2026-03-01T21:30:00.000Z',
    ]);
  });

  test('by hand leaves nothing behind, and keeps no more of what is wrong than a person can read', async () => {
    await round();
    const count = async () =>
      (await books.asOwner<{ count: number }>('select count(*)::int from ledger.audits'))[0]?.count;
    expect(await count()).toBe(1);
    await forge(
      `insert into ledger.tips (id, viewer_id, performer_id, amount_tokens, earned_paise, fee_paise,
          fee_policy_version, message, anonymous)
        select uuid_v7(), viewer_id, performer_id, 1, 1, 1, 1, '', false from ledger.tips, generate_series(1, 300)`,
    );
    const found = await verifyBooks(books.db);
    expect(found).toHaveLength(1_000);
    expect(await count()).toBe(1);
  });
});
