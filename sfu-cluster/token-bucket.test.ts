// Tests of the token bucket: bursts pass, floods do not, and time gives back.
import { expect, test } from 'vitest';
import { createTokenBucket } from './token-bucket.ts';

test('a burst passes whole, then the rate holds', () => {
  let now = 0;
  const bucket = createTokenBucket({ ratePerSecond: 10, burst: 3 }, () => now);
  expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  now += 100;
  expect([bucket.take(), bucket.take()]).toEqual([true, false]);
  now += 60_000;
  expect([bucket.take(), bucket.take(), bucket.take(), bucket.take()]).toEqual([
    true,
    true,
    true,
    false,
  ]);
});
