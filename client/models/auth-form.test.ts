import { expect, test } from 'vitest';
import type { ProblemCode, RegisterBody } from '#contract';
import { ApiError } from './api-error.ts';
import { createRegisterForm } from './auth-form.ts';

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
