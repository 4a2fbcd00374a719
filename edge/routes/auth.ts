// Accounts: register, log in, renew, log out, who am I, become a performer.
import { Hono } from 'hono';
import { LoginBody, Me, RegisterBody, Session } from '#contract';
import { becomePerformer, createUser, findUserByEmail, findUserById } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireOwnOrigin, requireUser } from '../services/access.ts';
import { isAdult } from '../services/age.ts';
import { operation } from '../services/operation.ts';
import { limitRate, limits } from '../services/rate-limit.ts';
import {
  beginSession,
  endSession,
  presentAgain,
  presentMe,
  renewSession,
} from '../services/sessions.ts';
import { validate } from '../services/validate.ts';

const tag = 'Accounts';

export function authRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .use(requireOwnOrigin(deps))
    .post(
      '/register',
      operation({
        summary: 'Register',
        tag,
        answers: [201, Session],
        problems: [
          'invalid-request',
          'under-age',
          'unknown-country',
          'email-taken',
          'username-taken',
          'rate-limited',
          'untrusted-origin',
        ],
      }),
      limitRate(deps, limits.register),
      validate('json', RegisterBody),
      async (c) => {
        const body = c.req.valid('json');
        const adult = isAdult(body.dateOfBirth, body.country, deps.now());
        if (adult === null) throw problem('unknown-country');
        if (!adult) throw problem('under-age');
        const { password, ...profile } = body;
        const user = await createUser(deps.db, {
          ...profile,
          passwordHash: await deps.passwords.hash(password),
        });
        return c.json(await beginSession(deps, c, user), 201);
      },
    )
    .post(
      '/login',
      operation({
        summary: 'Log in',
        tag,
        answers: [200, Session],
        problems: ['invalid-request', 'invalid-credentials', 'rate-limited', 'untrusted-origin'],
      }),
      limitRate(deps, limits.login),
      validate('json', LoginBody),
      async (c) => {
        const { email, password } = c.req.valid('json');
        const user = await findUserByEmail(deps.db, email);
        const right = await deps.passwords.verify(password, user?.passwordHash ?? null);
        if (!user || !right) throw problem('invalid-credentials');
        return c.json(await beginSession(deps, c, user), 200);
      },
    )
    .post(
      '/refresh',
      operation({
        summary: 'Renew the access token with the cookie',
        tag,
        answers: [200, Session],
        problems: ['session-expired', 'untrusted-origin'],
      }),
      async (c) => {
        const renewed = await renewSession(deps, c);
        const user = renewed && (await findUserById(deps.db, renewed.userId));
        if (!renewed || !user) throw problem('session-expired');
        return c.json(await renewed.present(user), 200);
      },
    )
    .post(
      '/logout',
      operation({ summary: 'Log this device out', tag, answers: [204, null] }),
      async (c) => {
        await endSession(deps, c);
        return c.body(null, 204);
      },
    )
    .get(
      '/me',
      operation({ summary: 'Who am I', tag, answers: [200, Me], access: 'user' }),
      requireUser(deps),
      async (c) => {
        const user = await findUserById(deps.db, c.var.identity.userId);
        if (!user) throw problem('unauthenticated');
        return c.json(presentMe(user), 200);
      },
    )
    .post(
      '/performer',
      operation({
        summary: 'Become a performer',
        tag,
        answers: [200, Session],
        problems: ['session-expired', 'untrusted-origin'],
        access: 'user',
      }),
      requireUser(deps),
      async (c) => {
        const user = await becomePerformer(deps.db, c.var.identity);
        if (!user) throw problem('session-expired');
        return c.json(await presentAgain(deps, c, user), 200);
      },
    );
}
