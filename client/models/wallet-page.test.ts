import { signal } from '@preact/signals';
import { expect, test } from 'vitest';
import { createManualClock, settled } from '../testing/manual-clock.ts';
import { ApiError } from './api-error.ts';
import { createMoneyApi } from './money-api.ts';
import type { WalletView } from './router.ts';
import { bestValueOf, createWalletPage } from './wallet-page.ts';

function createScene() {
  const clock = createManualClock();
  const view = signal<WalletView>('tokens');
  const balanceTokens = signal<number | null>(null);
  const asked: string[] = [];
  let followers = 0;
  let wakers = 0;
  const answers: Record<string, unknown> = {
    '/v1/wallet/transactions': { transactions: [], nextCursor: null },
    '/v1/payments/invoices': { invoices: [] },
    '/v1/payments/refunds?limit=100': { refunds: [] },
  };
  const page = createWalletPage({
    api: {
      payments: {
        packages: async () => ({ packages: [] }),
        order: () => Promise.reject(new ApiError('network', 0, null, 'lost')),
        verify: () => Promise.reject(new ApiError('network', 0, null, 'lost')),
      },
    },
    money: createMoneyApi(async (url) => {
      asked.push(url);
      return Response.json(answers[url] ?? null);
    }),
    wallet: {
      balanceTokens,
      confirm: (tokens) => {
        balanceTokens.value = tokens;
      },
      refresh: async () => {
        balanceTokens.value = 100;
      },
    },
    liveBalance: {
      follow() {
        followers += 1;
        return () => {
          followers -= 1;
        };
      },
    },
    clock,
    isLookedAt: () => true,
    onWake() {
      wakers += 1;
      return () => {
        wakers -= 1;
      };
    },
    payWay: signal('gateway'),
    loadCheckout: () => Promise.reject(new Error('not asked for here')),
    newKey: () => 'key-1',
    saveFile: () => {},
    toasts: { show: () => {} },
    buyer: { username: 'ann', email: 'a@b.c' },
    view,
  });
  return { page, view, balanceTokens, asked, followers: () => followers, wakers: () => wakers };
}

test('a view asks for what it shows, and no other does', async () => {
  const { page, view, asked } = createScene();
  await settled();
  expect(asked).toEqual(['/v1/wallet/transactions']);
  view.value = 'invoices';
  await settled();
  expect(asked.slice(1).sort()).toEqual([
    '/v1/payments/invoices',
    '/v1/payments/refunds?limit=100',
  ]);
  page.close();
});

test('when the balance moves, the list on view is fetched again; its first coming moves nothing', async () => {
  const { page, balanceTokens, asked } = createScene();
  await settled();
  expect(asked).toHaveLength(1);
  balanceTokens.value = 600;
  await settled();
  expect(asked).toHaveLength(2);
  page.close();
  balanceTokens.value = 700;
  await settled();
  expect(asked).toHaveLength(2);
});

test('a page that is left follows and hears nothing any more', async () => {
  const { page, followers, wakers } = createScene();
  expect([followers(), wakers()]).toEqual([1, 1]);
  page.close();
  expect([followers(), wakers()]).toEqual([0, 0]);
});

test('the best package gives the most tokens for a rupee', () => {
  const pack = (tokens: number, pricePaise: number) => ({
    id: String(tokens),
    name: 'Fan',
    tokens,
    pricePaise,
    gstPaise: 0,
  });
  expect(bestValueOf([pack(50, 5_900), pack(500, 54_500), pack(100, 11_500)])?.tokens).toBe(500);
  expect(bestValueOf([])).toBeNull();
});
