// Notices of security: a mail to whoever's way of logging in has changed.
import type { Context } from 'hono';
import { findAccount } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { type SecondFactorChange, secondFactorMail } from './mail-texts.ts';

/** Writes behind the answer to somebody whose account's security has changed. */
export function noteSecurityChange(
  deps: Deps,
  c: Context<AppEnv>,
  userId: string,
  change: SecondFactorChange,
): void {
  const tell = async () => {
    const user = await findAccount(deps.db, userId);
    if (!user) return;
    const link = `${deps.config.APP_ORIGIN}/settings/security`;
    const mail = secondFactorMail({ username: user.username, link, change, at: deps.now() });
    await deps.mailer.queue('second-factor', user.email, mail, c.env.defer);
  };
  c.env.defer(tell());
}
