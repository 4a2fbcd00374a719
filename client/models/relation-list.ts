// People whom one has blocked, muted or follows, each of whom can be let go again.
import { signal } from '@preact/signals';
import type { RelationKind } from '#contract';
import { messageOf } from './api-error.ts';
import { createPaged } from './load.ts';
import type { PeopleApi } from './people-api.ts';
import type { Toasts } from './toasts.ts';

export function createRelationList(
  kind: RelationKind,
  { api, toasts }: { api: Pick<PeopleApi, 'relations' | 'relate'>; toasts: Pick<Toasts, 'show'> },
) {
  const list = createPaged(async (cursor?: string) => {
    const { people, nextCursor } = await api.relations(kind, cursor);
    return { items: people, nextCursor };
  });
  const busyId = signal<string | null>(null);
  return {
    kind,
    list,
    busyId,
    async letGo(userId: string): Promise<void> {
      if (busyId.peek()) return;
      busyId.value = userId;
      try {
        await api.relate(kind, userId, false);
        list.items.value = list.items.peek().filter(({ id }) => id !== userId);
      } catch (error) {
        toasts.show(messageOf(error), 'bad');
      } finally {
        busyId.value = null;
      }
    },
  };
}
export type RelationListModel = ReturnType<typeof createRelationList>;
