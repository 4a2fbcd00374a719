// Passkeys: making, naming and removing them, logging in with one, and showing one again.
import { Hono } from 'hono';
import { z } from 'zod';
import {
  CredentialId,
  NewPasskeyBody,
  Passkey,
  PasskeyAnswerBody,
  PasskeyList,
  PasskeyNameBody,
  PasskeyQuestion,
  PasswordBody,
  passkeysMax,
  Session,
} from '#contract';
import { addPasskey, listPasskeys, proveSession, removePasskey, renamePasskey } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireOwnOrigin } from '../services/access.ts';
import { operation } from '../services/operation.ts';
import { checkOwnPassword } from '../services/own-password.ts';
import {
  askForNewPasskey,
  askForPasskey,
  checkNewPasskey,
  checkPasskey,
  presentPasskey,
} from '../services/passkeys.ts';
import { limits } from '../services/rate-limit.ts';
import { fromBase64 } from '../services/secrets.ts';
import { noteSecurityChange } from '../services/security-notice.ts';
import { beginSession, presentSession } from '../services/sessions.ts';
import { validate } from '../services/validate.ts';

const tag = 'Accounts';
const Params = z.object({ id: CredentialId });

export function passkeyRoutes(deps: Deps) {
  return new Hono<AppEnv>()
    .use(requireOwnOrigin(deps))
    .get(
      '/',
      operation(deps, {
        summary: 'My passkeys, the oldest first',
        tag,
        answers: [200, PasskeyList],
        access: 'keep-account',
      }),
      async (c) => {
        const keys = await listPasskeys(deps.db, c.var.identity.userId);
        return c.json({ passkeys: keys.map(presentPasskey) }, 200);
      },
    )
    .post(
      '/options',
      operation(deps, {
        summary: 'What the browser is to make a new passkey of',
        tag,
        answers: [201, PasskeyQuestion],
        problems: ['invalid-request', 'password-wrong', 'step-up-needed', 'untrusted-origin'],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', PasswordBody),
      async (c) => {
        const { identity } = c.var;
        await checkOwnPassword(deps, identity, c.req.valid('json').password);
        return c.json(await askForNewPasskey(deps, identity), 201);
      },
    )
    .post(
      '/',
      operation(deps, {
        summary: 'Add the passkey that the browser has made; it counts as shown in this session',
        tag,
        answers: [201, z.object({ passkey: Passkey, session: Session })],
        problems: [
          'invalid-request',
          'session-expired',
          'passkey-wrong',
          'passkey-limit',
          'factor-exists',
          'account-banned',
          'untrusted-origin',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', NewPasskeyBody),
      async (c) => {
        const { userId, sessionId } = c.var.identity;
        const made = await checkNewPasskey(deps, userId, c.req.valid('json'));
        const passkey = presentPasskey(
          await addPasskey(deps.db, { userId, sessionId }, made, passkeysMax),
        );
        const session = await proveSession(deps.db, { userId, sessionId, method: 'passkey' });
        noteSecurityChange(deps, c, userId, 'passkey-added');
        if (!session) throw problem('session-expired');
        return c.json({ passkey, session: await presentSession(deps, session) }, 201);
      },
    )
    .patch(
      '/:id',
      operation(deps, {
        summary: 'Name a passkey',
        tag,
        answers: [200, Passkey],
        problems: ['invalid-request', 'not-found', 'untrusted-origin'],
        access: 'keep-account',
      }),
      validate('param', Params),
      validate('json', PasskeyNameBody),
      async (c) => {
        const id = fromBase64(c.req.valid('param').id);
        const { name } = c.req.valid('json');
        const key = await renamePasskey(deps.db, c.var.identity.userId, id, name);
        return c.json(presentPasskey(key), 200);
      },
    )
    .delete(
      '/:id',
      operation(deps, {
        summary: 'Remove a passkey',
        tag,
        answers: [204, null],
        problems: ['invalid-request', 'not-found', 'untrusted-origin'],
        access: 'keep-account',
        proof: 'recent',
      }),
      validate('param', Params),
      async (c) => {
        const { userId } = c.var.identity;
        await removePasskey(deps.db, userId, fromBase64(c.req.valid('param').id));
        noteSecurityChange(deps, c, userId, 'passkey-removed');
        return c.body(null, 204);
      },
    )
    .post(
      '/login/options',
      operation(deps, {
        summary: 'What a passkey is to sign to log somebody in',
        tag,
        answers: [201, PasskeyQuestion],
        problems: ['untrusted-origin'],
        access: 'anyone',
        limit: limits.login,
      }),
      async (c) => c.json(await askForPasskey(deps, 'passkey-login', null), 201),
    )
    .post(
      '/login',
      operation(deps, {
        summary: 'Log in with a passkey',
        tag,
        answers: [200, Session],
        problems: [
          'invalid-request',
          'session-expired',
          'passkey-wrong',
          'account-banned',
          'account-closing',
          'untrusted-origin',
        ],
        access: 'anyone',
        limit: limits.login,
      }),
      validate('json', PasskeyAnswerBody),
      async (c) => {
        const userId = await checkPasskey(deps, 'passkey-login', null, c.req.valid('json'));
        const login = { userId, methods: ['passkey'], secondFactor: true };
        return c.json(await beginSession(deps, c, login), 200);
      },
    )
    .post(
      '/proof/options',
      operation(deps, {
        summary: 'What one of my passkeys is to sign',
        tag,
        answers: [201, PasskeyQuestion],
        problems: ['untrusted-origin'],
        access: 'keep-account',
        limit: limits.proof,
      }),
      async (c) => c.json(await askForPasskey(deps, 'step-up', c.var.identity.userId), 201),
    )
    .post(
      '/proof',
      operation(deps, {
        summary: 'Show a passkey in this session',
        tag,
        answers: [200, Session],
        problems: [
          'invalid-request',
          'session-expired',
          'passkey-wrong',
          'account-banned',
          'untrusted-origin',
        ],
        access: 'keep-account',
        limit: limits.proof,
      }),
      validate('json', PasskeyAnswerBody),
      async (c) => {
        const { userId, sessionId } = c.var.identity;
        await checkPasskey(deps, 'step-up', userId, c.req.valid('json'));
        const session = await proveSession(deps.db, { userId, sessionId, method: 'passkey' });
        if (!session) throw problem('session-expired');
        return c.json(await presentSession(deps, session), 200);
      },
    );
}
