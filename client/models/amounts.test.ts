import { expect, test } from 'vitest';
import { inRupees, parseRupees, parseWhole, rupeesText } from './amounts.ts';

test('rupees are read to the paisa, and nothing else is taken for money', () => {
  expect(['500', ' 1,250.5 ', '0.05', '₹99.99', '1,00,000'].map(parseRupees)).toEqual([
    50_000, 125_050, 5, 9_999, 10_000_000,
  ]);
  for (const text of ['', '-5', '1.234', '1e3', 'ten', '.5', '1.', '12345678901', '٣']) {
    expect(parseRupees(text)).toBeNull();
  }
});

test('what was read is written the same way', () => {
  for (const text of ['0', '500', '1250.50', '0.05']) {
    expect(rupeesText(parseRupees(text) ?? -1)).toBe(text);
  }
});

test('only whole numbers are counts', () => {
  expect(['0', ' 25 ', '1,00,000'].map(parseWhole)).toEqual([0, 25, 100_000]);
  for (const text of ['', '-1', '1.5', '1e3', '1234567890']) expect(parseWhole(text)).toBeNull();
});

test('rupees in a sentence show paise only where there are some, and then both digits', () => {
  expect([50_000, 1_050, 20_000_000].map(inRupees)).toEqual(['₹500', '₹10.50', '₹2,00,000']);
});
