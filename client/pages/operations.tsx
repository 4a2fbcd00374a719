// Operations, for staff: what is on air, ending it, and whether the books balance.

import { useSignal } from '@preact/signals';
import type { Stream, TrialBalance } from '#contract';
import { createOperations, type Operations } from '../models/operations.ts';
import { useApp, useLife } from '../ui/app-context.ts';
import { Badge } from '../ui/badge.tsx';
import { Button, ButtonLink } from '../ui/button.tsx';
import { categoryFaces } from '../ui/category.ts';
import { ConfirmDialog } from '../ui/confirm-dialog.tsx';
import { formatCount, formatRupees, formatSince } from '../ui/format.ts';
import { Gate } from '../ui/gate.tsx';
import { MembersOnly } from '../ui/members-only.tsx';
import { Fault } from '../ui/notice.tsx';
import { Page } from '../ui/page.tsx';
import { ProofNeeded } from '../ui/proof-needed.tsx';
import { Skeleton } from '../ui/skeleton.tsx';
import { StreamPicture } from '../ui/stream-picture.tsx';
import './operations.css';

type RowProps = { stream: Stream; nowMs: number; onEnd: () => void; busy: boolean };

function StreamRow({ stream, nowMs, onEnd, busy }: RowProps) {
  return (
    <li class="ops-stream" data-testid="ops-stream">
      <span class="ops-picture">
        <StreamPicture stream={stream} />
      </span>
      <span class="ops-words">
        <a href={`/watch/${stream.id}`}>
          <bdi>{stream.title}</bdi>
        </a>
        <span class="faint figure">
          {stream.performer.username} · {categoryFaces[stream.category].label} ·{' '}
          {formatCount(stream.viewers)} watching
          {stream.startedAt && ` · ${formatSince(stream.startedAt, nowMs)}`}
        </span>
      </span>
      <Button look="danger" size="small" busy={busy} onClick={onEnd} data-testid="ops-end">
        End
      </Button>
    </li>
  );
}

function Streams({ model }: { model: Operations }) {
  const { clock } = useApp();
  const asked = useSignal<Stream | null>(null);
  const { items, ready, fault, reload, hasMore, more, loading } = model.streams;
  if (!ready.value && fault.value) return <Fault text={fault.value} onRetry={reload} />;
  if (!ready.value) return <Skeleton height="120px" />;
  return (
    <>
      {items.value.length === 0 && <p class="soft">Nobody is live.</p>}
      <ul class="ops-streams">
        {items.value.map((stream) => (
          <StreamRow
            key={stream.id}
            stream={stream}
            nowMs={clock.now()}
            busy={model.ending.value === stream.id}
            onEnd={() => {
              asked.value = stream;
            }}
          />
        ))}
      </ul>
      {hasMore.value && (
        <Button busy={loading.value} onClick={more}>
          Show more
        </Button>
      )}
      <ConfirmDialog
        title="End this stream?"
        open={asked.value !== null}
        yes="End it"
        no="Leave it on"
        onNo={() => {
          asked.value = null;
        }}
        onYes={() => {
          const stream = asked.peek();
          asked.value = null;
          if (stream) model.end(stream);
        }}
        data-testid="ops-end-confirm"
      >
        <p>
          “<bdi>{asked.value?.title}</bdi>” by {asked.value?.performer.username} ends for everybody
          at once and cannot be resumed.
        </p>
      </ConfirmDialog>
    </>
  );
}

function amountText(currency: string, amount: number): string {
  if (amount === 0) return '–';
  return currency === 'INR' ? formatRupees(amount) : formatCount(amount);
}

function accountName(accountClass: string): string {
  const words = accountClass.replaceAll('_', ' ').replace(/^gst\b/, 'GST');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function Books({ balance }: { balance: TrialBalance }) {
  const currencies = [...new Set(balance.rows.map((row) => row.currency))];
  return (
    <>
      {currencies.map((currency) => {
        const rows = balance.rows.filter((row) => row.currency === currency);
        const sum = (side: 'debit' | 'credit') => rows.reduce((all, row) => all + row[side], 0);
        return (
          <div key={currency} class="table-scroll">
            <table data-testid={`trial-balance-${currency}`}>
              <caption class="ops-caption">{currency === 'INR' ? 'Rupees' : 'Tokens'}</caption>
              <thead>
                <tr>
                  <th scope="col">Account</th>
                  <th scope="col" class="number">
                    Debit
                  </th>
                  <th scope="col" class="number">
                    Credit
                  </th>
                </tr>
              </thead>
              <tbody>
                {rows.map((row) => (
                  <tr key={row.accountClass}>
                    <td>{accountName(row.accountClass)}</td>
                    <td class="number">{amountText(currency, row.debit)}</td>
                    <td class="number">{amountText(currency, row.credit)}</td>
                  </tr>
                ))}
              </tbody>
              <tfoot>
                <tr>
                  <td>Sum</td>
                  <td class="number">{amountText(currency, sum('debit'))}</td>
                  <td class="number">{amountText(currency, sum('credit'))}</td>
                </tr>
              </tfoot>
            </table>
          </div>
        );
      })}
    </>
  );
}

function TrialBalanceCard({ model }: { model: Operations }) {
  const { value, fault, needsProof, load } = model.balance;
  const balance = value.value;
  return (
    <section class="card ops-books" aria-labelledby="books-title">
      <div class="row spread">
        <h2 id="books-title">Trial balance</h2>
        {balance && (
          <span data-testid="books-balanced" data-balanced={balance.balanced}>
            <Badge tone={balance.balanced ? 'good' : 'warn'}>
              {balance.balanced ? 'Balanced' : 'Out of balance'}
            </Badge>
          </span>
        )}
      </div>
      {needsProof.value && (
        <ProofNeeded onAsk={model.openBooks}>
          {balance
            ? 'What stands here is not renewed until you show a second factor.'
            : 'The books open once you have shown a second factor today.'}
        </ProofNeeded>
      )}
      {!balance && fault.value && !needsProof.value && <Fault text={fault.value} onRetry={load} />}
      {!balance && !fault.value && <Skeleton height="220px" />}
      {balance && <Books balance={balance} />}
    </section>
  );
}

function OperationsContent() {
  const { api, clock, toasts, stepUp } = useApp();
  const model = useLife(() => createOperations({ api, clock, toasts, stepUp }), 'operations');
  return (
    <Page
      name="operations"
      title="Operations"
      lead="What is on air, and whether the books balance."
    >
      <div class="ops-grid">
        <section class="card" aria-labelledby="ops-live-title">
          <h2 id="ops-live-title">On air</h2>
          <Streams model={model} />
        </section>
        <TrialBalanceCard model={model} />
      </div>
    </Page>
  );
}

export function OperationsPage() {
  return (
    <MembersOnly why="This page is for staff.">
      {(user) =>
        user.role === 'admin' ? (
          <OperationsContent />
        ) : (
          <Gate
            title="This page is for staff"
            action={
              <ButtonLink look="primary" href="/">
                See who is live
              </ButtonLink>
            }
          >
            There is nothing to do for you here.
          </Gate>
        )
      }
    </MembersOnly>
  );
}
