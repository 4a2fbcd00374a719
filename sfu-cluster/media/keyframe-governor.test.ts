// Tests of the keyframe governor: at once for the first, together for the others, never too often.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import {
  createKeyframeGovernor,
  keyframeAwaitedMs,
  keyframeIntervalMinMs,
  viewerExpectedMs,
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

test('who can wait lets an expected viewer ask, and is served by the same keyframe', () => {
  const governor = createKeyframeGovernor();
  const served: string[] = [];
  governor.expect();
  vi.advanceTimersByTime(50);
  governor.runPatiently(() => served.push('tap'));
  vi.advanceTimersByTime(100);
  expect(served).toEqual([]);
  governor.run(() => served.push('viewer'));
  expect(served).toEqual(['viewer', 'tap']);
});

test('who can wait is served at once when nobody is expected, and soon when nobody comes', () => {
  const governor = createKeyframeGovernor();
  const ask = vi.fn();
  governor.runPatiently(ask);
  expect(ask).toHaveBeenCalledTimes(1);
  governor.arrived();
  vi.advanceTimersByTime(keyframeIntervalMinMs);
  governor.expect();
  governor.runPatiently(ask);
  vi.advanceTimersByTime(viewerExpectedMs - 1);
  expect(ask).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1);
  expect(ask).toHaveBeenCalledTimes(2);
});

test('viewers who are expected one after another keep nobody waiting for ever', () => {
  const governor = createKeyframeGovernor();
  const ask = vi.fn();
  governor.expect();
  governor.runPatiently(ask);
  for (let passedMs = 0; passedMs < viewerExpectedMs; passedMs += 50) {
    governor.expect();
    vi.advanceTimersByTime(50);
  }
  expect(ask).toHaveBeenCalledOnce();
});

test('it counts who asked, and who went along with somebody else', () => {
  const governor = createKeyframeGovernor();
  const ask = vi.fn();
  governor.run(ask);
  governor.run(ask);
  governor.runPatiently(ask);
  governor.join();
  vi.advanceTimersByTime(keyframeAwaitedMs);
  expect(ask).toHaveBeenCalledTimes(3);
  expect(governor.counts).toEqual({ asked: 4, bundled: 2 });
  governor.close();
});
