// The wallet over HTTP: pages and filters of the statement, its exports, and the limits that viewers set themselves.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { holdTokens, releaseHold, verifyBooks } from '#db';
import { startTestEdge, type TestEdge } from '../../testing/edge.ts';
import { statementPageRows } from '../services/statement.ts';
import { type Cast, createCast, refused } from '../testing/cast.ts';

let edge: TestEdge;
let cast: Cast;
beforeAll(async () => {
  edge = await startTestEdge();
  cast = createCast(edge);
});
afterAll(async () => {
  const wrong = await verifyBooks(edge.database.db);
  await edge.close();
  expect(wrong).toEqual([]);
});

interface Row {
  id: string;
  kind: string;
  amountTokens: number;
  subject: string;
  gatewayPaymentId: string | null;
}

/** Bought, tipped twice, held and released: five rows. */
async function busyFan() {
  const fan = await cast.fan(1);
  const { performer, streamId } = await cast.live();
  await cast.tip(fan.id, streamId, 3);
  await cast.tip(fan.id, streamId, 4);
  const { reservationId } = await holdTokens(edge.database.db, {
    viewerId: fan.id,
    performerId: performer.id,
    streamId: null,
    tokens: 10,
    expiresAt: new Date(Date.now() + 3_600_000),
    idempotencyKey: cast.unique('key'),
  });
  await releaseHold(edge.database.db, reservationId);
  return { fan, performer };
}

/** Puts a tip to another moment, as no act can: statements go by the moment within its id. */
async function moveTip(viewerId: string, to: string): Promise<void> {
  const { asOwner } = edge.database;
  const [tip] = await asOwner<{ id: string; moved: string }>(
    `select id, overlay(uuid_v7_floor($2::timestamptz)::text placing right(id::text, 17) from 20) as moved
      from ledger.tips where viewer_id = $1 limit 1`,
    [viewerId, to],
  );
  for (const [table, column] of [
    ['ledger.entries', 'journal_id'],
    ['ledger.journal', 'id'],
    ['ledger.tips', 'id'],
  ]) {
    await asOwner(`alter table ${table} disable trigger user`);
    await asOwner(`update ${table} set ${column} = $1 where ${column} = $2`, [tip?.moved, tip?.id]);
    await asOwner(`alter table ${table} enable trigger user`);
  }
}

describe('the balance', () => {
  test('a viewer sees their own balance, and nobody without a token sees any', async () => {
    const fan = await cast.fan();
    expect((await fan.call('GET', '/v1/wallet')).body).toEqual({ balanceTokens: 50 });
    expect((await cast.member()).id).not.toBe(fan.id);
    expect(refused(await edge.call('GET', '/v1/wallet'))).toEqual([401, 'unauthenticated']);
  });
});

describe('the statement', () => {
  test('pages hold every row once, newest first, and each row says what it was', async () => {
    const { fan, performer } = await busyFan();
    const seen: Row[] = [];
    let cursor: string | null = null;
    do {
      const { body } = await fan.call(
        'GET',
        `/v1/wallet/transactions?limit=2${cursor ? `&cursor=${cursor}` : ''}`,
      );
      expect(body.transactions.length).toBeLessThanOrEqual(2);
      seen.push(...body.transactions);
      cursor = body.nextCursor;
    } while (cursor);
    expect(seen.map(({ kind, amountTokens }) => [kind, amountTokens])).toEqual([
      ['hold', 10],
      ['hold', -10],
      ['tip', -4],
      ['tip', -3],
      ['purchase', 100],
    ]);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(5);
    expect(seen[2]?.subject).toBe(performer.username);
    expect(seen[4]).toMatchObject({ subject: 'Starter', gatewayPaymentId: fan.gatewayPaymentId });
  });

  test('filters by kind and by India’s days, both ends included', async () => {
    const { fan } = await busyFan();
    const kinds = async (query: string) =>
      (await fan.call('GET', `/v1/wallet/transactions?${query}`)).body.transactions.map(
        ({ kind }: Row) => kind,
      );
    expect(await kinds('kind=tip')).toEqual(['tip', 'tip']);
    expect(await kinds('kind=refund')).toEqual([]);
    // Five minutes past midnight in India, when it is the day before in Greenwich.
    await moveTip(fan.id, '2026-03-09T18:35:00Z');
    expect(await kinds('from=2026-03-10&to=2026-03-10')).toEqual(['tip']);
    expect(await kinds('to=2026-03-09')).toEqual([]);
    expect(await kinds('from=2026-03-11')).toHaveLength(4);
    // Before there were computers, and long after us.
    expect(await kinds('from=0001-01-01&to=9999-12-31')).toHaveLength(5);
  });

  test('a query that makes no sense is refused, field by field', async () => {
    const viewer = await cast.member();
    for (const query of [
      'limit=0',
      'limit=101',
      'limit=1.5',
      'kind=theft',
      'from=yesterday',
      'to=2026-02-30',
      'from=0000-01-01',
      'cursor=nonsense',
      "cursor=' or 1=1",
    ]) {
      const answer = await viewer.call('GET', `/v1/wallet/transactions?${query}`);
      expect(refused(answer), query).toEqual([422, 'invalid-request']);
      expect(answer.body.errors[0].path, query).toBe(query.split('=')[0]);
    }
  });

  test('somebody else’s rows are in nobody’s statement, whatever the cursor', async () => {
    const { fan } = await busyFan();
    const stranger = await cast.member();
    const { body } = await fan.call('GET', '/v1/wallet/transactions?limit=1');
    const answer = await stranger.call(
      'GET',
      `/v1/wallet/transactions?cursor=${body.transactions[0].id}`,
    );
    expect(answer.body).toEqual({ transactions: [], nextCursor: null });
  });
});

describe('exports', () => {
  test('CSV and JSON hold what the pages hold, as files with names', async () => {
    const { fan } = await busyFan();
    const { body } = await fan.call('GET', '/v1/wallet/transactions');
    const json = await fan.call('GET', '/v1/wallet/statement?format=json');
    expect(json.body.transactions).toEqual(body.transactions);
    expect(json.headers.get('content-disposition')).toBe('attachment; filename="statement.json"');
    const csv = await fan.call('GET', '/v1/wallet/statement?format=csv');
    expect(csv.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    expect(csv.headers.get('content-disposition')).toBe('attachment; filename="statement.csv"');
    expect(csv.headers.get('cache-control')).toBe('no-store');
    const lines = csv.body.split('\r\n');
    expect(lines[0]).toBe('at,kind,subject,amountTokens,gatewayPaymentId,id');
    expect(lines).toHaveLength(body.transactions.length + 2);
    expect(lines.at(-1)).toBe('');
    for (const [index, row] of (body.transactions as Row[]).entries()) {
      expect(lines[index + 1]?.split(',').slice(1, 4)).toEqual([
        row.kind,
        row.subject,
        String(row.amountTokens),
      ]);
    }
    const tips = await fan.call('GET', '/v1/wallet/statement?format=json&kind=tip');
    expect(tips.body.transactions).toHaveLength(2);
  });

  test('a statement longer than what is read at once comes whole, in both formats', async () => {
    const fan = await cast.fan(5);
    const { streamId } = await cast.live();
    const tips = 2 * statementPageRows + 30;
    await cast.tipOften(fan.id, streamId, tips);
    const json = await fan.call('GET', '/v1/wallet/statement?format=json');
    const ids = json.body.transactions.map(({ id }: Row) => id);
    expect(ids).toHaveLength(tips + 1);
    expect(ids.toSorted().reverse()).toEqual(ids);
    expect(json.body.transactions.at(-1).kind).toBe('purchase');
    const csv = await fan.call('GET', '/v1/wallet/statement?format=csv');
    const lines = csv.body.split('\r\n').slice(1, -1);
    expect(lines.map((line: string) => line.split(',').at(-1))).toEqual(ids);
    const none = await fan.call('GET', '/v1/wallet/statement?format=json&kind=refund');
    expect(none.body).toEqual({ transactions: [] });
  });

  test('a name that a spreadsheet would carry out is text in the CSV', async () => {
    const { fan, performer } = await busyFan();
    const cells: [name: string, cell: string][] = [
      ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
      ['+1+1', "'+1+1"],
      ['-2+3', "'-2+3"],
      ['@SUM(A1)', "'@SUM(A1)"],
      ['\tcmd', "'\tcmd"],
      ['\r=1', `"'\r=1"`],
      ['\n=1', `"'\n=1"`],
      ['a "quoted", name', '"a ""quoted"", name"'],
    ];
    for (const [name, cell] of cells) {
      await edge.database.asOwner('update users set username = $2 where id = $1', [
        performer.id,
        name,
      ]);
      const { body } = await fan.call('GET', '/v1/wallet/statement?format=csv&kind=tip');
      expect(body, JSON.stringify(name)).toContain(`,tip,${cell},-4,`);
    }
  });

  test('nobody can make the edge export without end', async () => {
    const viewer = await cast.member();
    const ask = () => viewer.call('GET', '/v1/wallet/statement?format=csv');
    const statuses = (await Promise.all(Array.from({ length: 12 }, ask))).map((a) => a.status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2);
    expect(refused(await viewer.call('GET', '/v1/wallet/statement'))).toEqual([
      429,
      'rate-limited',
    ]);
    const other = await cast.member();
    expect(refused(await other.call('GET', '/v1/wallet/statement?format=pdf'))).toEqual([
      422,
      'invalid-request',
    ]);
    expect(refused(await edge.call('GET', '/v1/wallet/statement?format=csv'))).toEqual([
      401,
      'unauthenticated',
    ]);
  });
});

describe('limits', () => {
  const none = { dayTokens: null, monthTokens: null, dayPaise: null, monthPaise: null };

  test('a lowered limit binds the next tip, and the refusal says which', async () => {
    const fan = await cast.fan(1);
    const { streamId } = await cast.live();
    await cast.tip(fan.id, streamId, 3);
    const set = await fan.call('PUT', '/v1/wallet/limits', { body: { ...none, dayTokens: 5 } });
    expect(set.body).toMatchObject({ dayTokens: 5, next: null, spent: { dayTokens: 3 } });
    const tip = (amountTokens: number) => fan.act('POST', '/v1/tips', { streamId, amountTokens });
    const answer = await tip(3);
    expect(refused(answer)).toEqual([409, 'spending-limit']);
    expect(answer.body).toMatchObject({ period: 'day', limitTokens: 5, spentTokens: 3 });
    expect((await tip(2)).status).toBe(201);
    expect((await fan.call('GET', '/v1/wallet')).body.balanceTokens).toBe(95);
  });

  test('a raised limit, or none at all, waits', async () => {
    const viewer = await cast.member();
    const put = (body: object) => viewer.call('PUT', '/v1/wallet/limits', { body });
    await put({ ...none, dayTokens: 5, monthTokens: 50 });
    const raised = await put({ ...none, dayTokens: 500, monthTokens: 20 });
    expect(raised.body).toMatchObject({
      dayTokens: 5,
      monthTokens: 20,
      next: { dayTokens: 500, monthTokens: 20 },
    });
    const hours = (Date.parse(raised.body.next.from) - Date.now()) / 3_600_000;
    expect(hours).toBeGreaterThan(23.9);
    expect(hours).toBeLessThanOrEqual(24);
    expect((await put(none)).body).toMatchObject({ dayTokens: 5, next: { dayTokens: null } });
    await edge.database.asOwner(
      `update spending_limits set next_from = now() - interval '1 second' where user_id = $1`,
      [viewer.id],
    );
    expect((await viewer.call('GET', '/v1/wallet/limits')).body).toMatchObject({
      ...none,
      next: null,
    });
  });

  test('a limit on money binds the next order', async () => {
    const viewer = await cast.member();
    await viewer.call('PUT', '/v1/wallet/limits', { body: { ...none, monthPaise: 10_000 } });
    await cast.order(viewer);
    const { body } = await edge.call('GET', '/v1/payments/packages');
    const answer = await viewer.act('POST', '/v1/payments/orders', {
      packageId: body.packages[0].id,
    });
    expect(refused(answer)).toEqual([409, 'spending-limit']);
    expect(answer.body).toMatchObject({ period: 'month', limitPaise: 10_000, spentPaise: 5_900 });
  });

  test('fractions, negatives, texts and what is left out are refused', async () => {
    const viewer = await cast.member();
    for (const change of [
      { dayTokens: 1.5 },
      { dayTokens: -1 },
      { dayTokens: '5' },
      { dayTokens: 1_000_000_001 },
      { dayTokens: undefined },
      { weekTokens: 1 },
    ]) {
      const answer = await viewer.call('PUT', '/v1/wallet/limits', {
        body: { ...none, ...change },
      });
      expect(refused(answer), JSON.stringify(change)).toEqual([422, 'invalid-request']);
    }
    expect(refused(await edge.call('PUT', '/v1/wallet/limits', { body: none }))).toEqual([
      401,
      'unauthenticated',
    ]);
  });
});
