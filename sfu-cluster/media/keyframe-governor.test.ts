// Tests of the keyframe governor: at once for the first, together for the others, never too often.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  createKeyframeGovernor,
  keyframeAwaitedMs,
  keyframeIntervalMinMs,
} from './keyframe-governor.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
});

afterEach(() => {
  vi.useRealTimers();
});

test('the first who asks is served at once, those who come soon after together and in time', () => {
  const governor = createKeyframeGovernor();
  const start = performance.now();
  const servedAfterMs: number[] = [];
  const ask = () => servedAfterMs.push(performance.now() - start);
  governor.run(ask);
  expect(servedAfterMs).toEqual([0]);
  vi.advanceTimersByTime(40);
  governor.arrived();
  for (let viewer = 0; viewer < 50; viewer += 1) {
    vi.advanceTimersByTime(5);
    governor.run(ask);
  }
  expect(servedAfterMs).toEqual([0]);
  vi.advanceTimersByTime(keyframeIntervalMinMs);
  expect(servedAfterMs).toEqual([0, ...Array(50).fill(40 + keyframeIntervalMinMs)]);
  vi.advanceTimersByTime(keyframeAwaitedMs);
  governor.run(ask);
  expect(servedAfterMs).toHaveLength(52);
});

test('the wait begins when the keyframe comes, however late, and other keyframes change nothing', () => {
  const governor = createKeyframeGovernor();
  const ask = vi.fn();
  governor.run(() => undefined);
  vi.advanceTimersByTime(200);
  governor.run(ask);
  governor.arrived();
  vi.advanceTimersByTime(keyframeIntervalMinMs - 1);
  governor.arrived();
  expect(ask).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ask).toHaveBeenCalledOnce();
});

test('a keyframe that does not come is not waited for without end', () => {
  const governor = createKeyframeGovernor();
  const ask = vi.fn();
  governor.run(() => undefined);
  governor.run(ask);
  vi.advanceTimersByTime(keyframeAwaitedMs);
  expect(ask).toHaveBeenCalledOnce();
});

test('a request that went out by itself holds the others back', () => {
  const governor = createKeyframeGovernor();
  const ask = vi.fn();
  governor.requested();
  vi.advanceTimersByTime(100);
  governor.run(ask);
  governor.requested();
  vi.advanceTimersByTime(keyframeAwaitedMs - 1);
  expect(ask).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(ask).toHaveBeenCalledOnce();
});

test('nobody is served after the close', () => {
  const governor = createKeyframeGovernor();
  const ask = vi.fn();
  governor.requested();
  governor.run(ask);
  governor.close();
  vi.advanceTimersByTime(10 * keyframeAwaitedMs);
  expect(ask).not.toHaveBeenCalled();
});
