// Money: tips, the wallet and its history, fees, earnings.
import { Hono } from 'hono';
import {
  Earnings,
  FeePolicy,
  ListTransactionsQuery,
  TipBody,
  TipReceipt,
  TrialBalance,
  Wallet,
  WalletTransactionList,
} from '#contract';
import {
  listWalletEntries,
  readBalance,
  readEarnings,
  readFeePolicy,
  readTrialBalance,
  tip,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { idempotencyKey, requireUser } from '../services/access.ts';
import { operation } from '../services/operation.ts';
import { pageOf } from '../services/present-stream.ts';
import { limitRate, limits } from '../services/rate-limit.ts';
import { validate } from '../services/validate.ts';

const tag = 'Money';

export function moneyRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .post(
      '/tips',
      operation({
        summary: 'Tip the performer of a live stream',
        tag,
        answers: [201, TipReceipt],
        problems: [
          'invalid-request',
          'insufficient-balance',
          'self-tip',
          'stream-not-live',
          'not-found',
          'idempotency-key-reused',
          'rate-limited',
        ],
        access: 'user',
        idempotent: true,
      }),
      requireUser(deps),
      limitRate(deps, limits.tip),
      validate('json', TipBody),
      async (c) => {
        const { event, ...receipt } = await tip(deps.db, {
          ...c.req.valid('json'),
          viewerId: c.var.identity.userId,
          idempotencyKey: idempotencyKey(c),
        });
        if (event) c.env.defer(deps.publisher.publish([event]));
        return c.json(receipt, 201);
      },
    )
    .get(
      '/fees',
      operation({ summary: 'The fee policy in force', tag, answers: [200, FeePolicy] }),
      async (c) => c.json(await readFeePolicy(deps.db), 200),
    )
    .get(
      '/wallet',
      operation({ summary: 'My balance', tag, answers: [200, Wallet], access: 'user' }),
      requireUser(deps),
      async (c) =>
        c.json({ balanceTokens: await readBalance(deps.db, c.var.identity.userId) }, 200),
    )
    .get(
      '/wallet/transactions',
      operation({
        summary: 'What moved my balance, newest first',
        tag,
        answers: [200, WalletTransactionList],
        problems: ['invalid-request'],
        access: 'user',
      }),
      requireUser(deps),
      validate('query', ListTransactionsQuery),
      async (c) => {
        const { cursor, limit } = c.req.valid('query');
        const rows = await listWalletEntries(deps.db, c.var.identity.userId, {
          before: parseCursor(cursor),
          limit: limit + 1,
        });
        const { page, nextCursor } = pageOf(rows, limit, (row) => String(row.entryId));
        const transactions = page.map(({ entryId: _, ...transaction }) => transaction);
        return c.json({ transactions, nextCursor }, 200);
      },
    )
    .get(
      '/earnings',
      operation({
        summary: 'What I have earned',
        tag,
        answers: [200, Earnings],
        access: 'performer',
      }),
      requireUser(deps, 'performer', 'admin'),
      async (c) => {
        const [earnings, feePolicy] = await Promise.all([
          readEarnings(deps.db, c.var.identity.userId),
          readFeePolicy(deps.db),
        ]);
        return c.json({ ...earnings, feePolicy }, 200);
      },
    )
    .get(
      '/admin/trial-balance',
      operation({
        summary: 'The trial balance, and whether debits equal credits',
        tag: 'Staff',
        answers: [200, TrialBalance],
        access: 'admin',
      }),
      requireUser(deps, 'admin'),
      async (c) => {
        const rows = await readTrialBalance(deps.db);
        const balanced = ['TOKEN', 'INR'].every((currency) => {
          const own = rows.filter((row) => row.currency === currency);
          return own.reduce((sum, row) => sum + row.debit - row.credit, 0) === 0;
        });
        return c.json({ balanced, rows }, 200);
      },
    );
}

function parseCursor(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  if (!/^\d{1,15}$/.test(cursor)) {
    throw problem('invalid-request', { errors: [{ path: 'cursor', message: 'not a cursor' }] });
  }
  return Number(cursor);
}
