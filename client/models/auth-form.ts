// The form of registering, and what it shares with logging in.

import { passwordCharsMax, passwordCharsMin, RegisterBody } from '#contract';
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
