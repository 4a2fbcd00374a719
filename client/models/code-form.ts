// The form of a code: six digits of an authenticator app, or a recovery code in their place.
import { signal } from '@preact/signals';
import { SecondFactorBody } from '#contract';
import { createForm, readBy } from './form.ts';

/** Where the code comes from. */
type CodeSource = 'app' | 'recovery';

export function createCodeForm(send: (body: { code: string }) => Promise<void>) {
  const source = signal<CodeSource>('app');
  const form = createForm({
    initial: { code: '' },
    read: (typed) => readBy(SecondFactorBody, typed),
    words: { code: 'Six digits of the app, or a whole recovery code.' },
    fieldOfCode: { 'second-factor-wrong': 'code' },
    send,
  });
  return {
    ...form,
    source,
    use(other: CodeSource): void {
      form.clear();
      source.value = other;
    },
  };
}
export type CodeForm = ReturnType<typeof createCodeForm>;
