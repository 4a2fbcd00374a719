// One's own account as a whole: closing it, and a copy of everything that is kept of oneself.
import { Hono } from 'hono';
import {
  CloseAccountBody,
  ClosedAccount,
  Closing,
  DataExport,
  Session,
  UsernameBody,
} from '#contract';
import { closeAccount, findCredentials, readClosing, renameUser } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireProof } from '../services/access.ts';
import { exportOf } from '../services/data-export.ts';
import { keepLink } from '../services/mail-links.ts';
import { operation } from '../services/operation.ts';
import { checkOwnPassword } from '../services/own-password.ts';
import { limits } from '../services/rate-limit.ts';
import { presentSession, tellRevoked } from '../services/sessions.ts';
import { checkUsername } from '../services/username-policy.ts';
import { validate } from '../services/validate.ts';

const tag = 'Accounts';

export function ownAccountRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .put(
      '/username',
      operation(deps, {
        summary: 'Be called by another name',
        tag,
        answers: [200, Session],
        problems: [
          'invalid-request',
          'username-taken',
          'username-reserved',
          'username-changed-lately',
          'session-expired',
          'account-banned',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', UsernameBody),
      async (c) => {
        const { username } = c.req.valid('json');
        const { userId, sessionId } = c.var.identity;
        checkUsername(username);
        const session = await renameUser(deps.db, { userId, sessionId, username });
        if (!session) throw problem('session-expired');
        return c.json(await presentSession(deps, session), 200);
      },
    )
    .get(
      '/closing',
      operation(deps, {
        summary: 'What I should know before I close my account',
        tag,
        answers: [200, Closing],
        access: 'keep-account',
      }),
      async (c) => c.json(await readClosing(deps.db, c.var.identity.userId), 200),
    )
    .post(
      '/closing',
      operation(deps, {
        summary: 'Close my account: all devices are logged out, and it is erased after a while',
        tag,
        answers: [200, ClosedAccount],
        problems: [
          'invalid-request',
          'password-wrong',
          'step-up-needed',
          'not-closable',
          'account-closing',
          'busy',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', CloseAccountBody),
      async (c) => {
        const { password, givenUp } = c.req.valid('json');
        const { userId } = c.var.identity;
        const own = await checkOwnPassword(deps, c.var.identity, password);
        const { eraseDays } = await readClosing(deps.db, userId);
        const link = await keepLink(deps, { ...own, eraseDays });
        const { eraseAt, revocations } = await closeAccount(deps.db, userId, givenUp, link);
        c.env.defer(deps.mailer.attempt(link.mail));
        await tellRevoked(deps, c, revocations);
        return c.json({ eraseAt }, 200);
      },
    )
    .post(
      '/export',
      operation(deps, {
        summary: 'A copy of everything that is kept of me',
        tag,
        answers: [200, DataExport],
        problems: ['step-up-needed'],
        access: 'keep-account',
        limit: limits.dataExport,
      }),
      async (c) => {
        const { userId } = c.var.identity;
        const own = await findCredentials(deps.db, userId);
        if (own?.hasSecondFactor) requireProof(deps, c.var.identity, 'recent');
        const name = `livepanty-${deps.now().toISOString().slice(0, 10)}.json`;
        c.header('content-disposition', `attachment; filename="${name}"`);
        c.header('cache-control', 'no-store');
        return c.json(await exportOf(deps, userId), 200);
      },
    );
}
