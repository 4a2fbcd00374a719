// Wallet: the balance, tokens to buy, everything that has moved, invoices and limits.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect } from 'preact/hooks';
import { type WalletView, walletPath, walletViews } from '../models/router.ts';
import { openWallet, type WalletPageModel } from '../models/wallet-page.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { CheckoutNotice } from '../ui/checkout-notice.tsx';
import { GiveBackDialog } from '../ui/give-back-dialog.tsx';
import { GaugeIcon, ShieldIcon, WalletIcon } from '../ui/icons.tsx';
import { InvoicesView } from '../ui/invoices-view.tsx';
import { LatestMoves } from '../ui/latest-moves.tsx';
import { LimitsView } from '../ui/limits-view.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { BillIcon, ListIcon } from '../ui/money-icons.tsx';
import { PackageList } from '../ui/package-list.tsx';
import { Page } from '../ui/page.tsx';
import { PageNav } from '../ui/page-nav.tsx';
import { PayWayChoice } from '../ui/pay-way-choice.tsx';
import { Purse } from '../ui/purse.tsx';
import { StatementView } from '../ui/statement-view.tsx';
import { UpiDialog } from '../ui/upi-dialog.tsx';
import './wallet.css';

const viewFaces: Record<WalletView, { label: string; Icon: typeof WalletIcon }> = {
  tokens: { label: 'Get tokens', Icon: WalletIcon },
  statement: { label: 'Statement', Icon: ListIcon },
  invoices: { label: 'Invoices', Icon: BillIcon },
  limits: { label: 'Limits', Icon: GaugeIcon },
};

const views = walletViews.map((view) => ({
  ...viewFaces[view],
  href: walletPath(view),
  testId: `wallet-${view}`,
}));

function TokensView({ model }: { model: WalletPageModel }) {
  return (
    <section aria-labelledby="packages-title" class="stack wallet-packages">
      <h2 id="packages-title">Get tokens</h2>
      <CheckoutNotice model={model} />
      <PayWayChoice way={model.payWay} />
      <PackageList model={model} />
      <p class="faint row wallet-foot">
        <ShieldIcon size={18} /> Paid through Razorpay. Card and bank details never reach us. If
        this page is closed while you pay, the tokens come all the same.
      </p>
    </section>
  );
}

function viewOf(model: WalletPageModel, view: WalletView): ComponentChildren {
  switch (view) {
    case 'tokens':
      return <TokensView model={model} />;
    case 'statement':
      return <StatementView model={model} />;
    case 'invoices':
      return <InvoicesView model={model} />;
    case 'limits':
      return <LimitsView model={model.limits} />;
  }
}

type ContentProps = { username: string; email: string; view: WalletView };

function WalletContent({ username, email, view }: ContentProps) {
  const app = useApp();
  const shown = useSignal(view);
  useEffect(() => {
    shown.value = view;
  }, [view, shown]);
  const model = useLife(() => openWallet(app, { username, email }, shown), email);
  return (
    <Page name="wallet" title="Wallet" aside={<PageNav label="Wallet" links={views} />}>
      <div class={`wallet-grid of-${view}`}>
        <div class="stack wallet-side">
          <Purse model={model} />
          {view === 'tokens' && <LatestMoves model={model} />}
        </div>
        {viewOf(model, view)}
      </div>
      <UpiDialog model={model} />
      <GiveBackDialog giveBack={model.giveBack} />
    </Page>
  );
}

export function WalletPage({ view }: { view: WalletView }) {
  return (
    <MembersOnly why="Your tokens wait behind the log-in.">
      {(user) => <WalletContent username={user.username} email={user.email} view={view} />}
    </MembersOnly>
  );
}
