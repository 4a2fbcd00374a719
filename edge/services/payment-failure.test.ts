import { expect, test } from 'vitest';
import { paymentFailureOf } from './payment-failure.ts';

test.each([
  ['payment_failed', 'declined'],
  ['payment_cancelled', 'cancelled'],
  ['payment_timed_out', 'timed-out'],
  ['insufficient_funds', 'insufficient-funds'],
  ['transaction_daily_limit_exceeded', 'limit-exceeded'],
  ['incorrect_otp', 'wrong-details'],
  ['debit_instrument_blocked', 'not-usable'],
  ['bank_technical_error', 'bank-unavailable'],
  ['something_new', 'unknown'],
  ['toString', 'unknown'],
  [null, 'unknown'],
])('the gateway’s %s is %s', (reason, failure) => {
  expect(paymentFailureOf(reason)).toBe(failure);
});
