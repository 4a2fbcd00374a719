// Tests of the demand for layers: more is asked for at once, less a while later, and never nothing.
import { beforeEach, expect, test, vi } from 'vitest';
import { createLayerDemand, loweringDelayMs } from './layer-demand.ts';

let told: [string, number][];
let demand: ReturnType<typeof createLayerDemand>;

beforeEach(() => {
  vi.useFakeTimers();
  told = [];
  demand = createLayerDemand((producerId, layer) => told.push([producerId, layer]));
  return () => {
    demand.close();
    vi.useRealTimers();
  };
});

test('a picture that nobody watches is sent in its smallest layer, after a while', () => {
  demand.begin('p', 2);
  vi.advanceTimersByTime(loweringDelayMs - 1);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual([['p', 0]]);
});

test('the highest wish of all counts, at once when it rises', () => {
  demand.begin('p', 2);
  demand.want('p', 'a', 0);
  demand.want('p', 'b', 1);
  vi.advanceTimersByTime(loweringDelayMs);
  expect(told).toEqual([['p', 1]]);
  demand.want('p', 'a', 2);
  expect(told.at(-1)).toEqual(['p', 2]);
});

test('who comes back in time changes nothing', () => {
  demand.begin('p', 2);
  demand.want('p', 'a', 2);
  demand.drop('p', 'a');
  vi.advanceTimersByTime(loweringDelayMs - 1);
  demand.want('p', 'b', 2);
  vi.advanceTimersByTime(10 * loweringDelayMs);
  expect(told).toEqual([]);
});

test('pictures do not mix, and one that has ended is not spoken of', () => {
  demand.begin('p', 2);
  demand.begin('q', 1);
  demand.want('q', 'a', 1);
  demand.forget('p');
  vi.advanceTimersByTime(loweringDelayMs);
  demand.want('p', 'a', 2);
  expect(told).toEqual([]);
});
