// The router: which page an address means, and moving between pages without a reload.
import { computed, signal } from '@preact/signals';
import type { LinkPurpose } from '#contract';

export const walletViews = ['tokens', 'statement', 'invoices', 'limits'] as const;
export type WalletView = (typeof walletViews)[number];

export const settingsViews = ['account', 'data'] as const;
export const peopleViews = ['profile', 'preferences', 'people'] as const;
export type PeopleView = (typeof peopleViews)[number];
export type SettingsView = (typeof settingsViews)[number];

export type Route =
  | { page: 'home' }
  | { page: 'watch'; streamId: string }
  | { page: 'profile'; username: string }
  | { page: 'settings'; view: SettingsView }
  | { page: 'people-settings'; view: PeopleView }
  | { page: 'search' }
  | { page: 'studio' }
  | { page: 'schedule' }
  | { page: 'earnings' }
  | { page: 'wallet'; view: WalletView }
  | { page: 'login' }
  | { page: 'register' }
  | { page: 'account' }
  | { page: 'security' }
  | { page: 'forgot-password' }
  | { page: 'mailed-link'; purpose: LinkPurpose }
  | { page: 'operations' }
  | { page: 'not-found' };

const plainPages = [
  'search',
  'studio',
  'login',
  'register',
  'account',
  'forgot-password',
  'operations',
] as const;
/** The same as the contract's; a test holds them together, so that no page carries all schemas. */
export const linkPaths: Record<LinkPurpose, string> = {
  verify: '/confirm-email',
  reset: '/reset-password',
  change: '/new-email',
  undo: '/undo-email',
  login: '/login-link',
  keep: '/keep-account',
};
const linkPurposes = Object.keys(linkPaths) as LinkPurpose[];
const earningsPath = '/studio/earnings';
const securityPath = '/settings/security';
const schedulePath = '/studio/schedule';
/** Any address of nobody's, to read a path against. */
const nowhere = 'https://nowhere.invalid';
/** Servers of files may spell the sign out. */
const profilePath = /^\/(?:@|%40)([a-z][a-z0-9_]{2,23})$/i;
const watchPath = /^\/watch\/([0-9a-f-]{36})$/i;

/** Where a view of the wallet is; the first one is the wallet itself. */
export function walletPath(view: WalletView): string {
  return view === 'tokens' ? '/wallet' : `/wallet/${view}`;
}

/** Where a view of the settings is; the first one is the settings themselves. */
export function settingsPath(view: SettingsView): string {
  return view === 'account' ? '/settings' : `/settings/${view}`;
}

/** Where somebody shows themselves. */
export function profileHref(username: string): string {
  return `/@${username}`;
}

export function routeOf(pathname: string): Route {
  const path = pathname.length > 1 ? pathname.replace(/\/+$/, '') : pathname;
  if (path === '/' || path === '') return { page: 'home' };
  const streamId = watchPath.exec(path)?.[1];
  if (streamId) return { page: 'watch', streamId: streamId.toLowerCase() };
  const username = profilePath.exec(path)?.[1];
  if (username) return { page: 'profile', username };
  const people = peopleViews.find((view) => path === `/settings/${view}`);
  if (people) return { page: 'people-settings', view: people };
  if (path === earningsPath) return { page: 'earnings' };
  if (path === securityPath) return { page: 'security' };
  if (path === schedulePath) return { page: 'schedule' };
  const view = walletViews.find((view) => path === walletPath(view));
  if (view) return { page: 'wallet', view };
  const purpose = linkPurposes.find((purpose) => path === linkPaths[purpose]);
  if (purpose) return { page: 'mailed-link', purpose };
  const setting = settingsViews.find((view) => path === settingsPath(view));
  if (setting) return { page: 'settings', view: setting };
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

export type Browser = {
  history: Pick<History, 'pushState' | 'replaceState'>;
  location: Pick<Location, 'pathname' | 'search' | 'hash' | 'origin'>;
  addEventListener(type: 'popstate', listener: () => void): void;
  scrollTo(x: number, y: number): void;
};

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
    /** What stands behind the `#`, which leaves the address bar and the history with this. */
    takeFragment(): string {
      const secret = browser.location.hash.slice(1);
      if (secret) browser.history.replaceState(null, '', address.peek());
      return secret;
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
