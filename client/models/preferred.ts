// What somebody prefers, as this device remembers it, so that pages are right before the edge has answered.
import { effect, type ReadonlySignal, signal } from '@preact/signals';
import type { VersionedPreferences } from '#contract';
import type { PeopleApi } from './people-api.ts';

const preferredKey = 'livepanty.preferences';

type Known = Pick<VersionedPreferences, 'reducedEffects' | 'tipAnonymously'>;
const usual: Known = { reducedEffects: false, tipAnonymously: false };

export type PreferredDeps = {
  storage: Pick<Storage, 'getItem' | 'setItem'>;
  root: HTMLElement;
  /** Who is logged in; a device may be used by several people. */
  user: ReadonlySignal<{ id: string } | null>;
};

/** What was kept, where it is of this person. */
function readKept(text: string | null, userId: string): Known {
  try {
    const kept = JSON.parse(text ?? '{}');
    if (kept?.userId !== userId) return usual;
    return {
      reducedEffects: kept.reducedEffects === true,
      tipAnonymously: kept.tipAnonymously === true,
    };
  } catch {
    return usual;
  }
}

export function createPreferred({ storage, root, user }: PreferredDeps) {
  const known = signal<Known>(usual);
  effect(() => {
    const { value } = user;
    known.value = value ? readKept(storage.getItem(preferredKey), value.id) : usual;
  });
  effect(() => {
    if (known.value.reducedEffects) root.dataset.effects = 'reduced';
    else delete root.dataset.effects;
  });

  function take({ reducedEffects, tipAnonymously }: Known): void {
    const userId = user.peek()?.id;
    if (userId === undefined) return;
    known.value = { reducedEffects, tipAnonymously };
    storage.setItem(preferredKey, JSON.stringify({ userId, reducedEffects, tipAnonymously }));
  }

  return {
    known: known as ReadonlySignal<Known>,
    /** Takes in what the edge has told. */
    take,
    /** Asks the edge; without an answer what is remembered holds. */
    async refresh(api: Pick<PeopleApi, 'preferences'>): Promise<void> {
      const asker = user.peek()?.id;
      if (asker === undefined) return;
      try {
        const told = await api.preferences();
        if (user.peek()?.id === asker) take(told);
      } catch {
        // Asked again with the next page.
      }
    },
  };
}
export type Preferred = ReturnType<typeof createPreferred>;
