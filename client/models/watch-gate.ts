// The gate of a stream: why somebody may not watch it yet, and what opens it.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { GuestBody } from '#contract';
import type { Api } from './api.ts';
import { messageOf } from './api-error.ts';
import type { Clock } from './clock.ts';
import { createForm, readBy } from './form.ts';
import { createKeyedAct } from './keyed-act.ts';
import type { LinkRefusal } from './room-link.ts';

/** Refusals of the room that a person can do something about, or must at least be told in words. */
export const gates = [
  'age-gate-needed',
  'followers-only',
  'entry-needed',
  'country-blocked',
  'blocked',
] as const;
export type Gate = (typeof gates)[number];

export type WatchGateDeps = {
  streamId: string;
  api: { guests: Pick<Api['guests'], 'admit'>; streams: Pick<Api['streams'], 'enter'> };
  refusal: ReadonlySignal<LinkRefusal | null>;
  /** Where somebody most likely is. */
  country: string;
  clock: Clock;
  newKey: () => string;
  /** It is open: ask for a ticket again. */
  onOpened: () => void;
};

export function createWatchGate(deps: WatchGateDeps) {
  const { streamId, api, refusal, country, clock, newKey, onOpened } = deps;
  const fault = signal<string | null>(null);
  const entry = createKeyedAct({
    send: (entryTokens: number, key) => api.streams.enter(streamId, entryTokens, key),
    clock,
    newKey,
  });

  return {
    /** What stands in the way; null when nothing does. */
    gate: computed<Gate | null>(() => gates.find((gate) => gate === refusal.value) ?? null),
    /** How old somebody is and where, for who has no account. */
    age: createForm({
      initial: { dateOfBirth: '', country },
      read: (texts) => readBy(GuestBody, texts),
      words: { dateOfBirth: 'Enter your date of birth.', country: 'Choose your country.' },
      fieldOfCode: { 'under-age': 'dateOfBirth', 'unknown-country': 'country' },
      async send(body) {
        await api.guests.admit(body);
        onOpened();
      },
    }),
    fault,
    buying: entry.busy,
    /** For so many tokens, as somebody was shown. */
    async buyEntry(entryTokens: number): Promise<void> {
      fault.value = null;
      try {
        if (await entry.carryOut(entryTokens)) onOpened();
      } catch (error) {
        fault.value = messageOf(error);
      }
    },
    /** Somebody has done elsewhere what was needed. */
    tryAgain: onOpened,
  };
}
export type WatchGate = ReturnType<typeof createWatchGate>;
