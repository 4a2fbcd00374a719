import { expect, test } from 'vitest';
import { routeOf, safeReturnPath } from './router.ts';

test('addresses lead to their pages', () => {
  const id = '0b0e7a52-6f0f-4b0e-9d2a-0a1b2c3d4e5f';
  expect(routeOf('/')).toEqual({ page: 'home' });
  expect(routeOf(`/watch/${id}`)).toEqual({ page: 'watch', streamId: id });
  expect(routeOf('/wallet/')).toEqual({ page: 'wallet', view: 'tokens' });
  expect(routeOf('/wallet/limits')).toEqual({ page: 'wallet', view: 'limits' });
  expect(routeOf('/search')).toEqual({ page: 'search' });
  expect(routeOf('/studio')).toEqual({ page: 'studio' });
  expect(routeOf('/studio/earnings/')).toEqual({ page: 'earnings' });
  const unknown = ['/nope', '/watch/x', '/watch', '/Wallet', '/wallet/tokens', '/studio/x'];
  for (const path of unknown) {
    expect(routeOf(path)).toEqual({ page: 'not-found' });
  }
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
