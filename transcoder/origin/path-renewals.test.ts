// Tests of path renewals: at once for the first, and seldom in a storm.
import { expect, onTestFinished, test, vi } from 'vitest';
import { createPathRenewals, renewalGapMs } from './path-renewals.ts';

test('a storm of revocations renews at most once a part, and not later than the next one', async () => {
  vi.useFakeTimers();
  onTestFinished(() => {
    vi.useRealTimers();
  });
  const renewed: string[] = [];
  const renewals = createPathRenewals((streamId) => renewed.push(streamId));
  for (let count = 0; count < 1_000; count++) {
    renewals.ask('one');
    await vi.advanceTimersByTimeAsync(renewalGapMs / 100);
  }
  // One at once, and one each time that the gap is over.
  expect(renewed).toHaveLength(11);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(renewed).toHaveLength(11);
  // Other streams do not wait for it.
  renewals.ask('one');
  renewals.ask('other');
  expect(renewed.slice(11)).toEqual(['one', 'other']);
  renewals.ask('one');
  renewals.close();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(renewed).toHaveLength(13);
});
