import { expect, test } from 'vitest';
import type { StatementFilter, WalletTransaction } from '#contract';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import type { SentFile } from './money-api.ts';
import { createStatement } from './statement.ts';

const row = (id: string): WalletTransaction => ({
  id,
  kind: 'tip',
  amountTokens: -10,
  at: '2026-04-02T10:00:00Z',
  subject: 'mira',
  gatewayPaymentId: null,
  returnable: null,
});

function createScene() {
  const clock = createManualClock(Date.parse('2026-04-20T10:00:00Z'));
  const asked: { filter: StatementFilter; cursor: string | undefined }[] = [];
  const exported: { filter: StatementFilter; format: string }[] = [];
  const saved: { name: string; text: Promise<string> }[] = [];
  const toasts: string[] = [];
  const edge = {
    works: true,
    file: async (): Promise<SentFile> => ({ content: new Blob(['a,b']), name: null }),
  };
  const statement = createStatement({
    clock,
    money: {
      async transactions(filter, cursor) {
        asked.push({ filter, cursor });
        if (!edge.works) throw new ApiError('unavailable', 503, null, 'down');
        const name = filter.kind ?? 'all';
        return cursor
          ? { transactions: [row(`${name}-2`)], nextCursor: null }
          : { transactions: [row(`${name}-1`)], nextCursor: 'next' };
      },
      statement(filter, format) {
        exported.push({ filter, format });
        return edge.file();
      },
    },
    saveFile: (content, name) => void saved.push({ name, text: content.text() }),
    toasts: { show: (text) => void toasts.push(text) },
  });
  return { statement, asked, exported, saved, toasts, edge };
}

test('filters show their own rows from the first page on, and no others meanwhile', async () => {
  const { statement, asked } = createScene();
  await statement.reload();
  await statement.more();
  expect(statement.items.value.map(({ id }) => id)).toEqual(['all-1', 'all-2']);
  statement.show({ kind: 'purchase' });
  expect(statement.items.value).toEqual([]);
  expect(statement.ready.value).toBe(false);
  await settled();
  expect(statement.items.value.map(({ id }) => id)).toEqual(['purchase-1']);
  await statement.more();
  expect(asked.at(-1)).toEqual({ filter: { kind: 'purchase' }, cursor: 'next' });
  expect(statement.isFiltered.value).toBe(true);
  statement.clear();
  expect(asked.at(-1)).toEqual({ filter: {}, cursor: undefined });
  expect(statement.isFiltered.value).toBe(false);
});

test('days that make no sense are said and not asked for', async () => {
  const { statement, asked, exported } = createScene();
  statement.show({ from: '2026-04-10', to: '2026-04-01' });
  await statement.exportAs('csv');
  expect(statement.obstacle.value).not.toBeNull();
  expect(asked).toEqual([]);
  expect(exported).toEqual([]);
  statement.show({ to: '2026-04-30' });
  expect(asked).toEqual([{ filter: { from: '2026-04-10', to: '2026-04-30' }, cursor: undefined }]);
});

test('an export asks with the filters that are shown, and is named after them', async () => {
  const { statement, exported, saved } = createScene();
  statement.show({ kind: 'tip' });
  statement.showPeriod('last-month');
  await statement.exportAs('json');
  expect(exported).toEqual([
    { filter: { kind: 'tip', from: '2026-03-01', to: '2026-03-31' }, format: 'json' },
  ]);
  expect(saved[0]?.name).toBe('livepanty-tip-2026-03-01-2026-03-31.json');
  expect(await saved[0]?.text).toBe('a,b');
});

test('one export at a time; one that fails says so and saves nothing', async () => {
  const { statement, exported, saved, toasts, edge } = createScene();
  const file = Promise.withResolvers<SentFile>();
  edge.file = () => file.promise;
  const first = statement.exportAs('csv');
  expect(statement.exporting.value).toBe('csv');
  await statement.exportAs('json');
  file.reject(new ApiError('timeout', 0, null, 'late'));
  await first;
  expect(exported).toHaveLength(1);
  expect(saved).toEqual([]);
  expect(toasts).toHaveLength(1);
  expect(statement.exporting.value).toBeNull();
});

test('rows that could not be fetched are a fault, and come when they are asked for again', async () => {
  const { statement, edge } = createScene();
  edge.works = false;
  await statement.reload();
  expect(statement.ready.value).toBe(false);
  expect(statement.fault.value).not.toBeNull();
  edge.works = true;
  await statement.reload();
  expect(statement.items.value).toHaveLength(1);
  expect(statement.fault.value).toBeNull();
});
