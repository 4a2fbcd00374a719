// The live side of the player: one receiver at a time over the room's socket, replaced when it breaks.
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { LayerSize } from '#contract';
import type { PathState } from '../media/ice-guard.ts';
import type { GuestMedia } from '../media/receiver.ts';
import type { RoomSocket } from '../media/room-socket.ts';
import type { Cancel, Clock } from './clock.ts';
import type { RoomLink } from './room-link.ts';

/** What the live side needs of a receiver. */
export type LiveMedia = {
  readonly stream: MediaStream;
  readonly flowing: ReadonlySignal<boolean>;
  /** True once pictures have come: sound, which needs no keyframe, comes before them. */
  readonly pictured: ReadonlySignal<boolean>;
  readonly path: ReadonlySignal<PathState>;
  readonly latencyMs: ReadonlySignal<number | null>;
  readonly guests: ReadonlySignal<readonly GuestMedia[]>;
  /** Of the layers of the host's picture, from the smallest up; empty while they are not known. */
  readonly sizes: ReadonlySignal<readonly LayerSize[]>;
  close(): void;
};

export type LiveSideDeps = {
  link: Pick<RoomLink, 'socket' | 'rejoin'>;
  openReceiver: (socket: RoomSocket) => Promise<LiveMedia>;
  /** A receiver is there; whether its stream is shown now is for the player to say. */
  onReceiver: (media: LiveMedia) => void;
  /** This socket may not, or this browser cannot, receive over WebRTC; or it cannot play what this room sends. */
  onImpossible: (why: 'no-place' | 'unsupported' | 'codec') => void;
  clock: Clock;
};

/** What is shown stays for so long, at most, until the receiver that takes its place has a picture. */
export const pictureWaitMs = 2_500;

function mayReceive(socket: RoomSocket): boolean {
  return socket.joined.capabilities.includes('subscribe');
}

export class LiveSide {
  readonly #deps: LiveSideDeps;
  readonly #flowing = signal(false);
  readonly #latencyMs: Signal<number | null> = signal(null);
  readonly #guests: Signal<readonly GuestMedia[]> = signal([]);
  readonly #sizes: Signal<readonly LayerSize[]> = signal([]);
  /** A socket carries one receiver in its life: the room has no word for giving one back. */
  readonly #usedSockets = new WeakSet<RoomSocket>();
  readonly #stopFollowing: Cancel;
  #media: LiveMedia | null = null;
  /** Where the newest receiver gets its media. */
  #mediaSocket: RoomSocket | null = null;
  #mediaCancels: Cancel[] = [];
  #seeking = false;

  private constructor(deps: LiveSideDeps) {
    this.#deps = deps;
    this.#stopFollowing = deps.link.socket.subscribe((socket) => {
      if (socket && this.#seeking) this.#open(socket);
    });
  }

  static create(deps: LiveSideDeps): LiveSide {
    return new LiveSide(deps);
  }

  /** True while media arrives from the newest receiver. */
  get flowing(): ReadonlySignal<boolean> {
    return this.#flowing;
  }

  get latencyMs(): ReadonlySignal<number | null> {
    return this.#latencyMs;
  }

  /** Who is on the stage beside the host. */
  get guests(): ReadonlySignal<readonly GuestMedia[]> {
    return this.#guests;
  }

  get sizes(): ReadonlySignal<readonly LayerSize[]> {
    return this.#sizes;
  }

  get seeking(): boolean {
    return this.#seeking;
  }

  get media(): LiveMedia | null {
    return this.#media;
  }

  /** Wants a receiver from now on. A socket that cannot bring one is changed for a new one. */
  seek(): void {
    this.#seeking = true;
    const socket = this.#deps.link.socket.peek();
    if (!socket) return;
    if (this.#usedSockets.has(socket) || !mayReceive(socket)) this.#deps.link.rejoin();
    else this.#open(socket);
  }

  /** Wants none any more. The room learns of it by a rejoin, which gives its side free. */
  stop(): void {
    if (!this.#seeking) return;
    this.#seeking = false;
    const hadReceiver = this.#media !== null;
    this.#release();
    const socket = this.#deps.link.socket.peek();
    if (hadReceiver || (socket && this.#usedSockets.has(socket))) this.#deps.link.rejoin();
  }

  close(): void {
    this.#seeking = false;
    this.#stopFollowing();
    this.#release();
  }

  async #open(socket: RoomSocket): Promise<void> {
    if (!mayReceive(socket)) {
      this.#seeking = false;
      this.#deps.onImpossible('no-place');
      return;
    }
    this.#usedSockets.add(socket);
    try {
      const media = await this.#deps.openReceiver(socket);
      await this.#untilPictured(media);
      if (this.#seeking && this.#deps.link.socket.peek() === socket) this.#take(media, socket);
      else media.close();
    } catch (error) {
      this.#refused(socket, error);
    }
  }

  #refused(socket: RoomSocket, error: unknown): void {
    if (!this.#seeking || this.#deps.link.socket.peek() !== socket) return;
    const { code, name } = (error ?? {}) as { code?: unknown; name?: unknown };
    if (code === 'no-room') {
      this.#seeking = false;
      this.#deps.onImpossible('no-place');
    } else if (code === 'unsupported-media') {
      this.#seeking = false;
      this.#deps.onImpossible('codec');
    } else if (name === 'UnsupportedError' || code === 'forbidden') {
      this.#seeking = false;
      this.#deps.onImpossible('unsupported');
    } else {
      this.#deps.link.rejoin();
    }
  }

  /** While another one is shown, a receiver without a picture yet would make it stand still. */
  async #untilPictured(media: LiveMedia): Promise<void> {
    const shown = this.#media;
    if (!shown?.pictured.peek() || !shown.flowing.peek() || !this.#mediaSocket?.isOpen) return;
    const cancels: Cancel[] = [];
    await Promise.race([
      this.#mediaSocket.ended,
      new Promise<void>((resolve) => {
        cancels.push(
          this.#deps.clock.after(pictureWaitMs, resolve),
          media.pictured.subscribe((pictured) => {
            if (pictured) resolve();
          }),
          shown.flowing.subscribe((flowing) => {
            if (!flowing) resolve();
          }),
        );
      }),
    ]);
    for (const cancel of cancels) cancel();
  }

  #take(media: LiveMedia, socket: RoomSocket): void {
    const left = this.#media;
    this.#stopFollowingMedia();
    this.#media = media;
    this.#mediaSocket = socket;
    this.#mediaCancels = [
      media.flowing.subscribe((flowing) => {
        this.#flowing.value = flowing;
      }),
      media.latencyMs.subscribe((latencyMs) => {
        this.#latencyMs.value = latencyMs;
      }),
      media.guests.subscribe((guests) => {
        this.#guests.value = guests;
      }),
      media.sizes.subscribe((sizes) => {
        this.#sizes.value = sizes;
      }),
      media.path.subscribe((path) => {
        // One of a socket that was left for another one is lost by that.
        if (path === 'lost' && this.#deps.link.socket.peek() === socket) this.#deps.link.rejoin();
      }),
    ];
    this.#deps.onReceiver(media);
    // Not before: what it showed last stays in sight until the other one is shown.
    left?.close();
  }

  #release(): void {
    this.#stopFollowingMedia();
    this.#media?.close();
    this.#media = null;
    this.#mediaSocket = null;
    this.#flowing.value = false;
    this.#latencyMs.value = null;
    this.#guests.value = [];
    this.#sizes.value = [];
  }

  #stopFollowingMedia(): void {
    for (const cancel of this.#mediaCancels) cancel();
    this.#mediaCancels = [];
  }
}
