// The newest moves of a wallet, in brief, with the way to all of them.
import type { ComponentChildren } from 'preact';
import type { WalletTransaction } from '#contract';
import { canGiveBack } from '../models/returnable-words.ts';
import type { WalletPageModel } from '../models/wallet-page.ts';
import { GiveBackOffer } from './give-back-offer.tsx';
import { Loading, Skeleton } from './skeleton.tsx';
import { TransactionRow } from './transaction-list.tsx';

/** Null where nothing can be given back; the statement says why. */
function offerOf(model: WalletPageModel, row: WalletTransaction): ComponentChildren {
  const { gatewayPaymentId, returnable, subject } = row;
  if (gatewayPaymentId === null || returnable === null || !canGiveBack(returnable)) return null;
  return (
    <GiveBackOffer
      giveBack={model.giveBack}
      what={{ gatewayPaymentId, title: subject, returnable }}
      of="this purchase"
    />
  );
}

function Rows({ model }: { model: WalletPageModel }) {
  const { value, fault, load } = model.latest;
  const latest = value.value;
  if (!latest && fault.value) {
    return (
      <p role="alert">
        {fault.value}{' '}
        <button type="button" class="text-button" onClick={load}>
          Try again
        </button>
      </p>
    );
  }
  if (!latest) {
    return (
      <>
        <Loading what="your latest moves" />
        <Skeleton height="52px" />
        <Skeleton height="52px" />
        <Skeleton height="52px" />
      </>
    );
  }
  if (latest.length === 0) {
    return <p class="soft">Nothing has moved yet. Your purchases and tips will stand here.</p>;
  }
  return (
    <ul class="transactions narrow">
      {latest.map((row) => (
        <TransactionRow key={row.id} transaction={row} end={offerOf(model, row)} />
      ))}
    </ul>
  );
}

export function LatestMoves({ model }: { model: WalletPageModel }) {
  return (
    <section class="card wallet-latest" aria-labelledby="latest-title">
      <div class="row spread">
        <h2 id="latest-title">Latest</h2>
        <a href="/wallet/statement">Full statement</a>
      </div>
      <Rows model={model} />
    </section>
  );
}
