// Loading: a value that is fetched, shown while it is fetched again, and can fail.
import { type Signal, signal } from '@preact/signals';
import { hasCode, messageOf } from './api-error.ts';

type Page<T> = { items: readonly T[]; nextCursor: string | null };

export type Loaded<T> = {
  value: Signal<T | null>;
  /** One sentence, while there is nothing better to show. */
  fault: Signal<string | null>;
  /** True while it is kept back until a second factor is shown. */
  needsProof: Signal<boolean>;
  loading: Signal<boolean>;
  /** Fetches; when calls overlap, the newest wins, and all of them resolve with it. Never rejects. */
  load(): Promise<void>;
};

export function createLoaded<T>(fetchValue: () => Promise<T>): Loaded<T> {
  const value = signal<T | null>(null);
  const fault = signal<string | null>(null);
  const needsProof = signal(false);
  const loading = signal(false);
  let newest = 0;
  let coming: Promise<void> = Promise.resolve();

  async function fetch(mine: number): Promise<void> {
    loading.value = true;
    try {
      const fetched = await fetchValue();
      if (mine !== newest) return coming;
      value.value = fetched;
      fault.value = null;
      needsProof.value = false;
    } catch (error) {
      if (mine !== newest) return coming;
      fault.value = messageOf(error);
      needsProof.value = hasCode(error, 'step-up-needed');
    }
    loading.value = false;
  }

  return {
    value,
    fault,
    needsProof,
    loading,
    load() {
      newest += 1;
      coming = fetch(newest);
      return coming;
    },
  };
}

export type Paged<T extends { id: string }> = {
  items: Signal<readonly T[]>;
  fault: Signal<string | null>;
  /** True while somebody waits for it: not while it is refreshed. */
  loading: Signal<boolean>;
  /** True once the first page is there. */
  ready: Signal<boolean>;
  hasMore: Signal<boolean>;
  pagesShown: Signal<number>;
  /** Begins anew with the first page. */
  reload(): Promise<void>;
  /** Fetches every page that is shown again; nobody loses their place. */
  refresh(): Promise<void>;
  more(): Promise<void>;
};

/** What moved from one page to the next between two fetches is listed once. */
function joined<T extends { id: string }>(head: readonly T[], tail: readonly T[]): T[] {
  const known = new Set(head.map(({ id }) => id));
  return [...head, ...tail.filter(({ id }) => !known.has(id))];
}

/** A list that comes in pages, each named by the cursor of the one before. */
export function createPaged<T extends { id: string }>(
  fetchPage: (cursor?: string) => Promise<Page<T>>,
): Paged<T> {
  const items = signal<readonly T[]>([]);
  const fault = signal<string | null>(null);
  const loading = signal(false);
  const ready = signal(false);
  const hasMore = signal(false);
  let cursor: string | null = null;
  const pagesShown = signal(1);
  let newest = 0;

  /** So many pages from the start, or as many as there are. */
  async function fetchFirst(pages: number): Promise<Page<T>> {
    let all = await fetchPage();
    for (let page = 1; page < pages && all.nextCursor !== null; page += 1) {
      const next = await fetchPage(all.nextCursor);
      all = { items: joined(all.items, next.items), nextCursor: next.nextCursor };
    }
    return all;
  }

  async function take(pages: number, fetched: () => Promise<Page<T>>): Promise<void> {
    newest += 1;
    const mine = newest;
    try {
      const page = await fetched();
      if (mine !== newest) return;
      items.value = page.items;
      pagesShown.value = pages;
      cursor = page.nextCursor;
      hasMore.value = cursor !== null;
      ready.value = true;
      fault.value = null;
    } catch (error) {
      if (mine === newest) fault.value = messageOf(error);
    } finally {
      if (mine === newest) loading.value = false;
    }
  }

  async function further(from: string): Promise<Page<T>> {
    const page = await fetchPage(from);
    return { items: joined(items.peek(), page.items), nextCursor: page.nextCursor };
  }

  return {
    items,
    fault,
    loading,
    ready,
    hasMore,
    pagesShown,
    async reload() {
      loading.value = true;
      await take(1, fetchPage);
    },
    async refresh() {
      // What somebody waits for goes first.
      if (loading.peek()) return;
      const pages = pagesShown.peek();
      await take(pages, () => fetchFirst(pages));
    },
    async more() {
      const from = cursor;
      if (from === null || loading.peek()) return;
      loading.value = true;
      await take(pagesShown.peek() + 1, () => further(from));
    },
  };
}
