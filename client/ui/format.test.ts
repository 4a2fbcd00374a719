import { expect, test } from 'vitest';
import { formatCount, formatIndiaDay, formatRupees, formatTokens } from './format.ts';

test('counts are grouped as in India, small ones and large ones alike', () => {
  expect([0, 7, 999, 1_000, 123_456, -5].map(formatCount)).toEqual([
    '0',
    '7',
    '999',
    '1,000',
    '1,23,456',
    '-5',
  ]);
});

test('rupees show paise only where there are some', () => {
  expect([0, 50, 4_900, 99_950, 10_000_000, 10_000_001, -500].map(formatRupees)).toEqual([
    '₹0',
    '₹0.50',
    '₹49',
    '₹999.50',
    '₹1,00,000',
    '₹1,00,000.01',
    '-₹5',
  ]);
});

test('one token is not tokens', () => {
  expect([0, 1, 2].map(formatTokens)).toEqual(['0 tokens', '1 token', '2 tokens']);
});

test('a late evening in Europe is the next day in India', () => {
  expect(formatIndiaDay('2026-11-25T18:29:59Z')).toBe('25 November 2026');
  expect(formatIndiaDay('2026-11-25T18:30:00Z')).toBe('26 November 2026');
});
