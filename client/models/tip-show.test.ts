import { expect, test } from 'vitest';
import { createManualClock } from '../testing/manual-clock.ts';
import { createTipShow, queueMax, showMsMin, showMsOf, tierOf } from './tip-show.ts';

const tip = (id: number, amountTokens = 10) => ({ id, username: 'ann', amountTokens, message: '' });

test('tips are shown one after the other, each for its time', async () => {
  const clock = createManualClock();
  const show = createTipShow(clock);
  show.add(tip(1));
  expect(show.current.value?.id).toBe(1);
  await clock.advance(tierOf(10).showMs - 1);
  show.add(tip(2, 1_000));
  expect(show.current.value?.id).toBe(1);
  await clock.advance(1);
  expect(show.current.value?.id).toBe(2);
  await clock.advance(tierOf(1_000).showMs);
  expect(show.current.value).toBeNull();
});

test('when too many wait, the smallest gives way and the largest is still shown', async () => {
  const clock = createManualClock();
  const show = createTipShow(clock);
  show.add(tip(0));
  show.add(tip(1, 9_999));
  for (let id = 2; id < queueMax + 30; id += 1) show.add(tip(id, 1));
  const seen: number[] = [];
  show.current.subscribe((shown) => {
    if (shown) seen.push(shown.amountTokens);
  });
  await clock.advance(600_000);
  expect(seen).toContain(9_999);
  expect(seen).toHaveLength(1 + queueMax);
  expect(show.current.value).toBeNull();
});

test('in a rain of fifty tips a second nothing is shown more than a minute late, and nothing flickers', async () => {
  const clock = createManualClock();
  const show = createTipShow(clock);
  for (let id = 0; id < 500; id += 1) {
    show.add(tip(id, 1_000));
    await clock.advance(20);
  }
  const rainEndedAtMs = clock.now();
  while (show.current.value) await clock.advance(100);
  expect(clock.now() - rainEndedAtMs).toBeLessThan(60_000);
  expect(showMsOf(1, queueMax)).toBe(showMsMin);
});

test('larger tips get larger shows', () => {
  expect([1, 49, 50, 249, 250, 999, 1_000, 10_000].map((tokens) => tierOf(tokens).name)).toEqual([
    'spark',
    'spark',
    'glow',
    'glow',
    'burst',
    'burst',
    'crown',
    'crown',
  ]);
});
