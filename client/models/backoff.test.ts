import { expect, test } from 'vitest';
import { backoffMs, reconnectBackoff } from './backoff.ts';

test('a wait doubles with each attempt and never passes its limit', () => {
  const longest = (attempt: number) => backoffMs(attempt, reconnectBackoff, () => 1);
  expect([0, 1, 2, 3].map(longest)).toEqual([300, 600, 1_200, 2_400]);
  for (const attempt of [6, 20, 1_000]) expect(longest(attempt)).toBe(reconnectBackoff.maxMs);
});

test('chance takes away at most half of a wait, so that nobody comes back at once', () => {
  for (const attempt of [0, 3, 50]) {
    const longest = backoffMs(attempt, reconnectBackoff, () => 1);
    expect(backoffMs(attempt, reconnectBackoff, () => 0)).toBe(longest / 2);
  }
});
