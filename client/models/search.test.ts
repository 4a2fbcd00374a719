import { expect, test } from 'vitest';
import type { SearchResult } from '#contract';
import { createManualClock } from '../testing/manual-clock.ts';
import { createSearch, searchPath, typingPauseMs } from './search.ts';

const nothing: SearchResult = { live: [], upcoming: [], performers: [] };

function createScene(text = '') {
  const clock = createManualClock();
  const asked: string[] = [];
  const addresses: string[] = [];
  const search = createSearch({
    clock,
    text,
    api: {
      search: {
        async find(q) {
          asked.push(q);
          return nothing;
        },
      },
    },
    onLook: (wanted) => addresses.push(searchPath(wanted)),
  });
  return { clock, asked, addresses, search };
}

test('what is typed is looked for when the typing pauses, once', async () => {
  const { clock, asked, addresses, search } = createScene();
  for (const text of ['r', 'ra', 'rag', 'raga ']) {
    search.type(text);
    await clock.advance(typingPauseMs - 1);
  }
  expect(asked).toEqual([]);
  await clock.advance(1);
  search.type('raga');
  await clock.advance(typingPauseMs);
  expect(asked).toEqual(['raga']);
  expect(addresses).toEqual(['/search?q=raga']);
  expect(search.found.value.value).toEqual(nothing);
});

test('what the address asks for is looked for at once; nothing is asked for nothing', async () => {
  const { clock, asked, addresses, search } = createScene('kathak & tabla');
  await clock.advance(0);
  search.follow('kathak & tabla');
  search.follow('sitar');
  await clock.advance(0);
  expect(asked).toEqual(['kathak & tabla', 'sitar']);
  search.follow('');
  expect(addresses).toEqual([]);
  expect(search.looked.value).toBe('');
  expect(search.found.value.value).toBeNull();
  expect(asked).toHaveLength(2);
});
