// Showing a second factor in this session: a code, or a passkey, whichever the account has.

import type { z } from 'zod';
import type { Factors, Session } from '#contract';
import { createAct } from './act.ts';
import { createCodeForm } from './code-form.ts';
import { createLoaded } from './load.ts';
import { type Passkeys, passkeyWordsOf } from './passkeys.ts';
import type { SecurityApi } from './security-api.ts';

export type ProofDeps = {
  security: Pick<SecurityApi, 'factors' | 'prove' | 'askForProof' | 'provePasskey'>;
  passkeys: Passkeys;
  /** Takes up the session in which it was shown. */
  accept: (session: Session) => void;
  onShown: () => void;
};

export function createProof({ security, passkeys, accept, onShown }: ProofDeps) {
  const factors = createLoaded<z.infer<typeof Factors>>(security.factors);
  void factors.load();

  async function show(proving: Promise<Session>): Promise<void> {
    accept(await proving);
    onShown();
  }

  return {
    factors,
    code: createCodeForm((body) => show(security.prove(body))),
    canSign: passkeys.isSupported,
    passkey: createAct(async () => {
      const { challengeId, options } = await security.askForProof();
      const credential = await passkeys.sign(options);
      await show(security.provePasskey({ challengeId, credential }));
    }, passkeyWordsOf),
    close: (): void => passkeys.cancel(),
  };
}
export type ProofModel = ReturnType<typeof createProof>;
