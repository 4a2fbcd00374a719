// The purse: the balance, large, as it is at this moment.
import type { WalletPageModel } from '../models/wallet-page.ts';
import { Coin } from './coin.tsx';
import { formatCount, formatTokens } from './format.ts';
import { LiveFigure } from './live-figure.tsx';
import { Skeleton } from './skeleton.tsx';
import './purse.css';

export function Purse({ model }: { model: WalletPageModel }) {
  const balance = model.balanceTokens.value;
  const fault = balance === null ? model.balanceFault.value : null;
  return (
    <section class="purse" aria-labelledby="purse-title">
      <h2 id="purse-title">Your balance</h2>
      <p
        class="purse-amount figure"
        aria-hidden="true"
        data-testid="wallet-balance"
        data-balance={balance ?? ''}
      >
        <Coin size={48} />
        {balance === null ? (
          <Skeleton width="4ch" height="1em" />
        ) : (
          <LiveFigure value={balance} format={formatCount} />
        )}
        <span class="purse-unit">{balance === 1 ? 'token' : 'tokens'}</span>
      </p>
      <p class="sr-only" role="status">
        {balance !== null && `You have ${formatTokens(balance)}`}
      </p>
      {fault ? (
        <p role="alert">
          {fault}{' '}
          <button type="button" class="text-button" onClick={model.reloadBalance}>
            Try again
          </button>
        </p>
      ) : (
        <p>Tokens that you buy never expire.</p>
      )}
    </section>
  );
}
