// The wallet page's model: packages on sale, what has moved, and the checkout.
import type { TokenPackage, WalletTransaction } from '#contract';
import type { App } from './app.ts';
import { createCheckout } from './checkout.ts';
import { createLoaded, createPaged } from './load.ts';

type WalletPageDeps = Pick<App, 'api' | 'wallet' | 'clock' | 'loadCheckout' | 'newKey'> & {
  buyer: { username: string; email: string };
};

export function createWalletPage({
  api,
  wallet,
  clock,
  loadCheckout,
  newKey,
  buyer,
}: WalletPageDeps) {
  const packages = createLoaded<TokenPackage[]>(
    async () => (await api.payments.packages()).packages,
  );
  const history = createPaged<WalletTransaction>(async (cursor) => {
    const page = await api.wallet.transactions(cursor);
    return { items: page.transactions, nextCursor: page.nextCursor };
  });
  const checkout = createCheckout({
    api,
    wallet,
    loadCheckout,
    buyer,
    clock,
    newKey,
    onCredited: () => void history.reload(),
  });
  const balance = createLoaded<void>(() => wallet.refresh());

  balance.load();
  packages.load();
  history.reload();

  return {
    packages,
    history,
    checkout,
    balanceTokens: wallet.balanceTokens,
    balanceFault: balance.fault,
    reloadBalance: balance.load,
    close: checkout.close,
  };
}
export type WalletPageModel = ReturnType<typeof createWalletPage>;

/** The package that gives the most tokens for a rupee. */
export function bestValueOf(packages: readonly TokenPackage[]): TokenPackage | null {
  return packages.reduce<TokenPackage | null>(
    (best, one) =>
      best && best.pricePaise / best.tokens <= one.pricePaise / one.tokens ? best : one,
    null,
  );
}
