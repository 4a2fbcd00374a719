// Mailed links: each works once, for a while, for one purpose, and until the next of its kind.
import { type LinkPurpose, linkPages } from '#contract';
import { askLink, findReceiver, type KeptLink } from '#db';
import type { Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import type { Quota } from './limiter.ts';
import type { MailContent, MailKind } from './mail.ts';
import {
  accountClosingMail,
  changedMail,
  changeMail,
  loginMail,
  resetMail,
  verifyMail,
} from './mail-texts.ts';
import { randomToken, sha256 } from './secrets.ts';

const hourSeconds = 3600;

const minuteSeconds = 60;
const daySeconds = 24 * hourSeconds;

const verifyLinkHours = 24;
const changeLinkHours = 24;
const resetLinkMinutes = 30;
const loginLinkMinutes = 15;
const undoLinkDays = 7;

/** So many mails go to one address that nobody has logged in to ask for; more are asked for in vain. */
const mailsToAddress = { requestsMax: 3, windowSeconds: hourSeconds };
/** And so many to be confirmed, by all accounts together that claim it. */
const mailsToConfirm = { requestsMax: 8, windowSeconds: hourSeconds };
/** Stands in for whoever is not there. */
const nobody = { userId: '00000000-0000-0000-0000-000000000000', username: 'nobody' };

/** Whom a link is for, by name, and where it is sent. */
interface Receiver {
  email: string;
  username: string;
}

/** A new link in a mail that is sealed; an act of the database is to keep both. */
async function newLink(
  deps: Deps,
  of: { purpose: LinkPurpose; kind: MailKind; email: string; ttlSeconds: number },
  content: (link: string) => MailContent,
): Promise<KeptLink> {
  const { purpose, kind, email, ttlSeconds } = of;
  const token = randomToken();
  const link = `${deps.config.APP_ORIGIN}${linkPages[purpose]}#${token}`;
  const mail = await deps.mailer.seal(kind, email, content(link));
  return { purpose, email, hash: await sha256(token), ttlSeconds, mail };
}

/** Shows that a mailbox is its person's. */
export function verifyLink(deps: Deps, { email, username }: Receiver): Promise<KeptLink> {
  const hours = verifyLinkHours;
  return newLink(
    deps,
    { purpose: 'verify', kind: 'verify', email, ttlSeconds: hours * hourSeconds },
    (link) => verifyMail({ username, link, hours }),
  );
}

/** Moves an account to the address that it is sent to. */
export function changeLink(deps: Deps, { email, username }: Receiver): Promise<KeptLink> {
  const hours = changeLinkHours;
  return newLink(
    deps,
    { purpose: 'change', kind: 'change', email, ttlSeconds: hours * hourSeconds },
    (link) => changeMail({ username, link, hours }),
  );
}

/** Takes a change of the address back; sent to the address of before. */
export function undoLink(
  deps: Deps,
  { email, username, newEmail }: Receiver & { newEmail: string },
): Promise<KeptLink> {
  const days = undoLinkDays;
  return newLink(
    deps,
    { purpose: 'undo', kind: 'changed', email, ttlSeconds: days * daySeconds },
    (link) => changedMail({ username, link, newEmail, days }),
  );
}

/** Has a closed account back. */
export function keepLink(
  deps: Deps,
  { email, username, eraseDays }: Receiver & { eraseDays: number },
): Promise<KeptLink> {
  const ttlSeconds = eraseDays * daySeconds;
  const eraseAt = new Date(deps.now().getTime() + ttlSeconds * 1000);
  return newLink(deps, { purpose: 'keep', kind: 'account-closing', email, ttlSeconds }, (link) =>
    accountClosingMail({ username, link, eraseAt }),
  );
}

function resetLink(deps: Deps, { email, username }: Receiver): Promise<KeptLink> {
  const minutes = resetLinkMinutes;
  return newLink(
    deps,
    { purpose: 'reset', kind: 'reset', email, ttlSeconds: minutes * minuteSeconds },
    (link) => resetMail({ username, link, minutes }),
  );
}

function loginLink(deps: Deps, { email, username }: Receiver): Promise<KeptLink> {
  const minutes = loginLinkMinutes;
  return newLink(
    deps,
    { purpose: 'login', kind: 'login', email, ttlSeconds: minutes * minuteSeconds },
    (link) => loginMail({ username, link, minutes }),
  );
}

/** Whether one more mail may go to an address, whoever has asked for those before. */
async function mayMailTo(deps: Deps, email: string, purpose: string, quota: Quota) {
  const address = await deps.vault.keyedHash(email, 'login');
  const [taken] = await deps.limiter.take([{ key: `mail-link:${purpose}:${address}`, quota }]);
  return taken ?? { isAllowed: true, retryAfterMs: 0 };
}

/** Refuses `rate-limited` where an address, which may be anybody's, is written to too often. */
export async function countMailTo(deps: Deps, email: string): Promise<void> {
  const { isAllowed, retryAfterMs } = await mayMailTo(deps, email, 'confirm', mailsToConfirm);
  if (isAllowed) return;
  throw problem('rate-limited', { retryAfterSeconds: Math.ceil(retryAfterMs / 1000) });
}

/**
 * Mails a link to an address that nobody has logged in to, if it is somebody's. To be deferred: whoever asks must not
 * learn from the answer whether it is, and the same is done either way but for the mail that leaves.
 */
export async function mailLinkTo(
  deps: Deps,
  email: string,
  purpose: 'reset' | 'login',
): Promise<void> {
  const { isAllowed } = await mayMailTo(deps, email, purpose, mailsToAddress);
  if (!isAllowed) return;
  const { userId, username } = (await findReceiver(deps.db, email)) ?? nobody;
  const linkOf = purpose === 'reset' ? resetLink : loginLink;
  const link = await linkOf(deps, { email, username });
  if (await askLink(deps.db, userId, link)) await deps.mailer.attempt(link.mail);
}
