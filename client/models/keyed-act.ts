// A keyed act: something about money that is sent once. Its key stays with its body until it is answered.
import { signal } from '@preact/signals';
import { isTransient } from './api-error.ts';
import { backoffMs, requestBackoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';

/** Silent retries with the same key before the person is asked. */
export const actRetriesMax = 2;

export type KeyedActDeps<Body, Answer> = {
  send: (body: Body, key: string) => Promise<Answer>;
  clock: Clock;
  newKey: () => string;
  random?: (() => number) | undefined;
};

export function createKeyedAct<Body, Answer>(deps: KeyedActDeps<Body, Answer>) {
  const busy = signal(false);
  let open: { body: string; key: string } | null = null;

  /** The same body gets the same key until the edge has answered; another body is another act. */
  function keyOf(body: Body): string {
    const text = JSON.stringify(body);
    if (open?.body !== text) open = { body: text, key: deps.newKey() };
    return open.key;
  }

  async function sendWithRetries(body: Body, key: string): Promise<Answer> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await deps.send(body, key);
      } catch (error) {
        if (!isTransient(error) || attempt >= actRetriesMax) throw error;
        await pause(deps.clock, backoffMs(attempt, requestBackoff, deps.random));
      }
    }
  }

  return {
    busy,
    /** Null when the act is under way already. Rejects as the API does. */
    async carryOut(body: Body): Promise<Answer | null> {
      if (busy.peek()) return null;
      busy.value = true;
      try {
        const answer = await sendWithRetries(body, keyOf(body));
        open = null;
        return answer;
      } catch (error) {
        // Without an answer nobody knows whether it was carried out: the key makes trying again safe.
        if (!isTransient(error)) open = null;
        throw error;
      } finally {
        busy.value = false;
      }
    },
  };
}
