// The header and, on phones, the tab bar: where one is and where one can go.
import type { ComponentChildren } from 'preact';
import type { Route } from '../models/router.ts';
import { useApp } from './app-context.ts';
import { Avatar } from './avatar.tsx';
import { ButtonLink } from './button.tsx';
import { Tokens } from './coin.tsx';
import { HeaderSearch } from './header-search.tsx';
import { GaugeIcon, HomeIcon, PersonIcon, StudioIcon, WalletIcon } from './icons.tsx';
import { Logo } from './logo.tsx';
import { Skeleton } from './skeleton.tsx';
import { ThemeToggle } from './theme-choice.tsx';
import './header.css';

type Page = Route['page'];

/** Pages that are reached through another one, which is marked in their place. */
const partOf: Partial<Record<Page, Page>> = {
  earnings: 'studio',
  schedule: 'studio',
  security: 'account',
  settings: 'account',
  'people-settings': 'account',
};

/** Pages that are of no use once somebody has logged in. */
const nowhereToReturn: readonly Page[] = [
  'home',
  'login',
  'register',
  'forgot-password',
  'mailed-link',
];

function NavLink({
  href,
  page,
  children,
}: {
  href: string;
  page: Page;
  children: ComponentChildren;
}) {
  const { router } = useApp();
  const shown = router.route.value.page;
  const here = shown === page || partOf[shown] === page;
  return (
    <a
      class="nav-link"
      href={href}
      aria-current={here ? 'page' : undefined}
      data-testid={`nav-${page}`}
    >
      {children}
    </a>
  );
}

function Balance() {
  const { wallet } = useApp();
  const balance = wallet.balanceTokens.value;
  return (
    <a class="balance" href="/wallet" data-testid="header-balance" title="Your wallet">
      {balance === null ? <Skeleton width="3.5em" /> : <Tokens amount={balance} />}
    </a>
  );
}

function Visitor() {
  const { session, router } = useApp();
  const user = session.user.value;
  if (session.restoring.value) return <Skeleton width="92px" height="36px" round />;
  if (!user) {
    const { pathname, search } = router.url.value;
    const away = nowhereToReturn.includes(router.route.value.page);
    const next = away ? '' : `?next=${encodeURIComponent(pathname + search)}`;
    return (
      <>
        <ButtonLink look="ghost" size="small" href={`/login${next}`} data-testid="header-login">
          Log in
        </ButtonLink>
        <ButtonLink look="primary" size="small" href={`/register${next}`} data-testid="header-join">
          Join
        </ButtonLink>
      </>
    );
  }
  return (
    <>
      <Balance />
      <a
        class="header-me"
        href="/account"
        title={`Account of ${user.username}`}
        data-testid="header-account"
      >
        <Avatar name={user.username} size={34} />
        <span class="sr-only">Account of {user.username}</span>
      </a>
    </>
  );
}

export function Header() {
  const { session } = useApp();
  return (
    <header class="header">
      <div class="header-inner">
        <a class="header-home" href="/" aria-label="LivePanty, home">
          <Logo />
        </a>
        <nav class="header-nav" aria-label="Main">
          <NavLink href="/" page="home">
            Live now
          </NavLink>
          <NavLink href="/studio" page="studio">
            Studio
          </NavLink>
          {session.user.value && (
            <NavLink href="/wallet" page="wallet">
              Wallet
            </NavLink>
          )}
          {session.isAdmin.value && (
            <NavLink href="/operations" page="operations">
              Operations
            </NavLink>
          )}
        </nav>
        <div class="header-end">
          <HeaderSearch />
          <span class="header-theme">
            <ThemeToggle />
          </span>
          <Visitor />
        </div>
      </div>
    </header>
  );
}

export function TabBar() {
  const { session } = useApp();
  return (
    <nav class="tab-bar" aria-label="Main, at the bottom">
      <NavLink href="/" page="home">
        <HomeIcon size={22} /> Live
      </NavLink>
      <NavLink href="/studio" page="studio">
        <StudioIcon size={22} /> Studio
      </NavLink>
      <NavLink href="/wallet" page="wallet">
        <WalletIcon size={22} /> Wallet
      </NavLink>
      {session.isAdmin.value && (
        <NavLink href="/operations" page="operations">
          <GaugeIcon size={22} /> Operations
        </NavLink>
      )}
      <NavLink href="/account" page="account">
        <PersonIcon size={22} /> Account
      </NavLink>
    </nav>
  );
}
