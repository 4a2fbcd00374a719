// Order in a chat: whom one does not hear, and what its performer and moderators may do about a line.
import { signal } from '@preact/signals';
import type { RelationKind, Role } from '#contract';
import { messageOf } from './api-error.ts';
import type { SpokenEvent } from './feed.ts';
import type { PeopleApi, RoomBan } from './people-api.ts';
import type { Toasts } from './toasts.ts';

/** As many pages of people as may be muted or blocked. */
const pagesMax = 25;
export const silenceMinutes = 10;
/** Staff who keep order everywhere: the same as the contract's; a test holds them together. */
export const orderRoles: readonly Role[] = ['moderator', 'admin'];

export type ChatLine = Extract<SpokenEvent, { type: 'chat.message' }>;

export type ChatOrderDeps = {
  streamId: string;
  /** Null for a guest. */
  self: { id: string; role: Role } | null;
  api: Pick<
    PeopleApi,
    'relations' | 'relate' | 'moderators' | 'setModerator' | 'ban' | 'liftBan' | 'deleteLine'
  >;
  toasts: Pick<Toasts, 'show'>;
};

export function createChatOrder({ streamId, self, api, toasts }: ChatOrderDeps) {
  const unheard = signal<ReadonlySet<string>>(new Set());
  const moderators = signal<ReadonlySet<string>>(new Set());
  const picked = signal<ChatLine | null>(null);
  const busy = signal(false);

  async function idsOf(kind: RelationKind): Promise<string[]> {
    const ids: string[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < pagesMax; page += 1) {
      const { people, nextCursor } = await api.relations(kind, cursor);
      ids.push(...people.map(({ id }) => id));
      if (nextCursor === null) break;
      cursor = nextCursor;
    }
    return ids;
  }

  async function loadUnheard(): Promise<void> {
    if (!self) return;
    const lists = await Promise.all([idsOf('mute'), idsOf('block')]);
    unheard.value = new Set([...unheard.peek(), ...lists.flat()]);
  }

  async function loadModerators(): Promise<void> {
    if (!self) return;
    const told = await api.moderators(streamId);
    moderators.value = new Set(told.moderators.map(({ id }) => id));
  }

  function turn(set: typeof unheard, id: string, is: boolean): void {
    const ids = new Set(set.peek());
    if (is) ids.add(id);
    else ids.delete(id);
    set.value = ids;
  }

  /** Carries something out about the line that is picked, says what was done, and puts the line back. */
  async function act(words: string, work: (line: ChatLine) => Promise<void>): Promise<void> {
    const line = picked.peek();
    if (!line || busy.peek()) return;
    busy.value = true;
    try {
      await work(line);
      picked.value = null;
      toasts.show(words, 'good');
    } catch (error) {
      toasts.show(messageOf(error), 'bad');
    } finally {
      busy.value = false;
    }
  }

  async function shun(kind: 'mute' | 'block', { data }: ChatLine): Promise<void> {
    await api.relate(kind, data.userId, true);
    turn(unheard, data.userId, true);
  }

  const ban = (words: string, how: RoomBan) =>
    act(words, ({ data }) => api.ban(streamId, data.userId, how));

  return {
    unheard,
    moderators,
    /** The line that something is to be done about. */
    picked,
    busy,
    self,
    /** Whether one keeps order here; `hostId` is the performer. */
    keepsOrder: (hostId: string | null): boolean =>
      self !== null &&
      (orderRoles.includes(self.role) || self.id === hostId || moderators.value.has(self.id)),
    load: async (): Promise<void> => {
      // Each stands for itself; without it the chat is read as it is, and nothing is offered.
      await Promise.allSettled([loadUnheard(), loadModerators()]);
    },
    mute: () => act('Muted. You do not see what they say.', (line) => shun('mute', line)),
    block: () =>
      act('Blocked. They cannot follow, tip or chat with you.', (line) => shun('block', line)),
    deleteLine: () =>
      act('The line is gone.', ({ data }) => api.deleteLine(streamId, data.messageId)),
    silence: () =>
      ban(`They cannot talk for ${silenceMinutes} minutes.`, {
        kind: 'silenced',
        minutes: silenceMinutes,
      }),
    ban: () => ban('Banned from these rooms.', { kind: 'banned', minutes: null }),
    lift: () =>
      act('They may talk and watch again.', ({ data }) => api.liftBan(streamId, data.userId)),
    setModerator: (is: boolean) =>
      act(is ? 'They keep order here now.' : 'They keep order here no more.', async ({ data }) => {
        await api.setModerator(streamId, data.userId, is);
        turn(moderators, data.userId, is);
      }),
  };
}
export type ChatOrder = ReturnType<typeof createChatOrder>;
