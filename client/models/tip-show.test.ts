import { expect, test } from 'vitest';
import { createManualClock } from '../testing/manual-clock.ts';
import { createTipShow, queueMax, tierOf } from './tip-show.ts';

const tip = (id: number, amountTokens = 10) => ({ id, username: 'ann', amountTokens, message: '' });

test('tips are shown one after the other, each for its time', async () => {
  const clock = createManualClock();
  const show = createTipShow(clock);
  show.add(tip(1));
  show.add(tip(2, 1_000));
  expect(show.current.value?.id).toBe(1);
  await clock.advance(tierOf(10).showMs);
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
  for (let step = 0; step < queueMax + 5; step += 1) {
    await clock.advance(7_000);
    if (show.current.value) seen.push(show.current.value.amountTokens);
  }
  expect(seen).toContain(9_999);
  expect(seen.length).toBeLessThanOrEqual(queueMax);
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
