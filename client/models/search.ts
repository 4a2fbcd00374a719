// The search page: what is looked for, as it is typed, and what is found of it.
import { signal } from '@preact/signals';
import type { SearchResult } from '#contract';
import type { Api } from './api.ts';
import type { Cancel, Clock } from './clock.ts';
import { createLoaded } from './load.ts';

/** Whoever has not typed for so long wants to see what there is. */
export const typingPauseMs = 300;

export function searchPath(text: string): string {
  return text === '' ? '/search' : `/search?${new URLSearchParams({ q: text })}`;
}

export type SearchDeps = {
  api: { search: Pick<Api['search'], 'find'> };
  clock: Clock;
  text: string;
  /** What is looked for is another thing now. */
  onLook: (text: string) => void;
};

export function createSearch({ api, clock, text, onLook }: SearchDeps) {
  const typed = signal(text);
  /** What `found` is about; empty for nothing. */
  const looked = signal('');
  let cancel: Cancel = () => {};
  const found = createLoaded<SearchResult>(() => api.search.find(looked.peek()));

  function lookFor(): boolean {
    cancel();
    const wanted = typed.peek().trim();
    if (wanted === looked.peek()) return false;
    looked.value = wanted;
    found.value.value = null;
    found.fault.value = null;
    if (wanted !== '') found.load();
    return true;
  }

  function look(): void {
    if (lookFor()) onLook(looked.peek());
  }

  lookFor();
  return {
    typed,
    looked,
    found,
    type(next: string): void {
      typed.value = next;
      cancel();
      cancel = clock.after(typingPauseMs, look);
    },
    /** Looks at once, and not when the typing has ended. */
    look,
    /** The address asks for something: by the header's field, or by going back. */
    follow(next: string): void {
      if (next.trim() === looked.peek()) return;
      typed.value = next;
      lookFor();
    },
    close: () => cancel(),
  };
}
export type Search = ReturnType<typeof createSearch>;
