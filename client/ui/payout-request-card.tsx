// Asking for a payout: what is available, how much of it to take, and what will arrive.
import { useEffect, useRef } from 'preact/hooks';
import type { PayoutOverview } from '#contract';
import type { EarningsPageModel } from '../models/earnings-page.ts';
import { blockOf, type PayoutBlock } from '../models/payout-block.ts';
import { tdsRateOf } from '../models/payout-request.ts';
import { Button } from './button.tsx';
import { TextField } from './field.tsx';
import { formatDayTime, formatRate, formatRupees } from './format.ts';
import { LiveFigure } from './live-figure.tsx';
import { Notice } from './notice.tsx';
import { ProofNeeded } from './proof-needed.tsx';
import './payout-request-card.css';

type CardProps = { model: EarningsPageModel; overview: PayoutOverview };

function Block({ model, block }: { model: EarningsPageModel; block: PayoutBlock }) {
  return (
    <Notice tone={block.tone}>
      <div class="stack" data-testid="payout-block">
        <div>
          <h3>{block.title}</h3>
          <p>{block.text}</p>
          {block.until && (
            <p>
              You can ask again from{' '}
              <b>
                <time dateTime={block.until}>{formatDayTime(block.until)}</time>
              </b>
              .
            </p>
          )}
        </div>
        {block.remedy === 'account' && (
          <div>
            <Button
              size="small"
              look="primary"
              onClick={() => model.details.open('account')}
              data-testid="payout-remedy"
            >
              Enter payment details
            </Button>
          </div>
        )}
      </div>
    </Notice>
  );
}

function Preview({ model, overview }: CardProps) {
  const preview = model.request.preview.value;
  if (!preview) return null;
  return (
    <dl class="facts payout-preview" data-testid="payout-preview">
      <div>
        <dt>You ask for</dt>
        <dd class="figure">{formatRupees(preview.amountPaise)}</dd>
      </div>
      <div>
        <dt>
          Income tax kept back (TDS, section {overview.tax.section}
          {preview.tdsPaise > 0 && `, ${formatRate(tdsRateOf(overview))}`})
        </dt>
        <dd class="figure">−{formatRupees(preview.tdsPaise)}</dd>
      </div>
      <div class="payout-net">
        <dt>Arrives at {overview.account?.mask}</dt>
        <dd class="figure" data-testid="payout-net" data-paise={preview.netPaise}>
          {formatRupees(preview.netPaise)}
        </dd>
      </div>
    </dl>
  );
}

type OutlookProps = { overview: PayoutOverview; isTyped: boolean };

/** What of everything would arrive, before anybody types an amount, and whether a PAN would change that. */
function TaxOutlook({ overview, isTyped }: OutlookProps) {
  const { availablePaise, panMask, tax } = overview;
  const tds = tax.availableTdsPaise;
  const isDear = panMask === null && tax.rateWithoutPanBp > tax.rateWithPanBp;
  if (isTyped && !isDear) return null;
  return (
    <p class="soft figure" data-testid="payout-outlook" data-tds-paise={tds}>
      {!isTyped &&
        (tds === 0
          ? 'Of all of it nothing is kept back as income tax. '
          : `Of all of it ${formatRupees(tds)} is kept back as income tax, and ${formatRupees(availablePaise - tds)} arrives. `)}
      {isDear &&
        `With your PAN it would be ${formatRate(tax.rateWithPanBp)} at most, instead of ${formatRate(tax.rateWithoutPanBp)}: give it before you ask.`}
    </p>
  );
}

function RequestForm({ model, overview }: CardProps) {
  const { request } = model;
  const amount = request.preview.value?.amountPaise;
  return (
    <form
      class="payout-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        request.submit();
      }}
    >
      <TextField
        label="Amount in rupees"
        value={request.amountText}
        inputMode="decimal"
        autocomplete="off"
        maxLength={15}
        placeholder={`From ${formatRupees(overview.minPaise)}`}
        fault={request.amountFault.value ?? undefined}
        data-testid="payout-amount"
        end={
          <button
            type="button"
            class="payout-all"
            onClick={request.takeAll}
            data-testid="payout-all"
          >
            All of it
          </button>
        }
      />
      <Preview model={model} overview={overview} />
      <TaxOutlook overview={overview} isTyped={amount !== undefined} />
      <Button
        look="primary"
        size="large"
        wide
        type="submit"
        busy={request.busy.value}
        data-testid="payout-ask"
      >
        {amount === undefined ? 'Ask for a payout' : `Ask for ${formatRupees(amount)}`}
      </Button>
    </form>
  );
}

function Outcome({ model, overview }: CardProps) {
  const { done, refusal, needsProof, busy, submit } = model.request;
  const asked = done.value;
  const payout = overview.payouts.find(({ id }) => id === asked?.id) ?? asked;
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The form may be gone with the last rupee; who stood in it stands here.
    if (asked) place.current?.focus();
  }, [asked]);
  return (
    <div ref={place} class="payout-outcome" aria-live="polite" tabIndex={-1}>
      {payout?.endedAt === null && (
        <Notice tone="good">
          <span data-testid="payout-done">
            {payout.state === 'requested'
              ? `Asked for. One of us approves it, then ${formatRupees(payout.netPaise)} goes to ${payout.account}.`
              : `${formatRupees(payout.netPaise)} is on its way to ${payout.account}.`}
          </span>
        </Notice>
      )}
      {needsProof.value && (
        <ProofNeeded busy={busy.value} onAsk={submit}>
          Nothing was asked for yet: a payout needs a second factor.
        </ProofNeeded>
      )}
      {refusal.value && !needsProof.value && (
        <Notice tone="bad">
          <span data-testid="payout-refused">{refusal.value}</span>
        </Notice>
      )}
    </div>
  );
}

export function PayoutRequestCard({ model, overview }: CardProps) {
  const block = blockOf(overview);
  const tooLittle = !block && overview.availablePaise < overview.minPaise;
  const shown = tooLittle ? blockOf({ ...overview, blockedBy: 'payout-too-small' }) : block;
  return (
    <section class="card payout-card" aria-labelledby="payout-title">
      <div>
        <h2 id="payout-title">Available now</h2>
        <p class="payout-available figure" data-testid="payout-available">
          <LiveFigure value={overview.availablePaise} format={formatRupees} />
        </p>
      </div>
      <Outcome model={model} overview={overview} />
      {shown ? (
        <Block model={model} block={shown} />
      ) : (
        <RequestForm model={model} overview={overview} />
      )}
    </section>
  );
}
