// The mails themselves, each as plain text and as a page: what happened, at most one link, and what to do if it was not you.
import { html, raw } from 'hono/html';
import { assert } from '#contract';
import type { MailContent } from './mail.ts';

/** The person, and the one link that the mail is about. */
interface Linked {
  username: string;
  link: string;
}

interface Letter {
  subject: string;
  /** What a list of mails shows after the subject. */
  preview: string;
  username: string;
  paragraphs: string[];
  action?: { label: string; link: string };
  /** Below the action, in small print. */
  notes: string[];
}

const ignore = (condition: string) => `If ${condition}, ignore this mail: nothing happens.`;

/** To somebody who has registered: shows that the mailbox is theirs. */
export function verifyMail(of: Linked & { hours: number }): MailContent {
  return render({
    subject: 'Confirm your e-mail address',
    preview: 'One click, and your account is complete.',
    username: of.username,
    paragraphs: [
      'Welcome to LivePanty. Confirm that this address is yours to complete your account.',
    ],
    action: { label: 'Confirm address', link: of.link },
    notes: [
      `The link works once, for ${count(of.hours, 'hour')}.`,
      ignore('you have not opened an account with us'),
    ],
  });
}

/** To somebody who has forgotten their password. */
export function resetMail(of: Linked & { minutes: number }): MailContent {
  return render({
    subject: 'Choose a new password',
    preview: 'Your link to choose a new password.',
    username: of.username,
    paragraphs: ['Somebody, hopefully you, asked for a new password for your account.'],
    action: { label: 'Choose a new password', link: of.link },
    notes: [
      `The link works once, for ${count(of.minutes, 'minute')}. Your devices are logged out when you use it.`,
      ignore('it was not you'),
    ],
  });
}

/** To the address that somebody wants to have from now on. */
export function changeMail(of: Linked & { hours: number }): MailContent {
  return render({
    subject: 'Confirm your new e-mail address',
    preview: 'Your account moves to this address once you confirm it.',
    username: of.username,
    paragraphs: [
      'You asked to use this address for your account from now on. Confirm that it is yours, and we will.',
    ],
    action: { label: 'Confirm new address', link: of.link },
    notes: [
      `The link works once, for ${count(of.hours, 'hour')}.`,
      ignore('you have not asked for this'),
    ],
  });
}

/** To the address that somebody had until now; the link takes the change back. */
export function changedMail(of: Linked & { newEmail: string; days: number }): MailContent {
  return render({
    subject: 'Your e-mail address was changed',
    preview: 'Was it not you? You can take it back.',
    username: of.username,
    paragraphs: [
      `Your account now belongs to the address ${maskEmail(of.newEmail)}. From now on we write to that one.`,
      'If it was you, all is well. If it was not, take the change back: your account returns to this address, and everybody is logged out.',
    ],
    action: { label: 'Take the change back', link: of.link },
    notes: [`The link works once, for ${count(of.days, 'day')}.`],
  });
}

/** After a change of the password; the link leads to where it can be chosen anew. */
export function passwordChangedMail(of: Linked & { at: Date }): MailContent {
  return render({
    subject: 'Your password was changed',
    preview: `On ${moment(of.at)}.`,
    username: of.username,
    paragraphs: [
      `The password of your account was changed on ${moment(of.at)}, and other devices were logged out.`,
      'If it was you, all is well. If it was not, choose a new one at once.',
    ],
    action: { label: 'Choose a new password', link: of.link },
    notes: [],
  });
}

const securityChanges = {
  'app-added':
    'An authenticator app was added to your account. We ask for its code when you log in.',
  'app-removed':
    'The authenticator app was removed from your account. We ask for its code no more.',
  'passkey-added': 'A passkey was added to your account. It logs you in without your password.',
  'passkey-removed': 'A passkey was removed from your account. It logs nobody in any more.',
  'codes-renewed':
    'Your account has new recovery codes. The ones from before do not work any more.',
  'code-used': 'Somebody logged in to your account with one of your recovery codes.',
  'stream-key-made':
    'A stream key was made for your account. Whoever has it can go live in your name.',
  'stream-key-rotated':
    'A stream key of your account has a new secret. Whoever has it can go live in your name.',
};
export type SecurityChange = keyof typeof securityChanges;

/** After a change of what opens an account, or lets somebody act for it; the link leads to where it can be looked at. */
export function securityMail(of: Linked & { change: SecurityChange; at: Date }): MailContent {
  return render({
    subject: 'The security of your account was changed',
    preview: securityChanges[of.change],
    username: of.username,
    paragraphs: [
      securityChanges[of.change],
      `It happened on ${moment(of.at)}. If it was not you, look at your account and change your password at once.`,
    ],
    action: { label: 'Look at my account', link: of.link },
    notes: [],
  });
}

/** After a log-in from a browser that has not been seen before; the link leads to their devices. */
export function newDeviceMail(of: Linked & { device: string; at: Date }): MailContent {
  const device = of.device || 'a browser that we do not know';
  return render({
    subject: 'New log-in to your account',
    preview: `From ${device}, on ${moment(of.at)}.`,
    username: of.username,
    paragraphs: [
      `Somebody logged in to your account from ${device} on ${moment(of.at)}.`,
      'If it was you, all is well. If it was not, log that device out and change your password at once.',
    ],
    action: { label: 'Look at my devices', link: of.link },
    notes: [],
  });
}

/** Logs in whoever opens the link. */
export function loginMail(of: Linked & { minutes: number }): MailContent {
  return render({
    subject: 'Your link to log in',
    preview: 'Log in without a password.',
    username: of.username,
    paragraphs: ['Here is the link that logs you in.'],
    action: { label: 'Log in', link: of.link },
    notes: [
      `It works once, for ${count(of.minutes, 'minute')}. Never pass it on: whoever opens it is you.`,
      ignore('you have not asked for it'),
    ],
  });
}

/** To somebody whose account is going to be erased; the link keeps it. */
export function accountClosingMail(of: Linked & { eraseAt: Date }): MailContent {
  return render({
    subject: 'Your account is going to be erased',
    preview: `On ${day(of.eraseAt)}, unless you keep it.`,
    username: of.username,
    paragraphs: [
      `As you asked, your account is closed, and will be erased on ${day(of.eraseAt)}. Until then you can have it back as it was.`,
    ],
    action: { label: 'Keep my account', link: of.link },
    notes: ['If it was not you, keep it, and change your password at once.'],
  });
}

/** The last mail to somebody whose account is gone. */
export function accountErasedMail(of: { username: string }): MailContent {
  return render({
    subject: 'Your account was erased',
    preview: 'This is the last mail that you get from us.',
    username: of.username,
    paragraphs: [
      'Your account and what you have told us about yourself are erased. We keep only the records of payments that the law wants us to keep, and this address no longer.',
      'This is the last mail that you get from us. Thank you for having been here.',
    ],
    notes: [],
  });
}

function count(number: number, unit: string): string {
  return `${number} ${unit}${number === 1 ? '' : 's'}`;
}

const dayFormat = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeZone: 'UTC' });
const timeFormat = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short', timeZone: 'UTC' });

const day = (at: Date) => dayFormat.format(at);
/** `5 March 2026 at 14:05 UTC` */
const moment = (at: Date) => `${day(at)} at ${timeFormat.format(at)} UTC`;

/** Enough to know one's own address by, and too little to learn somebody else's. */
function maskEmail(email: string): string {
  const [local = '', domain = ''] = email.split(/@(?=[^@]*$)/);
  return `${local.slice(0, 1)}•••@${domain}`;
}

const why = 'You get this mail because of your account at LivePanty; it cannot be answered.';

function render(letter: Letter): MailContent {
  const { action } = letter;
  assert(!action || /^https?:\/\//.test(action.link), 'a mail links to a page');
  const text = [
    `Hello ${letter.username},`,
    ...letter.paragraphs,
    ...(action ? [`${action.label}:\n${action.link}`] : []),
    ...letter.notes,
    `LivePanty\n${why}`,
  ].join('\n\n');
  return { subject: letter.subject, text: `${text}\n`, html: String(page(letter)) };
}

/** Without quotes, which would be escaped in an attribute. */
const font =
  'font-family:Inter,-apple-system,Segoe UI,Roboto,Noto Sans,Helvetica Neue,Arial,sans-serif';
const table = raw(
  'table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"',
);
const paragraphStyle = 'margin:0 0 16px;font-size:16px;line-height:1.55;color:#1d1320';
const noteStyle = 'margin:0 0 8px;font-size:14px;line-height:1.5;color:#574a5c';

/** In the colours of client/styles/tokens.css, and with the styles where every mail program reads them. */
function page(letter: Letter) {
  const { action } = letter;
  return html`${raw('<!doctype html>')}
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light"><meta name="format-detection" content="telephone=no,date=no">
<title>${letter.subject}</title></head>
<body style="margin:0;padding:0;background:#faf6f3">
<div style="display:none;max-height:0;overflow:hidden">${letter.preview}</div>
<${table} style="background:#faf6f3"><tr><td align="center" style="padding:32px 16px">
<${table} style="max-width:540px;${font};text-align:left">
<tr><td style="padding:0 4px 16px;font-size:23px;letter-spacing:-.7px;color:#1d1320">Live<b style="color:#d61d4d">Panty</b></td></tr>
<tr><td style="background:#d61d4d;background-image:linear-gradient(120deg,#ff3d6e,#f2553d 55%,#ffb02e);height:6px;border-radius:14px 14px 0 0;font-size:0;line-height:0">&nbsp;</td></tr>
<tr><td style="background:#ffffff;border:1px solid #e6dcd7;border-top:0;border-radius:0 0 14px 14px;padding:28px 28px 24px">
<h1 style="margin:0 0 18px;font-size:22px;line-height:1.25;letter-spacing:-.3px;color:#1d1320">${letter.subject}</h1>
<p style="${paragraphStyle}">Hello <b>${letter.username}</b>,</p>
${letter.paragraphs.map((paragraph) => html`<p style="${paragraphStyle}">${paragraph}</p>\n`)}
${action ? button(action) : ''}
${letter.notes.map((note) => html`<p style="${noteStyle}">${note}</p>\n`)}
</td></tr>
<tr><td style="padding:18px 4px 0;font-size:13px;line-height:1.5;color:#6f6174">${why}</td></tr>
</table>
</td></tr></table>
</body></html>
`;
}

/** The address stands below it too, for programs that show no buttons and people who trust none. */
function button({ label, link }: { label: string; link: string }) {
  return html`<p style="margin:24px 0"><a href="${link}" style="display:inline-block;padding:14px 26px;border-radius:999px;background:#d61d4d;color:#ffffff;font-size:16px;font-weight:600;text-decoration:none">${label}</a></p>
<p style="margin:0 0 20px;font-size:13px;line-height:1.5;color:#6f6174;word-break:break-all">Or open this address:<br><a href="${link}" style="color:#cf1746">${link}</a></p>`;
}
