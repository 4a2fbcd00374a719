// The room: the live link to a stream's room, its feed, its viewers and what can be watched in it.

import { signal } from '@preact/signals';
import {
  assertNever,
  type GuestOnStage,
  type MediaSource,
  type RoomEvent,
  type Stream,
  type StreamEndReason,
  type StreamState,
} from '#contract';
import type { Notice, RoomSocket } from '../media/room-socket.ts';
import type { Api } from './api.ts';
import { isTransient } from './api-error.ts';
import { backoffMs, requestBackoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';
import { createFeed, type Feed } from './feed.ts';
import { RoomLink, type RoomLinkDeps } from './room-link.ts';

/** How often a failed fetch of missed events is tried again before the next resync or rejoin. */
export const catchUpRetriesMax = 8;

export type RoomDeps = {
  streamId: string;
  api: { streams: Pick<Api['streams'], 'events'> };
  grant: RoomLinkDeps['grant'];
  join: RoomLinkDeps['join'];
  clock: Clock;
  moveOverlapMs?: RoomLinkDeps['moveOverlapMs'];
  random?: () => number;
};

type CatchUpDeps = RoomDeps & { feed: Feed; life: AbortSignal };

/** Fetches what the socket could not tell. Returns "something may be missing from here on". */
function createCatchUp({ streamId, api, feed, clock, random, life }: CatchUpDeps): () => void {
  let gap: { after: number | undefined } | null = null;
  let running = false;

  async function fill(after: number | undefined): Promise<void> {
    const missed = await api.streams.events(streamId, after);
    if (missed.resyncNeeded && after !== undefined) feed.dropPast();
    feed.accept(missed.events, 'history');
  }

  async function run(): Promise<void> {
    for (let attempt = 0; gap && attempt <= catchUpRetriesMax && !life.aborted; ) {
      const filling: { after: number | undefined } = gap;
      gap = null;
      try {
        await fill(filling.after);
      } catch (error) {
        // The socket goes on telling news meanwhile; the older gap covers any newer one.
        gap = filling;
        // Who may not watch may not read either, until a ticket says otherwise.
        if (!isTransient(error)) return;
        await pause(clock, backoffMs(attempt, requestBackoff, random), life);
        attempt += 1;
      }
    }
  }

  return () => {
    gap ??= { after: feed.resumeAfter() };
    if (running) return;
    running = true;
    run().finally(() => {
      running = false;
    });
  };
}

/** The state of the stream as its newest event tells it. */
function createStreamStateSignals() {
  const streamState = signal<StreamState | null>(null);
  const endReason = signal<StreamEndReason | null>(null);
  let newestId = -1;
  function follow(event: RoomEvent): void {
    if (event.type !== 'stream.state' || event.id < newestId) return;
    newestId = event.id;
    streamState.value = event.data.state;
    endReason.value = event.data.reason;
  }
  /** What the stream's own record says, as long as no event has said otherwise. */
  function seed(stream: Pick<Stream, 'state' | 'endReason'>): void {
    if (newestId >= 0 && stream.state !== 'ended') return;
    streamState.value = stream.state;
    endReason.value = stream.endReason;
  }
  return { streamState, endReason, follow, seed };
}

export function createRoom(deps: RoomDeps) {
  const { grant, join, clock, random, moveOverlapMs, streamId } = deps;
  const feed = createFeed();
  const viewers = signal(0);
  const sources = signal<readonly MediaSource[]>([]);
  const held = signal<readonly MediaSource[]>([]);
  const guests = signal<readonly GuestOnStage[]>([]);
  /** Grows with every change of the stage that concerns whoever is here. */
  const stageNews = signal(0);
  const publishing = signal(false);
  const { streamState, endReason, follow, seed } = createStreamStateSignals();
  const life = new AbortController();
  const catchUp = createCatchUp({ ...deps, feed, life: life.signal });
  feed.onEvent(follow);

  const link = RoomLink.create({
    grant,
    join,
    clock,
    ...(random ? { random } : {}),
    ...(moveOverlapMs ? { moveOverlapMs } : {}),
  });

  function hear(notice: Notice): void {
    switch (notice.type) {
      case 'room.event':
        feed.accept([notice.event], 'live');
        return;
      case 'room.resync':
        catchUp();
        return;
      case 'room.viewers':
        viewers.value = notice.viewers;
        return;
      case 'room.media':
        sources.value = notice.sources;
        held.value = notice.held;
        guests.value = notice.guests;
        publishing.value = notice.sources.length > 0;
        return;
      case 'room.stage':
        stageNews.value += 1;
        return;
      case 'producer.layers':
      case 'producer.held':
      case 'producer.closed':
      case 'producer.sizes':
      case 'consumer.closed':
      case 'room.move':
        // Media handles and the link hear these on the socket themselves.
        return;
      default:
        assertNever(notice);
    }
  }

  function enter(socket: RoomSocket): void {
    viewers.value = socket.joined.viewers;
    publishing.value = socket.joined.publishing;
    // The gap begins at the last event of the socket before, so it is noted before this one is heard.
    catchUp();
    socket.onNotice((notice) => {
      // A socket that was left for another one knows events, but not what there is to watch.
      if (link.socket.peek() === socket || notice.type === 'room.event') hear(notice);
    });
  }

  const stopEntering = link.socket.subscribe((socket) => {
    if (socket) enter(socket);
  });
  // Somebody who comes before or after the stream is live still sees what has been said.
  const stopWaiting = link.state.subscribe((state) => {
    if (state === 'not-live' || state === 'closed') catchUp();
  });

  return {
    streamId,
    feed,
    viewers,
    sources,
    held,
    guests,
    stageNews,
    publishing,
    streamState,
    endReason,
    seed,
    link,
    close(): void {
      life.abort();
      stopEntering();
      stopWaiting();
      link.close();
    },
  };
}
export type Room = ReturnType<typeof createRoom>;
