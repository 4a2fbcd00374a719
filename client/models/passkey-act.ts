// A passkey act: something that a person does with a passkey by pressing a button, and what is said when it fails.
import { signal } from '@preact/signals';
import { hasCode, messageOf } from './api-error.ts';

const tooLateWords = 'That took too long. Use your passkey once more.';

export function createPasskeyAct(carryOut: () => Promise<void>) {
  const busy = signal(false);
  const fault = signal<string | null>(null);

  function refused(error: unknown): void {
    // What ends so soon here is the question, and not the session.
    fault.value = hasCode(error, 'session-expired') ? tooLateWords : messageOf(error);
  }

  return {
    busy,
    fault,
    refused,
    /** True when it was done. */
    async submit(): Promise<boolean> {
      if (busy.peek()) return false;
      busy.value = true;
      fault.value = null;
      try {
        await carryOut();
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
