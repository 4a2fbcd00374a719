// The API of security: second factors, passkeys and devices of whoever is logged in.
import type { z } from 'zod';
import type { NewPasskeyBody, PasskeyAnswerBody, SecondFactorBody } from '#contract';
import { bodyOf, createRoutes, type SendRequest } from './api.ts';

export function createSecurityApi(request: SendRequest) {
  const { auth } = createRoutes(request);
  const factor = auth['second-factor'];
  const { passkeys, sessions } = auth;
  return {
    factors: () => bodyOf(factor.$get()),
    beginApp: (password: string) => bodyOf(factor.totp.$post({ json: { password } })),
    confirmApp: (json: z.infer<typeof SecondFactorBody>) =>
      bodyOf(factor.totp.confirmation.$post({ json })),
    removeApp: async (): Promise<void> => void (await factor.totp.$delete()),
    renewRecoveryCodes: () => bodyOf(factor['recovery-codes'].$post()),
    prove: (json: z.infer<typeof SecondFactorBody>) => bodyOf(factor.proof.$post({ json })),

    askForProof: () => bodyOf(passkeys.proof.options.$post()),
    provePasskey: (json: z.infer<typeof PasskeyAnswerBody>) =>
      bodyOf(passkeys.proof.$post({ json })),
    passkeys: () => bodyOf(passkeys.$get()),
    askForNewPasskey: (password: string) => bodyOf(passkeys.options.$post({ json: { password } })),
    addPasskey: (json: z.infer<typeof NewPasskeyBody>) => bodyOf(passkeys.$post({ json })),
    renamePasskey: (id: string, name: string) =>
      bodyOf(passkeys[':id'].$patch({ param: { id }, json: { name } })),
    removePasskey: async (id: string): Promise<void> =>
      void (await passkeys[':id'].$delete({ param: { id } })),

    devices: () => bodyOf(sessions.$get()),
    endDevice: async (id: string): Promise<void> =>
      void (await sessions[':id'].$delete({ param: { id } })),
    endOtherDevices: async (): Promise<void> => void (await sessions.$delete()),
  };
}
export type SecurityApi = ReturnType<typeof createSecurityApi>;
