// The throttle of log-ins: guessing ends soon, and whoever guesses locks nobody else out.
import type { Context } from 'hono';
import type { findLogin } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { mailLinkTo } from './mail-links.ts';

const quota = { requestsMax: 10, windowSeconds: 900 };

/**
 * Counts an attempt. A browser in which the account's person has logged in before has a count of its own, which
 * strangers cannot use up; all strangers together have one for each account, whether there is such an account or not.
 * Refuses `login-confirmation-needed` when theirs is used up, and mails a link that logs in all the same, and `rate-limited` for a known browser.
 */
export async function countLogin(
  deps: Deps,
  c: Context<AppEnv>,
  email: string,
  known: Awaited<ReturnType<typeof findLogin>>,
  deviceHash: Uint8Array,
): Promise<void> {
  const isKnown = known?.isKnownDevice ?? false;
  const who = isKnown
    ? `device:${await deps.vault.keyedHash(`${known?.userId} ${deviceHash.toString()}`, 'login')}`
    : `account:${await deps.vault.keyedHash(email, 'login')}`;
  const [taken] = await deps.limiter.take([{ key: `login:${who}`, quota }]);
  if (taken?.isAllowed !== false) return;
  const retryAfterSeconds = Math.ceil(taken.retryAfterMs / 1000);
  if (!isKnown) c.env.defer(mailLinkTo(deps, email, 'login'));
  throw problem(isKnown ? 'rate-limited' : 'login-confirmation-needed', { retryAfterSeconds });
}
