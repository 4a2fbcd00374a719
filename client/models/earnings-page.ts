// The earnings page's model: what was earned, what can be paid out, where to, and what became of it.
import { computed } from '@preact/signals';
import type { Earnings, Payout, PayoutOverview } from '#contract';
import type { App } from './app.ts';
import type { BackoffLimits } from './backoff.ts';
import { createLoaded, createPaged, type Loaded } from './load.ts';
import { createMoneyApi, type MoneyApi } from './money-api.ts';
import { createPayoutDetails } from './payout-details.ts';
import { createPayoutRequest } from './payout-request.ts';
import { createPoll } from './poll.ts';

/** Checks and payouts go on at the bank's pace; while somebody looks they are asked for this often. */
export const earningsIntervalMs = 15_000;
const pace: BackoffLimits = { firstMs: earningsIntervalMs, maxMs: earningsIntervalMs };
const failing: BackoffLimits = { firstMs: 20_000, maxMs: 120_000 };

export type EarningsPageDeps = Pick<App, 'clock' | 'isLookedAt' | 'onWake' | 'newKey'> & {
  money: Pick<
    MoneyApi,
    | 'earnings'
    | 'payouts'
    | 'earlierPayouts'
    | 'requestPayout'
    | 'setPayoutAccount'
    | 'setTaxProfile'
  >;
  random?: () => number;
};

async function loadOrThrow(...all: Loaded<unknown>[]): Promise<void> {
  await Promise.all(all.map((one) => one.load()));
  const fault = all.find((one) => one.fault.peek() !== null);
  if (fault) throw new Error('not everything was answered');
}

/** The payouts of the overview, and behind them as many pages of earlier ones as were asked for. */
function createPayouts(money: Pick<MoneyApi, 'earlierPayouts'>, overview: Loaded<PayoutOverview>) {
  const newest = computed(() => overview.value.value?.payouts ?? []);
  const firstCursor = computed(() => overview.value.value?.nextCursor ?? null);
  const earlier = createPaged<Payout>(async (cursor) => {
    const from = cursor ?? firstCursor.peek();
    if (from === null) return { items: [], nextCursor: null };
    const page = await money.earlierPayouts(from);
    return { items: page.payouts, nextCursor: page.nextCursor };
  });
  // A new payout moves the last one of the first page among the earlier ones.
  const stop = firstCursor.subscribe(() => {
    if (earlier.ready.peek()) earlier.refresh();
  });
  return {
    items: computed(() => {
      const known = new Set(newest.value.map(({ id }) => id));
      return [...newest.value, ...earlier.items.value.filter(({ id }) => !known.has(id))];
    }),
    loading: earlier.loading,
    fault: earlier.fault,
    hasMore: computed(() =>
      earlier.ready.value ? earlier.hasMore.value : firstCursor.value !== null,
    ),
    more: () => (earlier.ready.peek() ? earlier.more() : earlier.reload()),
    stop,
  };
}

export function createEarningsPage(deps: EarningsPageDeps) {
  const { money, clock, isLookedAt, newKey, random } = deps;
  const earnings = createLoaded<Earnings>(money.earnings);
  const overview = createLoaded<PayoutOverview>(money.payouts);
  const payouts = createPayouts(money, overview);
  const look = () => loadOrThrow(earnings as Loaded<unknown>, overview as Loaded<unknown>);
  const poll = createPoll({ clock, isLookedAt, look, pace: () => pace, failing, random });
  const stopWaking = deps.onWake(() => void poll.wake());
  poll.lookNow();

  /** After an act of ours: what was asked before it tells nothing of it. */
  const refresh = () => Promise.all([earnings.load(), overview.load()]);

  return {
    earnings,
    overview,
    payouts,
    reload: poll.lookNow,
    request: createPayoutRequest({
      money,
      overview: overview.value,
      clock,
      newKey,
      onAsked: refresh,
    }),
    details: createPayoutDetails({ money, onChanged: refresh }),
    close(): void {
      stopWaking();
      payouts.stop();
      poll.stop();
    },
  };
}
export type EarningsPageModel = ReturnType<typeof createEarningsPage>;

export function openEarnings(app: App): EarningsPageModel {
  return createEarningsPage({ ...app, money: createMoneyApi(app.api.request) });
}
