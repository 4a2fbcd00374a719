// The studio: capture, broadcast, chat, tips and earnings of one performer, as one page shows them.

import { computed, signal } from '@preact/signals';
import type { Earnings, RoomEvent, Stream } from '#contract';
import type { Api } from './api.ts';
import { hasCode, messageOf } from './api-error.ts';
import { Broadcast, type BroadcastDeps } from './broadcast.ts';
import { CaptureDesk, type CaptureDeskDeps } from './capture-desk.ts';
import { type Chat, createChat } from './chat.ts';
import type { Clock } from './clock.ts';
import { createEarnings } from './earnings.ts';
import { createLoaded } from './load.ts';
import type { Room } from './room.ts';
import type { Toasts } from './toasts.ts';

/** The same bound as the contract's; a test holds them together. */
export const titleCharsMax = 100;

export type StudioDeps = {
  api: Pick<Api, 'streams'>;
  fetchEarnings: () => Promise<Earnings>;
  clock: Clock;
  toasts: Pick<Toasts, 'show'>;
  newKey: () => string;
  desk: CaptureDeskDeps;
  join: BroadcastDeps['join'];
  openPublisher: BroadcastDeps['openPublisher'];
};

/** What one stream has brought so far, counted from its own events. */
export type StreamTally = { tips: number; tokens: number; viewersPeak: number };
const emptyTally: StreamTally = { tips: 0, tokens: 0, viewersPeak: 0 };

export function createStudio(deps: StudioDeps) {
  const { api, clock, toasts, newKey } = deps;
  const desk = CaptureDesk.create(deps.desk);
  const earnings = createEarnings(deps.fetchEarnings, clock);
  const chat = signal<Chat | null>(null);
  const tally = signal<StreamTally>(emptyTally);
  const mine = createLoaded(() => api.streams.listMine());

  function count(event: RoomEvent, origin: 'history' | 'live'): void {
    if (event.type !== 'tip.received') return;
    const { tips, tokens, viewersPeak } = tally.peek();
    tally.value = { tips: tips + 1, tokens: tokens + event.data.amountTokens, viewersPeak };
    if (origin === 'live') earnings.onTip();
  }

  function enter(room: Room): void {
    chat.value = createChat({
      streamId: room.streamId,
      api,
      feed: room.feed,
      newKey,
      toast: (text) => toasts.show(text, 'bad'),
    });
    room.feed.onEvent(count);
    room.viewers.subscribe((viewers) => {
      const now = tally.peek();
      if (viewers > now.viewersPeak) tally.value = { ...now, viewersPeak: viewers };
    });
  }

  const broadcast = Broadcast.create({
    api,
    clock,
    newKey,
    desk,
    join: deps.join,
    openPublisher: deps.openPublisher,
    onRoom: enter,
  });

  mine.load();
  earnings.load();

  return {
    desk,
    broadcast,
    earnings,
    chat,
    tally,
    /** A stream of ours that is open but not in this window. */
    leftOpen: computed<Stream | null>(() => {
      if (broadcast.phase.value !== 'idle') return null;
      return mine.value.value?.streams.find((stream) => stream.state !== 'ended') ?? null;
    }),
    async endLeftOpen(stream: Stream): Promise<void> {
      try {
        await api.streams.end(stream.id);
      } catch (error) {
        if (!hasCode(error, 'stream-ended')) toasts.show(messageOf(error), 'bad');
      }
      await mine.load();
    },
    close(): void {
      broadcast.close();
      desk.close();
      earnings.close();
    },
  };
}
export type Studio = ReturnType<typeof createStudio>;
