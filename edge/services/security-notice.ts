// Notices of security: a mail to whoever's ways of logging in, or keys to go live, have changed.
import type { Context } from 'hono';
import { findAccount } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { type SecurityChange, securityMail } from './mail-texts.ts';

const pages: Partial<Record<SecurityChange, string>> = {
  'stream-key-made': '/studio',
  'stream-key-rotated': '/studio',
};

/** Writes behind the answer to somebody whose account's security has changed. */
export function noteSecurityChange(
  deps: Deps,
  c: Context<AppEnv>,
  userId: string,
  change: SecurityChange,
): void {
  const tell = async () => {
    const user = await findAccount(deps.db, userId);
    if (!user) return;
    const link = `${deps.config.APP_ORIGIN}${pages[change] ?? '/settings/security'}`;
    const mail = securityMail({ username: user.username, link, change, at: deps.now() });
    await deps.mailer.queue('second-factor', user.email, mail, c.env.defer);
  };
  c.env.defer(tell());
}
