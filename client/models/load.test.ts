import { expect, test } from 'vitest';
import { createLoaded, createPaged } from './load.ts';

test('when fetches overlap, the newest wins', async () => {
  const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let asked = 0;
  const loaded = createLoaded(() => answers[asked++]?.promise ?? Promise.reject(new Error('no')));
  const first = loaded.load();
  const second = loaded.load();
  answers[1]?.resolve('new');
  await second;
  answers[0]?.resolve('old');
  await first;
  expect(loaded.value.value).toBe('new');
  expect(loaded.loading.value).toBe(false);
});

test('a failed fetch leaves what was there and says what is wrong', async () => {
  let works = true;
  const loaded = createLoaded(async () => {
    if (!works) throw new Error('down');
    return 1;
  });
  await loaded.load();
  works = false;
  await loaded.load();
  expect(loaded.value.value).toBe(1);
  expect(loaded.fault.value).not.toBeNull();
});

test('pages follow each other by their cursors and end with the last', async () => {
  const pages: Record<string, { items: number[]; nextCursor: string | null }> = {
    first: { items: [1, 2], nextCursor: 'b' },
    b: { items: [3], nextCursor: null },
  };
  const paged = createPaged(async (cursor) => {
    const page = pages[cursor ?? 'first'];
    if (!page) throw new Error('no such page');
    return page;
  });
  await paged.reload();
  expect(paged.hasMore.value).toBe(true);
  await paged.more();
  expect(paged.items.value).toEqual([1, 2, 3]);
  expect(paged.hasMore.value).toBe(false);
  await paged.more();
  expect(paged.items.value).toEqual([1, 2, 3]);
});
