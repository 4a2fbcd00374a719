// Wallet: the balance, tokens to buy, and everything that has moved.
import type { TokenPackage, WalletTransaction } from '#contract';
import { bestValueOf, createWalletPage, type WalletPageModel } from '../models/wallet-page.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { Badge } from '../ui/badge.tsx';
import { Button } from '../ui/button.tsx';
import { Coin, Tokens } from '../ui/coin.tsx';
import { formatCount, formatDayTime, formatRupees } from '../ui/format.ts';
import { ShieldIcon } from '../ui/icons.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { Fault, Notice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { Loading, Skeleton } from '../ui/skeleton.tsx';
import './wallet.css';

function Balance({ model }: { model: WalletPageModel }) {
  const balance = model.balanceTokens.value;
  return (
    <section class="purse" aria-labelledby="purse-title">
      <h2 id="purse-title">Your balance</h2>
      <p class="purse-amount figure" data-testid="wallet-balance" data-balance={balance ?? ''}>
        <Coin size={48} />
        {balance === null ? <Skeleton width="4ch" height="1em" /> : formatCount(balance)}
        <span class="purse-unit">tokens</span>
      </p>
      {model.balanceFault.value ? (
        <p role="alert">
          {model.balanceFault.value}{' '}
          <button type="button" class="text-button" onClick={model.reloadBalance}>
            Try again
          </button>
        </p>
      ) : (
        <p>Tokens are for tipping. They never expire.</p>
      )}
    </section>
  );
}

function CheckoutNotice({ model }: { model: WalletPageModel }) {
  const { checkout } = model;
  const step = checkout.step.value;
  switch (step.name) {
    case 'credited':
      return (
        <Notice tone="good">
          <span data-testid="purchase-done">
            {formatCount(step.tokens)} tokens are yours. You have {formatCount(step.balanceTokens)}{' '}
            now.
          </span>
        </Notice>
      );
    case 'verifying':
      return <Notice>Confirming your payment. This takes a moment.</Notice>;
    case 'pending':
      return (
        <Notice tone="warn">
          Your payment is on its way. The {formatCount(step.tokens)} tokens appear here as soon as
          the bank confirms it; you need not wait.
        </Notice>
      );
    case 'failed':
      return <Notice tone="bad">{step.text} No tokens were bought.</Notice>;
    default:
      return null;
  }
}

type PackageCardProps = { what: TokenPackage; best: boolean; model: WalletPageModel };

function PackageCard({ what, best, model }: PackageCardProps) {
  const step = model.checkout.step.value;
  const busy =
    (step.name === 'ordering' || step.name === 'paying' || step.name === 'verifying') &&
    step.packageId === what.id;
  const other =
    !busy && (step.name === 'ordering' || step.name === 'paying' || step.name === 'verifying');
  return (
    <li class={best ? 'package best' : 'package'}>
      <div class="package-head">
        <h3>{what.name}</h3>
        {best && <Badge tone="gold">Best value</Badge>}
      </div>
      <p class="package-tokens">
        <Tokens amount={what.tokens} size={26} />
      </p>
      <p class="package-price figure">{formatRupees(what.pricePaise)}</p>
      <p class="faint figure package-terms">
        {formatRupees(Math.round(what.pricePaise / what.tokens))} a token
        <br />
        GST of {formatRupees(what.gstPaise)} is included
      </p>
      <Button
        look={best ? 'primary' : 'quiet'}
        wide
        busy={busy}
        disabled={other}
        onClick={() => model.checkout.buy(what)}
        aria-label={`Buy ${what.tokens} tokens for ${formatRupees(what.pricePaise)}`}
        data-testid={`buy-${what.tokens}`}
        data-package-id={what.id}
      >
        Buy
      </Button>
    </li>
  );
}

const skeletonPackages = ['a', 'b', 'c', 'd', 'e', 'f'];

function Packages({ model }: { model: WalletPageModel }) {
  const { value, fault, load } = model.packages;
  const packages = value.value;
  if (!packages && fault.value) return <Fault text={fault.value} onRetry={load} />;
  if (!packages) {
    return (
      <div class="packages">
        <Loading what="packages" />
        {skeletonPackages.map((key) => (
          <Skeleton key={key} height="236px" />
        ))}
      </div>
    );
  }
  const best = bestValueOf(packages);
  return (
    <ul class="packages">
      {packages.map((what) => (
        <PackageCard key={what.id} what={what} best={what === best} model={model} />
      ))}
    </ul>
  );
}

function TransactionRow({ transaction }: { transaction: WalletTransaction }) {
  const { kind, amountTokens, at, subject } = transaction;
  const into = amountTokens >= 0;
  return (
    <li class="transaction" data-testid="transaction">
      <span class={`transaction-icon ${kind}`} aria-hidden="true">
        <Coin size={20} />
      </span>
      <span>
        <b>{kind === 'purchase' ? `Bought: ${subject}` : `Tip to ${subject}`}</b>
        <span class="faint">{formatDayTime(at)}</span>
      </span>
      <span class={`transaction-amount figure ${into ? 'into' : ''}`}>
        {into ? '+' : '−'}
        {formatCount(Math.abs(amountTokens))}
      </span>
    </li>
  );
}

function History({ model }: { model: WalletPageModel }) {
  const { items, ready, fault, loading, hasMore, more, reload } = model.history;
  if (!ready.value && fault.value) return <Fault text={fault.value} onRetry={reload} />;
  if (!ready.value) {
    return (
      <div class="stack">
        <Loading what="your history" />
        <Skeleton height="56px" />
        <Skeleton height="56px" />
        <Skeleton height="56px" />
      </div>
    );
  }
  if (items.value.length === 0) {
    return <p class="soft">Nothing has moved yet. Your purchases and tips will stand here.</p>;
  }
  return (
    <>
      <ul class="transactions">
        {items.value.map((transaction) => (
          <TransactionRow key={transaction.id} transaction={transaction} />
        ))}
      </ul>
      {hasMore.value && (
        <Button busy={loading.value} onClick={more} data-testid="history-more">
          Show earlier ones
        </Button>
      )}
    </>
  );
}

function WalletContent({ username, email }: { username: string; email: string }) {
  const app = useApp();
  const model = useLife(() => createWalletPage({ ...app, buyer: { username, email } }), email);
  return (
    <Page name="wallet" title="Wallet">
      <div class="wallet-grid">
        <div class="stack">
          <Balance model={model} />
          <section class="card wallet-history" aria-labelledby="history-title">
            <h2 id="history-title">History</h2>
            <History model={model} />
          </section>
        </div>
        <section aria-labelledby="packages-title" class="stack wallet-packages">
          <h2 id="packages-title">Get tokens</h2>
          <div aria-live="polite">
            <CheckoutNotice model={model} />
          </div>
          <Packages model={model} />
          <p class="faint row">
            <ShieldIcon size={18} /> Paid through Razorpay. Card and bank details never reach us.
          </p>
        </section>
      </div>
    </Page>
  );
}

export function WalletPage() {
  return (
    <MembersOnly why="Your tokens wait behind the log-in.">
      {(user) => <WalletContent username={user.username} email={user.email} />}
    </MembersOnly>
  );
}
