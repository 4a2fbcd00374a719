// The shell: header, the page of the address, messages; and moving between pages by plain links.
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Route } from '../models/router.ts';
import { HomePage } from '../pages/home.tsx';
import { NotFoundPage } from '../pages/not-found.tsx';
import { useApp } from './app-context.ts';
import { Header, TabBar } from './header.tsx';
import { lazyPage } from './lazy-page.tsx';
import { Fault } from './notice.tsx';
import { OfflineBar } from './offline-bar.tsx';
import { StepUp } from './step-up.tsx';
import { Toaster } from './toaster.tsx';
import { VerifyBar } from './verify-bar.tsx';

const WatchPage = lazyPage(async () => {
  // The first picture needs both: they are fetched side by side.
  import('../media/receiver.ts').catch(() => {
    // Fetched again, and reported, when the picture is wanted.
  });
  return (await import('../pages/watch.tsx')).WatchPage;
});
const SearchPage = lazyPage(async () => (await import('../pages/search.tsx')).SearchPage);
const StudioPage = lazyPage(async () => (await import('../pages/studio.tsx')).StudioPage);
const EarningsPage = lazyPage(async () => (await import('../pages/earnings.tsx')).EarningsPage);
const WalletPage = lazyPage(async () => (await import('../pages/wallet.tsx')).WalletPage);
const LoginPage = lazyPage(async () => (await import('../pages/login.tsx')).LoginPage);
const RegisterPage = lazyPage(async () => (await import('../pages/register.tsx')).RegisterPage);
const AccountPage = lazyPage(async () => (await import('../pages/account.tsx')).AccountPage);
const SecurityPage = lazyPage(async () => (await import('../pages/security.tsx')).SecurityPage);
const ForgotPasswordPage = lazyPage(
  async () => (await import('../pages/forgot-password.tsx')).ForgotPasswordPage,
);
const MailedLinkPage = lazyPage(
  async () => (await import('../pages/mailed-link.tsx')).MailedLinkPage,
);
const SettingsPage = lazyPage(async () => (await import('../pages/settings.tsx')).SettingsPage);
const PeopleSettingsPage = lazyPage(
  async () => (await import('../pages/people-settings.tsx')).PeopleSettingsPage,
);
const ProfilePage = lazyPage(async () => (await import('../pages/profile.tsx')).ProfilePage);
const SchedulePage = lazyPage(async () => (await import('../pages/schedule.tsx')).SchedulePage);
const OperationsPage = lazyPage(
  async () => (await import('../pages/operations.tsx')).OperationsPage,
);

/** Starts fetching the page of the address before anything is drawn. */
export function preloadPage(route: Route): void {
  if (route.page === 'watch') WatchPage.preload();
  else if (route.page === 'search') SearchPage.preload();
  else if (route.page === 'studio') StudioPage.preload();
  else if (route.page === 'earnings') EarningsPage.preload();
  else if (route.page === 'wallet') WalletPage.preload();
}

function CurrentPage() {
  const { router } = useApp();
  const route = router.route.value;
  switch (route.page) {
    case 'home':
      return <HomePage onAboutToWatch={WatchPage.preload} />;
    case 'watch':
      return <WatchPage key={route.streamId} streamId={route.streamId} />;
    case 'search':
      return <SearchPage onAboutToWatch={WatchPage.preload} />;
    case 'studio':
      return <StudioPage />;
    case 'profile':
      return <ProfilePage key={route.username} username={route.username} />;
    case 'people-settings':
      return <PeopleSettingsPage view={route.view} />;
    case 'schedule':
      return <SchedulePage />;
    case 'earnings':
      return <EarningsPage />;
    case 'wallet':
      return <WalletPage view={route.view} />;
    case 'login':
      return <LoginPage />;
    case 'register':
      return <RegisterPage />;
    case 'account':
      return <AccountPage />;
    case 'security':
      return <SecurityPage />;
    case 'forgot-password':
      return <ForgotPasswordPage />;
    case 'mailed-link':
      return <MailedLinkPage key={route.purpose} purpose={route.purpose} />;
    case 'settings':
      return <SettingsPage view={route.view} />;
    case 'operations':
      return <OperationsPage />;
    case 'not-found':
      return <NotFoundPage />;
  }
}

/** A defect on one page leaves the header and the way out standing. */
class Boundary extends Component<{ children: ComponentChildren }, { broken: boolean }> {
  override state = { broken: false };

  static override getDerivedStateFromError() {
    return { broken: true };
  }

  override componentDidCatch(error: unknown): void {
    console.error(error);
  }

  render() {
    if (!this.state.broken) return this.props.children;
    return (
      <main class="page" id="main">
        <Fault text="This page has a fault of ours." onRetry={() => location.reload()} />
      </main>
    );
  }
}

/** The path that a click on a plain link of ours leads to, or null when the browser should follow it. */
function ownPathOf(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0) return null;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null;
  const link = event.target instanceof Element ? event.target.closest('a') : null;
  if (!link?.href || link.target || link.hasAttribute('download')) return null;
  const url = new URL(link.href);
  if (url.origin !== location.origin || url.hash) return null;
  return url.pathname + url.search;
}

export function Shell() {
  const { router } = useApp();
  const first = useRef(true);
  const path = router.url.value.pathname;
  useEffect(() => {
    // A new page is read from its start; the very first one is left to the browser.
    if (!first.current) document.getElementById('main')?.focus({ preventScroll: true });
    first.current = false;
  }, [path]);
  useEffect(() => {
    const follow = (event: MouseEvent) => {
      const to = ownPathOf(event);
      if (!to || to.startsWith('/docs') || to.startsWith('/v1/')) return;
      event.preventDefault();
      router.go(to);
    };
    document.addEventListener('click', follow);
    return () => document.removeEventListener('click', follow);
  }, [router]);
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <Header />
      <OfflineBar />
      <VerifyBar />
      <Boundary key={router.route.value.page}>
        <CurrentPage />
      </Boundary>
      <TabBar />
      <Toaster />
      <StepUp />
    </>
  );
}
