// Packages of tokens on sale, each with its price, its tax and the button that buys it.
import type { TokenPackage } from '#contract';
import { packageUnderWay } from '../models/checkout.ts';
import { bestValueOf, type WalletPageModel } from '../models/wallet-page.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { Tokens } from './coin.tsx';
import { formatRupees } from './format.ts';
import { Fault } from './notice.tsx';
import { Loading, Skeleton } from './skeleton.tsx';
import './package-list.css';

type PackageCardProps = { what: TokenPackage; best: boolean; model: WalletPageModel };

function PackageCard({ what, best, model }: PackageCardProps) {
  const underWay = packageUnderWay(model.checkout.step.value);
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
        busy={underWay === what.id}
        disabled={underWay !== null && underWay !== what.id}
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

export function PackageList({ model }: { model: WalletPageModel }) {
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
  if (packages.length === 0) return <p class="soft">No tokens are on sale at the moment.</p>;
  const best = bestValueOf(packages);
  return (
    <ul class="packages">
      {packages.map((what) => (
        <PackageCard key={what.id} what={what} best={what === best} model={model} />
      ))}
    </ul>
  );
}
