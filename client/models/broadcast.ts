// The broadcast: one stream of ours from "go live" to its end, re-published by itself after every break.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { CreateStreamBody, Stream } from '#contract';
import type { PathState } from '../media/ice-guard.ts';
import type { LadderName } from '../media/ladders.ts';
import type { Health, PublishedTracks } from '../media/publisher.ts';
import type { RoomSocket } from '../media/room-socket.ts';
import type { Api } from './api.ts';
import { hasCode, messageOf } from './api-error.ts';
import { type Cancel, type Clock, pause, repeat } from './clock.ts';
import { createRoom, type Room, type RoomDeps } from './room.ts';
import { publisherOverlapMs } from './room-link.ts';

export const streamRefreshMs = 2_000;
/** The room may still hold the connection that broke: how long to give it. */
export const takenPlacePauseMs = 1_500;

export type Phase = 'idle' | 'starting' | 'live' | 'ending' | 'ended';

export type PublisherHandle = {
  readonly path: ReadonlySignal<PathState>;
  readonly health: ReadonlySignal<Health | null>;
  replaceVideo(track: MediaStreamTrack): Promise<void>;
  replaceAudio(track: MediaStreamTrack | null): Promise<void>;
  close(): void;
};

export type BroadcastDeps = {
  api: Pick<Api, 'streams'>;
  join: RoomDeps['join'];
  desk: {
    videoOut: ReadonlySignal<MediaStreamTrack | null>;
    audioOut: ReadonlySignal<MediaStreamTrack | null>;
    ladder: ReadonlySignal<LadderName>;
  };
  openPublisher: (
    socket: RoomSocket,
    tracks: PublishedTracks,
    ladder: LadderName,
  ) => Promise<PublisherHandle>;
  clock: Clock;
  newKey: () => string;
  onRoom: (room: Room) => void;
};

export class Broadcast {
  readonly phase = signal<Phase>('idle');
  readonly stream = signal<Stream | null>(null);
  readonly room = signal<Room | null>(null);
  readonly health = signal<Health | null>(null);
  readonly path = signal<PathState>('new');
  readonly fault = signal<string | null>(null);
  readonly #deps: BroadcastDeps;
  readonly #cancels: Cancel[] = [];
  #publisher: PublisherHandle | null = null;
  #publishedOn: RoomSocket | null = null;
  #publisherCancels: Cancel[] = [];

  private constructor(deps: BroadcastDeps) {
    this.#deps = deps;
  }

  static create(deps: BroadcastDeps): Broadcast {
    return new Broadcast(deps);
  }

  async goLive(body: CreateStreamBody): Promise<void> {
    if (this.phase.peek() !== 'idle') return;
    const { streams } = this.#deps.api;
    await this.#attempt(async () => {
      // A stream that was made by an attempt which then failed is used, not left behind.
      const made = this.stream.peek() ?? (await streams.create(body, this.#deps.newKey()));
      this.stream.value = made;
      await this.#begin(made);
    });
  }

  /** Takes up a stream that is still open from before. */
  async resume(stream: Stream): Promise<void> {
    if (this.phase.peek() !== 'idle') return;
    this.stream.value = stream;
    await this.#attempt(() => this.#begin(stream));
  }

  async end(): Promise<void> {
    const stream = this.stream.peek();
    const before = this.phase.peek();
    if (!stream || before === 'ending' || before === 'ended') return;
    this.phase.value = 'ending';
    try {
      this.stream.value = await this.#deps.api.streams.end(stream.id);
      this.#finish();
    } catch (error) {
      if (hasCode(error, 'stream-ended', 'invalid-transition')) return this.#finish();
      this.phase.value = before;
      this.fault.value = messageOf(error);
    }
  }

  /** Leaves without ending: the stream waits a while for somebody to resume it. */
  close(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#releasePublisher();
    this.room.peek()?.close();
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.phase.value = 'starting';
    this.fault.value = null;
    try {
      await work();
    } catch (error) {
      this.phase.value = 'idle';
      this.fault.value = messageOf(error);
    }
  }

  async #begin(made: Stream): Promise<void> {
    const { api, join, clock, desk, onRoom } = this.#deps;
    if (made.state === 'created') this.stream.value = await api.streams.start(made.id);
    const room = createRoom({
      streamId: made.id,
      api,
      grant: () => api.streams.ticket(made.id, { intent: 'publish' }),
      join,
      clock,
      moveOverlapMs: publisherOverlapMs,
    });
    this.room.value = room;
    onRoom(room);
    this.#cancels.push(
      room.link.socket.subscribe((socket) => {
        if (socket) this.#publish(socket);
      }),
      room.link.refusal.subscribe((refusal) => this.#onRefusal(refusal)),
      room.streamState.subscribe((state) => this.#onState(state)),
      desk.videoOut.subscribe((track) => {
        if (track) this.#replace((publisher) => publisher.replaceVideo(track));
      }),
      desk.audioOut.subscribe((track) => this.#replace((to) => to.replaceAudio(track))),
      repeat(clock, streamRefreshMs, () => this.#refresh(made.id)),
    );
  }

  async #publish(socket: RoomSocket): Promise<void> {
    const { desk, openPublisher } = this.#deps;
    const tracks = { video: desk.videoOut.peek(), audio: desk.audioOut.peek() };
    // While a node is left for another one, what the old one gets goes on until the new one has it.
    if (!this.#publishedOn?.isOpen) this.#releasePublisher();
    try {
      const publisher = await openPublisher(socket, tracks, desk.ladder.peek());
      if (this.room.peek()?.link.socket.peek() !== socket) {
        publisher.close();
        return;
      }
      this.#leavePublisher();
      this.#publishedOn = socket;
      this.#take(publisher);
      // A device that was changed meanwhile is sent from the start.
      const video = desk.videoOut.peek();
      if (video && video !== tracks.video) await publisher.replaceVideo(video);
    } catch (error) {
      await this.#onPublishFault(socket, error);
    }
  }

  #take(publisher: PublisherHandle): void {
    this.#publisher = publisher;
    this.fault.value = null;
    this.#publisherCancels = [
      publisher.health.subscribe((health) => {
        this.health.value = health;
      }),
      publisher.path.subscribe((path) => {
        this.path.value = path;
        const link = this.room.peek()?.link;
        if (path === 'lost' && link?.socket.peek() === this.#publishedOn) link?.rejoin();
      }),
    ];
  }

  async #onPublishFault(socket: RoomSocket, error: unknown): Promise<void> {
    if (!socket.isOpen) return;
    const code = (error as { code?: unknown } | null)?.code;
    if (code === 'unsupported-media') {
      this.fault.value =
        'This browser sends no picture that the stream can carry. Try another one.';
      return;
    }
    if (code === 'already-published') {
      this.fault.value = 'Waiting for the earlier connection of this stream to let go.';
    }
    await pause(this.#deps.clock, takenPlacePauseMs);
    if (this.room.peek()?.link.socket.peek() === socket) this.room.peek()?.link.rejoin();
  }

  #replace(work: (publisher: PublisherHandle) => Promise<void>): void {
    if (!this.#publisher) return;
    work(this.#publisher).catch(() => {
      this.fault.value = 'The new device could not be sent. Pick another one.';
    });
  }

  #onRefusal(refusal: string | null): void {
    if (refusal === 'stream-ended') this.#finish();
    else if (refusal === 'replaced') {
      this.fault.value = 'This stream was taken over by another window.';
    } else if (refusal) {
      this.fault.value = 'The stream cannot be reached. Check your network and resume it.';
    }
  }

  #onState(state: Stream['state'] | null): void {
    if (state === 'live' && this.phase.peek() === 'starting') this.phase.value = 'live';
    if (state === 'ended') this.#finish();
  }

  /** The events of the room tell first; this covers what they may have missed. */
  async #refresh(id: string): Promise<void> {
    try {
      const fresh = await this.#deps.api.streams.read(id);
      this.stream.value = fresh;
      this.#onState(fresh.state);
    } catch {
      // The next round asks again; the room's own link says when the network is gone.
    }
  }

  #finish(): void {
    if (this.phase.peek() === 'ended') return;
    this.phase.value = 'ended';
    this.close();
  }

  /** What goes to a node that is left goes on until its socket ends: its viewers move in the meantime. */
  #leavePublisher(): void {
    const [left, socket] = [this.#publisher, this.#publishedOn];
    if (left && socket?.isOpen) {
      this.#publisher = null;
      socket.ended.then(() => left.close());
    }
    this.#releasePublisher();
  }

  #releasePublisher(): void {
    for (const cancel of this.#publisherCancels) cancel();
    this.#publisherCancels = [];
    this.#publisher?.close();
    this.#publisher = null;
    this.health.value = null;
  }
}
