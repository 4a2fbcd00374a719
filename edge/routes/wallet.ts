// The wallet: the balance, the statement with its exports, and the limits that viewers set themselves.
import { Hono } from 'hono';
import {
  ExportStatementQuery,
  ListTransactionsQuery,
  SetLimitsBody,
  SpendingLimits,
  Wallet,
  WalletTransactionList,
} from '#contract';
import { listWalletEntries, readLimits, setLimits, walletRead } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { parseCursor } from '../services/cursor.ts';
import { sendJson } from '../services/json-text.ts';
import { operation } from '../services/operation.ts';
import { pageOf } from '../services/page.ts';
import { limits } from '../services/rate-limit.ts';
import { openStatement, statementPageRows } from '../services/statement.ts';
import { validate } from '../services/validate.ts';

const tag = 'Money';

export function walletRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .get(
      '/',
      operation(deps, { summary: 'My balance', tag, answers: [200, Wallet], access: 'take-part' }),
      async (c) =>
        sendJson<Wallet>(c, await deps.reads.one(walletRead, [c.get('identity').userId])),
    )
    .get(
      '/transactions',
      operation(deps, {
        summary: 'What moved my balance, newest first',
        tag,
        answers: [200, WalletTransactionList],
        problems: ['invalid-request'],
        access: 'take-part',
      }),
      validate('query', ListTransactionsQuery),
      async (c) => {
        const { cursor, limit, ...filter } = c.req.valid('query');
        const rows = await listWalletEntries(deps.db, c.var.identity.userId, {
          ...filter,
          before: parseCursor(cursor),
          limit: limit + 1,
        });
        const { page, nextCursor } = pageOf(rows, limit, (row) => row.id);
        return c.json({ transactions: page, nextCursor }, 200);
      },
    )
    .get(
      '/statement',
      operation(deps, {
        summary: 'My statement as a file, newest first, with every row of it',
        tag,
        answers: [200, ['text/csv', 'application/json']],
        problems: ['invalid-request'],
        access: 'take-part',
        limit: limits.export,
      }),
      validate('query', ExportStatementQuery),
      async (c) => {
        const { format, ...filter } = c.req.valid('query');
        const { userId } = c.var.identity;
        const file = await openStatement(format, (before) =>
          listWalletEntries(deps.db, userId, { ...filter, before, limit: statementPageRows }),
        );
        return c.body(file, 200, {
          'content-type': format === 'json' ? 'application/json' : 'text/csv; charset=utf-8',
          'content-disposition': `attachment; filename="statement.${format}"`,
        });
      },
    )
    .get(
      '/limits',
      operation(deps, {
        summary: 'What I allow myself to spend',
        tag,
        answers: [200, SpendingLimits],
        access: 'take-part',
      }),
      async (c) => c.json(await readLimits(deps.db, c.var.identity.userId), 200),
    )
    .put(
      '/limits',
      operation(deps, {
        summary: 'Set what I allow myself to spend: lowered at once, raised after a wait',
        tag,
        answers: [200, SpendingLimits],
        problems: ['invalid-request'],
        access: 'take-part',
      }),
      validate('json', SetLimitsBody),
      async (c) =>
        c.json(await setLimits(deps.db, c.var.identity.userId, c.req.valid('json')), 200),
    );
}
