// The forms of logging in and registering.

import { signal } from '@preact/signals';
import { LoginBody, passwordCharsMax, passwordCharsMin, RegisterBody } from '#contract';
import { ApiError } from './api-error.ts';
import { createForm, type Form, readBy } from './form.ts';
import type { SessionModel } from './session.ts';

const fieldOfCode = {
  'email-taken': 'email',
  'username-taken': 'username',
  'username-reserved': 'username',
  'password-common': 'password',
  'under-age': 'dateOfBirth',
  'unknown-country': 'country',
} as const;

export const emailWords = 'This does not look like an e-mail address.';
export const usernameWords = '3 to 24 letters, digits or _, starting with a letter.';

export type AuthForm = Omit<Form, 'typed' | 'clear'>;

/** When a closed account is going to be erased; null for any other refusal. */
function eraseAtOf(error: unknown): string | null {
  if (!(error instanceof ApiError) || error.code !== 'account-closing') return null;
  const eraseAt = error.problem?.eraseAt;
  return typeof eraseAt === 'string' ? eraseAt : null;
}

export function createLoginForm(session: Pick<SessionModel, 'login'>) {
  const eraseAt = signal<string | null>(null);
  let isKept = false;
  const form = createForm({
    initial: { email: '', password: '' },
    read: (texts) => readBy(LoginBody, texts),
    words: { email: emailWords, password: 'Enter your password.' },
    keepBlanks: 'password',
    async send({ email, password }) {
      try {
        await session.login(email, password, isKept);
      } catch (error) {
        eraseAt.value = eraseAtOf(error);
        throw error;
      }
    },
  });
  return {
    ...form,
    /** When the account is going to be erased, once somebody has logged in to a closed one; null for all others. */
    eraseAt,
    /** Logs in, and has the account back. */
    async keepAccount(): Promise<boolean> {
      isKept = true;
      const isDone = await form.submit();
      isKept = false;
      return isDone;
    },
  };
}

export function createRegisterForm(session: Pick<SessionModel, 'register'>, country: string) {
  return createForm({
    initial: { email: '', username: '', password: '', dateOfBirth: '', country },
    read: (texts) => readBy(RegisterBody, texts),
    words: {
      email: emailWords,
      username: usernameWords,
      password: `From ${passwordCharsMin} to ${passwordCharsMax} characters.`,
      dateOfBirth: 'Enter your date of birth.',
      country: 'Choose your country.',
    },
    fieldOfCode,
    keepBlanks: 'password',
    send: session.register,
  });
}
