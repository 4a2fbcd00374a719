// Second factors: checking the code of an authenticator app, or a recovery code.
import { recoveryCodesCount } from '#contract';
import { findTotp, takeTotpStep, useRecoveryCode } from '#db';
import type { Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { countAttempt } from './rate-limit.ts';
import { totpStep } from './totp.ts';

/** A challenge is answered within so long, and with so many wrong codes. */
export const challengeTtlSeconds = 300;
export const challengeAttemptsMax = 5;
const quota = { requestsMax: 10, windowSeconds: 600 };
/** Of letters and digits that nobody takes for another: 24 of them are 118 bits. */
const codeLetters = 'abcdefghjkmnpqrstuvwxyz23456789';
const codeChars = 24;

export const contextOf = (userId: string) => `totp:${userId}`;

/** Which kind of code was shown. Throws `second-factor-wrong`, and `rate-limited` after too many. */
export async function checkSecondFactor(
  deps: Deps,
  userId: string,
  code: string,
): Promise<'totp' | 'recovery-code'> {
  await countAttempt(deps, `second-factor:${userId}`, quota);
  const method = code.length === 6 ? 'totp' : 'recovery-code';
  const isRight =
    method === 'totp'
      ? await takeCode(deps, userId, code)
      : await useRecoveryCode(deps.db, userId, await recoveryHash(deps, code));
  if (!isRight) throw problem('second-factor-wrong');
  return method;
}

/** Takes a code of somebody's authenticator, confirmed or about to be; each is taken once. */
export async function takeCode(deps: Deps, userId: string, code: string): Promise<boolean> {
  const totp = await findTotp(deps.db, userId);
  if (!totp) return false;
  const secret = await deps.vault.open(totp.sealedSecret, contextOf(userId));
  const step = await totpStep(secret, code, deps.now());
  return step !== null && takeTotpStep(deps.db, userId, step);
}

const recoveryHash = (deps: Deps, code: string) => deps.vault.keyedHash(code, 'recovery-code');

/** New recovery codes, and what is kept of them. */
export async function newRecoveryCodes(
  deps: Deps,
): Promise<{ recoveryCodes: string[]; hashes: string[] }> {
  const recoveryCodes = Array.from({ length: recoveryCodesCount }, newCode);
  const hashes = await Promise.all(recoveryCodes.map((code) => recoveryHash(deps, code)));
  return { recoveryCodes, hashes };
}

function newCode(): string {
  let code = '';
  // Bytes that would favour some letters are thrown away.
  const fair = 256 - (256 % codeLetters.length);
  while (code.length < codeChars) {
    for (const byte of crypto.getRandomValues(new Uint8Array(codeChars))) {
      if (byte < fair && code.length < codeChars) code += codeLetters[byte % codeLetters.length];
    }
  }
  return code;
}
