// The search in the header: a field where there is room for one, and else the way to the page.
import { useSignal } from '@preact/signals';
import { searchPath } from '../models/search.ts';
import { useApp } from './app-context.ts';
import { SearchIcon } from './icons.tsx';
import { SearchField } from './search-field.tsx';

export function HeaderSearch() {
  const { router } = useApp();
  const typed = useSignal('');
  // The page of the search has a field of its own.
  if (router.route.value.page === 'search') return null;

  function look(): void {
    const text = typed.peek().trim();
    typed.value = '';
    router.go(searchPath(text));
  }

  return (
    <>
      <div class="header-search">
        <SearchField
          name="header-search"
          value={typed.value}
          onType={(text) => {
            typed.value = text;
          }}
          onLook={look}
        />
      </div>
      <a class="header-search-link" href="/search" title="Search" data-testid="header-search-link">
        <SearchIcon size={22} />
        <span class="sr-only">Search</span>
      </a>
    </>
  );
}
