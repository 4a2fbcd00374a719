import { expect, test } from 'vitest';
import { shareRequest } from './shared-request.ts';

test('questions asked at the same time are one request; a later one is a new one', async () => {
  let asked = 0;
  const ask = shareRequest(async () => {
    asked += 1;
    return asked;
  });
  expect(await Promise.all([ask(), ask(), ask()])).toEqual([1, 1, 1]);
  expect(await ask()).toBe(2);
});

test('a failure is shared too, and not remembered', async () => {
  let asked = 0;
  const ask = shareRequest(async () => {
    asked += 1;
    if (asked === 1) throw new Error('away');
    return asked;
  });
  const outcomes = await Promise.allSettled([ask(), ask()]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await ask()).toBe(2);
});
