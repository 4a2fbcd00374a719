import { expect, test } from 'vitest';
import {
  chatMessageCharsMax,
  streamTitleCharsMax,
  tipMessageCharsMax as tipMessageCharsMaxOfContract,
  tipTokensMax,
  tipTokensMin,
} from '#contract';
import { messageCharsMax } from './chat.ts';
import { titleCharsMax } from './studio.ts';
import { amountTokensMax, amountTokensMin, tipMessageCharsMax } from './tip-bar.ts';

test('the bounds that the page shows are those of the contract', () => {
  expect(messageCharsMax).toBe(chatMessageCharsMax);
  expect(tipMessageCharsMax).toBe(tipMessageCharsMaxOfContract);
  expect([amountTokensMin, amountTokensMax]).toEqual([tipTokensMin, tipTokensMax]);
  expect(titleCharsMax).toBe(streamTitleCharsMax);
});
