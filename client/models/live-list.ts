// The live list: who is live now, by category, fetched again while somebody looks at it.

import { signal } from '@preact/signals';
import type { Stream, StreamCategory } from '#contract';
import type { Api } from './api.ts';
import { type Clock, repeat } from './clock.ts';
import { createPaged } from './load.ts';

/** How often a list of one page is fetched again; longer ones are more rarely, at the same cost. */
export const refreshIntervalMs = 10_000;

export type LiveListDeps = {
  api: { streams: Pick<Api['streams'], 'listLive'> };
  clock: Clock;
  isLookedAt: () => boolean;
};

export function createLiveList({ api, clock, isLookedAt }: LiveListDeps) {
  const category = signal<StreamCategory | null>(null);
  const refreshedAtMs = signal(clock.now());
  let roundsSinceRefresh = 0;

  const list = createPaged<Stream>(async (cursor) => {
    const chosen = category.peek();
    const page = await api.streams.listLive({
      ...(chosen ? { category: chosen } : {}),
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
    category,
    /** When the list was last refreshed, in milliseconds since the epoch. */
    refreshedAtMs,
    choose(next: StreamCategory | null): void {
      if (next === category.peek()) return;
      category.value = next;
      list.items.value = [];
      list.ready.value = false;
      list.reload();
    },
    refresh,
    close: stop,
  };
}
export type LiveList = ReturnType<typeof createLiveList>;
