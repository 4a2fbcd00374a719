// Problems: every expected refusal has a code here, with its HTTP status and title (RFC 9457).
import { z } from 'zod';

const table = {
  'malformed-body': [400, 'The body is not valid JSON'],
  'malformed-query': [400, 'The query of this address makes no sense here'],
  'malformed-sdp': [400, 'The body is no session description (SDP)'],
  'invalid-request': [422, 'The request does not fit its schema'],
  'body-too-large': [413, 'The body is larger than this route takes'],
  'unsupported-media-type': [415, 'This type of content is not taken here'],
  'not-acceptable': [406, 'The answer would be of a type that the request does not accept'],
  'offer-refused': [422, 'What this offer holds cannot be sent or played here'],
  'missing-idempotency-key': [400, 'This request needs an Idempotency-Key header'],
  'idempotency-key-reused': [409, 'This idempotency key was used for a different request'],
  unauthenticated: [401, 'You need to log in'],
  'invalid-credentials': [401, 'E-mail or password is wrong'],
  'login-confirmation-needed': [
    403,
    'There were many attempts to log in here; use the link that we have mailed',
  ],
  'second-factor-needed': [401, 'Show a second factor to log in'],
  'second-factor-wrong': [401, 'This code is wrong, or was used'],
  'factor-exists': [409, 'There is an authenticator already'],
  'passkey-limit': [409, 'There are as many passkeys as an account may have'],
  'passkey-wrong': [401, 'This passkey is not known here, or did not sign right'],
  'step-up-needed': [403, 'Show a second factor first'],
  'session-expired': [401, 'The session has ended; log in again'],
  'session-renewed': [
    409,
    'This session was renewed a moment ago; go on with what it was renewed to',
  ],
  forbidden: [403, 'You are not allowed to do this'],
  'untrusted-origin': [403, 'The request came from a page that is not ours'],
  'not-found': [404, 'There is no such thing'],
  'method-not-allowed': [405, 'This method is not offered here'],
  'email-taken': [409, 'An account with this e-mail exists'],
  'username-taken': [409, 'This user name is taken'],
  'under-age': [403, 'You must be an adult to use this service'],
  'unknown-country': [422, 'This country code is not known'],
  'insufficient-balance': [409, 'The balance is too small'],
  'self-tip': [409, 'You cannot tip yourself'],
  'stream-not-live': [409, 'The stream is not live'],
  'stream-ended': [409, 'The stream has ended'],
  'already-published': [409, 'Somebody publishes in this stream'],
  'invalid-transition': [409, 'The stream cannot change to this state from the one it is in'],
  'precondition-failed': [412, 'It was changed meanwhile; read it again first'],
  'precondition-required': [428, 'Say with If-Match which version is meant'],
  'age-gate-needed': [403, 'Say first how old you are and where'],
  'followers-only': [403, 'This stream is for those who follow its performer'],
  'entry-needed': [403, 'This stream needs an entry'],
  'price-changed': [409, 'It costs something else by now'],
  'entries-sold': [409, 'Entries were sold for what was announced'],
  'country-blocked': [451, 'This stream cannot be watched where you are'],
  blocked: [403, 'You cannot take part here'],
  silenced: [403, 'You cannot talk here at present'],
  'too-many': [409, 'There are as many of these as there may be'],
  'picture-refused': [422, 'This is no picture that we can take'],
  'announced-limit': [409, 'As many streams are announced as one may have'],
  'stream-limit': [409, 'You have a stream open already'],
  'raid-refused': [409, 'The audience cannot be led to this stream'],
  'stage-full': [409, 'There are as many guests on the stage as there may be'],
  'stream-key-limit': [409, 'There are as many stream keys as there may be'],
  'package-unavailable': [409, 'This package is not sold any more'],
  'payment-mismatch': [409, 'The payment does not fit the order'],
  'payment-not-captured': [409, 'The payment is not captured yet'],
  'unknown-event': [422, 'This event is not known here'],
  'invalid-signature': [400, 'The signature does not fit the message'],
  'account-closing': [403, 'This account is closed, and will be erased'],
  'username-reserved': [409, 'This user name looks like one of ours'],
  'username-changed-lately': [409, 'The user name was changed lately'],
  'not-closable': [409, 'Something stands in the way of closing this account'],
  'email-unverified': [403, 'Confirm your e-mail address first'],
  'password-common': [422, 'This password is one of the first that others would try'],
  'password-wrong': [403, 'This is not your password'],
  'email-changed-lately': [409, 'The address was changed lately, and can still be changed back'],
  'link-over': [410, 'This link was used, or is too old'],
  'account-banned': [403, 'This account may not do this any more'],
  'performer-unavailable': [409, 'This performer cannot be tipped at present'],
  'spending-limit': [409, 'This is more than the limit that you have set yourself'],
  'new-account-limit': [409, 'New accounts can spend only so much a day'],
  'order-limit': [429, 'Too much was ordered in too short a time'],
  'reservation-closed': [409, 'These tokens are not held any more'],
  'goal-closed': [409, 'This goal is closed'],
  'not-refundable': [409, 'This cannot be given back'],
  'second-person-needed': [403, 'Somebody else must decide this'],
  'already-decided': [409, 'This has been decided'],
  'payout-on-hold': [409, 'Payouts are on hold until a question is settled'],
  'payout-account-missing': [409, 'Say first where to pay'],
  'payout-account-unverified': [409, 'The account to pay to is not verified'],
  'payout-details-on-hold': [
    409,
    'Bank details or the PAN were changed; payouts go on after a waiting time',
  ],
  'pan-taken': [409, 'This PAN was given by somebody else'],
  'payout-too-small': [409, 'This is less than the smallest payout'],
  'payout-too-large': [409, 'This is more than the account can be sent at once'],
  'payout-not-in-doubt': [409, 'This payout is not one whose outcome nobody knows'],
  'payout-in-doubt': [409, 'This payout may still be carried out; look again after a waiting time'],
  'payout-exists': [409, 'The gateway knows this payout'],
  'payout-mismatch': [409, 'What the gateway knows under this id is not this payout'],
  'insufficient-earnings': [409, 'This is more than is available'],
  'gateway-unavailable': [503, 'The payment gateway does not answer; try again'],
  'node-not-allowed': [422, 'No viewer may be sent to this address'],
  'media-unavailable': [503, 'No media node is free at the moment; try again'],
  'rate-limited': [429, 'Too many requests; slow down'],
  busy: [503, 'Too many ask for this at the moment; try again'],
  unavailable: [503, 'The service is not available at the moment; try again'],
  internal: [500, 'Something went wrong on our side'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemCode = keyof typeof table;

export const problemCodes = Object.keys(table) as [ProblemCode, ...ProblemCode[]];

/** The HTTP status of a problem code. */
export function problemStatus(code: ProblemCode): (typeof table)[ProblemCode][0] {
  return table[code][0];
}

/** The one-line title of a problem code. */
export function problemTitle(code: ProblemCode): string {
  return table[code][1];
}

/** The body of every refusal, `application/problem+json` (RFC 9457). */
/** Where a code is explained, relative to the API. */
export const problemType = (code: ProblemCode): string => `/docs/problems#${code}`;

export const ProblemDocument = z
  .looseObject({
    type: z.string(),
    code: z.enum(problemCodes),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    requestId: z.string().optional(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type ProblemDocument = z.infer<typeof ProblemDocument>;
