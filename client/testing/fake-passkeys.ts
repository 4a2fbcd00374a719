// Passkeys for tests: a browser that answers when it is told to.
import type { Passkeys } from '../models/passkeys.ts';
import { PasskeyCancelled } from '../models/passkeys.ts';

const common = {
  id: 'cred',
  rawId: 'cred',
  type: 'public-key',
  clientExtensionResults: {},
} as const;

export const signedCredential = {
  ...common,
  response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
};
export const newCredential = {
  ...common,
  response: { clientDataJSON: 'AAAA', attestationObject: 'AAAA' },
};

type Signing = PromiseWithResolvers<typeof signedCredential> & { fillIn: boolean };
type Making = PromiseWithResolvers<typeof newCredential>;

export function createFakePasskeys(has: { isSupported?: boolean; fillsIn?: boolean } = {}) {
  const signings: Signing[] = [];
  const makings: Making[] = [];
  const cancelled = () => new PasskeyCancelled('No passkey was used.');
  const cancel = (): void => {
    for (const one of [...signings, ...makings]) one.reject(cancelled());
  };
  const passkeys: Passkeys = {
    isSupported: has.isSupported ?? true,
    canFillIn: async () => has.fillsIn ?? false,
    make() {
      const making = Promise.withResolvers<typeof newCredential>();
      makings.push(making);
      return making.promise;
    },
    sign(_options, { fillIn } = { fillIn: false }) {
      // As in a browser, the newest question takes the place of those before.
      cancel();
      const signing = { ...Promise.withResolvers<typeof signedCredential>(), fillIn };
      signings.push(signing);
      return signing.promise;
    },
    cancel,
  };
  return { passkeys, signings, makings, cancelled };
}
