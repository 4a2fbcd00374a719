import { expect, test } from 'vitest';
import type { PayoutOverview } from '#contract';
import { blockOf } from './payout-block.ts';

const overview: PayoutOverview = {
  account: {
    id: 'a1',
    kind: 'bank',
    mask: 'HDFC ••••1234',
    state: 'pending',
    failure: null,
    usableFrom: '2026-04-05T10:00:00Z',
    createdAt: '2026-04-02T10:00:00Z',
  },
  panMask: null,
  minPaise: 50_000,
  availablePaise: 12_000,
  tax: {
    section: '194-O',
    rateWithPanBp: 10,
    rateWithoutPanBp: 500,
    thresholdPaise: 0,
    yearFrom: '2026-03-31T18:30:00.000Z',
    yearPaise: 0,
    availableTdsPaise: 12,
  },
  blockedBy: null,
  blockedUntil: null,
  payouts: [],
  nextCursor: null,
};
const blocked = (blockedBy: string, change: Partial<PayoutOverview> = {}) =>
  blockOf({ ...overview, ...change, blockedBy });

test('nothing stands in the way when nothing is named', () => {
  expect(blockOf(overview)).toBeNull();
});

test('every code has words of its own, and an unknown one does not leave the page without any', () => {
  const codes = [
    'payout-account-missing',
    'payout-account-unverified',
    'payout-details-on-hold',
    'payout-too-small',
    'payout-on-hold',
    'account-banned',
    'email-unverified',
    'forbidden',
    'something-new',
  ];
  const titles = codes.map((code) => blocked(code)?.title);
  expect(new Set(titles).size).toBe(codes.length);
});

test('details that wait say until when, and only what can be mended asks to be', () => {
  const until = '2026-04-06T10:00:00Z';
  expect(blocked('payout-details-on-hold', { blockedUntil: until })?.until).toBe(until);
  expect(blocked('payout-account-missing')?.remedy).toBe('account');
  expect(blocked('payout-account-unverified')?.remedy).toBeNull();
  const account = overview.account && { ...overview.account, state: 'failed' as const };
  expect(blocked('payout-account-unverified', { account })?.remedy).toBe('account');
  expect(blocked('insufficient-earnings')?.text).toContain('₹500');
});
