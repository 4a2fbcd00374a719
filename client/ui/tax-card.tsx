// The tax card: the PAN as a mask, what it is for, and the form that takes it.
import { useEffect, useRef } from 'preact/hooks';
import type { PayoutOverview } from '#contract';
import type { PayoutDetailsModel } from '../models/payout-details.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { TextField } from './field.tsx';
import { formatRate } from './format.ts';
import { Notice } from './notice.tsx';
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
      {pan.fault.value && <Notice tone="bad">{pan.fault.value}</Notice>}
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

type CardProps = { details: PayoutDetailsModel; overview: PayoutOverview };

export function TaxCard({ details, overview }: CardProps) {
  const { panMask, tdsSection, tdsRateBp } = overview;
  const editing = details.editing.value === 'pan';
  const card = useReturnFocus<HTMLElement>(editing);
  return (
    <section ref={card} class="card payout-details-card" aria-labelledby="tax-title">
      <div class="row spread wrap">
        <h2 id="tax-title">Tax</h2>
        {panMask ? <Badge tone="good">PAN given</Badge> : <Badge tone="warn">PAN missing</Badge>}
      </div>
      <div aria-live="polite">
        {details.saved.value === 'pan' && (
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
      <p class="soft">
        {formatRate(tdsRateBp)} of each payout is kept back as income tax (TDS, section {tdsSection}
        ) and counted to you when you file your return.
        {!panMask && ' With your PAN on file the rate is the lower one of the law.'}
      </p>
      {editing ? (
        <PanForm details={details} />
      ) : (
        <div>
          <Button
            size="small"
            onClick={() => details.open('pan')}
            data-opens="pan"
            data-testid="pan-edit"
          >
            {panMask ? 'Change the PAN' : 'Give your PAN'}
          </Button>
        </div>
      )}
    </section>
  );
}
