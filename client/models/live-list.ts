// The live list: who is live now, by category, fetched again while somebody looks at it.

import { signal } from '@preact/signals';
import type { Stream, StreamCategory } from '#contract';
import type { Api } from './api.ts';
import { type Clock, repeat } from './clock.ts';
import { createPaged } from './load.ts';

export const refreshIntervalMs = 10_000;

export type LiveListDeps = {
  api: { streams: Pick<Api['streams'], 'listLive'> };
  clock: Clock;
  isLookedAt: () => boolean;
};

export function createLiveList({ api, clock, isLookedAt }: LiveListDeps) {
  const category = signal<StreamCategory | null>(null);
  const refreshedAtMs = signal(clock.now());
  let pagesShown = 1;

  const list = createPaged<Stream>(async (cursor) => {
    const chosen = category.peek();
    const page = await api.streams.listLive({
      ...(chosen ? { category: chosen } : {}),
      ...(cursor ? { cursor } : {}),
    });
    return { items: page.streams, nextCursor: page.nextCursor };
  });

  async function refresh(): Promise<void> {
    // Somebody who has paged on would lose the place; the first page alone keeps itself fresh.
    if (!isLookedAt() || pagesShown > 1) return;
    await list.reload();
    refreshedAtMs.value = clock.now();
  }

  list.reload();
  const stop = repeat(clock, refreshIntervalMs, refresh);

  return {
    ...list,
    category,
    /** When the list was last refreshed, in milliseconds since the epoch. */
    refreshedAtMs,
    choose(next: StreamCategory | null): void {
      if (next === category.peek()) return;
      category.value = next;
      pagesShown = 1;
      list.items.value = [];
      list.ready.value = false;
      list.reload();
    },
    more(): void {
      pagesShown += 1;
      list.more();
    },
    refresh,
    close: stop,
  };
}
export type LiveList = ReturnType<typeof createLiveList>;
