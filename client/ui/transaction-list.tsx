// Rows of a wallet: what moved it, in words, with an icon for its kind.
import type { ComponentChildren } from 'preact';
import type { WalletMove, WalletTransaction } from '#contract';
import { Coin } from './coin.tsx';
import { formatCount, formatDayTime } from './format.ts';
import { AlertIcon, CheckIcon, InfoIcon } from './icons.tsx';
import { GiftIcon, GivenBackIcon, HeartIcon, LockIcon } from './money-icons.tsx';
import './transaction-list.css';

type Words = { in: (subject: string) => string; out: (subject: string) => string };

const named = (words: string, subject: string): string => (subject ? `${words} ${subject}` : words);

/** What a move was, when it brought tokens and when it took some. */
const moveWords: Record<WalletMove, Words> = {
  purchase: {
    in: (name) => (name ? `Bought: ${name}` : 'Bought tokens'),
    out: () => 'A purchase was taken back',
  },
  tip: {
    in: () => 'A tip came back',
    out: (name) => named('Tip to', name || 'a performer'),
  },
  hold: {
    in: (name) => (name ? `Back from a show with ${name}` : 'Back from a private show'),
    out: (name) => (name ? `Set aside for a show with ${name}` : 'Set aside for a private show'),
  },
  goal: {
    in: () => 'Back from a goal that was not reached',
    out: (name) => (name ? `For a goal of ${name}` : 'For a goal'),
  },
  refund: {
    in: () => 'Back: not refunded',
    out: () => 'Given back for a refund',
  },
  dispute: {
    in: () => 'Free again: the dispute is over',
    out: () => 'Held: your bank disputes the payment',
  },
  promotion: { in: () => 'A gift from LivePanty', out: () => 'A gift has run out' },
  other: { in: () => 'A correction', out: () => 'A correction' },
};

export const moveNames: Record<WalletMove, string> = {
  purchase: 'Purchases',
  tip: 'Tips',
  hold: 'Private shows',
  goal: 'Goals',
  refund: 'Refunds',
  dispute: 'Disputes',
  promotion: 'Gifts',
  other: 'Corrections',
};

const moveIcons: Record<WalletMove, typeof CheckIcon> = {
  purchase: CheckIcon,
  tip: HeartIcon,
  hold: LockIcon,
  goal: HeartIcon,
  refund: GivenBackIcon,
  dispute: AlertIcon,
  promotion: GiftIcon,
  other: InfoIcon,
};

type RowProps = { transaction: WalletTransaction; end?: ComponentChildren };

export function TransactionRow({ transaction, end }: RowProps) {
  const { kind, amountTokens, at, subject } = transaction;
  const into = amountTokens >= 0;
  const Icon = moveIcons[kind];
  return (
    <li class="transaction" data-testid="transaction" data-kind={kind}>
      <span class={`transaction-icon ${into ? 'into' : `of-${kind}`}`} aria-hidden="true">
        <Icon size={19} />
      </span>
      <span class="transaction-words">
        <b>{moveWords[kind][into ? 'in' : 'out'](subject)}</b>
        <time class="faint" dateTime={at}>
          {formatDayTime(at)}
        </time>
      </span>
      {end && <span class="transaction-end">{end}</span>}
      <span class={into ? 'transaction-amount figure into' : 'transaction-amount figure'}>
        <span>
          {into ? '+' : '−'}
          {formatCount(Math.abs(amountTokens))}
        </span>
        <Coin size={16} />
        <span class="sr-only"> tokens</span>
      </span>
    </li>
  );
}
