// E-mail addresses: showing that a mailbox is one's own, and moving to another one.
import { Hono } from 'hono';
import { ChangeEmailBody, LinkBody } from '#contract';
import {
  askEmailChange,
  askVerification,
  changeEmail,
  findAccount,
  findLinkOwner,
  undoEmail,
  verifyEmail,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireOwnOrigin } from '../services/access.ts';
import { changeLink, countMailTo, undoLink, verifyLink } from '../services/mail-links.ts';
import { operation } from '../services/operation.ts';
import { checkOwnPassword } from '../services/own-password.ts';
import { limits } from '../services/rate-limit.ts';
import { sha256 } from '../services/secrets.ts';
import { tellRevoked } from '../services/sessions.ts';
import { validate } from '../services/validate.ts';

const tag = 'Accounts';

export function emailRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .use(requireOwnOrigin(deps))
    .post(
      '/verification-mail',
      operation(deps, {
        summary: 'Mail the link anew that shows that the mailbox is mine; the one before ends',
        tag,
        answers: [202, null],
        problems: ['untrusted-origin'],
        access: 'keep-account',
        limit: limits.verifyEmail,
      }),
      async (c) => {
        const { userId } = c.var.identity;
        const user = await findAccount(deps.db, userId);
        if (!user) throw problem('unauthenticated');
        if (user.emailVerified) return c.body(null, 202);
        await countMailTo(deps, user.email);
        const link = await verifyLink(deps, user);
        if (await askVerification(deps.db, userId, link)) {
          c.env.defer(deps.mailer.attempt(link.mail));
        }
        return c.body(null, 202);
      },
    )
    .post(
      '/verification',
      operation(deps, {
        summary: 'Show by a mailed link that the mailbox is mine',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'link-over', 'untrusted-origin'],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', LinkBody),
      async (c) => {
        const hash = await sha256(c.req.valid('json').token);
        await verifyEmail(deps.db, hash, c.var.identity.userId);
        return c.body(null, 204);
      },
    )
    .post(
      '/',
      operation(deps, {
        summary:
          'Ask for another address: it becomes mine once the link that is mailed to it is opened',
        tag,
        answers: [202, null],
        problems: [
          'invalid-request',
          'password-wrong',
          'step-up-needed',
          'email-taken',
          'email-changed-lately',
          'busy',
          'untrusted-origin',
        ],
        access: 'keep-account',
        limit: limits.changeEmail,
      }),
      validate('json', ChangeEmailBody),
      async (c) => {
        const { email, password } = c.req.valid('json');
        const { userId } = c.var.identity;
        const { username } = await checkOwnPassword(deps, c.var.identity, password);
        await countMailTo(deps, email);
        const link = await changeLink(deps, { email, username });
        await askEmailChange(deps.db, userId, link);
        c.env.defer(deps.mailer.attempt(link.mail));
        return c.body(null, 202);
      },
    )
    .post(
      '/change',
      operation(deps, {
        summary: 'Move an account to the address that the link was mailed to',
        tag,
        answers: [204, null],
        problems: [
          'invalid-request',
          'link-over',
          'email-taken',
          'email-changed-lately',
          'untrusted-origin',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', LinkBody),
      async (c) => {
        const { userId } = c.var.identity;
        const hash = await sha256(c.req.valid('json').token);
        const owner = await findLinkOwner(deps.db, hash, 'change');
        if (owner?.userId !== userId) throw problem('link-over');
        // An address that nobody has shown to be theirs may be anybody's, who must not get the account.
        const undo = owner.emailVerified
          ? await undoLink(deps, { ...owner, newEmail: owner.sentTo })
          : null;
        await changeEmail(deps.db, hash, userId, undo);
        if (undo) c.env.defer(deps.mailer.attempt(undo.mail));
        return c.body(null, 204);
      },
    )
    .post(
      '/undo',
      operation(deps, {
        summary: 'Take a change of the address back; all devices are logged out',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'link-over', 'email-taken', 'untrusted-origin'],
        access: 'anyone',
        limit: limits.link,
      }),
      validate('json', LinkBody),
      async (c) => {
        const revoked = await undoEmail(deps.db, await sha256(c.req.valid('json').token));
        await tellRevoked(deps, c, revoked);
        return c.body(null, 204);
      },
    );
}
