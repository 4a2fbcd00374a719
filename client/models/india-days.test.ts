import { expect, test } from 'vitest';
import { daysOf, indiaDay } from './india-days.ts';

/** Half past midnight on 1 March 2026 in India; the evening before in London. */
const marchFirst = Date.parse('2026-02-28T19:00:00Z');

test('months are India’s, and the last one ends with its last day', () => {
  expect(indiaDay(marchFirst)).toBe('2026-03-01');
  expect(daysOf('this-month', marchFirst)).toEqual({ from: '2026-03-01', to: '' });
  expect(daysOf('last-month', marchFirst)).toEqual({ from: '2026-02-01', to: '2026-02-28' });
  const january = Date.parse('2026-01-15T00:00:00Z');
  expect(daysOf('last-month', january)).toEqual({ from: '2025-12-01', to: '2025-12-31' });
});

test('the financial year begins in April', () => {
  expect(daysOf('financial-year', marchFirst).from).toBe('2025-04-01');
  expect(daysOf('financial-year', Date.parse('2026-04-01T00:00:00Z')).from).toBe('2026-04-01');
  expect(daysOf('all', marchFirst)).toEqual({ from: '', to: '' });
});
