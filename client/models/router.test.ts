import { expect, test } from 'vitest';
import { linkPages } from '#contract';
import { createRouter, linkPaths, profileHref, routeOf, safeReturnPath } from './router.ts';

test('addresses lead to their pages', () => {
  const id = '0b0e7a52-6f0f-4b0e-9d2a-0a1b2c3d4e5f';
  expect(routeOf('/')).toEqual({ page: 'home' });
  expect(routeOf(`/watch/${id}`)).toEqual({ page: 'watch', streamId: id });
  expect(routeOf('/wallet/')).toEqual({ page: 'wallet', view: 'tokens' });
  expect(routeOf('/wallet/limits')).toEqual({ page: 'wallet', view: 'limits' });
  expect(routeOf('/search')).toEqual({ page: 'search' });
  expect(routeOf('/studio')).toEqual({ page: 'studio' });
  expect(routeOf('/studio/earnings/')).toEqual({ page: 'earnings' });
  expect(routeOf('/settings/security')).toEqual({ page: 'security' });
  expect(routeOf('/reset-password')).toEqual({ page: 'mailed-link', purpose: 'reset' });
  expect(routeOf('/confirm-email/')).toEqual({ page: 'mailed-link', purpose: 'verify' });
  expect(routeOf('/settings')).toEqual({ page: 'settings', view: 'account' });
  expect(routeOf('/studio/schedule')).toEqual({ page: 'schedule' });
  expect(routeOf(profileHref('Asha_9'))).toEqual({ page: 'profile', username: 'Asha_9' });
  expect(routeOf('/%40asha')).toEqual({ page: 'profile', username: 'asha' });
  expect(routeOf('/settings/people/')).toEqual({ page: 'people-settings', view: 'people' });
  const unknown = [
    '/settings/account',
    '/@',
    '/@me/x',
    '/@1abc',
    '/@a%2Fb',
    '/settings/x',
    '/nope',
    '/watch/x',
    '/watch',
    '/Wallet',
    '/wallet/tokens',
    '/studio/x',
  ];
  expect(routeOf('/settings/data')).toEqual({ page: 'settings', view: 'data' });
  for (const path of unknown) {
    expect(routeOf(path)).toEqual({ page: 'not-found' });
  }
});

test('mailed links lead to pages that are there', () => {
  expect(linkPaths).toEqual(linkPages);
});

test('nobody is led to another site after logging in', () => {
  expect(safeReturnPath('/watch/1?x=2')).toBe('/watch/1?x=2');
  const addresses = [
    'https://evil.example',
    '//evil.example',
    '/\\evil.example',
    '/\t/evil.example',
  ];
  for (const next of [null, '', 'x', 'javascript:alert(1)', ...addresses]) {
    expect(safeReturnPath(next)).toBe('/');
  }
});

test('the secret of a mailed link leaves the address bar and the history when it is taken', () => {
  const browser = {
    location: {
      pathname: '/reset-password',
      search: '',
      hash: '#secret',
      origin: 'https://x.example',
    },
    history: {
      pushState: () => {},
      replaceState(_: unknown, __: string, path?: string | URL | null) {
        browser.location.hash = '';
        replaced.push(String(path));
      },
    },
    addEventListener: () => {},
    scrollTo: () => {},
  };
  const replaced: string[] = [];
  const router = createRouter(browser);
  expect(router.takeFragment()).toBe('secret');
  expect(replaced).toEqual(['/reset-password']);
  expect(router.takeFragment()).toBe('');
});
