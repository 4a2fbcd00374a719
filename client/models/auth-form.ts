// The forms of logging in and registering.

import { LoginBody, passwordCharsMax, passwordCharsMin, RegisterBody } from '#contract';
import { createForm, type Form, readBy } from './form.ts';
import type { SessionModel } from './session.ts';

const fieldOfCode = {
  'email-taken': 'email',
  'username-taken': 'username',
  'under-age': 'dateOfBirth',
  'unknown-country': 'country',
} as const;

const emailWords = 'This does not look like an e-mail address.';

export type AuthForm = Omit<Form, 'typed' | 'clear'>;

export function createLoginForm(session: Pick<SessionModel, 'login'>) {
  return createForm({
    initial: { email: '', password: '' },
    read: (texts) => readBy(LoginBody, texts),
    words: { email: emailWords, password: 'Enter your password.' },
    keepBlanks: 'password',
    send: ({ email, password }) => session.login(email, password),
  });
}

export function createRegisterForm(session: Pick<SessionModel, 'register'>, country: string) {
  return createForm({
    initial: { email: '', username: '', password: '', dateOfBirth: '', country },
    read: (texts) => readBy(RegisterBody, texts),
    words: {
      email: emailWords,
      username:
        '3 to 24 letters, digits or _, starting with a letter, and no name that passes for our staff.',
      password: `From ${passwordCharsMin} to ${passwordCharsMax} characters.`,
      dateOfBirth: 'Enter your date of birth.',
      country: 'Choose your country.',
    },
    fieldOfCode,
    keepBlanks: 'password',
    send: session.register,
  });
}
