// Operations: what staff watch and may do: live streams, ending one, and whether the books balance.

import { signal } from '@preact/signals';
import type { Stream, TrialBalance } from '#contract';
import type { Api } from './api.ts';
import { messageOf } from './api-error.ts';
import { type Clock, repeat } from './clock.ts';
import { createLoaded, createPaged } from './load.ts';
import type { StepUp } from './step-up.ts';
import type { Toasts } from './toasts.ts';

export const operationsRefreshMs = 10_000;

export type OperationsDeps = {
  api: Pick<Api, 'streams' | 'trialBalance'>;
  clock: Clock;
  toasts: Pick<Toasts, 'show'>;
  stepUp: Pick<StepUp, 'ask'>;
};

export function createOperations({ api, clock, toasts, stepUp }: OperationsDeps) {
  const ending = signal<string | null>(null);
  const streams = createPaged<Stream>(async (cursor) => {
    const page = await api.streams.listEvery(cursor ? { cursor } : {});
    return { items: page.streams, nextCursor: page.nextCursor };
  });
  const balance = createLoaded<TrialBalance>(() => api.trialBalance());

  streams.reload();
  balance.load();
  const stop = repeat(clock, operationsRefreshMs, () =>
    Promise.all([streams.refresh(), balance.load()]),
  );

  return {
    streams,
    balance,
    ending,
    /** Asks for the second factor that was not shown when the books were fetched. */
    async openBooks(): Promise<void> {
      if (await stepUp.ask()) await balance.load();
    },
    async end(stream: Stream): Promise<void> {
      ending.value = stream.id;
      try {
        await api.streams.end(stream.id);
        toasts.show(`“${stream.title}” has been ended.`, 'good');
        streams.items.value = streams.items.peek().filter((other) => other.id !== stream.id);
      } catch (error) {
        toasts.show(messageOf(error), 'bad');
      } finally {
        ending.value = null;
      }
    },
    close: stop,
  };
}
export type Operations = ReturnType<typeof createOperations>;
