// The authenticator app of an account: adding it, its recovery codes, and taking it off.
import { signal } from '@preact/signals';
import type { z } from 'zod';
import { type Factors, PasswordBody, type Session } from '#contract';
import { createAct } from './act.ts';
import { createCodeForm } from './code-form.ts';
import type { SaveFile } from './file-saver.ts';
import { createForm, readBy } from './form.ts';
import type { Loaded } from './load.ts';
import type { SecurityApi } from './security-api.ts';

export type AuthenticatorDeps = {
  security: Pick<SecurityApi, 'beginApp' | 'confirmApp' | 'removeApp' | 'renewRecoveryCodes'>;
  factors: Loaded<z.infer<typeof Factors>>;
  /** Takes up the session in which the first code was shown. */
  accept: (session: Session) => void;
  saveFile: SaveFile;
};

export type AuthenticatorStep =
  | { name: 'closed' }
  | { name: 'password' }
  | { name: 'scan'; secret: string; uri: string }
  /** Shown this once. */
  | { name: 'codes'; codes: readonly string[] };

const closed: AuthenticatorStep = { name: 'closed' };
const groupChars = 4;
const fileName = 'livepanty-recovery-codes.txt';

/** In groups, as people copy and type long codes. */
export function inGroups(text: string): string {
  return text.replace(new RegExp(`.{${groupChars}}(?=.)`, 'g'), '$&-');
}

/** One a line, with what they are for. */
export function recoveryText(codes: readonly string[]): string {
  const lines = codes.map(inGroups);
  return [
    'LivePanty recovery codes',
    'Each logs you in once, in place of a code of your authenticator app.',
    '',
    ...lines,
    '',
  ].join('\n');
}

export function createAuthenticator(deps: AuthenticatorDeps) {
  const { security, factors, accept } = deps;
  const step = signal<AuthenticatorStep>(closed);
  /** The person says that the codes are somewhere safe. */
  const areKept = signal(false);

  function showCodes(codes: readonly string[]): void {
    areKept.value = false;
    step.value = { name: 'codes', codes };
  }

  const password = createForm({
    initial: { password: '' },
    read: (typed) => readBy(PasswordBody, typed),
    words: { password: 'Enter your password.' },
    fieldOfCode: { 'password-wrong': 'password' },
    keepBlanks: 'password',
    async send({ password }) {
      const begun = await security.beginApp(password);
      // Left meanwhile: an app that has shown no code counts for nothing.
      if (step.peek().name === 'password') step.value = { name: 'scan', ...begun };
    },
  });

  const code = createCodeForm(async (body) => {
    const { recoveryCodes, session } = await security.confirmApp(body);
    accept(session);
    showCodes(recoveryCodes);
    await factors.load();
  });

  function close(): void {
    step.value = closed;
    password.clear();
    code.clear();
  }

  return {
    step,
    areKept,
    password,
    code,
    begin(): void {
      close();
      step.value = { name: 'password' };
    },
    close,
    /** Leaves the codes, which are not shown again. */
    finish(): void {
      if (areKept.peek()) close();
    },
    saveCodes(): void {
      const shown = step.peek();
      if (shown.name !== 'codes') return;
      deps.saveFile(new Blob([recoveryText(shown.codes)], { type: 'text/plain' }), fileName);
    },
    renewal: createAct(async () => {
      showCodes((await security.renewRecoveryCodes()).recoveryCodes);
      await factors.load();
    }),
    removal: createAct(async () => {
      await security.removeApp();
      close();
      await factors.load();
    }),
  };
}
export type AuthenticatorModel = ReturnType<typeof createAuthenticator>;
