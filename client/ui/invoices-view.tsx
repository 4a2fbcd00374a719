// Invoices and refunds: documents to keep, and what became of tokens that were given back.
import type { Invoice, Refund } from '#contract';
import type { InvoiceFormat } from '../models/money-api.ts';
import type { WalletPageModel } from '../models/wallet-page.ts';
import { Badge } from './badge.tsx';
import { Button } from './button.tsx';
import { formatIndiaDay, formatRupees, formatTokens } from './format.ts';
import { GiveBackOffer } from './give-back-offer.tsx';
import { BillIcon, DownloadIcon, GivenBackIcon } from './money-icons.tsx';
import { Fault } from './notice.tsx';
import { RefundBadge, refundFaces } from './refund-state.tsx';
import { ShowEarlier } from './show-earlier.tsx';
import { Loading, Skeleton } from './skeleton.tsx';
import './invoices-view.css';

const formats: readonly InvoiceFormat[] = ['pdf', 'html'];

function SaveButtons({ model, number }: { model: WalletPageModel; number: string }) {
  const { invoices } = model;
  const saving = invoices.saving.value;
  return (
    <>
      {formats.map((format) => {
        const isThis = saving?.number === number && saving.format === format;
        return (
          <Button
            key={format}
            size="small"
            busy={isThis}
            disabled={saving !== null && !isThis}
            onClick={() => invoices.save(number, format)}
            aria-label={`Save ${number} as ${format.toUpperCase()}`}
            data-testid={`invoice-${format}`}
          >
            <DownloadIcon size={16} /> {format.toUpperCase()}
          </Button>
        );
      })}
    </>
  );
}

function InvoiceRow({ model, invoice }: { model: WalletPageModel; invoice: Invoice }) {
  const { number, kind, gatewayPaymentId, tokens, gstPaise, totalPaise, issuedAt } = invoice;
  const isNote = kind === 'credit-note';
  return (
    <li class="invoice" data-testid="invoice">
      <span class={isNote ? 'invoice-icon note' : 'invoice-icon'} aria-hidden="true">
        {isNote ? <GivenBackIcon size={19} /> : <BillIcon size={19} />}
      </span>
      <span class="invoice-words">
        <b class="figure">{number}</b>
        <span class="faint">
          {isNote ? 'Credit note' : 'Invoice'} · {formatTokens(tokens)} ·{' '}
          <time dateTime={issuedAt}>{formatIndiaDay(issuedAt)}</time>
        </span>
      </span>
      <span class="invoice-sum figure">
        <b>{formatRupees(totalPaise)}</b>
        <span class="faint">GST {formatRupees(gstPaise)}</span>
      </span>
      <span class="invoice-end">
        <SaveButtons model={model} number={number} />
      </span>
      {invoice.returnable && (
        <span class="invoice-offer">
          <GiveBackOffer
            giveBack={model.giveBack}
            what={{
              gatewayPaymentId,
              title: `Invoice ${number}`,
              returnable: invoice.returnable,
            }}
            of={number}
          />
        </span>
      )}
    </li>
  );
}

function InvoiceRows({ model }: { model: WalletPageModel }) {
  const { items, ready, fault, reload } = model.invoices;
  if (!ready.value && fault.value) return <Fault text={fault.value} onRetry={reload} />;
  if (!ready.value) {
    return (
      <div class="stack">
        <Loading what="your invoices" />
        <Skeleton height="56px" />
        <Skeleton height="56px" />
        <Skeleton height="56px" />
      </div>
    );
  }
  if (items.value.length === 0) {
    return (
      <p class="soft">
        Each purchase gets an invoice with its GST, and each refund a credit note. There are none
        yet.
      </p>
    );
  }
  return (
    <>
      <ul class="invoices">
        {items.value.map((invoice) => (
          <InvoiceRow key={invoice.number} model={model} invoice={invoice} />
        ))}
      </ul>
      <ShowEarlier list={model.invoices} testId="invoices-more" />
    </>
  );
}

function RefundRow({ refund }: { refund: Refund }) {
  return (
    <li class="refund" data-testid="refund" data-state={refund.state}>
      <span class="refund-words">
        <b class="figure">
          {formatTokens(refund.tokens)} for {formatRupees(refund.amountPaise)}
        </b>
        <span class="soft">{refundFaces[refund.state].meaning}</span>
        <span class="faint">
          Asked for on <time dateTime={refund.createdAt}>{formatIndiaDay(refund.createdAt)}</time>:
          “<bdi>{refund.reason}</bdi>”
        </span>
      </span>
      <RefundBadge state={refund.state} />
    </li>
  );
}

function Refunds({ model }: { model: WalletPageModel }) {
  const { items, ready, fault, reload } = model.giveBack.refunds;
  if (!ready.value && fault.value) {
    return (
      <p role="alert">
        {fault.value}{' '}
        <button type="button" class="text-button" onClick={reload}>
          Try again
        </button>
      </p>
    );
  }
  if (!ready.value) return <Skeleton height="64px" />;
  if (items.value.length === 0) {
    return (
      <p class="soft">
        Bought by mistake? Unspent tokens can be given back for what you paid for them. Press “Give
        back” beside the purchase.
      </p>
    );
  }
  return (
    <>
      <ul class="refunds">
        {items.value.map((refund) => (
          <RefundRow key={refund.id} refund={refund} />
        ))}
      </ul>
      <ShowEarlier list={model.giveBack.refunds} testId="refunds-more" />
    </>
  );
}

export function InvoicesView({ model }: { model: WalletPageModel }) {
  const { refunds } = model.giveBack;
  const waiting = refunds.items.value.filter(({ state }) => state === 'requested').length;
  return (
    <div class="stack">
      <section class="card wallet-card" aria-labelledby="invoices-title">
        <h2 id="invoices-title">Invoices</h2>
        <InvoiceRows model={model} />
      </section>
      <section class="card wallet-card" aria-labelledby="refunds-title">
        <div class="row">
          <h2 id="refunds-title">Given back</h2>
          {waiting > 0 && (
            <Badge tone="warn">
              {waiting}
              {refunds.hasMore.value && ' or more'} waiting
            </Badge>
          )}
        </div>
        <Refunds model={model} />
      </section>
    </div>
  );
}
