import { expect, test } from 'vitest';
import { homePath, isNarrowed, liveFilterOf, widened } from './live-filter.ts';

const read = (search: string) => liveFilterOf(new URLSearchParams(search));

test('what an address asks for leads to that address again', () => {
  const paths = ['/', '/?category=art', '/?tag=late-night&language=hi&sort=tips&class=mature'];
  for (const path of paths) expect(homePath(read(path.slice(2)))).toBe(path);
});

test('what makes no sense is left out', () => {
  const nonsense = 'category=sleep&tag=a%20b&language=english&sort=best&class=wild';
  expect(read(nonsense)).toEqual(read(''));
  expect(homePath(read(nonsense))).toBe('/');
});

test('widening keeps the order and shows everything', () => {
  const narrow = read('category=art&tag=ink&language=ta&sort=newest');
  expect(isNarrowed(narrow)).toBe(true);
  expect(isNarrowed(widened(narrow))).toBe(false);
  expect(homePath(widened(narrow))).toBe('/?sort=newest');
});
