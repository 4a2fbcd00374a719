// The forms of logging in and registering: what was typed, what is wrong with it, and sending it once.

import { type Signal, signal } from '@preact/signals';
import type { z } from 'zod';
import { LoginBody, passwordCharsMax, passwordCharsMin, RegisterBody } from '#contract';
import { fieldErrorsOf, hasCode, messageOf } from './api-error.ts';
import type { SessionModel } from './session.ts';

/** Refusals of the edge that belong to one field. */
const fieldOfCode = {
  'email-taken': 'email',
  'username-taken': 'username',
  'under-age': 'dateOfBirth',
  'unknown-country': 'country',
} as const;

const emailWords = 'This does not look like an e-mail address.';

type FormParts<Name extends string, Body> = {
  /** What stands in each field at first. */
  initial: Record<Name, string>;
  schema: z.ZodType<Body>;
  /** What is said of a field that does not fit the schema. */
  words: Record<Name, string>;
  send: (body: Body) => Promise<void>;
};

function createForm<Name extends string, Body>(parts: FormParts<Name, Body>) {
  const names = Object.keys(parts.initial) as Name[];
  const typed = Object.fromEntries(
    names.map((name) => [name, signal(parts.initial[name])]),
  ) as Record<Name, Signal<string>>;
  const busy = signal(false);
  const fault = signal<string | null>(null);
  const faults = signal<Partial<Record<Name, string>>>({});

  /** Phones end a word with a blank; in a password it may be meant. */
  function textOf(name: Name): string {
    const text = typed[name].peek();
    return name === 'password' ? text : text.trim();
  }

  /** Says beside the fields what is wrong with them; answers whether it belonged to any. */
  function blame(wrong: Iterable<string>, wordsOf: (name: Name) => string): boolean {
    const fields = new Set(wrong);
    const blamed = names.filter((name) => fields.has(name)).map((name) => [name, wordsOf(name)]);
    faults.value = Object.fromEntries(blamed);
    return blamed.length > 0;
  }

  function refused(error: unknown): void {
    const invalid = Object.keys(fieldErrorsOf(error));
    if (blame(invalid, (name) => parts.words[name])) return;
    const code = Object.entries(fieldOfCode).find(([code]) =>
      hasCode(error, code as keyof typeof fieldOfCode),
    );
    if (code && blame([code[1]], () => messageOf(error))) return;
    fault.value = messageOf(error);
  }

  return {
    typed,
    busy,
    fault,
    faults,
    async submit(): Promise<void> {
      if (busy.peek()) return;
      fault.value = null;
      faults.value = {};
      const body = parts.schema.safeParse(
        Object.fromEntries(names.map((name) => [name, textOf(name)])),
      );
      if (!body.success) {
        blame(
          body.error.issues.map(({ path }) => String(path[0])),
          (name) => parts.words[name],
        );
        return;
      }
      busy.value = true;
      try {
        await parts.send(body.data);
      } catch (error) {
        refused(error);
      } finally {
        busy.value = false;
      }
    },
  };
}
export type AuthForm = Omit<ReturnType<typeof createForm<string, unknown>>, 'typed'>;

export function createLoginForm(session: Pick<SessionModel, 'login'>) {
  return createForm({
    initial: { email: '', password: '' },
    schema: LoginBody,
    words: { email: emailWords, password: 'Enter your password.' },
    send: ({ email, password }) => session.login(email, password),
  });
}

export function createRegisterForm(session: Pick<SessionModel, 'register'>, country: string) {
  return createForm({
    initial: { email: '', username: '', password: '', dateOfBirth: '', country },
    schema: RegisterBody,
    words: {
      email: emailWords,
      username: '3 to 24 letters, digits or _, starting with a letter.',
      password: `From ${passwordCharsMin} to ${passwordCharsMax} characters.`,
      dateOfBirth: 'Enter your date of birth.',
      country: 'Choose your country.',
    },
    send: session.register,
  });
}
