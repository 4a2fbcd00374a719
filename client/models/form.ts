// A form: what was typed, what is wrong with it, and sending it once.

import { type Signal, signal } from '@preact/signals';
import type { z } from 'zod';
import { type ApiErrorCode, fieldErrorsOf, hasCode, messageOf } from './api-error.ts';

type Texts<Name extends string> = Readonly<Record<Name, string>>;
/** What was typed as a body to send, or the names of the fields that do not fit. */
type Read<Body> = { body: Body } | { wrong: readonly string[] };

export type FormParts<Name extends string, Body> = {
  /** What stands in each field at first. */
  initial: Texts<Name>;
  read: (texts: Texts<Name>) => Read<Body>;
  /** What is said of a field that does not fit. */
  words: Texts<Name>;
  /** Refusals of the edge that belong to one field. */
  fieldOfCode?: Partial<Record<ApiErrorCode, NoInfer<Name>>>;
  /** Where blanks at the ends may be meant. */
  keepBlanks?: NoInfer<Name> | readonly NoInfer<Name>[];
  send: (body: Body) => Promise<void>;
};

/** Reads what was typed by a schema of the contract. */
export function readBy<Body>(schema: z.ZodType<Body>, typed: unknown): Read<Body> {
  const read = schema.safeParse(typed);
  if (read.success) return { body: read.data };
  return { wrong: read.error.issues.map(({ path }) => String(path[0])) };
}

export function createForm<Name extends string, Body>(parts: FormParts<Name, Body>) {
  const names = Object.keys(parts.initial) as Name[];
  const typed = Object.fromEntries(
    names.map((name) => [name, signal(parts.initial[name])]),
  ) as Record<Name, Signal<string>>;
  const busy = signal(false);
  const fault = signal<string | null>(null);
  const needsProof = signal(false);
  const faults = signal<Partial<Record<Name, string>>>({});

  /** Phones end a word with a blank; in a password it may be meant. */
  function textOf(name: Name): string {
    const text = typed[name].peek();
    return [parts.keepBlanks].flat().includes(name) ? text : text.trim();
  }

  /** Says beside the fields what is wrong with them; answers whether it belonged to any. */
  function blame(wrong: Iterable<string>, wordsOf: (name: Name) => string): boolean {
    const fields = new Set(wrong);
    const blamed = names.filter((name) => fields.has(name)).map((name) => [name, wordsOf(name)]);
    faults.value = Object.fromEntries(blamed);
    return blamed.length > 0;
  }

  function forgive(): void {
    fault.value = null;
    needsProof.value = false;
    faults.value = {};
  }

  function refused(error: unknown): void {
    const invalid = Object.keys(fieldErrorsOf(error));
    if (blame(invalid, (name) => parts.words[name])) return;
    const code = Object.entries(parts.fieldOfCode ?? {}).find(([code]) =>
      hasCode(error, code as ApiErrorCode),
    );
    if (code && blame([String(code[1])], () => messageOf(error))) return;
    fault.value = messageOf(error);
    needsProof.value = hasCode(error, 'step-up-needed');
  }

  return {
    typed,
    busy,
    fault,
    /** True when it was refused until a second factor is shown, and none was; sending it again asks again. */
    needsProof,
    faults,
    /** True when it was sent and taken. */
    async submit(): Promise<boolean> {
      if (busy.peek()) return false;
      forgive();
      const texts = Object.fromEntries(names.map((name) => [name, textOf(name)]));
      const read = parts.read(texts as Texts<Name>);
      if ('wrong' in read) {
        blame(read.wrong, (name) => parts.words[name]);
        return false;
      }
      busy.value = true;
      try {
        await parts.send(read.body);
        return true;
      } catch (error) {
        refused(error);
        return false;
      } finally {
        busy.value = false;
      }
    },
    /** As it was at first; what is secret is not left standing. */
    clear(): void {
      for (const name of names) typed[name].value = parts.initial[name];
      forgive();
    },
  };
}
export type Form<Name extends string = string> = ReturnType<typeof createForm<Name, unknown>>;
