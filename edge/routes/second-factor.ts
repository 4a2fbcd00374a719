// Second factors: an authenticator app beside the password, recovery codes, and showing one again.
import { Hono } from 'hono';
import {
  Factors,
  NewTotp,
  PasswordBody,
  RecoveryCodes,
  SecondFactorBody,
  SecondFactorLoginBody,
  Session,
} from '#contract';
import {
  beginTotp,
  confirmTotp,
  endChallenge,
  endTotp,
  proveSession,
  readFactors,
  setRecoveryCodes,
  tryChallenge,
} from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireOwnOrigin, requireProof } from '../services/access.ts';
import { operation } from '../services/operation.ts';
import { checkOwnPassword } from '../services/own-password.ts';
import { limits } from '../services/rate-limit.ts';
import {
  challengeAttemptsMax,
  checkSecondFactor,
  contextOf,
  newRecoveryCodes,
  takeCode,
} from '../services/second-factor.ts';
import { noteSecurityChange } from '../services/security-notice.ts';
import { beginSession, presentSession } from '../services/sessions.ts';
import { newTotpSecret, totpUri } from '../services/totp.ts';
import { validate } from '../services/validate.ts';

const tag = 'Accounts';
const issuer = 'LivePanty';

export function secondFactorRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .use(requireOwnOrigin(deps))
    .get(
      '/',
      operation(deps, {
        summary: 'Which second factors I have',
        tag,
        answers: [200, Factors],
        access: 'keep-account',
      }),
      async (c) => c.json(await readFactors(deps.db, c.var.identity.userId), 200),
    )
    .post(
      '/totp',
      operation(deps, {
        summary: 'Begin with an authenticator app; it counts once it has shown a code',
        tag,
        answers: [201, NewTotp],
        problems: [
          'invalid-request',
          'password-wrong',
          'step-up-needed',
          'factor-exists',
          'account-banned',
          'account-closing',
          'untrusted-origin',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', PasswordBody),
      async (c) => {
        const { userId, username } = c.var.identity;
        await checkOwnPassword(deps, c.var.identity, c.req.valid('json').password);
        const secret = newTotpSecret();
        await beginTotp(deps.db, userId, await deps.vault.seal(secret, contextOf(userId)));
        return c.json({ secret, uri: totpUri(secret, username, issuer) }, 201);
      },
    )
    .post(
      '/totp/confirmation',
      operation(deps, {
        summary: 'Show the app’s first code; answers recovery codes, which are shown once',
        tag,
        answers: [200, RecoveryCodes.extend({ session: Session })],
        problems: [
          'invalid-request',
          'second-factor-wrong',
          'step-up-needed',
          'factor-exists',
          'not-found',
          'session-expired',
          'account-banned',
          'account-closing',
          'untrusted-origin',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', SecondFactorBody),
      async (c) => {
        const { userId, sessionId } = c.var.identity;
        const { passkeys } = await readFactors(deps.db, userId);
        if (passkeys > 0) requireProof(deps, c.var.identity, 'recent');
        if (!(await takeCode(deps, userId, c.req.valid('json').code))) {
          throw problem('second-factor-wrong');
        }
        const { recoveryCodes, hashes } = await newRecoveryCodes(deps);
        await confirmTotp(deps.db, userId, hashes);
        const session = await proveSession(deps.db, { userId, sessionId, method: 'totp' });
        noteSecurityChange(deps, c, userId, 'app-added');
        if (!session) throw problem('session-expired');
        return c.json({ recoveryCodes, session: await presentSession(deps, session) }, 200);
      },
    )
    .delete(
      '/totp',
      operation(deps, {
        summary: 'Take the authenticator app off, and its recovery codes',
        tag,
        answers: [204, null],
        problems: ['not-found', 'untrusted-origin'],
        access: 'keep-account',
        proof: 'recent',
      }),
      async (c) => {
        await endTotp(deps.db, c.var.identity.userId);
        noteSecurityChange(deps, c, c.var.identity.userId, 'app-removed');
        return c.body(null, 204);
      },
    )
    .post(
      '/recovery-codes',
      operation(deps, {
        summary: 'New recovery codes in place of all of before',
        tag,
        answers: [201, RecoveryCodes],
        problems: ['untrusted-origin'],
        access: 'keep-account',
        proof: 'recent',
      }),
      async (c) => {
        const { recoveryCodes, hashes } = await newRecoveryCodes(deps);
        await setRecoveryCodes(deps.db, c.var.identity.userId, hashes);
        noteSecurityChange(deps, c, c.var.identity.userId, 'codes-renewed');
        return c.json({ recoveryCodes }, 201);
      },
    )
    .post(
      '/proof',
      operation(deps, {
        summary: 'Show a second factor in this session',
        tag,
        answers: [200, Session],
        problems: [
          'invalid-request',
          'second-factor-wrong',
          'session-expired',
          'account-banned',
          'account-closing',
          'untrusted-origin',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', SecondFactorBody),
      async (c) => {
        const { userId, sessionId } = c.var.identity;
        const { totp } = await readFactors(deps.db, userId);
        // One that has not shown a code yet proves nothing.
        if (!totp) throw problem('second-factor-wrong');
        const method = await checkSecondFactor(deps, userId, c.req.valid('json').code);
        const session = await proveSession(deps.db, { userId, sessionId, method });
        if (!session) throw problem('session-expired');
        return c.json(await presentSession(deps, session), 200);
      },
    )
    .post(
      '/login',
      operation(deps, {
        summary: 'Log in with a second factor, after the password was right',
        tag,
        answers: [200, Session],
        problems: [
          'invalid-request',
          'second-factor-wrong',
          'session-expired',
          'account-banned',
          'account-closing',
          'untrusted-origin',
        ],
        access: 'anyone',
        limit: limits.login,
      }),
      validate('json', SecondFactorLoginBody),
      async (c) => {
        const { challengeId, code, keepAccount = false } = c.req.valid('json');
        const userId = await tryChallenge(deps.db, {
          challengeId,
          purpose: 'second-factor',
          attemptsMax: challengeAttemptsMax,
        });
        if (!userId) throw problem('session-expired');
        const method = await checkSecondFactor(deps, userId, code);
        if (!(await endChallenge(deps.db, challengeId))) throw problem('session-expired');
        if (method === 'recovery-code') noteSecurityChange(deps, c, userId, 'code-used');
        const login = { userId, methods: ['password', method], secondFactor: true, keepAccount };
        return c.json(await beginSession(deps, c, login), 200);
      },
    );
}
