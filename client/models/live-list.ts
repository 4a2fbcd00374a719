// The live list: who is live now, as it is wanted, fetched again while somebody looks at it.

import { signal } from '@preact/signals';
import type { Stream } from '#contract';
import type { Api } from './api.ts';
import { type Clock, repeat } from './clock.ts';
import { homePath, type LiveFilter } from './live-filter.ts';
import { createPaged } from './load.ts';

/** How often a list of one page is fetched again; longer ones are more rarely, at the same cost. */
export const refreshIntervalMs = 10_000;

export type LiveListDeps = {
  api: { streams: Pick<Api['streams'], 'listLive'> };
  clock: Clock;
  isLookedAt: () => boolean;
  filter: LiveFilter;
};

export function createLiveList({ api, clock, isLookedAt, filter }: LiveListDeps) {
  const wanted = signal(filter);
  const refreshedAtMs = signal(clock.now());
  let roundsSinceRefresh = 0;

  const list = createPaged<Stream>(async (cursor) => {
    const { category, tag, language, sort, mature } = wanted.peek();
    const page = await api.streams.listLive({
      sort,
      ...(category ? { category } : {}),
      ...(tag ? { tag } : {}),
      ...(language ? { language } : {}),
      ...(mature ? { mature: 'true' } : {}),
      ...(cursor ? { cursor } : {}),
    });
    return { items: page.streams, nextCursor: page.nextCursor };
  });

  async function refresh(): Promise<void> {
    if (!isLookedAt()) return;
    roundsSinceRefresh = 0;
    await list.refresh();
    refreshedAtMs.value = clock.now();
  }

  async function refreshInTurn(): Promise<void> {
    roundsSinceRefresh += 1;
    if (roundsSinceRefresh >= list.pagesShown.peek()) await refresh();
  }

  list.reload();
  const stop = repeat(clock, refreshIntervalMs, refreshInTurn);

  return {
    ...list,
    wanted,
    /** When the list was last refreshed, in milliseconds since the epoch. */
    refreshedAtMs,
    choose(next: LiveFilter): void {
      if (homePath(next) === homePath(wanted.peek())) return;
      wanted.value = next;
      list.items.value = [];
      list.ready.value = false;
      list.reload();
    },
    refresh,
    close: stop,
  };
}
export type LiveList = ReturnType<typeof createLiveList>;
