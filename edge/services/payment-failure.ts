// Why payments fail: the gateway's many reasons as the few that a buyer can do something about.
import type { PaymentFailure } from '#contract';

/** As the gateway documents them: https://razorpay.com/docs/errors/payments/list */
const reasons: Record<Exclude<PaymentFailure, 'unknown'>, readonly string[]> = {
  declined: [
    'authorisation_declined_by_psp',
    'card_declined',
    'debit_declined',
    'payment_declined',
    'payment_failed',
    'payment_risk_check_failed',
  ],
  cancelled: ['payment_cancelled'],
  'timed-out': [
    'otp_expired',
    'payment_collect_request_expired',
    'payment_session_expired',
    'payment_timed_out',
  ],
  'insufficient-funds': ['credit_limit_exceeded', 'insufficient_funds'],
  'limit-exceeded': [
    'mcc_amount_limit_exceeded',
    'transaction_daily_count_exceeded',
    'transaction_daily_limit_exceeded',
    'transaction_frequency_limit_exceeded',
    'transaction_limit_exceeded',
  ],
  'wrong-details': [
    'authentication_failed',
    'card_number_invalid',
    'incorrect_atm_pin',
    'incorrect_card_details',
    'incorrect_card_expiry_date',
    'incorrect_cardholder_name',
    'incorrect_cvv',
    'incorrect_otp',
    'incorrect_pin',
    'invalid_otp',
    'invalid_vpa',
    'otp_attempts_exceeded',
    'pin_attempts_exceeded',
  ],
  'not-usable': [
    'bank_account_invalid',
    'card_disabled_for_online_payments',
    'card_expired',
    'card_not_enrolled',
    'card_type_invalid',
    'debit_instrument_blocked',
    'debit_instrument_inactive',
    'international_transaction_not_allowed',
    'pin_not_set',
    'psp_not_registered',
    'transaction_on_vpa_restricted',
    'user_not_eligible',
    'vpa_resolution_failed',
  ],
  'bank-unavailable': [
    'bank_cutoff_in_progress',
    'bank_not_available',
    'bank_technical_error',
    'gateway_technical_error',
    'issuer_technical_error',
    'payment_declined_due_to_high_traffic',
    'server_error',
    'upi_app_technical_error',
  ],
};

const failures = new Map(
  Object.entries(reasons).flatMap(([failure, names]) =>
    names.map((name) => [name, failure as PaymentFailure] as const),
  ),
);

/** Null, and what the gateway has made up since, is `unknown`. */
export function paymentFailureOf(reason: string | null): PaymentFailure {
  return failures.get(reason ?? '') ?? 'unknown';
}
