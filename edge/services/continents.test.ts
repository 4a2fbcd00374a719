// Tests of continents: every country lies on one, and near is near.
import { expect, test } from 'vitest';
import { countryCodes } from '#contract';
import { nearnessOf } from './continents.ts';

test('every country is on a continent with others', () => {
  for (const code of countryCodes) {
    const nearest = countryCodes.filter((other) => nearnessOf(code, other) === 1);
    expect(nearest.length, code).toBeGreaterThan(0);
  }
});

test('the same country is nearest, then the same continent; who is unknown is near to nobody', () => {
  expect(nearnessOf('IN', 'IN')).toBe(0);
  expect(nearnessOf('IN', 'SG')).toBe(1);
  expect(nearnessOf('IN', 'DE')).toBe(2);
  expect(nearnessOf(null, 'IN')).toBe(2);
  expect(nearnessOf('IN', null)).toBe(2);
  expect(nearnessOf('XX', 'YY')).toBe(2);
});
