// The forms of an account: another password, by a mailed link or with the present one, and another address.
import {
  ChangeEmailBody,
  ChangePasswordBody,
  EmailBody,
  passwordCharsMax,
  passwordCharsMin,
  ResetPasswordBody,
  UsernameBody,
} from '#contract';
import type { AccountApi } from './account-api.ts';
import { emailWords, usernameWords } from './auth-form.ts';
import { createForm, readBy } from './form.ts';

const newPasswordWords = `From ${passwordCharsMin} to ${passwordCharsMax} characters.`;
const presentPasswordWords = 'Enter your present password.';

export function createForgotForm(api: Pick<AccountApi, 'askReset'>) {
  return createForm({
    initial: { email: '' },
    read: (texts) => readBy(EmailBody, texts),
    words: { email: emailWords },
    send: api.askReset,
  });
}

export function createResetForm(api: Pick<AccountApi, 'resetPassword'>, token: string) {
  return createForm({
    initial: { password: '' },
    read: (texts) => readBy(ResetPasswordBody, { ...texts, token }),
    words: { password: newPasswordWords },
    fieldOfCode: { 'password-common': 'password' },
    keepBlanks: 'password',
    send: api.resetPassword,
  });
}

export function createPasswordForm(api: Pick<AccountApi, 'changePassword'>) {
  return createForm({
    initial: { currentPassword: '', newPassword: '' },
    read: (texts) => readBy(ChangePasswordBody, texts),
    words: { currentPassword: presentPasswordWords, newPassword: newPasswordWords },
    fieldOfCode: { 'password-wrong': 'currentPassword', 'password-common': 'newPassword' },
    keepBlanks: ['currentPassword', 'newPassword'],
    send: api.changePassword,
  });
}

export function createEmailForm(api: Pick<AccountApi, 'changeEmail'>) {
  return createForm({
    initial: { email: '', password: '' },
    read: (texts) => readBy(ChangeEmailBody, texts),
    words: { email: emailWords, password: presentPasswordWords },
    fieldOfCode: { 'email-taken': 'email', 'password-wrong': 'password' },
    keepBlanks: 'password',
    send: api.changeEmail,
  });
}

export function createUsernameForm(rename: (username: string) => Promise<void>) {
  return createForm({
    initial: { username: '' },
    read: (texts) => readBy(UsernameBody, texts),
    words: { username: usernameWords },
    fieldOfCode: {
      'username-taken': 'username',
      'username-reserved': 'username',
      'username-changed-lately': 'username',
    },
    send: ({ username }) => rename(username),
  });
}
