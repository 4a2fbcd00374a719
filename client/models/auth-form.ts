// The forms of logging in and registering: what was typed, what is wrong with it, and sending it once.

import { signal } from '@preact/signals';
import { RegisterBody } from '#contract';
import { fieldErrorsOf, hasCode, messageOf } from './api-error.ts';
import type { SessionModel } from './session.ts';

type Fields = Record<string, string>;

/** Refusals of the edge that belong to one field. */
const fieldOfCode = {
  'email-taken': 'email',
  'username-taken': 'username',
  'under-age': 'dateOfBirth',
  'unknown-country': 'country',
} as const;

const plainWords: Fields = {
  email: 'This does not look like an e-mail address.',
  username: '3 to 24 letters, digits or _, starting with a letter.',
  password: 'At least 10 characters.',
  dateOfBirth: 'Enter your date of birth.',
  country: 'Choose your country.',
};

function createSubmission(work: () => Promise<void>) {
  const busy = signal(false);
  const fault = signal<string | null>(null);
  const fields = signal<Fields>({});
  return {
    busy,
    fault,
    fields,
    /** True when the work was done. */
    async submit(): Promise<boolean> {
      if (busy.peek()) return false;
      busy.value = true;
      fault.value = null;
      fields.value = {};
      try {
        await work();
        return true;
      } catch (error) {
        const wrong = fieldErrorsOf(error);
        for (const [code, field] of Object.entries(fieldOfCode)) {
          if (hasCode(error, code as keyof typeof fieldOfCode)) wrong[field] = messageOf(error);
        }
        fields.value = wrong;
        if (Object.keys(wrong).length === 0) fault.value = messageOf(error);
        return false;
      } finally {
        busy.value = false;
      }
    },
  };
}

export function createLoginForm(session: Pick<SessionModel, 'login'>) {
  const email = signal('');
  const password = signal('');
  const submission = createSubmission(() => session.login(email.peek().trim(), password.peek()));
  return { email, password, ...submission };
}

export function createRegisterForm(session: Pick<SessionModel, 'register'>, country: string) {
  const typed = {
    email: signal(''),
    username: signal(''),
    password: signal(''),
    dateOfBirth: signal(''),
    country: signal(country),
  };
  const submission = createSubmission(() => session.register(RegisterBody.parse(body())));

  function body(): Record<keyof typeof typed, string> {
    return {
      email: typed.email.peek(),
      username: typed.username.peek().trim(),
      password: typed.password.peek(),
      dateOfBirth: typed.dateOfBirth.peek(),
      country: typed.country.peek(),
    };
  }

  return {
    ...typed,
    ...submission,
    async submit(): Promise<boolean> {
      const checked = RegisterBody.safeParse(body());
      if (checked.success) return submission.submit();
      const wrong: Fields = {};
      for (const issue of checked.error.issues) {
        const field = String(issue.path[0]);
        wrong[field] = plainWords[field] ?? issue.message;
      }
      submission.fault.value = null;
      submission.fields.value = wrong;
      return false;
    },
  };
}
