// A mailed link that was opened: its secret is used once, and leaves the address bar before that.
import { signal } from '@preact/signals';
import { hasCode, messageOf } from './api-error.ts';
import { createCodeForm } from './code-form.ts';
import { challengeOf } from './login.ts';
import type { SessionModel } from './session.ts';

export type MailedLinkParts = {
  /** Empty when the address was opened without one. */
  token: string;
  use: (token: string) => Promise<void>;
  /** Where the link may ask for a second factor as well. */
  loginWithCode?: SessionModel['loginWithCode'];
};

/**
 * `ready`: it can be used, also once more; `code`: it was used, and a second factor is asked for; `missing`: there is
 * none; `over`: it will never work again.
 */
type LinkState = 'ready' | 'busy' | 'code' | 'done' | 'over' | 'missing';

export function createMailedLink({ token, use, loginWithCode }: MailedLinkParts) {
  const state = signal<LinkState>(token ? 'ready' : 'missing');
  const fault = signal<string | null>(null);
  let challengeId = '';
  const code = createCodeForm(async (body) => {
    try {
      await loginWithCode?.({ challengeId, ...body });
      state.value = 'done';
    } catch (error) {
      // The link was used for this: whoever took too long asks for another one.
      if (!hasCode(error, 'session-expired')) throw error;
      fault.value = messageOf(error);
      state.value = 'over';
    }
  });
  return {
    state,
    fault,
    code,
    /** A second press while the first is under way, or after it, sends nothing. */
    async send(): Promise<void> {
      if (state.peek() !== 'ready') return;
      state.value = 'busy';
      fault.value = null;
      try {
        await use(token);
        state.value = 'done';
      } catch (error) {
        const challenge = loginWithCode ? challengeOf(error) : null;
        if (challenge !== null) {
          challengeId = challenge;
          state.value = 'code';
          return;
        }
        fault.value = messageOf(error);
        state.value = hasCode(error, 'link-over') ? 'over' : 'ready';
      }
    },
  };
}
export type MailedLink = ReturnType<typeof createMailedLink>;
