// Closing one's account: what is left behind is told first, and given up in so many words.
import { signal } from '@preact/signals';
import type { Closing } from '#contract';
import type { AccountApi } from './account-api.ts';
import { hasCode, messageOf } from './api-error.ts';
import { createLoaded } from './load.ts';

/** Typed by whoever leaves something behind. */
export const givingUpWords = 'give up';

export function leavesSomething({ tokens, earningsPaise }: Closing): boolean {
  return tokens > 0 || earningsPaise > 0;
}

export function createClosing(
  api: Pick<AccountApi, 'readClosing' | 'closeAccount'>,
  /** The account is closed, and will be erased then. */
  onClosed: (eraseAt: string) => void,
) {
  const loaded = createLoaded<Closing>(api.readClosing);
  const password = signal('');
  const words = signal('');
  const fault = signal<string | null>(null);
  const faults = signal<{ password?: string; words?: string }>({});
  const busy = signal(false);

  /** What does not fit is said beside its field. */
  function isFilled(closing: Closing): boolean {
    const isGivenUp = words.peek().trim().toLowerCase() === givingUpWords;
    faults.value = {
      ...(password.peek() === '' && { password: 'Enter your password.' }),
      ...(leavesSomething(closing) && !isGivenUp && { words: `Type “${givingUpWords}”.` }),
    };
    return Object.keys(faults.peek()).length === 0;
  }

  return {
    value: loaded.value,
    loadFault: loaded.fault,
    load: loaded.load,
    password,
    words,
    fault,
    faults,
    busy,
    async close(): Promise<void> {
      const closing = loaded.value.peek();
      if (busy.peek() || !closing) return;
      fault.value = null;
      if (!isFilled(closing)) return;
      busy.value = true;
      const { tokens, earningsPaise } = closing;
      try {
        const givenUp = { tokens, earningsPaise };
        const { eraseAt } = await api.closeAccount({ password: password.peek(), givenUp });
        onClosed(eraseAt);
      } catch (error) {
        if (hasCode(error, 'password-wrong')) faults.value = { password: messageOf(error) };
        else fault.value = messageOf(error);
        // Somebody may have tipped meanwhile: the figures are those of now.
        if (hasCode(error, 'not-closable')) await loaded.load();
      } finally {
        busy.value = false;
      }
    },
  };
}
export type ClosingModel = ReturnType<typeof createClosing>;
