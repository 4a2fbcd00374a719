// Where a performer's earnings are: waiting, available, held, on their way, or paid; and all of them together.
import type { ComponentChildren } from 'preact';
import type { Earnings } from '#contract';
import { formatCount, formatDayTime, formatRupees } from './format.ts';
import { LiveFigure } from './live-figure.tsx';
import './earnings-split.css';

type Part = {
  name: 'available' | 'pending' | 'held' | 'moving' | 'paid';
  label: string;
  paise: number;
  note?: ComponentChildren;
};

const hoursPerDay = 24;

/** 168 as "7 days", 36 as "36 hours". */
function waitOf(hours: number): string {
  if (hours % hoursPerDay !== 0) return `${hours} hours`;
  const days = hours / hoursPerDay;
  return days === 1 ? '1 day' : `${days} days`;
}

function partsOf(earnings: Earnings): Part[] {
  const { nextReleaseAt, holdHours } = earnings;
  return [
    { name: 'available', label: 'Available', paise: earnings.availablePaise },
    {
      name: 'pending',
      label: 'Pending',
      paise: earnings.pendingPaise,
      note: nextReleaseAt ? (
        <>
          Each tip waits {waitOf(holdHours)}. The next one is available from{' '}
          <time dateTime={nextReleaseAt}>{formatDayTime(nextReleaseAt)}</time>.
        </>
      ) : (
        `Each tip waits ${waitOf(holdHours)}, then it is available.`
      ),
    },
    ...(earnings.heldPaise > 0
      ? [
          {
            name: 'held' as const,
            label: 'Held',
            paise: earnings.heldPaise,
            note: 'A bank disputes the payment that these tips were made with. It is yours again if the dispute is won.',
          },
        ]
      : []),
    {
      name: 'moving',
      label: 'On its way',
      paise: earnings.payoutPendingPaise,
      ...(earnings.payoutPendingPaise > 0 && { note: 'Asked for, and not at your bank yet.' }),
    },
    { name: 'paid', label: 'Paid out', paise: earnings.paidPaise, note: 'With the tax kept back.' },
  ];
}

export function EarningsSplit({ earnings }: { earnings: Earnings }) {
  const parts = partsOf(earnings);
  const { earnedPaise, tips, tokensReceived, feePolicy } = earnings;
  const drawn = parts.filter(({ paise }) => paise > 0);
  return (
    <section class="card earnings-split" aria-labelledby="split-title">
      <div>
        <h2 id="split-title">Earned in all</h2>
        <p class="earnings-all figure" data-testid="earned-in-all" data-paise={earnedPaise}>
          <LiveFigure value={earnedPaise} format={formatRupees} />
        </p>
        <p class="faint figure">
          {formatCount(tips)} {tips === 1 ? 'tip' : 'tips'} of {formatCount(tokensReceived)} tokens;{' '}
          {formatRupees(feePolicy.payoutPaisePerToken)} a token now
        </p>
      </div>
      {drawn.length > 0 && (
        <div class="split-bar" aria-hidden="true">
          {drawn.map(({ name, paise }) => (
            <span key={name} class={name} style={{ flexGrow: String(paise) }} />
          ))}
        </div>
      )}
      <dl class="split-parts">
        {parts.map(({ name, label, paise, note }) => (
          <div key={name}>
            <dt>
              <i class={name} aria-hidden="true" /> {label}
            </dt>
            <dd class="figure" data-testid={`earnings-${name}`} data-paise={paise}>
              <LiveFigure value={paise} format={formatRupees} />
            </dd>
            {note && <dd class="split-note faint">{note}</dd>}
          </div>
        ))}
      </dl>
    </section>
  );
}
