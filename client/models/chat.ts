// Chat: saying something in a room, shown at once and sent once.
import { computed, signal } from '@preact/signals';
import type { Api } from './api.ts';
import { isTransient, messageOf } from './api-error.ts';
import type { Feed } from './feed.ts';

/** The same bound as the contract's `PostMessageBody`; a test holds them together. */
export const messageCharsMax = 500;

export type ChatDeps = {
  streamId: string;
  api: { streams: Pick<Api['streams'], 'say'> };
  feed: Pick<Feed, 'addPending' | 'dropPending' | 'accept'>;
  newKey: () => string;
  toast: (text: string) => void;
};

export function createChat({ streamId, api, feed, newKey, toast }: ChatDeps) {
  const draft = signal('');
  const unsent = new Map<string, string>();

  async function send(key: string, body: string): Promise<void> {
    unsent.set(key, body);
    if (!feed.addPending({ key, kind: 'chat', body, amountTokens: 0, state: 'sending' })) {
      toast('Wait until your last messages have arrived.');
      return;
    }
    try {
      const event = await api.streams.say(streamId, { body }, key);
      unsent.delete(key);
      feed.dropPending(key);
      feed.accept([event], 'live');
    } catch (error) {
      if (isTransient(error)) {
        feed.addPending({ key, kind: 'chat', body, amountTokens: 0, state: 'failed' });
      } else {
        // Refused for good: the words go back to where they were typed, if nothing new is there.
        unsent.delete(key);
        feed.dropPending(key);
        if (draft.peek() === '') draft.value = body;
      }
      toast(messageOf(error));
    }
  }

  return {
    draft,
    canSend: computed(() => draft.value.trim().length > 0),
    submit(): void {
      const body = draft.peek().trim().slice(0, messageCharsMax);
      if (body.length === 0) return;
      draft.value = '';
      send(newKey(), body);
    },
    /** Sends a failed line again under its own key, so that it cannot be said twice. */
    retry(key: string): void {
      const body = unsent.get(key);
      if (body !== undefined) send(key, body);
    },
    giveUp(key: string): void {
      unsent.delete(key);
      feed.dropPending(key);
    },
  };
}
export type Chat = ReturnType<typeof createChat>;
