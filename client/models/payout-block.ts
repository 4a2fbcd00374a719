// What stands in the way of a payout, in plain words, and what can be done about it.
import type { PayoutOverview } from '#contract';
import { inRupees } from './amounts.ts';

/** What the person can do: fill in the account, or wait. */
export type PayoutRemedy = 'account' | null;

export type PayoutBlock = {
  /** `info` where nothing is wrong and time alone helps. */
  tone: 'info' | 'warn';
  title: string;
  text: string;
  remedy: PayoutRemedy;
  /** When it ends by itself, as an instant; null when it does not, or nobody knows. */
  until: string | null;
};

function unverified(overview: PayoutOverview): PayoutBlock {
  if (overview.account?.state === 'failed') {
    return {
      tone: 'warn',
      title: 'Your payment details did not pass the check',
      text: 'Enter them again, exactly as your bank has them. The name must be yours.',
      remedy: 'account',
      until: null,
    };
  }
  return {
    tone: 'info',
    title: 'Your payment details are being checked',
    text: 'A tiny amount is sent to see that the account is yours. It usually takes minutes. You need not do anything.',
    remedy: null,
    until: null,
  };
}

/** Null when a payout can be asked for. */
export function blockOf(overview: PayoutOverview): PayoutBlock | null {
  const still = { tone: 'warn' as const, remedy: null, until: null };
  switch (overview.blockedBy) {
    case null:
      return null;
    case 'payout-account-missing':
      return {
        tone: 'info',
        title: 'Say where to pay you',
        text: 'Add a bank account or a UPI address of yours. It is checked before the first payout.',
        remedy: 'account',
        until: null,
      };
    case 'payout-account-unverified':
      return unverified(overview);
    case 'payout-details-on-hold':
      return {
        tone: 'info',
        title: 'Your payouts wait for a while',
        text: 'Your payment details or your PAN were changed. After that nothing is paid for some days, so that nobody who gets into your account can take your money. What you earn is safe meanwhile.',
        remedy: null,
        until: overview.blockedUntil,
      };
    case 'payout-too-small':
    case 'insufficient-earnings':
      return {
        title: 'There is not enough yet',
        text: `The smallest payout is ${inRupees(overview.minPaise)}, and ${inRupees(overview.availablePaise)} is available. What is pending joins it when its waiting time is over.`,
        ...still,
        tone: 'info',
      };
    case 'payout-on-hold':
      return {
        title: 'Your payouts are on hold',
        text: 'We look into a question about your account. Your earnings stay yours, and payouts go on when it is settled. There is nothing to do here.',
        ...still,
      };
    case 'account-banned':
      return {
        title: 'This account is not paid any more',
        text: 'It was closed by us, and nothing can be asked for from here.',
        ...still,
      };
    case 'email-unverified':
      return {
        title: 'Confirm your e-mail address first',
        text: 'Open the link that we have mailed you. Your earnings stay yours until then.',
        ...still,
      };
    case 'forbidden':
      return {
        title: 'Payouts are for performers',
        text: 'Become a performer on your account page to earn and to be paid.',
        ...still,
      };
    default:
      return {
        title: 'Payouts are not possible at present',
        text: 'Try again later. Your earnings stay yours.',
        ...still,
      };
  }
}
