import { expect, test } from 'vitest';
import { type ProblemCode, problemCodes } from '#contract';
import { ApiError, isTransient, messageOf } from './api-error.ts';

const refused = (code: ProblemCode, details: Record<string, unknown> = {}, status = 409) =>
  new ApiError(code, status, { ...details, type: 'x', code, title: 'A title', status }, 'A title');

test('a limit of one’s own is named, with what is used of it and where to change it', () => {
  const ofTokens = refused('spending-limit', { period: 'day', limitTokens: 500, spentTokens: 480 });
  expect(messageOf(ofTokens)).toContain('500 tokens a day, of which 480 are used');
  expect(messageOf(ofTokens)).toContain('Limits');
  const ofRupees = refused('spending-limit', {
    period: 'month',
    limitPaise: 200_000,
    spentPaise: 0,
  });
  expect(messageOf(ofRupees)).toContain('₹2,000 a month.');
  expect(messageOf(refused('spending-limit'))).toMatch(/^This is more than the limit/);
});

test('the limits of new accounts and of orders say how much and how long', () => {
  expect(messageOf(refused('new-account-limit', { limitTokens: 5_000 }))).toContain('5,000 tokens');
  expect(messageOf(refused('new-account-limit'))).toContain('only so much');
  expect(messageOf(refused('order-limit', { openMax: 20 }, 429))).toContain('Wait an hour');
  expect(messageOf(refused('order-limit', { limitPaise: 20_000_000 }, 429))).toContain('₹2,00,000');
});

test('bans, performers who cannot be tipped, refunds and payouts are told in plain words', () => {
  expect(messageOf(refused('account-banned'))).toMatch(/may not buy, tip or be paid/);
  expect(messageOf(refused('performer-unavailable'))).toMatch(/No tokens were taken/);
  const notRefundable = (obstacle: string, unspentTokens: number) =>
    messageOf(refused('not-refundable', { obstacle, unspentTokens }));
  expect(notRefundable('spent', 30)).toContain('30 tokens');
  expect(notRefundable('spent', 0)).toContain('All tokens of this purchase are spent');
  expect(notRefundable('too-late', 30)).toBe(
    'This purchase cannot be given back: the time to give them back is over.',
  );
  expect(messageOf(refused('not-refundable'))).toBe('This purchase cannot be given back.');
  expect(messageOf(refused('payout-too-small', { minPaise: 50_000 }))).toContain('₹500');
  expect(messageOf(refused('insufficient-earnings', { availablePaise: 1_050 }))).toContain(
    '₹10.50',
  );
});

/** Told by their title, or by the detail that the edge gives with them. */
const saidByTheEdge: readonly ProblemCode[] = [
  'unauthenticated',
  'invalid-credentials',
  'session-expired',
  'session-renewed',
  'forbidden',
  'email-taken',
  'username-taken',
  'under-age',
  'unknown-country',
  'stream-not-live',
  'stream-ended',
  'media-unavailable',
  'payout-too-large',
  'already-decided',
];

/** For programs, for staff, and of acts that no page of ours has. */
const neverMet: readonly ProblemCode[] = [
  'malformed-body',
  'malformed-query',
  'body-too-large',
  'unsupported-media-type',
  'missing-idempotency-key',
  'untrusted-origin',
  'method-not-allowed',
  'invalid-transition',
  'unknown-event',
  'reservation-closed',
  'goal-closed',
  'precondition-required',
  'node-not-allowed',
  'second-person-needed',
  'payout-not-in-doubt',
  'payout-in-doubt',
  'payout-exists',
  'payout-mismatch',
  // Of encoders and players that speak HTTP.
  'malformed-sdp',
  'not-acceptable',
  'offer-refused',
  'already-published',
];

test('every refusal that somebody can meet is told in words of ours, or in those that the edge has for it', () => {
  const details = {
    limitTokens: 1,
    limitPaise: 100,
    minPaise: 100,
    availablePaise: 100,
    most: 1,
  };
  const told = problemCodes.filter((code) => messageOf(refused(code, details)) !== 'A title.');
  const others = [...saidByTheEdge, ...neverMet];
  expect([...told, ...others].toSorted()).toEqual(problemCodes.toSorted());
  const inDetail = 'Ask for less, or give a bank account.';
  expect(messageOf(refused('payout-too-large', { detail: inDetail }))).toBe(inDetail);
});

test('a refusal without words of ours is told by its title', () => {
  expect(messageOf(refused('insufficient-earnings'))).toBe('A title.');
  expect(messageOf(refused('email-taken'))).toBe('A title.');
});

test('too many orders are no reason to try again at once, too many requests are', () => {
  expect(isTransient(refused('order-limit', {}, 429))).toBe(false);
  expect(isTransient(refused('rate-limited', {}, 429))).toBe(true);
});
