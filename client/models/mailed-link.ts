// A mailed link that was opened: its secret is used once, and leaves the address bar before that.
import { signal } from '@preact/signals';
import { hasCode, messageOf } from './api-error.ts';

export type MailedLinkParts = {
  /** Empty when the address was opened without one. */
  token: string;
  use: (token: string) => Promise<void>;
};

/** `ready`: it can be used, also once more; `missing`: there is none; `over`: it will never work again. */
type LinkState = 'ready' | 'busy' | 'done' | 'over' | 'missing';

export function createMailedLink({ token, use }: MailedLinkParts) {
  const state = signal<LinkState>(token ? 'ready' : 'missing');
  const fault = signal<string | null>(null);
  return {
    state,
    fault,
    /** A second press while the first is under way, or after it, sends nothing. */
    async send(): Promise<void> {
      if (state.peek() !== 'ready') return;
      state.value = 'busy';
      fault.value = null;
      try {
        await use(token);
        state.value = 'done';
      } catch (error) {
        fault.value = messageOf(error);
        state.value = hasCode(error, 'link-over') ? 'over' : 'ready';
      }
    },
  };
}
export type MailedLink = ReturnType<typeof createMailedLink>;
