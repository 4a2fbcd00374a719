import { expect, test } from 'vitest';
import type { Returnable } from '#contract';
import { canGiveBack, returnableWords } from './returnable-words.ts';

const some: Returnable = { tokens: 50, unspentTokens: 12, refundPaise: 1_180, obstacle: null };

test('how many are unspent and what comes back stand beside each purchase', () => {
  expect(returnableWords(some)).toBe('12 of 50 tokens unspent, ₹11.80 comes back');
  expect(returnableWords({ ...some, tokens: 3_000, unspentTokens: 1_200 })).toContain(
    '1,200 of 3,000 tokens',
  );
  expect(canGiveBack(some)).toBe(true);
});

test('what cannot be given back says why, and promises nothing', () => {
  const spent: Returnable = { ...some, unspentTokens: 0, refundPaise: 0, obstacle: 'spent' };
  expect(returnableWords(spent)).toBe('No tokens unspent');
  const late: Returnable = { ...some, refundPaise: 0, obstacle: 'too-late' };
  expect(returnableWords(late)).toBe('12 of 50 tokens unspent; the time to give them back is over');
  expect([spent, late].map(canGiveBack)).toEqual([false, false]);
});
