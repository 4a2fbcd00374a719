import { expect, test } from 'vitest';
import {
  chatMessageCharsMax,
  isPermitted,
  roles,
  streamTitleCharsMax,
  tipMessageCharsMax as tipMessageCharsMaxOfContract,
  tipTokensMax,
  tipTokensMin,
} from '#contract';
import { messageCharsMax } from './chat.ts';
import { orderRoles } from './chat-order.ts';
import { titleCharsMax } from './stream-form.ts';
import { amountTokensMax, amountTokensMin, tipMessageCharsMax } from './tip-bar.ts';

test('the bounds that the page shows are those of the contract', () => {
  expect(messageCharsMax).toBe(chatMessageCharsMax);
  expect(tipMessageCharsMax).toBe(tipMessageCharsMaxOfContract);
  expect([amountTokensMin, amountTokensMax]).toEqual([tipTokensMin, tipTokensMax]);
  expect(titleCharsMax).toBe(streamTitleCharsMax);
});

test('those of the staff who are offered to keep order are those who may', () => {
  expect(orderRoles).toEqual(roles.filter((role) => isPermitted(role, 'end-streams')));
});
