// Tests of gaps: what counts as one, over receivers that follow each other and overlap.
import { expect, test } from 'vitest';
import { longestGapMs } from './gaps.ts';

const window = { fromMs: 1_000, toMs: 5_000, quietMsMax: 500 };
const spell = (fromMs: number, toMs: number) => ({ fromMs, toMs });

test('a gap lies between the last packet of one receiver and the first of the next', () => {
  expect(longestGapMs([spell(0, 2_000), spell(2_700, 5_000)], window)).toBe(700);
});

test('a gap that another receiver covers is none', () => {
  const spells = [spell(0, 2_000), spell(1_500, 3_500), spell(3_000, 5_000)];
  expect(longestGapMs(spells, window)).toBe(0);
});

test('of several gaps the longest counts, and none that was over before', () => {
  const spells = [spell(0, 100), spell(900, 2_000), spell(2_200, 3_000), spell(3_300, 5_000)];
  expect(longestGapMs(spells, window)).toBe(300);
});

test('who gets nothing at the end of the time has lost the picture', () => {
  expect(longestGapMs([spell(0, 4_400)], window)).toBe(Number.POSITIVE_INFINITY);
  expect(longestGapMs([], window)).toBe(Number.POSITIVE_INFINITY);
});
