// Somebody's profile, and what one is to them: followed, blocked, muted.
import { signal } from '@preact/signals';
import type { Profile, RelationKind } from '#contract';
import { hasCode, messageOf } from './api-error.ts';
import { createLoaded } from './load.ts';
import type { PeopleApi } from './people-api.ts';
import type { Toasts } from './toasts.ts';

export type ProfileDeps = {
  who: string;
  api: Pick<PeopleApi, 'profile' | 'relate'>;
  toasts: Pick<Toasts, 'show'>;
};

const flags = { follow: 'follows', block: 'blocks', mute: 'mutes' } as const;
const done: Record<RelationKind, readonly [on: string, off: string]> = {
  follow: ['You follow them now.', 'You follow them no more.'],
  block: [
    'Blocked. They cannot follow you, nor watch, tip or chat with you.',
    'They are not blocked any more.',
  ],
  mute: ['Muted. You do not see what they say.', 'You see again what they say.'],
};

export function createProfile({ who, api, toasts }: ProfileDeps) {
  const isMissing = signal(false);
  const busy = signal<RelationKind | null>(null);
  const profile = createLoaded<Profile>(async () => {
    try {
      return await api.profile(who);
    } catch (error) {
      isMissing.value = hasCode(error, 'not-found', 'invalid-request');
      throw error;
    }
  });

  return {
    value: profile.value,
    fault: profile.fault,
    isMissing,
    busy,
    load: profile.load,
    /** Follows, blocks or mutes, or takes it back; what that shows or hides is fetched anew. */
    async toggle(kind: RelationKind): Promise<void> {
      const shown = profile.value.peek();
      if (!shown?.relation || busy.peek()) return;
      const is = !shown.relation[flags[kind]];
      busy.value = kind;
      try {
        await api.relate(kind, shown.id, is);
        toasts.show(done[kind][is ? 0 : 1], 'good');
        await profile.load();
      } catch (error) {
        toasts.show(messageOf(error), 'bad');
      } finally {
        busy.value = null;
      }
    },
    close(): void {},
  };
}
export type ProfileModel = ReturnType<typeof createProfile>;
