import { expect, test } from 'vitest';
import { qrPathOf } from './qr-path.ts';

test('dark modules beside each other are one rectangle, at either end of a row, too', () => {
  const rows = ['#.##', '....', '####'].map((row) => [...row].map((module) => module === '#'));
  expect(qrPathOf(rows)).toBe('M0 0h1v1H0zM2 0h2v1H2zM0 2h4v1H0z');
  expect(qrPathOf([])).toBe('');
});
