// Earnings and payouts: what tips have brought, where it is now, and how it reaches the performer.
import type { EarningsPageModel } from '../models/earnings-page.ts';
import { openEarnings } from '../models/earnings-page.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { BecomePerformer } from '../ui/become-performer.tsx';
import { ButtonLink } from '../ui/button.tsx';
import { EarningsSplit } from '../ui/earnings-split.tsx';
import { StudioIcon } from '../ui/icons.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { Empty, Fault, Notice } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { PayoutAccountCard } from '../ui/payout-account-card.tsx';
import { PayoutList } from '../ui/payout-list.tsx';
import { PayoutRequestCard } from '../ui/payout-request-card.tsx';
import { Loading, Skeleton } from '../ui/skeleton.tsx';
import { TaxCard } from '../ui/tax-card.tsx';
import { TipChart } from '../ui/tip-chart.tsx';
import './earnings.css';

const title = 'Earnings and payouts';

/** Figures that are there stay when newer ones do not come; the page says how old they may be. */
function Stale({ model }: { model: EarningsPageModel }) {
  const fault = model.overview.fault.value ?? model.earnings.fault.value;
  if (!fault) return null;
  return (
    <div class="earnings-stale">
      <Notice tone="warn">
        {fault} What stands here may be a little old.{' '}
        <button type="button" class="text-button" onClick={model.reload}>
          Try again
        </button>
      </Notice>
    </div>
  );
}

function Content({ model }: { model: EarningsPageModel }) {
  const earnings = model.earnings.value.value;
  const overview = model.overview.value.value;
  if (!earnings || !overview) {
    const fault = model.overview.fault.value ?? model.earnings.fault.value;
    if (fault) return <Fault text={fault} onRetry={model.reload} />;
    return (
      <div class="earnings-grid">
        <Loading what="your earnings" />
        <Skeleton height="300px" />
        <Skeleton height="300px" />
      </div>
    );
  }
  return (
    <>
      <Stale model={model} />
      <div class="earnings-grid">
        <div class="stack earnings-main">
          <PayoutRequestCard model={model} overview={overview} />
          <PayoutList payouts={model.payouts} />
          <TipChart tips={earnings.recent} />
        </div>
        <div class="stack earnings-side">
          <EarningsSplit earnings={earnings} />
          <PayoutAccountCard details={model.details} account={overview.account} />
          <TaxCard details={model.details} overview={overview} />
        </div>
      </div>
    </>
  );
}

function EarningsContent() {
  const app = useApp();
  const model = useLife(() => openEarnings(app), 'earnings');
  return (
    <Page
      name="earnings"
      title={title}
      aside={
        <ButtonLink href="/studio">
          <StudioIcon size={18} /> Studio
        </ButtonLink>
      }
    >
      <Content model={model} />
    </Page>
  );
}

export function EarningsPage() {
  return (
    <MembersOnly why="Your earnings are behind the log-in.">
      {(user) =>
        user.role === 'performer' ? (
          <EarningsContent />
        ) : (
          <Page name="earnings" title={title}>
            {user.role === 'admin' ? (
              <Empty title="Staff accounts do not earn">
                <p>Use an account of your own to perform.</p>
              </Empty>
            ) : (
              <BecomePerformer />
            )}
          </Page>
        )
      }
    </MembersOnly>
  );
}
