import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import type { Me } from '#contract';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { balanceFailing, balanceIntervalMs, createLiveBalance } from './live-balance.ts';
import { createWallet } from './wallet.ts';

const ann: Me = {
  id: 'u1',
  email: 'a@b.c',
  username: 'ann',
  emailVerified: true,
  role: 'viewer',
  country: 'IN',
  createdAt: '2026-01-01T00:00:00Z',
};

async function createScene() {
  const clock = createManualClock();
  const user = signal<Me | null>(ann);
  const edge = { balanceTokens: 100, asked: 0, works: true };
  let told = 0;
  let hear: () => void = () => {};
  let wake: () => void = () => {};
  let isLookedAt = true;
  let answer: Promise<void> = Promise.resolve();
  const wallet = createWallet({
    session: { user },
    api: {
      wallet: {
        async read() {
          edge.asked += 1;
          const { balanceTokens } = edge;
          await answer;
          if (!edge.works) throw new Error('down');
          return { balanceTokens };
        },
      },
    },
  });
  const live = createLiveBalance({
    wallet,
    clock,
    news: {
      tell: () => {
        told += 1;
      },
      listen: (listener) => {
        hear = listener;
      },
    },
    isLookedAt: () => isLookedAt,
    onWake(act) {
      wake = act;
      return () => {};
    },
    random: () => 1,
  });
  await settled();
  edge.asked = 0;
  return {
    clock,
    user,
    edge,
    wallet,
    live,
    told: () => told,
    tellFromOtherTab: () => hear(),
    wake: () => wake(),
    lookAt: (page: boolean) => {
      isLookedAt = page;
    },
    /** Answers wait until this is settled. */
    holdAnswers(until: Promise<void>) {
      answer = until;
    },
  };
}

test('a balance that is shown large follows what moves it elsewhere', async () => {
  const { clock, edge, wallet, live } = await createScene();
  const stop = live.follow();
  edge.balanceTokens = 600;
  await clock.advance(balanceIntervalMs);
  expect(wallet.balanceTokens.value).toBe(600);
  stop();
  await clock.advance(10 * balanceIntervalMs);
  expect(edge.asked).toBe(1);
  expect(clock.waiting).toBe(0);
});

test('a page that nobody looks at asks nothing, and asks at once when it is looked at', async () => {
  const { clock, edge, live, lookAt, wake } = await createScene();
  const stop = live.follow();
  lookAt(false);
  await clock.advance(10 * balanceIntervalMs);
  wake();
  await settled();
  expect(edge.asked).toBe(0);
  expect(clock.waiting).toBe(0);
  lookAt(true);
  wake();
  await settled();
  expect(edge.asked).toBe(1);
  stop();
});

test('without an answer the balance stays, and is asked for more rarely', async () => {
  const { clock, edge, wallet, live } = await createScene();
  const stop = live.follow();
  edge.works = false;
  await clock.advance(balanceIntervalMs + balanceFailing.firstMs - 1);
  expect(edge.asked).toBe(1);
  await clock.advance(1 + 2 * balanceFailing.firstMs);
  expect(edge.asked).toBe(3);
  expect(wallet.balanceTokens.value).toBe(100);
  stop();
});

test('what moves the balance here is told to the other tabs, what is merely seen is not', async () => {
  const { clock, edge, wallet, live, told, tellFromOtherTab } = await createScene();
  wallet.hold(10).commit(90);
  expect(told()).toBe(1);
  edge.balanceTokens = 80;
  tellFromOtherTab();
  await settled();
  expect(wallet.balanceTokens.value).toBe(80);
  const stop = live.follow();
  edge.balanceTokens = 70;
  await clock.advance(balanceIntervalMs);
  expect(wallet.balanceTokens.value).toBe(70);
  expect(told()).toBe(1);
  stop();
});

test('a balance that may or may not count a tip on its way is not shown', async () => {
  const { edge, wallet, wake, holdAnswers } = await createScene();
  const answer = Promise.withResolvers<void>();
  holdAnswers(answer.promise);
  // The edge has carried the tip out, and has not said so yet.
  edge.balanceTokens = 50;
  wake();
  const hold = wallet.hold(50);
  expect(wallet.balanceTokens.value).toBe(50);
  answer.resolve();
  await settled();
  expect(wallet.balanceTokens.value).toBe(50);
  hold.commit(50);
  expect(wallet.balanceTokens.value).toBe(50);
});

test('an answer for somebody who has logged out is thrown away', async () => {
  const { user, wallet, wake, holdAnswers } = await createScene();
  const answer = Promise.withResolvers<void>();
  holdAnswers(answer.promise);
  wake();
  user.value = null;
  answer.resolve();
  await settled();
  expect(wallet.balanceTokens.value).toBeNull();
});
