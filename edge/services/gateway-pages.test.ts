// Lists in pages: to the end, never endlessly, and nothing twice.
import { expect, test } from 'vitest';
import { eachOnce, readPages } from './gateway-pages.ts';

const all = Array.from({ length: 25 }, (_, id) => id);
const read = (itemsMax: number, givenAtOnce = 10, list = all) =>
  readPages({
    pageItems: 10,
    itemsMax,
    readPage: async ({ count, skip }) => list.slice(skip, skip + Math.min(count, givenAtOnce)),
  });

test('a list is read to its end, also when its pages are smaller than was asked for', async () => {
  expect(await read(100)).toEqual({ items: all, isWhole: true });
  expect(await read(100, 3)).toEqual({ items: all, isWhole: true });
  expect(await read(25)).toEqual({ items: all, isWhole: true });
  expect(await read(100, 10, [])).toEqual({ items: [], isWhole: true });
});

test('a list that is longer than the limit says so, and one without an end has one', async () => {
  expect(await read(24)).toEqual({ items: all.slice(0, 24), isWhole: false });
  const endless = await readPages({ pageItems: 10, itemsMax: 95, readPage: async () => all });
  expect(endless).toMatchObject({ isWhole: false });
  expect(endless.items).toHaveLength(95);
});

test('an item that comes on two pages is one', () => {
  const [a, b] = [{ id: 'a' }, { id: 'b' }];
  expect(eachOnce([a, b, { ...b }])).toEqual([a, b]);
});
