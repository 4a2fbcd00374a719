// The passkeys of an account: which there are, making one, naming them and removing them.
import { signal } from '@preact/signals';
import type { z } from 'zod';
import { type Factors, type Passkey, PasskeyNameBody, PasswordBody, type Session } from '#contract';
import { createAct } from './act.ts';
import { hasCode, ToldError } from './api-error.ts';
import { createForm, readBy } from './form.ts';
import { createLoaded, type Loaded } from './load.ts';
import { PasskeyCancelled, type Passkeys, passkeyWordsOf } from './passkeys.ts';
import type { SecurityApi } from './security-api.ts';

export type PasskeyListDeps = {
  security: Pick<
    SecurityApi,
    'passkeys' | 'askForNewPasskey' | 'addPasskey' | 'renamePasskey' | 'removePasskey'
  >;
  passkeys: Passkeys;
  factors: Pick<Loaded<z.infer<typeof Factors>>, 'load'>;
  accept: (session: Session) => void;
  /** What this device calls itself; empty when it says nothing. */
  deviceName: () => string;
};

const NewPasskey = PasswordBody.extend(PasskeyNameBody.shape);
const nameWords = 'From 1 to 60 characters.';

export function createPasskeyList(deps: PasskeyListDeps) {
  const { security, passkeys, factors, accept } = deps;
  const list = createLoaded<Passkey[]>(async () => (await security.passkeys()).passkeys);
  const isAdding = signal(false);
  /** The one whose name is being changed. */
  const renaming = signal<string | null>(null);

  async function make(password: string, name: string): Promise<void> {
    const { challengeId, options } = await security.askForNewPasskey(password);
    if (!isAdding.peek()) throw new PasskeyCancelled('No passkey was made.');
    const credential = await passkeys.make(options);
    const { session } = await security.addPasskey({ challengeId, name, credential });
    accept(session);
  }

  const adding = createForm({
    initial: { password: '', name: '' },
    read: (typed) => readBy(NewPasskey, typed),
    words: { password: 'Enter your password.', name: nameWords },
    fieldOfCode: { 'password-wrong': 'password' },
    keepBlanks: 'password',
    async send({ password, name }) {
      try {
        await make(password, name);
      } catch (error) {
        throw hasCode(error, 'session-expired') ? new ToldError(passkeyWordsOf(error)) : error;
      }
      closeAdding();
      await Promise.all([list.load(), factors.load()]);
    },
  });

  function closeAdding(): void {
    isAdding.value = false;
    adding.clear();
  }

  const naming = createForm({
    initial: { name: '' },
    read: (typed) => readBy(PasskeyNameBody, typed),
    words: { name: nameWords },
    async send({ name }) {
      const id = renaming.peek();
      if (id === null) return;
      const named = await security.renamePasskey(id, name);
      const all = list.value.peek() ?? [];
      list.value.value = all.map((one) => (one.id === id ? named : one));
      renaming.value = null;
    },
  });

  return {
    list,
    isSupported: passkeys.isSupported,
    isAdding,
    adding,
    renaming,
    naming,
    open(): void {
      closeAdding();
      adding.typed.name.value = deps.deviceName() || 'My passkey';
      isAdding.value = true;
    },
    closeAdding(): void {
      passkeys.cancel();
      closeAdding();
    },
    rename({ id, name }: Pick<Passkey, 'id' | 'name'>): void {
      naming.clear();
      naming.typed.name.value = name;
      renaming.value = id;
    },
    removal: createAct(async (id: string) => {
      await security.removePasskey(id);
      await Promise.all([list.load(), factors.load()]);
    }),
    close: (): void => passkeys.cancel(),
  };
}
export type PasskeyListModel = ReturnType<typeof createPasskeyList>;
