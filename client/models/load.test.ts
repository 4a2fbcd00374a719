import { expect, test } from 'vitest';
import { settled } from '../testing/manual-clock.ts';
import { createLoaded, createPaged } from './load.ts';

const rows = (...ids: string[]) => ids.map((id) => ({ id }));

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

test('whoever waits for a fetch that was overtaken waits for the one that overtook it', async () => {
  const answers = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  let asked = 0;
  const loaded = createLoaded(() => answers[asked++]?.promise ?? Promise.reject(new Error('no')));
  let seen: string | null | undefined;
  const first = loaded.load().then(() => {
    seen = loaded.value.value;
  });
  const second = loaded.load();
  answers[0]?.resolve('old');
  await settled();
  expect(seen).toBeUndefined();
  answers[1]?.resolve('new');
  await Promise.all([first, second]);
  expect(seen).toBe('new');
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
  const pages: Record<string, { items: { id: string }[]; nextCursor: string | null }> = {
    first: { items: rows('1', '2'), nextCursor: 'b' },
    b: { items: rows('3'), nextCursor: null },
  };
  const paged = createPaged(async (cursor) => {
    const page = pages[cursor ?? 'first'];
    if (!page) throw new Error('no such page');
    return page;
  });
  await paged.reload();
  expect(paged.hasMore.value).toBe(true);
  await paged.more();
  expect(paged.items.value).toEqual(rows('1', '2', '3'));
  expect(paged.hasMore.value).toBe(false);
  await paged.more();
  expect(paged.items.value).toEqual(rows('1', '2', '3'));
});

test('what moved to the next page meanwhile is listed once', async () => {
  const paged = createPaged(async (cursor) =>
    cursor
      ? { items: rows('b', 'c'), nextCursor: null }
      : { items: rows('a', 'b'), nextCursor: '2' },
  );
  await paged.reload();
  await paged.more();
  expect(paged.items.value).toEqual(rows('a', 'b', 'c'));
});

test('a refresh brings every page that is shown, and keeps the place', async () => {
  let names = ['a', 'b', 'c', 'd', 'e'];
  const paged = createPaged(async (cursor) => {
    const from = Number(cursor ?? 0);
    const nextCursor = from + 2 < names.length ? String(from + 2) : null;
    return { items: rows(...names.slice(from, from + 2)), nextCursor };
  });
  await paged.reload();
  await paged.more();
  names = ['new', ...names];
  await paged.refresh();
  expect(paged.items.value).toEqual(rows('new', 'a', 'b', 'c'));
  await paged.more();
  expect(paged.items.value).toEqual(rows('new', 'a', 'b', 'c', 'd', 'e'));
});

test('a refresh does not take away the page that somebody waits for', async () => {
  const second = Promise.withResolvers<{ items: { id: string }[]; nextCursor: null }>();
  const paged = createPaged(async (cursor) =>
    cursor ? second.promise : { items: rows('a'), nextCursor: '2' },
  );
  await paged.reload();
  const waiting = paged.more();
  await paged.refresh();
  second.resolve({ items: rows('b'), nextCursor: null });
  await waiting;
  expect(paged.items.value).toEqual(rows('a', 'b'));
});
