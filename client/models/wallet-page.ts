// The wallet page's model: the balance, packages and the checkout, the statement, invoices, refunds and limits.
import type { ReadonlySignal } from '@preact/signals';
import type { TokenPackage, WalletTransaction } from '#contract';
import type { App } from './app.ts';
import { createCheckout } from './checkout.ts';
import { createGiveBack } from './give-back.ts';
import { createInvoices } from './invoices.ts';
import { createLoaded } from './load.ts';
import { createMoneyApi, type MoneyApi } from './money-api.ts';
import type { WalletView } from './router.ts';
import { createSpendingLimits } from './spending-limits.ts';
import { createStatement } from './statement.ts';

/** How many of the newest moves stand beside the packages. */
export const latestMax = 5;

export type WalletPageDeps = Pick<
  App,
  'clock' | 'isLookedAt' | 'loadCheckout' | 'newKey' | 'onWake' | 'payWay' | 'saveFile'
> & {
  api: { payments: App['api']['payments'] };
  money: MoneyApi;
  wallet: Pick<App['wallet'], 'balanceTokens' | 'confirm' | 'refresh'>;
  liveBalance: Pick<App['liveBalance'], 'follow'>;
  toasts: Pick<App['toasts'], 'show'>;
  buyer: { username: string; email: string };
  view: ReadonlySignal<WalletView>;
};

export function createWalletPage(deps: WalletPageDeps) {
  const { api, money, wallet, clock, newKey, saveFile, toasts, view } = deps;
  const balance = createLoaded<void>(() => wallet.refresh());
  const packages = createLoaded<TokenPackage[]>(
    async () => (await api.payments.packages()).packages,
  );
  const latest = createLoaded<WalletTransaction[]>(async () =>
    (await money.transactions({})).transactions.slice(0, latestMax),
  );
  const statement = createStatement({ money, clock, saveFile, toasts });
  const invoices = createInvoices({ money, saveFile, toasts });
  const limits = createSpendingLimits({ money });
  const giveBack = createGiveBack({
    money,
    clock,
    newKey,
    onRequested: () => void balance.load(),
  });
  const checkout = createCheckout({ ...deps, way: deps.payWay });

  function fetchShown(): void {
    switch (view.peek()) {
      case 'tokens':
        latest.load();
        return;
      case 'statement':
        if (statement.ready.peek()) statement.refresh();
        else statement.reload();
        giveBack.refunds.reload();
        return;
      case 'invoices':
        invoices.reload();
        giveBack.refunds.reload();
        return;
      case 'limits':
        limits.load();
        return;
    }
  }

  balance.load();
  packages.load();
  const stopFollowing = deps.liveBalance.follow();
  const stopWaking = deps.onWake(checkout.wake);
  const stopShowing = view.subscribe(fetchShown);
  let known = wallet.balanceTokens.peek();
  const stopHearing = wallet.balanceTokens.subscribe((tokens) => {
    // What has moved the balance stands in the lists, too.
    if (known !== null && tokens !== null && tokens !== known) fetchShown();
    known = tokens;
  });

  return {
    view,
    packages,
    latest,
    statement,
    invoices,
    giveBack,
    limits,
    checkout,
    payWay: deps.payWay,
    balanceTokens: wallet.balanceTokens,
    balanceFault: balance.fault,
    reloadBalance: balance.load,
    close(): void {
      for (const stop of [stopFollowing, stopWaking, stopShowing, stopHearing]) stop();
      checkout.close();
    },
  };
}
export type WalletPageModel = ReturnType<typeof createWalletPage>;

export function openWallet(
  app: App,
  buyer: { username: string; email: string },
  view: ReadonlySignal<WalletView>,
): WalletPageModel {
  return createWalletPage({ ...app, money: createMoneyApi(app.api.request), buyer, view });
}

/** The package that gives the most tokens for a rupee. */
export function bestValueOf(packages: readonly TokenPackage[]): TokenPackage | null {
  return packages.reduce<TokenPackage | null>(
    (best, one) =>
      best && best.pricePaise / best.tokens <= one.pricePaise / one.tokens ? best : one,
    null,
  );
}
