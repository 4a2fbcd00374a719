// Statements: every act once, newest first, however many there are and from however many lots they took.
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WalletTransaction } from '#contract';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { createMoneyCast } from '../testing/money.ts';
import {
  grantTokens,
  listWalletEntries,
  readBalance,
  tip,
  tipMany,
  tipsPerCallMax,
} from './index.ts';

let database: TestDatabase;
let cast: ReturnType<typeof createMoneyCast>;
beforeAll(async () => {
  database = await createTestDatabase();
  cast = createMoneyCast(database);
  await cast.setRule('order_open_max', null);
});
afterAll(() => database.close());

/** All pages of a statement, one after another. */
async function wholeStatement(
  userId: string,
  limit: number,
  filter: Parameters<typeof listWalletEntries>[2] | object = {},
): Promise<WalletTransaction[]> {
  const rows: WalletTransaction[] = [];
  for (;;) {
    const before = rows.at(-1)?.id;
    const page = await listWalletEntries(database.db, userId, { ...filter, before, limit });
    rows.push(...page);
    if (page.length < limit) return rows;
  }
}

async function grant(userId: string, tokens: number): Promise<void> {
  await grantTokens(database.db, {
    staffId: (await cast.person('admin')).id,
    viewerId: userId,
    tokens,
    expiresAt: new Date(Date.now() + 86_400_000),
    reason: 'a gift',
    idempotencyKey: cast.unique('key'),
  });
}

test('more acts than are read at once: each stands there once, in order, whatever the pages are', async () => {
  const { user } = await cast.buyer(5);
  const { streamId } = await cast.liveStream();
  await cast.setRule('promotion_viewer_day_tokens', 1_000);
  // Bought and given tokens in turn, so that both accounts of the wallet have acts all along.
  for (let round = 0; round < 36; round += 1) {
    if (round % 6 === 0) await grant(user.id, 16 * 6);
    await tipMany(
      database.db,
      Array.from({ length: tipsPerCallMax }, () => ({
        viewerId: user.id,
        streamId,
        amountTokens: 1,
        message: '',
        anonymous: false,
        idempotencyKey: cast.unique('key'),
      })),
    );
  }
  const tips = 36 * tipsPerCallMax;
  const [whole, inPages] = [
    await wholeStatement(user.id, 10_000),
    await wholeStatement(user.id, 97),
  ];
  expect(inPages).toEqual(whole);
  expect(whole).toHaveLength(tips + 6 + 1);
  const ids = whole.map(({ id }) => id);
  expect(ids.toSorted().reverse()).toEqual(ids);
  expect(new Set(ids).size).toBe(ids.length);
  const sum = whole.reduce((all, { amountTokens }) => all + amountTokens, 0);
  expect(sum).toBe(await readBalance(database.db, user.id));
  // The only purchase lies behind all the others.
  expect(await listWalletEntries(database.db, user.id, { kind: 'purchase', limit: 2 })).toEqual([
    whole.at(-1),
  ]);
  expect(await wholeStatement(user.id, 5, { kind: 'promotion' })).toHaveLength(6);
});

test('an act that takes from many lots is one row, and one that moves nothing is none', async () => {
  const { user } = await cast.buyer();
  for (let lot = 0; lot < 5; lot += 1) await cast.pay(await cast.orderOf(user.id));
  await grant(user.id, 10);
  const { performer, streamId } = await cast.liveStream();
  await tip(database.db, {
    viewerId: user.id,
    streamId,
    amountTokens: 305,
    message: '',
    anonymous: false,
    idempotencyKey: cast.unique('key'),
  });
  const rows = await wholeStatement(user.id, 100);
  expect(rows).toHaveLength(8);
  expect(rows[0]).toMatchObject({
    kind: 'tip',
    amountTokens: -305,
    subject: performer.username,
    gatewayPaymentId: null,
    returnable: null,
  });
  expect(await wholeStatement((await cast.person()).id, 100)).toEqual([]);
});
