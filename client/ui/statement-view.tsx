// The statement: filters, rows and pages of what has moved a wallet, and the same as a file.
import type { WalletMove, WalletTransaction } from '#contract';
import type { Period } from '../models/india-days.ts';
import type { WalletPageModel } from '../models/wallet-page.ts';
import { Button } from './button.tsx';
import { DayField, SelectField } from './field.tsx';
import { GiveBackOffer } from './give-back-offer.tsx';
import { DownloadIcon } from './money-icons.tsx';
import { Empty, Fault, Notice } from './notice.tsx';
import { RefundBadge } from './refund-state.tsx';
import { ShowEarlier } from './show-earlier.tsx';
import { Loading, Skeleton } from './skeleton.tsx';
import { moveNames, TransactionRow } from './transaction-list.tsx';
import './statement-view.css';

const kindOptions = [
  { value: '', label: 'Everything' },
  ...Object.entries(moveNames).map(([value, label]) => ({ value, label })),
];

const periods: readonly { value: Period; label: string }[] = [
  { value: 'all', label: 'All time' },
  { value: 'this-month', label: 'This month' },
  { value: 'last-month', label: 'Last month' },
  { value: 'financial-year', label: 'Financial year' },
];

function Filters({ model }: { model: WalletPageModel }) {
  const { statement } = model;
  const { kind, from, to } = statement.shown.value;
  return (
    <fieldset class="filters">
      <legend class="sr-only">What to show</legend>
      <SelectField
        label="What"
        value={kind}
        options={kindOptions}
        onPick={(picked) => statement.show({ kind: picked as WalletMove | '' })}
        data-testid="statement-kind"
      />
      <DayField
        label="From"
        value={from}
        onPick={(picked) => statement.show({ from: picked })}
        data-testid="statement-from"
      />
      <DayField
        label="To"
        value={to}
        onPick={(picked) => statement.show({ to: picked })}
        data-testid="statement-to"
      />
      <div class="periods">
        {periods.map(({ value, label }) => (
          <button
            key={value}
            type="button"
            class="period"
            aria-pressed={statement.period.value === value}
            onClick={() => statement.showPeriod(value)}
          >
            {label}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

function Exports({ model }: { model: WalletPageModel }) {
  const { statement } = model;
  const busy = statement.exporting.value;
  return (
    <div class="row wrap">
      {(['csv', 'json'] as const).map((format) => (
        <Button
          key={format}
          size="small"
          busy={busy === format}
          disabled={busy !== null && busy !== format}
          onClick={() => statement.exportAs(format)}
          aria-label={`Save as ${format.toUpperCase()} what is shown`}
          data-testid={`export-${format}`}
        >
          <DownloadIcon size={17} /> {format.toUpperCase()}
        </Button>
      ))}
    </div>
  );
}

/** What can be done with a purchase, or has been. */
function PurchaseEnd({ model, row }: { model: WalletPageModel; row: WalletTransaction }) {
  const { giveBack } = model;
  const { gatewayPaymentId, returnable } = row;
  if (gatewayPaymentId === null || returnable === null) return null;
  const refund = giveBack.newestOf.value.get(gatewayPaymentId);
  return (
    <>
      {refund && <RefundBadge state={refund.state} />}
      <GiveBackOffer
        giveBack={giveBack}
        what={{ gatewayPaymentId, title: row.subject, returnable }}
        of="this purchase"
      />
    </>
  );
}

function Rows({ model }: { model: WalletPageModel }) {
  const { statement } = model;
  const { items, ready, fault, reload } = statement;
  if (statement.obstacle.value) return <Notice tone="warn">{statement.obstacle.value}</Notice>;
  if (!ready.value && fault.value) return <Fault text={fault.value} onRetry={reload} />;
  if (!ready.value) {
    return (
      <div class="stack">
        <Loading what="your statement" />
        {['a', 'b', 'c', 'd', 'e'].map((key) => (
          <Skeleton key={key} height="48px" />
        ))}
      </div>
    );
  }
  if (items.value.length === 0) {
    return statement.isFiltered.value ? (
      <Empty
        title="Nothing fits"
        action={<Button onClick={statement.clear}>Show everything</Button>}
      >
        <p>No tokens have moved like this in these days.</p>
      </Empty>
    ) : (
      <Empty title="Nothing has moved yet">
        <p>Your purchases, tips and everything else that moves tokens will stand here.</p>
      </Empty>
    );
  }
  return (
    <>
      {fault.value && (
        <Notice tone="bad">
          {fault.value}{' '}
          <button type="button" class="text-button" onClick={statement.refresh}>
            Try again
          </button>
        </Notice>
      )}
      <ul class="transactions" data-testid="statement">
        {items.value.map((row) => (
          <TransactionRow
            key={row.id}
            transaction={row}
            end={row.returnable ? <PurchaseEnd model={model} row={row} /> : null}
          />
        ))}
      </ul>
      <ShowEarlier list={statement} testId="history-more" />
    </>
  );
}

export function StatementView({ model }: { model: WalletPageModel }) {
  return (
    <section class="card wallet-card" aria-labelledby="statement-title">
      <div class="row wrap spread">
        <h2 id="statement-title">Statement</h2>
        <Exports model={model} />
      </div>
      <Filters model={model} />
      <Rows model={model} />
    </section>
  );
}
