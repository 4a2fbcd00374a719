// The router: which page an address means, and moving between pages without a reload.
import { computed, signal } from '@preact/signals';

export const walletViews = ['tokens', 'statement', 'invoices', 'limits'] as const;
export type WalletView = (typeof walletViews)[number];

export type Route =
  | { page: 'home' }
  | { page: 'watch'; streamId: string }
  | { page: 'search' }
  | { page: 'studio' }
  | { page: 'earnings' }
  | { page: 'wallet'; view: WalletView }
  | { page: 'login' }
  | { page: 'register' }
  | { page: 'account' }
  | { page: 'operations' }
  | { page: 'not-found' };

const plainPages = ['search', 'studio', 'login', 'register', 'account', 'operations'] as const;
const earningsPath = '/studio/earnings';
/** Any address of nobody's, to read a path against. */
const nowhere = 'https://nowhere.invalid';
const watchPath = /^\/watch\/([0-9a-f-]{36})$/i;

/** Where a view of the wallet is; the first one is the wallet itself. */
export function walletPath(view: WalletView): string {
  return view === 'tokens' ? '/wallet' : `/wallet/${view}`;
}

export function routeOf(pathname: string): Route {
  const path = pathname.length > 1 ? pathname.replace(/\/+$/, '') : pathname;
  if (path === '/' || path === '') return { page: 'home' };
  const streamId = watchPath.exec(path)?.[1];
  if (streamId) return { page: 'watch', streamId: streamId.toLowerCase() };
  if (path === earningsPath) return { page: 'earnings' };
  const view = walletViews.find((view) => path === walletPath(view));
  if (view) return { page: 'wallet', view };
  const plain = plainPages.find((page) => path === `/${page}`);
  return plain ? { page: plain } : { page: 'not-found' };
}

/** Where to go after logging in: a path of ours, never an address of somebody else's. */
export function safeReturnPath(next: string | null): string {
  if (!next?.startsWith('/') || !URL.canParse(next, nowhere)) return '/';
  // Read as the browser reads it: it drops tabs and takes a backslash for a slash.
  const url = new URL(next, nowhere);
  return url.origin === nowhere ? url.pathname + url.search : '/';
}

export type Browser = Pick<Window, 'history' | 'location' | 'addEventListener' | 'scrollTo'>;

export function createRouter(browser: Browser) {
  const address = signal(browser.location.pathname + browser.location.search);
  const url = computed(() => new URL(address.value, browser.location.origin));
  /** Asked before leaving a page; a text means "ask the person with these words". */
  let guard: (() => string | null) | null = null;

  function sync(): void {
    address.value = browser.location.pathname + browser.location.search;
  }
  browser.addEventListener('popstate', sync);

  return {
    url,
    route: computed(() => routeOf(url.value.pathname)),
    search: computed(() => url.value.searchParams),
    /** `stay` leaves the page where it is scrolled to: it is the same page, told otherwise. */
    go(path: string, options: { replace?: boolean; stay?: boolean } = {}): void {
      if (path === address.peek()) return;
      const question = guard?.();
      if (question && !globalThis.confirm(question)) return;
      if (options.replace) browser.history.replaceState(null, '', path);
      else browser.history.pushState(null, '', path);
      sync();
      if (!options.stay) browser.scrollTo(0, 0);
    },
    guardLeaving(ask: () => string | null): () => void {
      guard = ask;
      return () => {
        if (guard === ask) guard = null;
      };
    },
  };
}
export type Router = ReturnType<typeof createRouter>;
