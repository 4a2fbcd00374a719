// Limits of one's own: what may be tipped and paid a day and a month, and how much of it is used.
import { useEffect, useRef } from 'preact/hooks';
import type { SpendingLimits } from '#contract';
import {
  isMoney,
  type LimitName,
  limitNames,
  type SpendingLimitsModel,
  shareUsed,
} from '../models/spending-limits.ts';
import { Button } from './button.tsx';
import { TextField } from './field.tsx';
import { formatCount, formatDayTime, formatRupees, formatTokens } from './format.ts';
import { ClockIcon } from './money-icons.tsx';
import { Fault, Notice } from './notice.tsx';
import { ProgressBar } from './progress-bar.tsx';
import { Skeleton } from './skeleton.tsx';
import './limits-view.css';

const groups: readonly { title: string; lead: string; names: readonly LimitName[] }[] = [
  {
    title: 'Tips',
    lead: 'How many tokens you let yourself spend.',
    names: ['dayTokens', 'monthTokens'],
  },
  {
    title: 'Purchases',
    lead: 'How many rupees you let yourself pay for tokens.',
    names: ['dayPaise', 'monthPaise'],
  },
];

const periodOf = (name: LimitName) =>
  name.startsWith('day')
    ? { label: 'A day', spent: 'today', whole: 'a day' }
    : { label: 'A month', spent: 'this month', whole: 'a month' };

const amountOf = (name: LimitName, amount: number): string =>
  isMoney(name) ? formatRupees(amount) : formatTokens(amount);

function Used({ limits, name }: { limits: SpendingLimits; name: LimitName }) {
  const limit = limits[name];
  const share = shareUsed(limits, name);
  const { spent, whole } = periodOf(name);
  const spentNow = Math.max(0, limits.spent[name]);
  if (limit === null || share === null) {
    return (
      <p class="limit-used soft figure">
        {amountOf(name, spentNow)} {spent}, no limit
      </p>
    );
  }
  const used = isMoney(name) ? formatRupees(spentNow) : formatCount(spentNow);
  const text = `${used} of ${amountOf(name, limit)} ${spent}`;
  return (
    <div class="limit-used">
      <p class="figure">{text}</p>
      <ProgressBar share={share} label={`Used of your limit ${whole}`} text={text} />
    </div>
  );
}

function LimitField({ model, name }: { model: SpendingLimitsModel; name: LimitName }) {
  const limits = model.value.value;
  if (!limits) return null;
  return (
    <div class="limit" data-testid={`limit-${name}`}>
      <TextField
        label={`${periodOf(name).label}, in ${isMoney(name) ? 'rupees' : 'tokens'}`}
        value={model.typed[name]}
        inputMode={isMoney(name) ? 'decimal' : 'numeric'}
        autocomplete="off"
        placeholder="No limit"
        maxLength={15}
        fault={model.faults.value[name]}
        data-testid={`limit-input-${name}`}
      />
      <Used limits={limits} name={name} />
    </div>
  );
}

/** Raised limits that wait: which, and from when on they count. */
function Waiting({ limits }: { limits: SpendingLimits }) {
  const { next } = limits;
  if (!next) return null;
  const raised = limitNames.filter((name) => next[name] !== limits[name]);
  return (
    <div class="limits-next" data-testid="limits-next">
      <ClockIcon />
      <div>
        <p>
          <b>From {formatDayTime(next.from)}</b>
        </p>
        <ul>
          {raised.map((name) => {
            const limit = next[name];
            return (
              <li key={name} class="figure">
                {limit === null ? 'No limit' : amountOf(name, limit)} {periodOf(name).whole}
                {limit === null && (isMoney(name) ? ' in rupees' : ' in tokens')}
              </li>
            );
          })}
        </ul>
        <p class="faint">Until then the lower limits hold. Saving again starts the wait anew.</p>
      </div>
    </div>
  );
}

function Outcome({ model }: { model: SpendingLimitsModel }) {
  const outcome = model.outcome.value;
  const next = model.value.value?.next;
  return (
    <div aria-live="polite">
      {outcome === 'now' && (
        <Notice tone="good">
          <span data-testid="limits-saved">Saved. Your limits count from now on.</span>
        </Notice>
      )}
      {outcome === 'later' && next && (
        <Notice tone="good">
          <span data-testid="limits-saved">
            Saved. What you lowered counts now; what you raised counts from{' '}
            {formatDayTime(next.from)}.
          </span>
        </Notice>
      )}
      {model.fault.value && <Notice tone="bad">{model.fault.value}</Notice>}
    </div>
  );
}

function LimitsForm({ model, limits }: { model: SpendingLimitsModel; limits: SpendingLimits }) {
  const form = useRef<HTMLFormElement>(null);
  const faults = model.faults.value;
  useEffect(() => {
    // The first field that needs another look.
    form.current?.querySelector<HTMLElement>('[aria-invalid]')?.focus();
  }, [faults]);
  return (
    <form
      ref={form}
      class="limits-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        model.save();
      }}
    >
      {groups.map(({ title, lead, names }) => (
        <fieldset key={title} class="limits-group">
          <legend>{title}</legend>
          <p class="soft">{lead}</p>
          <div class="limits-pair">
            {names.map((name) => (
              <LimitField key={name} model={model} name={name} />
            ))}
          </div>
        </fieldset>
      ))}
      <Waiting limits={limits} />
      <Outcome model={model} />
      <div class="row wrap">
        <Button look="primary" type="submit" busy={model.busy.value} data-testid="limits-save">
          Save the limits
        </Button>
      </div>
    </form>
  );
}

export function LimitsView({ model }: { model: SpendingLimitsModel }) {
  const limits = model.value.value;
  const fault = model.loadFault.value;
  return (
    <section class="card wallet-card" aria-labelledby="limits-title">
      <div>
        <h2 id="limits-title">Limits</h2>
        <p class="soft">
          Set them when you are calm, and they hold when you are not. Lowering a limit counts at
          once. Raising one, or taking it away, counts after a waiting time. Days and months are
          India’s.
        </p>
      </div>
      {!limits && fault && <Fault text={fault} onRetry={model.load} />}
      {!limits && !fault && <Skeleton height="280px" />}
      {limits && <LimitsForm model={model} limits={limits} />}
    </section>
  );
}
