// Passwords: choosing a new one, with the present one or by a mailed link.
import { Hono } from 'hono';
import { ChangePasswordBody, EmailBody, ResetPasswordBody } from '#contract';
import { changePassword, findLinkOwner, resetPassword } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireOwnOrigin } from '../services/access.ts';
import { mailLinkTo } from '../services/mail-links.ts';
import { passwordChangedMail } from '../services/mail-texts.ts';
import { operation } from '../services/operation.ts';
import { checkOwnPassword } from '../services/own-password.ts';
import { checkNewPassword } from '../services/password-policy.ts';
import { limits } from '../services/rate-limit.ts';
import { sha256 } from '../services/secrets.ts';
import { tellRevoked } from '../services/sessions.ts';
import { validate } from '../services/validate.ts';

const tag = 'Accounts';

export function passwordRoutes(deps: Deps) {
  /** Tells somebody that their password is another one now. */
  const sealNotice = ({ email, username }: { email: string; username: string }) => {
    const link = `${deps.config.APP_ORIGIN}/forgot-password`;
    const content = passwordChangedMail({ username, link, at: deps.now() });
    return deps.mailer.seal('password-changed', email, content);
  };

  return new Hono<AppEnv>()
    .use(requireOwnOrigin(deps))
    .post(
      '/',
      operation(deps, {
        summary: 'Choose another password; all other devices are logged out',
        tag,
        answers: [204, null],
        problems: [
          'invalid-request',
          'password-wrong',
          'password-common',
          'step-up-needed',
          'busy',
          'untrusted-origin',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', ChangePasswordBody),
      async (c) => {
        const { currentPassword, newPassword } = c.req.valid('json');
        const { userId, sessionId } = c.var.identity;
        const own = await checkOwnPassword(deps, c.var.identity, currentPassword);
        await checkNewPassword(newPassword, own);
        const mail = await sealNotice(own);
        const revoked = await changePassword(deps.db, {
          userId,
          sessionId,
          oldHash: own.passwordHash,
          newHash: await deps.passwords.hash(newPassword),
          mail,
        });
        c.env.defer(deps.mailer.attempt(mail));
        await tellRevoked(deps, c, revoked);
        return c.body(null, 204);
      },
    )
    .post(
      '/reset',
      operation(deps, {
        summary: 'Ask for a link to choose a new password; the answer is the same for everybody',
        tag,
        answers: [202, null],
        problems: ['invalid-request', 'untrusted-origin'],
        access: 'anyone',
        limit: limits.askLink,
      }),
      validate('json', EmailBody),
      async (c) => {
        c.env.defer(mailLinkTo(deps, c.req.valid('json').email, 'reset'));
        return c.body(null, 202);
      },
    )
    .post(
      '/reset/confirmation',
      operation(deps, {
        summary:
          'Choose a new password by a mailed link; all devices are logged out, and nobody in',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'link-over', 'password-common', 'busy', 'untrusted-origin'],
        access: 'anyone',
        limit: limits.link,
      }),
      validate('json', ResetPasswordBody),
      async (c) => {
        const { token, password } = c.req.valid('json');
        const hash = await sha256(token);
        const owner = await findLinkOwner(deps.db, hash, 'reset');
        if (!owner) throw problem('link-over');
        await checkNewPassword(password, owner);
        const passwordHash = await deps.passwords.hash(password);
        const mail = await sealNotice(owner);
        const revoked = await resetPassword(deps.db, { hash, passwordHash, mail });
        c.env.defer(deps.mailer.attempt(mail));
        await tellRevoked(deps, c, revoked);
        return c.body(null, 204);
      },
    );
}
