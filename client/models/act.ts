// An act: something that a press of a button does, one at a time, and what is said when it fails.
import { signal } from '@preact/signals';
import { messageOf } from './api-error.ts';

export function createAct<Given extends unknown[]>(
  carryOut: (...given: Given) => Promise<void>,
  wordsOf: (error: unknown) => string = messageOf,
) {
  const busy = signal(false);
  const fault = signal<string | null>(null);

  function refused(error: unknown): void {
    fault.value = wordsOf(error);
  }

  return {
    busy,
    fault,
    refused,
    /** True when it was done. */
    async submit(...given: Given): Promise<boolean> {
      if (busy.peek()) return false;
      busy.value = true;
      fault.value = null;
      try {
        await carryOut(...given);
        return true;
      } catch (error) {
        refused(error);
        return false;
      } finally {
        busy.value = false;
      }
    },
  };
}
