// What a refusal means for the person in front of the screen, and what can be done about it.
import { type ProblemCode, type ProblemDocument, RefundObstacle } from '#contract';
import { inRupees } from './amounts.ts';
import { obstacleWords } from './returnable-words.ts';

/** What a refusal says beside its code: numbers and names, each of which may be missing. */
type Details = Readonly<Record<string, unknown>>;
type Words = string | ((details: Details) => string | null);

const numberOf = (value: unknown): number | null => (typeof value === 'number' ? value : null);
const tokens = (count: number): string => `${count.toLocaleString('en-IN')} tokens`;

const payAgain =
  'Another attempt starts a new order, so look at your wallet before you pay once more.';

/** "500 tokens a day, of which 480 are used", from what the refusal says; null when it says nothing. */
function limitOf(details: Details): string | null {
  const period = details.period === 'month' ? 'a month' : 'a day';
  const [limitTokens, limitPaise] = [numberOf(details.limitTokens), numberOf(details.limitPaise)];
  const [spentTokens, spentPaise] = [numberOf(details.spentTokens), numberOf(details.spentPaise)];
  if (limitTokens !== null) {
    const used = spentTokens ? `, of which ${spentTokens.toLocaleString('en-IN')} are used` : '';
    return `${tokens(limitTokens)} ${period}${used}`;
  }
  if (limitPaise === null) return null;
  const used = spentPaise ? `, of which ${inRupees(spentPaise)} is used` : '';
  return `${inRupees(limitPaise)} ${period}${used}`;
}

function notRefundable(details: Details): string {
  const unspent = numberOf(details.unspentTokens);
  const obstacle = RefundObstacle.safeParse(details.obstacle).data;
  if (obstacle !== 'spent' || unspent === null) {
    return `This purchase cannot be given back${obstacle ? `: ${obstacleWords[obstacle]}` : ''}.`;
  }
  return unspent === 0
    ? 'All tokens of this purchase are spent, so none can be given back.'
    : `Only ${tokens(unspent)} of this purchase are unspent.`;
}

/** What stands in the way of closing an account. */
export const closingWords: Record<string, string> = {
  staff: 'You are one of the staff: somebody else of them takes you off first.',
  'live-stream': 'You are live. End your stream first.',
  'open-payout': 'A payout is on its way. Wait until it has arrived.',
  'open-refund': 'A refund is on its way. Wait until it has arrived.',
  'open-dispute': 'A payment of yours is disputed at your bank. Wait until that is decided.',
  'left-behind': 'What you would leave behind has changed meanwhile. Look it over once more.',
};

const words: Partial<Record<ProblemCode, Words>> = {
  'insufficient-balance': 'You do not have enough tokens for this.',
  'self-tip': 'You cannot tip your own stream.',
  'stream-limit': 'You have a stream open already. Resume it or end it first.',
  'raid-refused': 'Your viewers cannot be led to this stream. Choose another one.',
  'stage-full':
    'There are as many guests on the stage as there may be. Take somebody off it first.',
  'stream-key-limit':
    'You have as many stream keys as there may be. Delete one that you do not use.',
  'invalid-request': 'Something in it does not fit. Look it over and try again.',
  'idempotency-key-reused':
    'This was sent before with other details. Reload the page and look whether it was taken.',
  'not-found': 'This is not there any more. Reload the page to see what is.',
  unavailable: 'We cannot answer at the moment. Try again in a minute.',
  internal: 'Something went wrong on our side. Try again in a minute.',
  'rate-limited': 'That was a bit fast. Wait a moment and try again.',
  'account-banned': 'This account may not buy, tip or be paid any more.',
  'account-closing':
    'This account is closed, and will be erased. Until then you can have it back by logging in with your password.',
  'username-reserved': 'People would take this for one of ours. Choose another.',
  'username-changed-lately':
    'You have changed your name within the last month. It can be changed again after that.',
  'not-closable': ({ obstacle }) =>
    (typeof obstacle === 'string' && closingWords[obstacle]) ||
    'Something stands in the way of closing this account. Reload the page to see what.',
  'email-unverified': 'Confirm your e-mail address first: open the link that we have mailed you.',
  'password-common': ({ reason }) =>
    reason === 'name'
      ? 'Your name, your address or ours is in it. Choose one that nobody would try first.'
      : 'Many people use this one, so it is tried first. Choose another.',
  'announced-limit': 'You have announced as many streams as you may. End one of them first.',
  'password-wrong': 'This is not your password.',
  'email-changed-lately':
    'You have changed your address within the last week. It can be changed again once that cannot be taken back any more.',
  'link-over': 'This link was used, or is too old. Ask for a new one.',
  'performer-unavailable': 'This performer cannot be tipped at present. No tokens were taken.',
  'spending-limit': (details) => {
    const limit = limitOf(details);
    return `This is more than the limit you have set yourself${limit ? `: ${limit}` : ''}. You can change it in your wallet, under Limits.`;
  },
  'new-account-limit': (details) => {
    const limit = numberOf(details.limitTokens);
    const most = limit === null ? 'only so much' : `at most ${tokens(limit)}`;
    return `New accounts can spend ${most} in 24 hours. This passes by itself, soon after joining.`;
  },
  'order-limit': (details) => {
    const limit = numberOf(details.limitPaise);
    return limit === null
      ? 'You have begun many purchases without paying. Wait an hour, then try again.'
      : `Tokens can be bought for at most ${inRupees(limit)} a day. Try again tomorrow.`;
  },
  'package-unavailable': 'This package is not sold any more. Reload the page to see what is.',
  'payment-mismatch': `The payment does not fit the order. ${payAgain}`,
  'invalid-signature': `The gateway did not confirm this payment. ${payAgain}`,
  'payment-not-captured':
    'The payment is not confirmed yet. The tokens come by themselves once it is.',
  'gateway-unavailable': 'The payment gateway does not answer. Try again in a moment.',
  'not-refundable': notRefundable,
  'payout-on-hold': 'Payouts are on hold until a question about the account is settled.',
  'payout-account-missing': 'Say first where you want to be paid.',
  'payout-account-unverified': 'The account to pay to is not verified yet.',
  'payout-details-on-hold':
    'Your payment details or your PAN were changed. For your safety payouts go on after a waiting time.',
  'pan-taken': 'This PAN was given by somebody else. Look it over; if it is yours, write to us.',
  'payout-too-small': (details) => {
    const least = numberOf(details.minPaise);
    return least === null ? null : `The smallest payout is ${inRupees(least)}.`;
  },
  'login-confirmation-needed':
    'There were many attempts to log in to this account. We have mailed a link that logs you in: open it here.',
  'passkey-limit': 'Remove a passkey that you do not use any more first.',
  'passkey-wrong': 'This passkey is not known here. Use another one, or your password.',
  'second-factor-needed': 'Enter the code of your authenticator app.',
  'second-factor-wrong': 'This code is wrong, or was used. Wait for the next one.',
  'factor-exists': 'There is one already. Reload the page to see it.',
  'step-up-needed': 'This was not done: it needs a second factor first.',
  busy: 'Too many ask for this at the moment. Try again in a few seconds.',
  'age-gate-needed': 'Say first how old you are and where.',
  'followers-only': 'Only who follows this performer can take part here.',
  'entry-needed': 'This stream needs an entry.',
  'entries-sold': 'Entries were sold for what was announced, so this stays as it is.',
  'country-blocked': 'This performer does not stream to your country.',
  blocked: 'This performer has closed their streams to you.',
  'too-many': (details) => {
    const most = numberOf(details.most);
    return most === null ? null : `There can be ${most.toLocaleString('en-IN')} of these at most.`;
  },
  'picture-refused': (details) =>
    typeof details.reason === 'string'
      ? `This picture cannot be taken: ${details.reason}.`
      : 'This picture cannot be taken.',
  silenced: 'You cannot talk here at present.',
  'price-changed': 'It costs something else by now. Reload the page to see what.',
  'precondition-failed':
    'It was changed elsewhere meanwhile. Reload the page, then change it again.',
  'insufficient-earnings': (details) => {
    const available = numberOf(details.availablePaise);
    return available === null ? null : `Only ${inRupees(available)} is available now.`;
  },
};

/** One or two sentences of our own, or null where the refusal's own title says it best. */
export function wordsOfRefusal(code: ProblemCode, problem: ProblemDocument | null): string | null {
  const own = words[code];
  return typeof own === 'function' ? own(problem ?? {}) : (own ?? null);
}
