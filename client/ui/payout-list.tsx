// Payouts of a performer: how each stands, what arrived, and the bank's reference to look for.
import type { Payout, PayoutState } from '#contract';
import type { EarningsPageModel } from '../models/earnings-page.ts';
import { Badge } from './badge.tsx';
import { formatDay, formatRate, formatRupees } from './format.ts';
import { Notice } from './notice.tsx';
import { ShowEarlier } from './show-earlier.tsx';
import './payout-list.css';

const faces: Record<PayoutState, { label: string; tone: string; meaning: string }> = {
  requested: {
    label: 'Waiting for approval',
    tone: 'warn',
    meaning: 'One of us looks at it before it is sent.',
  },
  approved: { label: 'Approved', tone: 'gold', meaning: 'It is sent with the next round.' },
  sending: { label: 'On its way', tone: 'gold', meaning: 'The bank carries it out.' },
  paid: { label: 'Paid', tone: 'good', meaning: '' },
  failed: {
    label: 'Did not go through',
    tone: 'warn',
    meaning: 'The money is available again.',
  },
  rejected: { label: 'Declined', tone: 'plain', meaning: 'The money is available again.' },
  reversed: {
    label: 'Came back',
    tone: 'warn',
    meaning: 'Your bank sent it back. The money is available again.',
  },
};

function PayoutRow({ payout }: { payout: Payout }) {
  const { state, netPaise, amountPaise, tdsPaise, tdsRateBp, utr, failure } = payout;
  const { label, tone, meaning } = faces[state];
  return (
    <li class="payout" data-testid="payout" data-state={state}>
      <span class="payout-sum figure">
        <b>{formatRupees(netPaise)}</b>
        {tdsPaise > 0 && (
          <span class="faint">
            of {formatRupees(amountPaise)}, tax {formatRupees(tdsPaise)} ({formatRate(tdsRateBp)})
          </span>
        )}
      </span>
      <span class="payout-words">
        <span>
          To <span class="figure">{payout.account}</span>
        </span>
        <span class="faint">
          Asked for on <time dateTime={payout.createdAt}>{formatDay(payout.createdAt)}</time>
          {payout.endedAt && state === 'paid' && (
            <>
              , paid on <time dateTime={payout.endedAt}>{formatDay(payout.endedAt)}</time>
            </>
          )}
        </span>
        {utr && (
          <span class="faint">
            Bank reference (UTR) <b class="figure">{utr}</b>
          </span>
        )}
        {(failure || meaning) && (
          <span class="soft">
            {failure && `${failure.replace(/\.$/, '')}. `}
            {meaning}
          </span>
        )}
      </span>
      <Badge tone={tone}>{label}</Badge>
    </li>
  );
}

export function PayoutList({ payouts }: { payouts: EarningsPageModel['payouts'] }) {
  return (
    <section class="card payouts-card" aria-labelledby="payouts-title">
      <h2 id="payouts-title">Payouts</h2>
      {payouts.items.value.length === 0 ? (
        <p class="soft">None yet. What you ask for stands here, with the bank’s reference.</p>
      ) : (
        <ul class="payouts">
          {payouts.items.value.map((payout) => (
            <PayoutRow key={payout.id} payout={payout} />
          ))}
        </ul>
      )}
      {payouts.fault.value && <Notice tone="bad">{payouts.fault.value}</Notice>}
      <ShowEarlier list={payouts} testId="payouts-more" />
    </section>
  );
}
