// Loading: a value that is fetched, shown while it is fetched again, and can fail.
import { type Signal, signal } from '@preact/signals';
import { messageOf } from './api-error.ts';

export type Loaded<T> = {
  value: Signal<T | null>;
  /** One sentence, while there is nothing better to show. */
  fault: Signal<string | null>;
  loading: Signal<boolean>;
  /** Fetches; when calls overlap, the newest wins. Never rejects. */
  load(): Promise<void>;
};

export function createLoaded<T>(fetchValue: () => Promise<T>): Loaded<T> {
  const value = signal<T | null>(null);
  const fault = signal<string | null>(null);
  const loading = signal(false);
  let newest = 0;
  return {
    value,
    fault,
    loading,
    async load() {
      newest += 1;
      const mine = newest;
      loading.value = true;
      try {
        const fetched = await fetchValue();
        if (mine !== newest) return;
        value.value = fetched;
        fault.value = null;
      } catch (error) {
        if (mine === newest) fault.value = messageOf(error);
      } finally {
        if (mine === newest) loading.value = false;
      }
    },
  };
}

export type Paged<T> = {
  items: Signal<readonly T[]>;
  fault: Signal<string | null>;
  loading: Signal<boolean>;
  /** True once the first page is there. */
  ready: Signal<boolean>;
  hasMore: Signal<boolean>;
  /** Fetches the first page again. */
  reload(): Promise<void>;
  more(): Promise<void>;
};

/** A list that comes in pages, each named by the cursor of the one before. */
export function createPaged<T>(
  fetchPage: (cursor?: string) => Promise<{ items: T[]; nextCursor: string | null }>,
): Paged<T> {
  const items = signal<readonly T[]>([]);
  const fault = signal<string | null>(null);
  const loading = signal(false);
  const ready = signal(false);
  const hasMore = signal(false);
  let cursor: string | null = null;
  let newest = 0;

  async function load(from: string | null): Promise<void> {
    newest += 1;
    const mine = newest;
    loading.value = true;
    try {
      const page = await fetchPage(from ?? undefined);
      if (mine !== newest) return;
      items.value = from === null ? page.items : [...items.peek(), ...page.items];
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

  return {
    items,
    fault,
    loading,
    ready,
    hasMore,
    reload: () => load(null),
    more: () => (cursor === null || loading.peek() ? Promise.resolve() : load(cursor)),
  };
}
