// Accounts: register, log in, renew, log out, who am I, become a performer.
import { Hono } from 'hono';
import { LinkBody, LoginBody, Me, RegisterBody, Session } from '#contract';
import {
  becomePerformer,
  beginChallenge,
  findAccount,
  findLogin,
  keepAccount,
  readAdultYears,
  registerUser,
  useLoginLink,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireOwnOrigin } from '../services/access.ts';
import { isAdult } from '../services/age.ts';
import { deviceHash } from '../services/known-device.ts';
import { countLogin } from '../services/login-throttle.ts';
import { verifyLink } from '../services/mail-links.ts';
import { operation } from '../services/operation.ts';
import { checkNewPassword } from '../services/password-policy.ts';
import { limits } from '../services/rate-limit.ts';
import { challengeTtlSeconds } from '../services/second-factor.ts';
import { sha256 } from '../services/secrets.ts';
import { beginSession, endSession, presentSession, renewSession } from '../services/sessions.ts';
import { checkUsername } from '../services/username-policy.ts';
import { validate } from '../services/validate.ts';

const tag = 'Accounts';

export function authRoutes(deps: Deps) {
  /** Throws `second-factor-needed` where what was shown so far logs nobody in. */
  async function askSecondFactor(known: { userId: string; hasSecondFactor: boolean }) {
    if (!known.hasSecondFactor) return;
    const challengeId = await beginChallenge(deps.db, {
      userId: known.userId,
      purpose: 'second-factor',
      ttlSeconds: challengeTtlSeconds,
    });
    throw problem('second-factor-needed', { challengeId });
  }

  return new Hono<AppEnv>()
    .use(requireOwnOrigin(deps))
    .post(
      '/register',
      operation(deps, {
        summary: 'Register',
        tag,
        answers: [201, Session],
        problems: [
          'invalid-request',
          'under-age',
          'unknown-country',
          'email-taken',
          'username-taken',
          'username-reserved',
          'password-common',
          'untrusted-origin',
        ],
        access: 'anyone',
        limit: limits.register,
      }),
      validate('json', RegisterBody),
      async (c) => {
        const body = c.req.valid('json');
        const years = await readAdultYears(deps.db, body.country);
        const adult = isAdult(body.dateOfBirth, body.country, deps.now(), years);
        if (adult === null) throw problem('unknown-country');
        if (!adult) throw problem('under-age', { adultYears: years });
        const { password, ...profile } = body;
        checkUsername(body.username);
        await checkNewPassword(password, body);
        const passwordHash = await deps.passwords.hash(password);
        const link = await verifyLink(deps, profile);
        const { id: userId } = await registerUser(deps.db, { ...profile, passwordHash }, link);
        c.env.defer(deps.mailer.attempt(link.mail));
        const login = { userId, methods: ['password'], secondFactor: false };
        return c.json(await beginSession(deps, c, login), 201);
      },
    )
    .post(
      '/login',
      operation(deps, {
        summary: 'Log in',
        tag,
        answers: [200, Session],
        problems: [
          'invalid-request',
          'invalid-credentials',
          'second-factor-needed',
          'login-confirmation-needed',
          'account-banned',
          'account-closing',
          'busy',
          'untrusted-origin',
        ],
        access: 'anyone',
        limit: limits.login,
      }),
      validate('json', LoginBody),
      async (c) => {
        const { email, password, keepAccount: isKept = false } = c.req.valid('json');
        const device = await deviceHash(deps, c);
        const known = await findLogin(deps.db, email, device);
        await countLogin(deps, c, email, known, device);
        const right = await deps.passwords.verify(password, known?.passwordHash ?? null);
        if (!known || !right) throw problem('invalid-credentials');
        // Whoever wants it back says so and comes again: no code of theirs is used up before that.
        if (known.eraseAt && !isKept) {
          throw problem('account-closing', { eraseAt: known.eraseAt });
        }
        await askSecondFactor(known);
        const { userId, passwordHash } = known;
        const login = { userId, methods: ['password'], secondFactor: false, passwordHash };
        return c.json(await beginSession(deps, c, { ...login, keepAccount: isKept }), 200);
      },
    )
    .post(
      '/login-link',
      operation(deps, {
        summary: 'Log in by a mailed link, where too many have guessed at the password',
        tag,
        answers: [200, Session],
        problems: [
          'invalid-request',
          'link-over',
          'second-factor-needed',
          'account-banned',
          'account-closing',
          'untrusted-origin',
        ],
        access: 'anyone',
        limit: limits.link,
      }),
      validate('json', LinkBody),
      async (c) => {
        const known = await useLoginLink(deps.db, await sha256(c.req.valid('json').token));
        await askSecondFactor(known);
        const login = { userId: known.userId, methods: ['mail'], secondFactor: false };
        return c.json(await beginSession(deps, c, login), 200);
      },
    )
    .post(
      '/keep-account',
      operation(deps, {
        summary: 'Have a closed account back, by the link that was mailed when it was closed',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'link-over', 'untrusted-origin'],
        access: 'anyone',
        limit: limits.link,
      }),
      validate('json', LinkBody),
      async (c) => {
        await keepAccount(deps.db, await sha256(c.req.valid('json').token));
        return c.body(null, 204);
      },
    )
    .post(
      '/refresh',
      operation(deps, {
        summary: 'Renew the access token with the cookie',
        tag,
        answers: [200, Session],
        problems: ['session-expired', 'session-renewed', 'untrusted-origin'],
        access: 'anyone',
        limit: limits.refresh,
      }),
      async (c) => c.json(await renewSession(deps, c), 200),
    )
    .post(
      '/logout',
      operation(deps, {
        summary: 'Log this device out, by its cookie or its access token',
        tag,
        answers: [204, null],
        problems: ['untrusted-origin'],
        access: 'visitor',
      }),
      async (c) => {
        await endSession(deps, c);
        return c.body(null, 204);
      },
    )
    .get(
      '/me',
      operation(deps, { summary: 'Who am I', tag, answers: [200, Me], access: 'keep-account' }),
      async (c) => {
        const user = await findAccount(deps.db, c.var.identity.userId);
        if (!user) throw problem('unauthenticated');
        return c.json(user, 200);
      },
    )
    .post(
      '/performer',
      operation(deps, {
        summary: 'Become a performer',
        tag,
        answers: [200, Session],
        problems: ['session-expired', 'account-banned', 'account-closing', 'untrusted-origin'],
        access: 'keep-account',
      }),
      async (c) => {
        const session = await becomePerformer(deps.db, c.var.identity);
        if (!session) throw problem('session-expired');
        return c.json(await presentSession(deps, session), 200);
      },
    );
}
