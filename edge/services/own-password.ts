// One's own password: shown again before an account is changed, together with a second factor where there is one.
import { type Credentials, findCredentials } from '#db';
import type { Deps, Identity } from '../deps.ts';
import { problem } from '../problem.ts';
import { requireProof } from './access.ts';
import { countAttempt } from './rate-limit.ts';

/** Whoever has got hold of a session must not find the password out by it. */
const quota = { requestsMax: 10, windowSeconds: 900 };

/** Throws `step-up-needed`, `password-wrong`, and `rate-limited` after too many. */
export async function checkOwnPassword(
  deps: Deps,
  identity: Identity,
  password: string,
): Promise<Credentials> {
  const own = await findCredentials(deps.db, identity.userId);
  if (!own) throw problem('unauthenticated');
  if (own.hasSecondFactor) requireProof(deps, identity, 'recent');
  await countAttempt(deps, `own-password:${identity.userId}`, quota);
  if (!(await deps.passwords.verify(password, own.passwordHash))) throw problem('password-wrong');
  return own;
}
