// The studio: capture, broadcast, chat, tips and earnings of one performer, as one page shows them.

import { computed, signal } from '@preact/signals';
import type { Earnings, RoomEvent, Stream } from '#contract';
import type { Api } from './api.ts';
import { hasCode, messageOf } from './api-error.ts';
import { Broadcast, type BroadcastDeps, type Sender } from './broadcast.ts';
import { CaptureDesk, type CaptureDeskDeps } from './capture-desk.ts';
import { type Chat, createChat } from './chat.ts';
import { type Clock, repeat } from './clock.ts';
import { createEarnings } from './earnings.ts';
import { createLoaded } from './load.ts';
import type { Room } from './room.ts';
import { createStageDesk, type StageDesk, type StageDeskDeps } from './stage-desk.ts';
import { createStreamEditor } from './stream-editor.ts';
import { createStreamForm } from './stream-form.ts';
import type { Toasts } from './toasts.ts';

export type StudioDeps = {
  api: Pick<Api, 'streams'>;
  fetchEarnings: () => Promise<Earnings>;
  clock: Clock;
  toasts: Pick<Toasts, 'show'>;
  newKey: () => string;
  desk: CaptureDeskDeps;
  join: BroadcastDeps['join'];
  openPublisher: BroadcastDeps['openPublisher'];
  stage: Pick<StageDeskDeps, 'api' | 'openReceiver' | 'viewing'>;
};

/** An encoder may begin, or another window: so often is asked whether one has. */
export const elsewhereAskedEveryMs = 4_000;

/** What one stream has brought so far, counted from its own events. */
export type StreamTally = { tips: number; tokens: number; viewersPeak: number };
const emptyTally: StreamTally = { tips: 0, tokens: 0, viewersPeak: 0 };

export function createStudio(deps: StudioDeps) {
  const { api, clock, toasts, newKey } = deps;
  const desk = CaptureDesk.create(deps.desk);
  const earnings = createEarnings(deps.fetchEarnings, clock);
  const chat = signal<Chat | null>(null);
  const tally = signal<StreamTally>(emptyTally);
  const stage = signal<StageDesk | null>(null);
  const mine = createLoaded(() => api.streams.listMine());

  function count(event: RoomEvent, origin: 'history' | 'live'): void {
    if (event.type !== 'tip.received') return;
    const { tips, tokens, viewersPeak } = tally.peek();
    tally.value = { tips: tips + 1, tokens: tokens + event.data.amountTokens, viewersPeak };
    if (origin === 'live') earnings.onTip();
  }

  function enter(room: Room, sender: Sender): void {
    stage.peek()?.close();
    tally.value = emptyTally;
    chat.value = createChat({
      streamId: room.streamId,
      api,
      feed: room.feed,
      newKey,
      toast: (text) => toasts.show(text, 'bad'),
    });
    stage.value = createStageDesk({ room, clock, seesHost: sender === 'elsewhere', ...deps.stage });
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

  const form = createStreamForm(clock.now);
  const announcing = signal(false);
  const editor = createStreamEditor({
    api,
    now: clock.now,
    onSaved(stream) {
      if (broadcast.stream.peek()?.id === stream.id) broadcast.stream.value = stream;
      mine.load();
    },
  });
  /** One key for one announcement, however often it is sent. */
  let announceKey = newKey();

  async function endOpen(stream: Stream): Promise<void> {
    try {
      await api.streams.end(stream.id);
    } catch (error) {
      if (!hasCode(error, 'stream-ended')) toasts.show(messageOf(error), 'bad');
    }
    await mine.load();
  }

  /** Streams of ours that are not over and not in this window. */
  const open = computed<readonly Stream[]>(() => {
    if (broadcast.phase.value !== 'idle') return [];
    return mine.value.value?.streams.filter((stream) => stream.state !== 'ended') ?? [];
  });

  /** One that is on air, or about to be, and is not sent from here. */
  const elsewhere = computed(() => open.value.find(({ state }) => state !== 'created') ?? null);
  const stopFollowing = elsewhere.subscribe((stream) => {
    if (!stream) return;
    // Whoever sends may want the camera.
    desk.rest();
    broadcast.follow(stream);
  });
  const stopAsking = repeat(clock, elsewhereAskedEveryMs, () => {
    if (broadcast.phase.peek() === 'idle') mine.load();
  });

  mine.load();
  earnings.load();

  return {
    desk,
    broadcast,
    earnings,
    chat,
    tally,
    stage,
    form,
    editor,
    announcing,
    /** Those that are announced, or were made and never started. */
    planned: computed(() => open.value.filter(({ state }) => state === 'created')),
    endOpen,
    /** Makes the stream that the form tells of, to be started later. */
    async announce(): Promise<void> {
      const body = form.readAnnounced();
      if (!body || announcing.peek()) return;
      announcing.value = true;
      try {
        await api.streams.create(body, announceKey);
        announceKey = newKey();
        form.title.value = '';
        form.scheduledAt.value = '';
        toasts.show('Announced. You find it here when it is time.', 'good');
        await mine.load();
      } catch (error) {
        toasts.show(messageOf(error), 'bad');
      } finally {
        announcing.value = false;
      }
    },
    /** Sends from here what was sent from elsewhere. */
    async takeOver(): Promise<void> {
      await desk.open();
      if (desk.videoOut.peek()) await broadcast.takeOver();
    },
    close(): void {
      stopFollowing();
      stopAsking();
      stage.peek()?.close();
      broadcast.close();
      desk.close();
      earnings.close();
    },
  };
}
export type Studio = ReturnType<typeof createStudio>;
