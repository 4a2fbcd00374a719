import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { TipReceipt } from '#contract';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createFeed } from './feed.ts';
import { confirmFromTokens, createTipBar, parseAmount } from './tip-bar.ts';
import { tipRetriesMax } from './tip-sender.ts';
import { createWallet } from './wallet.ts';

const user = {
  id: 'u1',
  email: 'a@b.c',
  username: 'ann',
  emailVerified: true,
  role: 'viewer' as const,
  country: 'IN',
  createdAt: '2026-01-01T00:00:00Z',
};
const lost = () => new ApiError('network', 0, null, 'lost');
const refused = () => new ApiError('insufficient-balance', 409, null, 'too small');

type Answer = (amountTokens: number, key: string) => Promise<TipReceipt>;

async function createScene(answer: Answer, balanceTokens = 500, isUsuallyAnonymous = false) {
  const usuallyAnonymous = signal(isUsuallyAnonymous);
  const clock = createManualClock();
  const feed = createFeed();
  const sent: { amountTokens: number; key: string }[] = [];
  const toasts: string[] = [];
  let keys = 0;
  const wallet = createWallet({
    api: { wallet: { read: async () => ({ balanceTokens }) } },
    session: { user: signal(user) },
  });
  await settled();
  const bar = createTipBar({
    streamId: 's1',
    api: {
      tips: {
        send(body, key) {
          sent.push({ amountTokens: body.amountTokens, key });
          return answer(body.amountTokens, key);
        },
        fees: async () => ({ version: 1, payoutPaisePerToken: 50 }),
      },
    },
    wallet,
    feed,
    self: user,
    clock,
    newKey: () => `key-${++keys}`,
    toast: (text) => toasts.push(text),
    random: () => 1,
    usuallyAnonymous,
  });
  return { bar, clock, feed, wallet, sent, toasts, usuallyAnonymous };
}

const receipt = (amountTokens: number, balance: number, eventId = 40): TipReceipt => ({
  tipId: 't1',
  eventId,
  amountTokens,
  balanceTokens: balance,
  replayed: false,
});

test('a tip shows at once, lowers the balance at once, and ends as one line', async () => {
  const asked = Promise.withResolvers<TipReceipt>();
  const { bar, feed, wallet } = await createScene(() => asked.promise);
  bar.choose(50);
  bar.submit();
  expect(wallet.balanceTokens.value).toBe(450);
  expect(feed.pending.value).toMatchObject([{ kind: 'tip', amountTokens: 50, state: 'sending' }]);

  asked.resolve(receipt(50, 450));
  await settled();
  expect(wallet.balanceTokens.value).toBe(450);
  expect(feed.pending.value).toEqual([]);
  expect(feed.lines.value.map((line) => line.id)).toEqual([40]);
});

test('the room telling the same tip does not show it twice', async () => {
  const { bar, feed } = await createScene(async (amount) => receipt(amount, 490, 77));
  bar.choose(10);
  bar.submit();
  await settled();
  const [own] = feed.lines.value;
  if (own) feed.accept([own], 'live');
  expect(feed.lines.value).toHaveLength(1);
});

test('a refused tip gives the tokens back and leaves no line', async () => {
  const { bar, feed, wallet, toasts, sent } = await createScene(() => Promise.reject(refused()));
  bar.choose(100);
  bar.submit();
  expect(wallet.balanceTokens.value).toBe(400);
  await settled();
  expect(wallet.balanceTokens.value).toBe(500);
  expect(feed.pending.value).toEqual([]);
  expect(feed.lines.value).toEqual([]);
  expect(toasts).toHaveLength(1);
  expect(sent).toHaveLength(1);
});

test('every retry of one tip uses the same key, by itself and by hand', async () => {
  let fails = tipRetriesMax + 1;
  const { bar, clock, feed, sent, wallet } = await createScene((amount) => {
    fails -= 1;
    return fails >= 0 ? Promise.reject(lost()) : Promise.resolve(receipt(amount, 490));
  });
  bar.choose(10);
  bar.submit();
  await clock.advance(60_000);
  expect(sent).toHaveLength(tipRetriesMax + 1);
  expect(feed.pending.value).toMatchObject([{ state: 'failed', key: 'key-1' }]);

  await bar.retry('key-1');
  expect(new Set(sent.map(({ key }) => key))).toEqual(new Set(['key-1']));
  expect(wallet.balanceTokens.value).toBe(490);
  expect(feed.pending.value).toEqual([]);
});

test('two tips have two keys and go one after the other', async () => {
  const answers: PromiseWithResolvers<TipReceipt>[] = [];
  const { bar, sent, wallet } = await createScene(() => {
    const asked = Promise.withResolvers<TipReceipt>();
    answers.push(asked);
    return asked.promise;
  });
  for (const amount of [10, 100]) {
    bar.choose(amount);
    bar.submit();
  }
  await settled();
  expect(sent.map(({ key }) => key)).toEqual(['key-1']);
  expect(wallet.balanceTokens.value).toBe(390);
  answers[0]?.resolve(receipt(10, 490, 1));
  await settled();
  expect(sent.map(({ key }) => key)).toEqual(['key-1', 'key-2']);
  answers[1]?.resolve(receipt(100, 390, 2));
  await settled();
  expect(wallet.balanceTokens.value).toBe(390);
});

test('a large tip is asked about once more before it is sent', async () => {
  const { bar, sent } = await createScene(async (amount) => receipt(amount, 0), 5_000);
  bar.choose(confirmFromTokens);
  bar.submit();
  expect(bar.confirming.value).toBe(true);
  expect(sent).toEqual([]);
  bar.cancel();
  expect(bar.confirming.value).toBe(false);
  bar.submit();
  bar.submit();
  await settled();
  expect(sent).toHaveLength(1);
});

test('an amount above the balance is not sent', async () => {
  const { bar, sent } = await createScene(async (amount) => receipt(amount, 0), 20);
  bar.choose(50);
  expect(bar.obstacle.value).toBe('Not enough tokens');
  bar.submit();
  await settled();
  expect(sent).toEqual([]);
});

test('an anonymous tip shows no name, not even for its giver', async () => {
  const { bar, feed } = await createScene(async (amount) => receipt(amount, 490));
  bar.choose(10);
  bar.pickAnonymous(true);
  bar.submit();
  await settled();
  expect(feed.lines.value[0]?.data).toMatchObject({ username: null, userId: null });
});

test('whoever usually tips without a name does, until they say otherwise on this page', async () => {
  const { bar, usuallyAnonymous } = await createScene(async () => receipt(10, 490), 500, true);
  expect(bar.anonymous.value).toBe(true);
  bar.pickAnonymous(false);
  usuallyAnonymous.value = false;
  usuallyAnonymous.value = true;
  expect(bar.anonymous.value).toBe(false);
});

test('a refusal that holds for the next tip, too, stays in sight until another one is begun', async () => {
  const limited = () => new ApiError('spending-limit', 409, null, 'more than your limit');
  const { bar, wallet, toasts } = await createScene(() => Promise.reject(limited()));
  bar.choose(50);
  bar.submit();
  await settled();
  expect(bar.refusal.value).toMatchObject({ ownLimit: true });
  expect(toasts).toEqual([]);
  expect(wallet.balanceTokens.value).toBe(500);
  bar.choose(10);
  expect(bar.refusal.value).toBeNull();
});

test('only whole numbers within the bounds are amounts', () => {
  expect(['1', ' 25 ', '10000'].map(parseAmount)).toEqual([1, 25, 10_000]);
  for (const text of ['', '0', '10001', '1.5', '-5', '1e3', 'ten', '٣']) {
    expect(parseAmount(text)).toBeNull();
  }
});
