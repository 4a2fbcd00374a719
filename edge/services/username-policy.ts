// The policy of user names: nobody is called what people would take for us, however it is written.
import { looksLikeStaff } from '#contract';
import { problem } from '../problem.ts';

/** Whole names, or parts of them between underscores, that sound like somebody of the staff. */
const officialWords = [
  'admin',
  'administrator',
  'moderator',
  'mod',
  'official',
  'root',
  'staff',
  'support',
  'helpdesk',
  'security',
  'system',
  'team',
  'verified',
];
/** Whole names that stand for a place or for nobody. */
const kept = [
  'abuse',
  'account',
  'anonymous',
  'api',
  'billing',
  'bot',
  'contact',
  'docs',
  'erased',
  'everyone',
  'finance',
  'guest',
  'help',
  'info',
  'legal',
  'login',
  'mail',
  'me',
  'nobody',
  'null',
  'operations',
  'payments',
  'payouts',
  'postmaster',
  'press',
  'privacy',
  'register',
  'robot',
  'settings',
  'somebody',
  'studio',
  'undefined',
  'wallet',
  'watch',
  'webmaster',
];
const ourName = 'livepanty';

/** Letters and digits that are taken for one another at a glance. */
const lookAlikes: [RegExp, string][] = [
  [/0/g, 'o'],
  [/[1l|]/g, 'i'],
  [/3/g, 'e'],
  [/4/g, 'a'],
  [/5/g, 's'],
  [/7/g, 't'],
  [/8/g, 'b'],
  [/9/g, 'g'],
  [/rn/g, 'm'],
  [/vv/g, 'w'],
];

function fold(name: string): string {
  return lookAlikes.reduce((text, [seen, meant]) => text.replace(seen, meant), name.toLowerCase());
}
const withoutLines = (name: string) => name.replaceAll('_', '');

const official = new Set(officialWords.map(fold));
const whole = new Set([...officialWords, ...kept].map(fold));

/** Throws `username-reserved` for a name that people would take for ours. */
export function checkUsername(username: string): void {
  const folded = fold(username);
  const joined = fold(withoutLines(username));
  const isReserved =
    looksLikeStaff(username) ||
    whole.has(joined) ||
    joined.includes(fold(ourName)) ||
    folded.split('_').some((part) => official.has(part) || official.has(part.replace(/s$/, '')));
  if (isReserved) throw problem('username-reserved');
}
