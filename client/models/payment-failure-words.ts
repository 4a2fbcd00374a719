// What became of a payment that came to nothing, and what can be done now.
import type { OrderStatus, PaymentFailure } from '#contract';

const words: Record<PaymentFailure, string> = {
  declined: 'Your bank has declined the payment. Try another card or app, or ask your bank why.',
  cancelled: 'The payment was cancelled. You can try again.',
  'timed-out': 'The payment was not approved in time. Try again, and approve it soon after.',
  'insufficient-funds': 'There was not enough money in the account. Try another one.',
  'limit-exceeded':
    'This is more than your bank lets you pay like this. Try another way to pay, or tomorrow.',
  'wrong-details': 'A PIN, code or card detail was not right. Try again.',
  'not-usable': 'This card or account cannot be used for it. Try another one.',
  'bank-unavailable':
    'Your bank could not be reached. Try again in a few minutes, or pay another way.',
  unknown: 'The payment did not go through. Try again, or pay another way.',
};

const late =
  'If money has left your account, do not pay again: it becomes tokens by itself, or comes back.';

/** Null of an order that may be paid at any moment, or is. */
export function endOfOrder({ state, failure }: OrderStatus): string | null {
  if (state === 'expired') return `The time to pay is over. ${late}`;
  if (state !== 'failed') return null;
  const reason = failure?.reason ?? 'unknown';
  const isSure = reason !== 'timed-out' && reason !== 'bank-unavailable' && reason !== 'unknown';
  return isSure ? words[reason] : `${words[reason]} ${late}`;
}
