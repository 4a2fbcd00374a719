// Sending: what the capture desk gives, published on each socket of a room's link, and again after every break.
import { type ReadonlySignal, signal } from '@preact/signals';
import type { MediaHold } from '#contract';
import type { PathState } from '../media/ice-guard.ts';
import type { LadderName } from '../media/ladders.ts';
import type { PictureCodec } from '../media/picture-codecs.ts';
import type { Health, PublishedTracks, Quality } from '../media/publisher.ts';
import type { RoomSocket } from '../media/room-socket.ts';
import { type Cancel, type Clock, pause } from './clock.ts';
import type { RoomLink } from './room-link.ts';

/** The room may still hold the connection that broke: how long to give it. */
export const takenPlacePauseMs = 1_500;

export type PublisherHandle = {
  readonly path: ReadonlySignal<PathState>;
  readonly health: ReadonlySignal<Health | null>;
  /** What the room keeps from everybody. */
  readonly held: ReadonlySignal<MediaHold>;
  replaceVideo(track: MediaStreamTrack): Promise<void>;
  replaceAudio(track: MediaStreamTrack | null): Promise<void>;
  close(): void;
};

export type SendingDeps = {
  desk: {
    videoOut: ReadonlySignal<MediaStreamTrack | null>;
    audioOut: ReadonlySignal<MediaStreamTrack | null>;
    ladder: ReadonlySignal<LadderName>;
    codec: ReadonlySignal<PictureCodec>;
  };
  openPublisher: (
    socket: RoomSocket,
    tracks: PublishedTracks,
    quality: Quality,
  ) => Promise<PublisherHandle>;
  clock: Clock;
};

type Link = Pick<RoomLink, 'socket' | 'rejoin'>;

/** Where what is being sent can be seen; it outlives one link. */
export type SendingState = ReturnType<typeof createSendingState>;

export function createSendingState() {
  return {
    health: signal<Health | null>(null),
    path: signal<PathState>('new'),
    held: signal<MediaHold>({ sound: false, picture: false }),
    fault: signal<string | null>(null),
  };
}

export class Sending {
  readonly #link: Link;
  readonly #state: SendingState;
  readonly #deps: SendingDeps;
  readonly #cancels: Cancel[] = [];
  #publisher: PublisherHandle | null = null;
  #publishedOn: RoomSocket | null = null;
  #publisherCancels: Cancel[] = [];

  private constructor(link: Link, state: SendingState, deps: SendingDeps) {
    this.#link = link;
    this.#state = state;
    this.#deps = deps;
  }

  /** Begins at once, and goes on until it is closed. */
  static begin(link: Link, state: SendingState, deps: SendingDeps): Sending {
    const sending = new Sending(link, state, deps);
    const { desk } = deps;
    sending.#cancels.push(
      link.socket.subscribe((socket) => {
        if (socket) sending.#publish(socket);
      }),
      desk.videoOut.subscribe((track) => {
        if (track) sending.#replace((publisher) => publisher.replaceVideo(track));
      }),
      desk.audioOut.subscribe((track) => sending.#replace((to) => to.replaceAudio(track))),
    );
    return sending;
  }

  close(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#release();
  }

  async #publish(socket: RoomSocket): Promise<void> {
    const { desk, openPublisher } = this.#deps;
    const tracks = { video: desk.videoOut.peek(), audio: desk.audioOut.peek() };
    // While a node is left for another one, what the old one gets goes on until the new one has it.
    if (!this.#publishedOn?.isOpen) this.#release();
    try {
      const quality = { ladder: desk.ladder.peek(), codec: desk.codec.peek() };
      const publisher = await openPublisher(socket, tracks, quality);
      if (this.#link.socket.peek() !== socket) {
        publisher.close();
        return;
      }
      this.#leave();
      this.#publishedOn = socket;
      this.#take(publisher);
      // A device that was changed meanwhile is sent from the start.
      const video = desk.videoOut.peek();
      if (video && video !== tracks.video) await publisher.replaceVideo(video);
    } catch (error) {
      await this.#onFault(socket, error);
    }
  }

  #take(publisher: PublisherHandle): void {
    const { health, path, held, fault } = this.#state;
    this.#publisher = publisher;
    fault.value = null;
    this.#publisherCancels = [
      publisher.health.subscribe((now) => {
        health.value = now;
      }),
      publisher.held.subscribe((now) => {
        held.value = now;
      }),
      publisher.path.subscribe((now) => {
        path.value = now;
        const isNewest = this.#link.socket.peek() === this.#publishedOn;
        if (now === 'lost' && isNewest) this.#link.rejoin();
      }),
    ];
  }

  async #onFault(socket: RoomSocket, error: unknown): Promise<void> {
    if (!socket.isOpen) return;
    const { fault } = this.#state;
    const code = (error as { code?: unknown } | null)?.code;
    if (code === 'unsupported-media') {
      fault.value = 'This browser sends no picture that the stream can carry. Try another one.';
      return;
    }
    if (code === 'stage-full') {
      fault.value = 'The stage is full. The host has to make room first.';
      return;
    }
    if (code === 'already-published') {
      fault.value = 'Waiting for the earlier connection of this stream to let go.';
    }
    await pause(this.#deps.clock, takenPlacePauseMs);
    if (this.#link.socket.peek() === socket) this.#link.rejoin();
  }

  #replace(work: (publisher: PublisherHandle) => Promise<void>): void {
    if (!this.#publisher) return;
    work(this.#publisher).catch(() => {
      this.#state.fault.value = 'The new device could not be sent. Pick another one.';
    });
  }

  /** What goes to a node that is left goes on until its socket ends: its viewers move in the meantime. */
  #leave(): void {
    const [left, socket] = [this.#publisher, this.#publishedOn];
    if (left && socket?.isOpen) {
      this.#publisher = null;
      socket.ended.then(() => left.close());
    }
    this.#release();
  }

  #release(): void {
    for (const cancel of this.#publisherCancels) cancel();
    this.#publisherCancels = [];
    this.#publisher?.close();
    this.#publisher = null;
    this.#state.health.value = null;
  }
}
