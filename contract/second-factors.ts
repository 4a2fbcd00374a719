// Second factors: what somebody shows beside their password.
import { z } from 'zod';
import { KeepAccount, PasswordAttempt } from './accounts.ts';
import { Id } from './ids.ts';

export const recoveryCodesCount = 10;

/** Six digits of an authenticator app, or a recovery code. */
export const SecondFactorCode = z
  .string()
  .trim()
  .transform((text) => text.replaceAll(/[\s-]/g, '').toLowerCase())
  .pipe(z.string().regex(/^(\d{6}|[a-z0-9]{24})$/, 'six digits, or a recovery code'));

/** Whoever changes how they log in shows their password once more. */
export const PasswordBody = z.strictObject({
  password: PasswordAttempt,
});

export const SecondFactorBody = z.strictObject({ code: SecondFactorCode });
export const SecondFactorLoginBody = z.strictObject({
  challengeId: Id,
  code: SecondFactorCode,
  keepAccount: KeepAccount,
});

/** For an authenticator app: the secret to type, or the same as an address for a QR code. */
export const NewTotp = z.object({ secret: z.string(), uri: z.string() });

/** Shown once; each works once, in place of a code of the app. */
export const RecoveryCodes = z.object({ recoveryCodes: z.array(z.string()) });

export const Factors = z.object({
  totp: z.boolean(),
  passkeys: z.int().nonnegative(),
  recoveryCodesLeft: z.int().nonnegative(),
});
