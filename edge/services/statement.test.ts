// Statements as files: every page in its place, few rows held at once, and no file that looks whole and is not.
import { expect, test } from 'vitest';
import type { WalletTransaction } from '#contract';
import { openStatement, statementPageRows } from './statement.ts';

const row = (id: string): WalletTransaction => ({
  id,
  kind: 'tip',
  amountTokens: -1,
  at: '2026-04-02T10:00:00.000Z',
  subject: 'mira',
  gatewayPaymentId: null,
  returnable: null,
});

/** A history of so many rows, read as the database would give it. */
function history(rows: number, failsAtPage = Number.POSITIVE_INFINITY) {
  const all = Array.from({ length: rows }, (_, index) => row(`row-${index}`));
  const asked: (string | undefined)[] = [];
  return {
    all,
    asked,
    async read(before: string | undefined) {
      asked.push(before);
      if (asked.length === failsAtPage) throw new Error('the database is away');
      const from = before === undefined ? 0 : all.findIndex(({ id }) => id === before) + 1;
      return all.slice(from, from + statementPageRows);
    },
  };
}

const textOf = (file: ReadableStream<Uint8Array>) => new Response(file).text();

test.each([0, 1, statementPageRows - 1, statementPageRows, 2 * statementPageRows + 1])(
  'a history of %i rows is in both files row by row',
  async (rows) => {
    const { all, read } = history(rows);
    expect(JSON.parse(await textOf(await openStatement('json', read)))).toEqual({
      transactions: all,
    });
    const lines = (await textOf(await openStatement('csv', history(rows).read))).split('\r\n');
    expect(lines[0]).toBe('at,kind,subject,amountTokens,gatewayPaymentId,id');
    expect(lines.slice(1)).toEqual([
      ...all.map(({ id }) => `2026-04-02T10:00:00.000Z,tip,mira,-1,,${id}`),
      '',
    ]);
  },
);

test('pages are read as they are taken, not ahead, and none after whoever takes them has gone', async () => {
  const { asked, read } = history(100 * statementPageRows);
  const reader = (await openStatement('csv', read)).getReader();
  await reader.read();
  await reader.read();
  expect(asked.length).toBeLessThanOrEqual(4);
  await reader.cancel();
  const before = asked.length;
  await new Promise((resolve) => setImmediate(resolve));
  expect(asked).toHaveLength(before);
});

test('a first page that cannot be read is no file, a later one breaks the file off', async () => {
  await expect(openStatement('json', history(10, 1).read)).rejects.toThrow('away');
  const file = await openStatement('json', history(2 * statementPageRows, 2).read);
  await expect(textOf(file)).rejects.toThrow('away');
});
