import { expect, test } from 'vitest';
import type { Earnings, Payout, PayoutOverview } from '#contract';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createEarningsPage, earningsIntervalMs } from './earnings-page.ts';

const earnings: Earnings = {
  pendingPaise: 1_000,
  availablePaise: 90_000,
  heldPaise: 0,
  payoutPendingPaise: 0,
  paidPaise: 0,
  earnedPaise: 91_000,
  holdHours: 168,
  nextReleaseAt: null,
  tokensReceived: 1_820,
  tips: 3,
  feePolicy: { version: 1, payoutPaisePerToken: 50 },
  recent: [],
};
const overview: PayoutOverview = {
  account: null,
  panMask: null,
  minPaise: 50_000,
  availablePaise: 90_000,
  tax: {
    section: '194-O',
    rateWithPanBp: 10,
    rateWithoutPanBp: 500,
    thresholdPaise: 0,
    yearFrom: '2026-03-31T18:30:00.000Z',
    yearPaise: 0,
    availableTdsPaise: 90,
  },
  blockedBy: null,
  blockedUntil: null,
  payouts: [],
  nextCursor: null,
};

const payout = (id: string, amountPaise = 50_000): Payout => ({
  id,
  amountPaise,
  tdsPaise: 0,
  tdsSection: '194-O',
  tdsRateBp: 10,
  netPaise: amountPaise,
  state: 'requested',
  account: 'HDFC ••••1234',
  utr: null,
  failure: null,
  createdAt: '2026-04-02T10:00:00Z',
  endedAt: null,
});

function createScene() {
  const clock = createManualClock();
  const edge = { asked: 0, works: true, availablePaise: 90_000, payouts: [] as Payout[] };
  const pageOf = (from: number) => ({
    payouts: edge.payouts.slice(from, from + 2),
    nextCursor: edge.payouts[from + 2] ? (edge.payouts[from + 1]?.id ?? null) : null,
  });
  let isLookedAt = true;
  let wake: () => void = () => {};
  const page = createEarningsPage({
    clock,
    isLookedAt: () => isLookedAt,
    onWake(act) {
      wake = act;
      return () => {
        wake = () => {};
      };
    },
    newKey: () => 'key-1',
    random: () => 1,
    money: {
      earnings: async () => ({ ...earnings, availablePaise: edge.availablePaise }),
      async payouts() {
        edge.asked += 1;
        if (!edge.works) throw new ApiError('unavailable', 503, null, 'down');
        return { ...overview, availablePaise: edge.availablePaise, ...pageOf(0) };
      },
      earlierPayouts: async (cursor) =>
        pageOf(edge.payouts.findIndex(({ id }) => id === cursor) + 1),
      requestPayout: async ({ amountPaise }) => {
        edge.availablePaise -= amountPaise;
        return payout('x1', amountPaise);
      },
      setPayoutAccount: () => Promise.reject(new Error('not asked for here')),
      setTaxProfile: () => Promise.reject(new Error('not asked for here')),
    },
  });
  return {
    clock,
    edge,
    page,
    wake: () => wake(),
    lookAt: (shown: boolean) => {
      isLookedAt = shown;
    },
  };
}

test('the figures come at once, and again while somebody looks', async () => {
  const { clock, edge, page } = createScene();
  await settled();
  expect(page.overview.value.value?.availablePaise).toBe(90_000);
  edge.availablePaise = 95_000;
  await clock.advance(earningsIntervalMs);
  expect(page.earnings.value.value?.availablePaise).toBe(95_000);
  page.close();
});

test('nothing is asked while nobody looks, and nothing after the page is closed', async () => {
  const { clock, edge, page, lookAt, wake } = createScene();
  await settled();
  lookAt(false);
  await clock.advance(10 * earningsIntervalMs);
  expect(edge.asked).toBe(1);
  lookAt(true);
  wake();
  await settled();
  expect(edge.asked).toBe(2);
  page.close();
  wake();
  await clock.advance(10 * earningsIntervalMs);
  expect(edge.asked).toBe(2);
  expect(clock.waiting).toBe(0);
});

test('a payout that was asked for moves the figures at once', async () => {
  const { edge, page } = createScene();
  await settled();
  page.request.amountText.value = '600';
  await page.request.submit();
  expect(edge.availablePaise).toBe(30_000);
  expect(page.overview.value.value?.availablePaise).toBe(30_000);
  expect(page.earnings.value.value?.availablePaise).toBe(30_000);
  page.close();
});

test('figures that were there stay when the edge does not answer', async () => {
  const { clock, edge, page } = createScene();
  await settled();
  edge.works = false;
  await clock.advance(earningsIntervalMs);
  expect(page.overview.value.value?.availablePaise).toBe(90_000);
  expect(page.overview.fault.value).not.toBeNull();
  page.close();
});

test('earlier payouts come page by page, and a new one leaves none of them out', async () => {
  const { clock, edge, page } = createScene();
  edge.payouts = ['p5', 'p4', 'p3', 'p2', 'p1'].map((id) => payout(id));
  const shown = () => page.payouts.items.value.map(({ id }) => id);
  await clock.advance(earningsIntervalMs);
  expect(shown()).toEqual(['p5', 'p4']);
  await page.payouts.more();
  expect(shown()).toEqual(['p5', 'p4', 'p3', 'p2']);
  edge.payouts = [payout('p6'), ...edge.payouts];
  await clock.advance(earningsIntervalMs);
  await settled();
  expect(shown()).toEqual(['p6', 'p5', 'p4', 'p3']);
  await page.payouts.more();
  expect(shown()).toEqual(['p6', 'p5', 'p4', 'p3', 'p2', 'p1']);
  expect(page.payouts.hasMore.value).toBe(false);
  page.close();
});
