// E-mail addresses: showing that a mailbox is one's own, and moving to another one.
import { Hono } from 'hono';
import { LinkBody } from '#contract';
import { askVerification, findAccount, verifyEmail } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireOwnOrigin } from '../services/access.ts';
import { verifyLink } from '../services/mail-links.ts';
import { operation } from '../services/operation.ts';
import { limits } from '../services/rate-limit.ts';
import { sha256 } from '../services/secrets.ts';
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
        access: 'take-part',
        limit: limits.verifyEmail,
      }),
      async (c) => {
        const { userId } = c.var.identity;
        const user = await findAccount(deps.db, userId);
        if (!user) throw problem('unauthenticated');
        if (user.emailVerified) return c.body(null, 202);
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
        access: 'anyone',
        limit: limits.link,
      }),
      validate('json', LinkBody),
      async (c) => {
        await verifyEmail(deps.db, await sha256(c.req.valid('json').token));
        return c.body(null, 204);
      },
    );
}
