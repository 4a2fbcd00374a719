// Stream keys of a performer: the list, making one, giving one another secret, and deleting one.
import { computed, signal } from '@preact/signals';
import { type IngestProtocol, ingestProtocols, type StreamKey } from '#contract';
import type { Api } from './api.ts';
import { messageOf } from './api-error.ts';
import type { Clock } from './clock.ts';
import { createKeyedAct } from './keyed-act.ts';
import { createLoaded } from './load.ts';
import type { Toasts } from './toasts.ts';

export type StreamKeysDeps = {
  api: { streamKeys: Api['streamKeys'] };
  clock: Clock;
  newKey: () => string;
  toasts: Pick<Toasts, 'show'>;
  copy: (text: string) => Promise<void>;
};

/** What is done with a key only when the person has said so once more. */
export type KeyQuestion = { act: 'rotate' | 'remove'; key: StreamKey };
/** A secret is shown until the person has put it away. */
export type ShownSecret = { key: StreamKey; secret: string };

export function createStreamKeys({ api, clock, newKey, toasts, copy }: StreamKeysDeps) {
  const list = createLoaded(() => api.streamKeys.list());
  const isMaking = signal(false);
  const name = signal('');
  const protocols = signal<readonly IngestProtocol[]>(ingestProtocols);
  const fault = signal<string | null>(null);
  const shown = signal<ShownSecret | null>(null);
  const asked = signal<KeyQuestion | null>(null);
  const busy = signal(false);
  const making = createKeyedAct({ send: api.streamKeys.create, clock, newKey });

  list.load();

  async function make(): Promise<void> {
    const wanted = { name: name.peek().trim(), protocols: [...protocols.peek()] };
    if (wanted.name === '' || wanted.protocols.length === 0) {
      fault.value = wanted.name === '' ? 'Give the key a name.' : 'Choose what it is for.';
      return;
    }
    fault.value = null;
    try {
      const made = await making.carryOut(wanted);
      if (!made) return;
      isMaking.value = false;
      name.value = '';
      if (made.secret) shown.value = { key: made.key, secret: made.secret };
      else toasts.show('The key was made, but its secret was lost on the way. Rotate it.', 'bad');
    } catch (error) {
      fault.value = messageOf(error);
    }
    await list.load();
  }

  async function carryOut(): Promise<void> {
    const question = asked.peek();
    if (!question || busy.peek()) return;
    busy.value = true;
    try {
      if (question.act === 'remove') {
        await api.streamKeys.remove(question.key.id);
        toasts.show(`“${question.key.name}” is deleted.`);
      } else {
        const { key, secret } = await api.streamKeys.rotate(question.key.id);
        if (secret) shown.value = { key, secret };
      }
    } catch (error) {
      toasts.show(messageOf(error), 'bad');
    }
    busy.value = false;
    asked.value = null;
    await list.load();
  }

  return {
    list,
    keys: computed(() => list.value.value?.keys ?? []),
    isMaking,
    name,
    protocols,
    fault,
    shown,
    asked,
    busy: computed(() => busy.value || making.busy.value),
    make,
    carryOut,
    toggle(protocol: IngestProtocol): void {
      const now = protocols.peek();
      protocols.value = now.includes(protocol)
        ? now.filter((each) => each !== protocol)
        : [...now, protocol];
    },
    async copySecret(): Promise<void> {
      const secret = shown.peek()?.secret;
      if (secret === undefined) return;
      try {
        await copy(secret);
        toasts.show('Copied.', 'good');
      } catch {
        // The browser does not let us, or the person has said no: it can be selected by hand.
        toasts.show('It could not be copied. Select it and copy it yourself.', 'bad');
      }
    },
    putAway(): void {
      shown.value = null;
    },
    close(): void {
      shown.value = null;
    },
  };
}
export type StreamKeys = ReturnType<typeof createStreamKeys>;
