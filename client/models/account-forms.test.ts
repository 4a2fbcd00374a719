import { expect, test } from 'vitest';
import type { ProblemCode } from '#contract';
import { createPasswordForm, createResetForm } from './account-forms.ts';
import { ApiError } from './api-error.ts';

const refused = (code: ProblemCode) => new ApiError(code, 403, null, 'No');
const token = 'x'.repeat(43);

test('blanks at the ends of passwords are kept, and what is refused is said beside its field', async () => {
  const sent: object[] = [];
  let answer: ProblemCode | null = null;
  const form = createPasswordForm({
    changePassword: async (body) => {
      if (answer) throw refused(answer);
      sent.push(body);
    },
  });
  form.typed.currentPassword.value = ' of before ';
  form.typed.newPassword.value = ' a new one of mine ';
  answer = 'password-wrong';
  await form.submit();
  expect(Object.keys(form.faults.value)).toEqual(['currentPassword']);
  answer = 'password-common';
  await form.submit();
  expect(Object.keys(form.faults.value)).toEqual(['newPassword']);
  answer = null;
  expect(await form.submit()).toBe(true);
  expect(sent).toEqual([{ currentPassword: ' of before ', newPassword: ' a new one of mine ' }]);
});

test('a password that is too short is not sent, and a common one is said beside the field', async () => {
  let sent = 0;
  const form = createResetForm(
    {
      resetPassword: async () => {
        sent += 1;
        throw refused('password-common');
      },
    },
    token,
  );
  form.typed.password.value = 'short';
  await form.submit();
  expect([sent, form.faults.value.password]).toEqual([0, 'From 10 to 128 characters.']);
  form.typed.password.value = 'password123';
  await form.submit();
  expect([sent, form.faults.value.password]).toEqual([1, expect.stringMatching(/tried first/)]);
});
