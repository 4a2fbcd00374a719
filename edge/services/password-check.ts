// The password once more, of somebody who is logged in: before they change how they log in.
import { findPasswordHash } from '#db';
import type { Deps } from '../deps.ts';
import { problem } from '../problem.ts';

/** Guessing from within a stolen session ends here; log-ins are counted apart. */
const quota = { requestsMax: 5, windowSeconds: 900 };

/** Throws `password-wrong`, and `rate-limited` after too many tries. */
export async function requirePassword(deps: Deps, userId: string, password: string): Promise<void> {
  const [taken] = await deps.limiter.take([{ key: `password:${userId}`, quota }]);
  if (taken?.isAllowed === false) {
    throw problem('rate-limited', { retryAfterSeconds: Math.ceil(taken.retryAfterMs / 1000) });
  }
  const hash = await findPasswordHash(deps.db, userId);
  if (!(await deps.passwords.verify(password, hash))) throw problem('password-wrong');
}
