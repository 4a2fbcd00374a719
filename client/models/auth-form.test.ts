import { expect, test } from 'vitest';
import type { ProblemCode, RegisterBody } from '#contract';
import { ApiError } from './api-error.ts';
import { createLoginForm, createRegisterForm } from './auth-form.ts';

type Wrong = { path: string; message: string }[];

const refusal = (code: ProblemCode, errors: Wrong = []) =>
  new ApiError(code, 422, { type: 'about:blank', code, title: 'No', status: 422, errors }, 'No');

function filledForm(register: (body: RegisterBody) => Promise<void>) {
  const form = createRegisterForm({ register }, 'IN');
  form.typed.email.value = ' Mira@Example.com ';
  form.typed.username.value = 'mira ';
  form.typed.password.value = 'a long enough password';
  form.typed.dateOfBirth.value = '1992-04-17';
  return form;
}

test('what does not fit is said beside its field and not sent', async () => {
  const sent: RegisterBody[] = [];
  const form = filledForm(async (body) => void sent.push(body));
  form.typed.username.value = '1mira';
  form.typed.dateOfBirth.value = '';
  await form.submit();
  expect(Object.keys(form.faults.value)).toEqual(['username', 'dateOfBirth']);
  expect(sent).toEqual([]);

  form.typed.username.value = 'mira';
  form.typed.dateOfBirth.value = '1992-04-17';
  await form.submit();
  expect(form.faults.value).toEqual({});
  expect(sent).toMatchObject([{ email: 'mira@example.com', username: 'mira' }]);
});

test('a refusal that belongs to a field is said beside it, any other above the form', async () => {
  let answer = refusal('username-taken');
  const form = filledForm(() => Promise.reject(answer));
  await form.submit();
  expect(form.faults.value).toEqual({ username: 'No.' });
  expect(form.fault.value).toBeNull();

  answer = refusal('invalid-request', [{ path: 'password', message: 'Too small: >=10' }]);
  await form.submit();
  expect(form.faults.value.password).toMatch(/^From 10/);

  answer = refusal('invalid-request', [{ path: 'something', message: 'unknown' }]);
  await form.submit();
  expect(form.faults.value).toEqual({});
  expect(form.fault.value).not.toBeNull();
});

test('a second press while the first is under way sends nothing', async () => {
  const answer = Promise.withResolvers<void>();
  let sent = 0;
  const login = () => {
    sent += 1;
    return answer.promise;
  };
  const form = createLoginForm({ login });
  form.typed.email.value = 'mira@example.com';
  form.typed.password.value = 'x';
  const first = form.submit();
  await form.submit();
  answer.resolve();
  await first;
  expect(sent).toBe(1);
  expect(form.busy.value).toBe(false);
});

test('whoever logs in to a closed account is told until when they can have it back, and has it by one press', async () => {
  const asked: boolean[] = [];
  const form = createLoginForm({
    login: async (_, __, keepAccount = false) => {
      asked.push(keepAccount);
      if (keepAccount) return;
      const eraseAt = '2026-04-01T00:00:00Z';
      const code = 'account-closing';
      throw new ApiError(code, 403, { type: 'x', code, title: 'No', status: 403, eraseAt }, 'No');
    },
  });
  form.typed.email.value = 'mira@example.com';
  form.typed.password.value = 'x';
  await form.submit();
  expect(form.eraseAt.value).toBe('2026-04-01T00:00:00Z');
  expect(await form.keepAccount()).toBe(true);
  expect(asked).toEqual([false, true]);
});
