import { expect, test } from 'vitest';
import type { ListStreamsQuery } from '#contract';
import { anyStream } from '../testing/any-stream.ts';
import { createManualClock } from '../testing/manual-clock.ts';
import { liveFilterOf } from './live-filter.ts';
import { createLiveList, refreshIntervalMs } from './live-list.ts';

const stream = (id: string) => anyStream({ id, title: id });

const filterOf = (search: string) => liveFilterOf(new URLSearchParams(search));

function createScene() {
  const clock = createManualClock();
  let asked = 0;
  const queries: ListStreamsQuery[] = [];
  let isLookedAt = true;
  const list = createLiveList({
    clock,
    filter: filterOf('category=art'),
    isLookedAt: () => isLookedAt,
    api: {
      streams: {
        async listLive(query) {
          asked += 1;
          queries.push(query);
          const { cursor } = query;
          const page = Number(cursor ?? 1);
          const nextCursor = page < 3 ? String(page + 1) : null;
          return { streams: [stream(`${page} of ${asked}`)], nextCursor };
        },
      },
    },
  });
  return {
    clock,
    list,
    queries,
    asked: () => asked,
    lookAway: () => {
      isLookedAt = false;
    },
  };
}

test('a list that was paged on stays fresh, at the cost of a list of one page', async () => {
  const { clock, list, asked } = createScene();
  await clock.advance(0);
  await list.more();
  await list.more();
  const before = asked();
  expect(list.items.value).toHaveLength(3);
  await clock.advance(6 * refreshIntervalMs);
  expect(asked() - before).toBe(6);
  expect(list.items.value.map(({ id }) => id)).toEqual(['1 of 7', '2 of 8', '3 of 9']);
  list.close();
});

test('a list that nobody looks at is not fetched', async () => {
  const { clock, list, asked, lookAway } = createScene();
  await clock.advance(0);
  lookAway();
  await clock.advance(10 * refreshIntervalMs);
  expect(asked()).toBe(1);
  list.close();
});

test('what is chosen is asked for from its first page, and only where it is another choice', async () => {
  const { clock, list, queries } = createScene();
  await clock.advance(0);
  await list.more();
  list.choose(filterOf('category=art'));
  list.choose(filterOf('tag=ink&language=ta&sort=tips&class=mature'));
  expect(list.ready.value).toBe(false);
  await clock.advance(0);
  expect(queries).toEqual([
    { category: 'art', sort: 'viewers' },
    { category: 'art', sort: 'viewers', cursor: '2' },
    { tag: 'ink', language: 'ta', sort: 'tips', mature: 'true' },
  ]);
  expect(list.items.value).toHaveLength(1);
  list.close();
});
