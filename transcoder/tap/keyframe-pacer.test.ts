// Tests of the keyframe pacer.
import { expect, test } from 'vitest';
import { createKeyframePacer, keyframeRetryMs } from './keyframe-pacer.ts';

/** A publisher that answers each request after `delayMs`; returns when keyframes came. */
function run(intervalMs: number | null, delayMs: number, untilMs: number): number[] {
  const arrivals: number[] = [];
  let dueMs: number | null = null;
  let nowMs = 0;
  const pacer = createKeyframePacer(intervalMs, () => {
    dueMs ??= nowMs + delayMs;
  });
  for (; nowMs < untilMs; nowMs += 10) {
    pacer.tick(nowMs);
    if (dueMs !== null && nowMs >= dueMs) {
      dueMs = null;
      arrivals.push(nowMs);
      pacer.arrived(nowMs);
    }
  }
  return arrivals;
}

test('keyframes come at the interval, because they are asked for ahead of it', () => {
  for (const delayMs of [20, 80, 200]) {
    const arrivals = run(1_000, delayMs, 20_000);
    const gaps = arrivals.slice(6).map((each, index) => each - (arrivals[index + 5] ?? 0));
    expect(Math.max(...gaps.map((gap) => Math.abs(gap - 1_000)))).toBeLessThan(40);
  }
});

test('one is asked for at once at the start and after a loss, then again until it comes', () => {
  let requests = 0;
  const pacer = createKeyframePacer(1_000, () => requests++);
  for (let nowMs = 0; nowMs < 3 * keyframeRetryMs; nowMs += 10) pacer.tick(nowMs);
  expect(requests).toBe(3);
  pacer.arrived(1_500);
  pacer.need(1_600);
  expect(requests).toBe(4);
});

test('without an interval none is asked for unless it is needed', () => {
  expect(run(null, 50, 20_000)).toHaveLength(1);
});
