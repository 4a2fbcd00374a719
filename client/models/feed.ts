// The feed: chat and tips of one room in order, each event once, and lines that are still on their way.

import { signal } from '@preact/signals';
import type { RoomEvent } from '#contract';

/** Lines kept on the page; older ones fall off. */
export const feedLinesMax = 300;
/** Event ids remembered to recognise a repeated event. */
export const seenIdsMax = 2_000;
/** Lines that were taken away and are remembered, should they be told once more. */
export const goneLinesMax = 1_000;
/** Own lines on their way at one time. */
export const pendingLinesMax = 20;
/**
 * Ids are given when a transaction starts and told when it commits, so a smaller id may be told
 * later. A resume asks again for this many ids before the newest one that was seen.
 */
export const resumeOverlapIds = 32;

export type SpokenEvent = Extract<
  RoomEvent,
  { type: 'chat.message' | 'tip.received' | 'raid.came' }
>;

/** A line of ours that the room has not confirmed yet. */
export type PendingLine = {
  key: string;
  kind: 'chat' | 'tip';
  body: string;
  amountTokens: number;
  state: 'sending' | 'failed';
};

const isSpoken = (event: RoomEvent): event is SpokenEvent =>
  event.type === 'chat.message' || event.type === 'tip.received' || event.type === 'raid.came';

export type EventListener = (event: RoomEvent, origin: 'history' | 'live') => void;

export function createFeed() {
  const lines = signal<readonly SpokenEvent[]>([]);
  const pending = signal<readonly PendingLine[]>([]);
  const listeners = new Set<EventListener>();
  const seen = new Set<number>();
  /** Lines that were taken away; what tells of one may come before the line itself. */
  const gone = new Set<string>();
  let newestId = 0;

  function isThere(line: SpokenEvent): boolean {
    return line.type !== 'chat.message' || !(line.data.deleted || gone.has(line.data.messageId));
  }

  function takeAway(messageId: string): void {
    gone.add(messageId);
    const [oldest] = gone;
    if (gone.size > goneLinesMax && oldest !== undefined) gone.delete(oldest);
  }

  function isNew(event: RoomEvent): boolean {
    if (seen.has(event.id)) return false;
    seen.add(event.id);
    if (seen.size > seenIdsMax) {
      const oldest = seen.values().next().value;
      if (oldest !== undefined) seen.delete(oldest);
    }
    newestId = Math.max(newestId, event.id);
    return true;
  }

  function insert(events: readonly SpokenEvent[]): void {
    if (events.length === 0 && !lines.peek().some((line) => !isThere(line))) return;
    const all = [...lines.peek(), ...events].filter(isThere).sort((a, b) => a.id - b.id);
    lines.value = all.slice(-feedLinesMax);
  }

  return {
    lines,
    pending,

    /** Takes events in, whatever their order, and tells the listeners about those that are new. */
    accept(events: readonly RoomEvent[], origin: 'history' | 'live'): void {
      const fresh = events.filter(isNew);
      for (const event of fresh) if (event.type === 'chat.deleted') takeAway(event.data.messageId);
      insert(fresh.filter(isSpoken));
      for (const event of fresh) for (const listener of listeners) listener(event, origin);
    },

    /** Drops the past: more was missed than could be fetched. */
    dropPast(): void {
      lines.value = [];
    },

    /** Where to resume from, or undefined when nothing was seen yet. */
    resumeAfter: (): number | undefined =>
      newestId === 0 ? undefined : Math.max(0, newestId - resumeOverlapIds),

    onEvent(listener: EventListener): () => void {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },

    /** Shows a line of ours before the room confirms it; refused when too many are on their way. */
    addPending(line: PendingLine): boolean {
      const others = pending.peek().filter((other) => other.key !== line.key);
      if (others.length >= pendingLinesMax) return false;
      pending.value = [...others, line];
      return true;
    },

    dropPending(key: string): void {
      pending.value = pending.peek().filter((line) => line.key !== key);
    },
  };
}
export type Feed = ReturnType<typeof createFeed>;
