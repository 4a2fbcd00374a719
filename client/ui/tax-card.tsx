// The tax card: the PAN as a mask, what it is for, and the form that takes it.
import { useEffect, useRef } from 'preact/hooks';
import type { PayoutOverview } from '#contract';
import type { PayoutDetailsModel } from '../models/payout-details.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { TextField } from './field.tsx';
import { formatIndiaDay, formatRate, formatRupees } from './format.ts';
import { Notice } from './notice.tsx';
import { ProofNeeded } from './proof-needed.tsx';
import { useReturnFocus } from './return-focus.ts';

function PanForm({ details }: { details: PayoutDetailsModel }) {
  const form = useRef<HTMLFormElement>(null);
  const { pan } = details;
  const faults = pan.faults.value;
  useEffect(() => {
    form.current?.querySelector<HTMLElement>('input')?.focus();
  }, [faults]);
  return (
    <form
      ref={form}
      class="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        details.savePan();
      }}
    >
      <TextField
        label="PAN"
        value={pan.typed.pan}
        autocomplete="off"
        autocapitalize="characters"
        spellcheck={false}
        maxLength={14}
        placeholder="ABCPE1234F"
        hint="Kept encrypted, and shown only in part from here on."
        fault={faults.pan}
        data-testid="pan"
      />
      {pan.needsProof.value && (
        <ProofNeeded busy={pan.busy.value} onAsk={details.savePan}>
          Nothing was saved yet: your PAN needs a second factor.
        </ProofNeeded>
      )}
      {pan.fault.value && !pan.needsProof.value && <Notice tone="bad">{pan.fault.value}</Notice>}
      <div class="row wrap">
        <Button look="primary" type="submit" busy={pan.busy.value} data-testid="pan-save">
          Save
        </Button>
        <Button look="ghost" onClick={details.close}>
          Cancel
        </Button>
      </div>
    </form>
  );
}

/** Rates, threshold, and how far this year's payouts have come towards it. */
function Law({ overview }: { overview: PayoutOverview }) {
  const { section, rateWithPanBp, rateWithoutPanBp, thresholdPaise, yearFrom, yearPaise } =
    overview.tax;
  return (
    <dl class="facts" data-testid="tax-law">
      <div>
        <dt>Income tax kept back with a PAN (TDS, section {section})</dt>
        <dd class="figure">{formatRate(rateWithPanBp)}</dd>
      </div>
      <div>
        <dt>Without one</dt>
        <dd class="figure">{formatRate(rateWithoutPanBp)}</dd>
      </div>
      {thresholdPaise > 0 && (
        <div>
          <dt>With a PAN, nothing until a financial year’s payouts exceed</dt>
          <dd class="figure">{formatRupees(thresholdPaise)}</dd>
        </div>
      )}
      <div>
        <dt>
          Paid out and on its way since <time dateTime={yearFrom}>{formatIndiaDay(yearFrom)}</time>
        </dt>
        <dd class="figure" data-testid="tax-year" data-paise={yearPaise}>
          {formatRupees(yearPaise)}
        </dd>
      </div>
    </dl>
  );
}

type CardProps = { details: PayoutDetailsModel; overview: PayoutOverview };

export function TaxCard({ details, overview }: CardProps) {
  const { panMask } = overview;
  const editing = details.editing.value === 'pan';
  const isSaved = details.saved.value === 'pan';
  const card = useReturnFocus<HTMLElement>(editing);
  const outcome = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The button that has opened the form is gone with it.
    if (isSaved) outcome.current?.focus();
  }, [isSaved]);
  return (
    <section ref={card} class="card payout-details-card" aria-labelledby="tax-title">
      <div class="row spread wrap">
        <h2 id="tax-title">Tax</h2>
        {panMask ? <Badge tone="good">PAN given</Badge> : <Badge tone="warn">PAN missing</Badge>}
      </div>
      <div ref={outcome} aria-live="polite" tabIndex={-1}>
        {isSaved && (
          <Notice tone="good">
            <span data-testid="pan-saved">Your PAN is saved.</span>
          </Notice>
        )}
      </div>
      {panMask && (
        <p>
          PAN{' '}
          <b class="figure" data-testid="pan-mask">
            {panMask}
          </b>
        </p>
      )}
      <Law overview={overview} />
      <p class="soft">
        What is kept back is counted to you when you file your return.
        {panMask && ' A PAN is given once. If it is wrong, our staff can correct it.'}
      </p>
      {editing && <PanForm details={details} />}
      {!editing && !panMask && (
        <div>
          <Button
            size="small"
            onClick={() => details.open('pan')}
            data-opens="pan"
            data-testid="pan-edit"
          >
            Give your PAN
          </Button>
        </div>
      )}
    </section>
  );
}
