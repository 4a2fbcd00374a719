// Logging in: by password, with a code where the account has a second factor, or by a passkey alone.
import { signal } from '@preact/signals';
import { LoginBody } from '#contract';
import { createAct } from './act.ts';
import { ApiError, hasCode } from './api-error.ts';
import { emailWords } from './auth-form.ts';
import { createCodeForm } from './code-form.ts';
import { createForm, readBy } from './form.ts';
import { PasskeyCancelled, type Passkeys, passkeyWordsOf } from './passkeys.ts';
import type { SessionModel } from './session.ts';

export type LoginDeps = {
  session: Pick<SessionModel, 'login' | 'loginWithCode' | 'askForPasskey' | 'loginWithPasskey'>;
  passkeys: Passkeys;
};

const tooLateWords =
  'That took too long, or too many codes were wrong. Enter your password once more.';

/** When a closed account is going to be erased; null for any other refusal. */
function eraseAtOf(error: unknown): string | null {
  if (!(error instanceof ApiError) || error.code !== 'account-closing') return null;
  const eraseAt = error.problem?.eraseAt;
  return typeof eraseAt === 'string' ? eraseAt : null;
}

/** What a second factor is the answer to, where one is needed; null for any other refusal. */
export function challengeOf(error: unknown): string | null {
  if (!(error instanceof ApiError) || error.code !== 'second-factor-needed') return null;
  const id = error.problem?.challengeId;
  return typeof id === 'string' ? id : null;
}

/** A press of the button, and what the browser offers in the field of the e-mail address. */
function createPasskeyLogin({ session, passkeys }: LoginDeps) {
  let isOver = false;

  async function logIn(fillIn: boolean): Promise<void> {
    const { challengeId, options } = await session.askForPasskey();
    if (isOver) return;
    const credential = await passkeys.sign(options, { fillIn });
    await session.loginWithPasskey({ challengeId, credential });
  }

  const act = createAct(() => logIn(false), passkeyWordsOf);

  async function offer(): Promise<void> {
    try {
      if (!isOver && (await passkeys.canFillIn())) await logIn(true);
    } catch (error) {
      // Who was not looked for need not be told that nobody came.
      if (!(error instanceof PasskeyCancelled)) act.refused(error);
    }
  }

  return {
    busy: act.busy,
    fault: act.fault,
    isSupported: passkeys.isSupported,
    offer,
    async submit(): Promise<void> {
      // The press has taken the place of the offer.
      if (!(await act.submit())) void offer();
    },
    close(): void {
      isOver = true;
      passkeys.cancel();
    },
  };
}

export function createLogin(deps: LoginDeps) {
  const { session } = deps;
  /** What the code is the answer to; null while the password is asked. */
  const challenge = signal<string | null>(null);
  /** Why the password is asked once more. */
  const told = signal<string | null>(null);
  /** When the account is going to be erased, once somebody has logged in to a closed one. */
  const eraseAt = signal<string | null>(null);
  let isKept = false;
  const passkey = createPasskeyLogin(deps);

  const password = createForm({
    initial: { email: '', password: '' },
    read: (texts) => readBy(LoginBody, texts),
    words: { email: emailWords, password: 'Enter your password.' },
    keepBlanks: 'password',
    async send({ email, password }) {
      told.value = null;
      try {
        await session.login(email, password, isKept);
      } catch (error) {
        eraseAt.value = eraseAtOf(error);
        const challengeId = challengeOf(error);
        if (challengeId === null) throw error;
        challenge.value = challengeId;
      }
    },
  });

  const code = createCodeForm(async (body) => {
    const challengeId = challenge.peek();
    if (challengeId === null) return;
    try {
      await session.loginWithCode({ challengeId, ...body, keepAccount: isKept });
    } catch (error) {
      eraseAt.value = eraseAtOf(error);
      if (!hasCode(error, 'session-expired')) throw error;
      back();
      told.value = tooLateWords;
    }
  });

  /** To the password; the address stays. */
  function back(): void {
    isKept = false;
    eraseAt.value = null;
    challenge.value = null;
    told.value = null;
    password.typed.password.value = '';
    code.use('app');
  }

  /** Logs in, and has a closed account back. */
  async function keepAccount(): Promise<boolean> {
    isKept = true;
    return password.submit();
  }

  return {
    challenge,
    told,
    eraseAt,
    password,
    code,
    passkey,
    back,
    keepAccount,
    close: passkey.close,
  };
}
export type LoginModel = ReturnType<typeof createLogin>;
