import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { Payout, PayoutOverview } from '#contract';
import { createManualClock } from '../testing/manual-clock.ts';
import { refusalOf } from '../testing/refusal.ts';
import { ApiError } from './api-error.ts';
import { actRetriesMax } from './keyed-act.ts';
import { createPayoutRequest, previewOf } from './payout-request.ts';

const overview: PayoutOverview = {
  account: null,
  panMask: 'ABC••••••F',
  minPaise: 50_000,
  availablePaise: 812_345,
  tax: {
    section: '194-O',
    rateWithPanBp: 10,
    rateWithoutPanBp: 500,
    thresholdPaise: 0,
    yearFrom: '2026-03-31T18:30:00.000Z',
    yearPaise: 0,
    availableTdsPaise: 812,
  },
  blockedBy: null,
  blockedUntil: null,
  payouts: [],
  nextCursor: null,
};

const payoutOf = (amountPaise: number): Payout => ({
  id: 'x1',
  ...previewOf(amountPaise, overview),
  tdsSection: '194-O',
  tdsRateBp: 10,
  state: 'requested',
  account: 'HDFC ••••1234',
  utr: null,
  failure: null,
  createdAt: '2026-04-02T10:00:00Z',
  endedAt: null,
});

function createScene(
  answer?: (amountPaise: number) => Promise<Payout>,
  known: PayoutOverview = overview,
) {
  const clock = createManualClock();
  const sent: { amountPaise: number; key: string }[] = [];
  let keys = 0;
  let reloads = 0;
  const request = createPayoutRequest({
    clock,
    overview: signal(known),
    money: {
      requestPayout({ amountPaise }, key) {
        sent.push({ amountPaise, key });
        return answer ? answer(amountPaise) : Promise.resolve(payoutOf(amountPaise));
      },
    },
    newKey: () => `key-${++keys}`,
    onAsked: async () => {
      reloads += 1;
    },
  });
  return { request, clock, sent, reloads: () => reloads };
}

test('what arrives is shown before it is asked for, to the paisa', () => {
  const { request } = createScene();
  request.amountText.value = '8,123.45';
  expect(request.preview.value).toEqual({
    amountPaise: 812_345,
    tdsPaise: 812,
    netPaise: 811_533,
  });
  request.amountText.value = '8123.46';
  expect(request.preview.value).toBeNull();
});

test('the tax is that of the law: more without a PAN, none below the threshold of a year with one', () => {
  const tax = { ...overview.tax, thresholdPaise: 1_000_000, yearPaise: 187_655 };
  const taxOf = (amountPaise: number, panMask: string | null) =>
    previewOf(amountPaise, { panMask, tax }).tdsPaise;
  expect(taxOf(812_345, 'ABC••••••F')).toBe(0);
  expect(taxOf(812_346, 'ABC••••••F')).toBe(812);
  expect(taxOf(812_345, null)).toBe(40_617);
});

test('too little, too much and no amount are said and not sent', async () => {
  const { request, sent } = createScene();
  expect(request.amountFault.value).toBeNull();
  await request.submit();
  expect(request.amountFault.value).not.toBeNull();
  for (const text of ['499.99', '8123.46', 'all', '-1']) {
    request.amountText.value = text;
    await request.submit();
    expect(request.amountFault.value).not.toBeNull();
  }
  expect(sent).toEqual([]);
});

test('what the account cannot be sent at once is said before it is asked for, and “all” is what can', async () => {
  const { request, sent } = createScene(undefined, { ...overview, maxNetPaise: 100_000 });
  expect(previewOf(100_101, overview).netPaise).toBe(100_001);
  request.amountText.value = '1001.01';
  await request.submit();
  expect(request.amountFault.value).toContain('At most ₹1,000 can be sent');
  expect(sent).toEqual([]);
  request.takeAll();
  expect(request.amountFault.value).toBeNull();
  expect(request.preview.value?.netPaise).toBe(100_000);
  await request.submit();
  expect(sent).toMatchObject([{ amountPaise: 100_100 }]);

  const free = { ...overview.tax, thresholdPaise: 1_000_000 };
  const untaxed = createScene(undefined, { ...overview, tax: free, maxNetPaise: 100_000 });
  untaxed.request.takeAll();
  expect(untaxed.request.preview.value).toMatchObject({ amountPaise: 100_000, netPaise: 100_000 });
});

test('a payout is asked for once, however often the button is pressed', async () => {
  const answer = Promise.withResolvers<Payout>();
  const { request, sent, reloads } = createScene(() => answer.promise);
  request.takeAll();
  const first = request.submit();
  const second = request.submit();
  answer.resolve(payoutOf(812_345));
  await Promise.all([first, second]);
  expect(sent).toEqual([{ amountPaise: 812_345, key: 'key-1' }]);
  expect(request.done.value?.amountPaise).toBe(812_345);
  expect(request.amountText.value).toBe('');
  expect(reloads()).toBe(1);
});

test('a payout without an answer keeps its key, and the books are looked at', async () => {
  let fails = actRetriesMax + 1;
  const { request, clock, sent, reloads } = createScene(async (amountPaise) => {
    fails -= 1;
    if (fails >= 0) throw new ApiError('timeout', 0, null, 'late');
    return payoutOf(amountPaise);
  });
  request.amountText.value = '1000';
  request.submit();
  await clock.advance(20_000);
  expect(request.refusal.value).toContain('Nothing is paid twice');
  expect(reloads()).toBe(1);
  expect(request.amountText.value).toBe('1000');
  await request.submit();
  expect(new Set(sent.map(({ key }) => key))).toEqual(new Set(['key-1']));
  expect(request.done.value).not.toBeNull();
  expect(request.refusal.value).toBeNull();
});

test('a refusal is said in words', async () => {
  const { request } = createScene(() =>
    Promise.reject(new ApiError('payout-on-hold', 409, null, 'On hold')),
  );
  request.amountText.value = '1000';
  await request.submit();
  expect(request.refusal.value).toContain('on hold');
  expect(request.done.value).toBeNull();
});

test('a payout whose second factor was declined keeps its amount, says so, and goes through when one is shown', async () => {
  let isProven = false;
  const { request, sent } = createScene(async (amountPaise) => {
    if (!isProven) throw refusalOf('step-up-needed');
    return payoutOf(amountPaise);
  });
  request.amountText.value = '1000';
  await request.submit();
  expect(request.needsProof.value).toBe(true);
  expect(request.done.value).toBeNull();
  expect(request.amountText.value).toBe('1000');
  isProven = true;
  await request.submit();
  expect(request.needsProof.value).toBe(false);
  expect(request.done.value?.amountPaise).toBe(100_000);
  expect(sent).toHaveLength(2);
});
