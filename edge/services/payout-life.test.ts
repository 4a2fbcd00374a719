// The life of a payout: whatever word the bank has for it, the books know whether its money has left, stays or came back.
import { expect, test } from 'vitest';
import { GatewayPayout } from './payout-gateway.ts';
import { payoutFacts } from './payout-life.ts';

const shown = {
  id: 'pout_1',
  reference_id: '019a3c5e-0000-7000-8000-000000000000',
  fund_account_id: 'fa_1',
  amount: 9_500,
  mode: 'UPI',
  notes: {},
  currency: 'INR',
  fees: 590,
  tax: 90,
  utr: null,
  created_at: 1_760_000_000,
};
const told = (change: object) => payoutFacts(GatewayPayout.parse({ ...shown, ...change }));

test.each([
  ['queued', 'sent'],
  ['pending', 'sent'],
  ['scheduled', 'sent'],
  ['processing', 'sent'],
  ['processed', 'paid'],
  ['failed', 'failed'],
  ['rejected', 'failed'],
  ['cancelled', 'failed'],
  ['reversed', 'reversed'],
])('one that is %s there is %s here', (status, here) => {
  expect(told({ status })).toMatchObject({
    payoutId: shown.reference_id,
    gatewayPayoutId: 'pout_1',
    amountPaise: 9_500,
    status: here,
    feePaise: 590,
    feeTaxPaise: 90,
  });
});

test('a reference that is no name of ours is nobody’s', () => {
  for (const reference of [null, '', 'salary of May']) {
    expect(told({ status: 'processed', reference_id: reference }).payoutId).toBeUndefined();
  }
});
