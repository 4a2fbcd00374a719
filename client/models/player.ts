// The player: chooses between WebRTC and HLS, changes over by itself, and says how it is going.

import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { GuestOnStage, LayerSize, MediaSource, Transport } from '#contract';
import type { GuestMedia } from '../media/receiver.ts';
import type { Surface } from '../media/surface.ts';
import type { Cancel, Clock } from './clock.ts';
import { HlsSide, type HlsSideDeps } from './hls-side.ts';
import type { HlsTicket } from './hls-ticket.ts';
import { type LiveMedia, LiveSide, type LiveSideDeps } from './live-side.ts';
import type { Room } from './room.ts';
import type { RoomLink } from './room-link.ts';
import type { Viewing } from './viewing.ts';

/** WebRTC that brings no media by then is given up for HLS, for the time being. */
export const webrtcConnectLimitMs = 4_000;
/** Media that stays away for so long while the performer sends: the same. */
export const webrtcBreakLimitMs = 2_000;
/** WebRTC is tried again behind a playing HLS, first after this, then after twice as long each time. */
export const webrtcRetryFirstMs = 15_000;
export const webrtcRetryMaxMs = 300_000;
/** WebRTC that held for so long starts the retries afresh. */
export const webrtcStableMs = 30_000;

/**
 * `held`: the picture is kept from everybody, and what was seen of it last is not to be seen either. `unplayable`: HLS is
 * wanted, and this browser cannot decode it. `sound`: the viewer has asked for no picture, and hears.
 */
export type PlayerState =
  | 'connecting'
  | 'playing'
  | 'buffering'
  | 'waiting'
  | 'held'
  | 'unplayable'
  | 'sound'
  | 'ended'
  | 'failed';
export type Choice = 'live' | 'hls';
/** Why HLS is shown. `codec`: this browser cannot decode what the room sends at the moment. */
export type HlsReason = 'chosen' | 'fallback' | 'placed' | 'unsupported' | 'codec';

export type PlayerDeps = {
  /** What the viewer has chosen before there was anything to see; `live` when nothing. */
  choice?: Choice;
  room: Pick<Room, 'publishing' | 'streamState' | 'sources' | 'held' | 'guests'> & {
    link: Pick<RoomLink, 'socket' | 'state' | 'granted' | 'refusal' | 'rejoin'>;
  };
  surface: Pick<Surface, 'moving' | 'showStream' | 'clear' | 'freeze'>;
  viewing: Pick<Viewing, 'soundOnly'>;
  ticket: HlsTicket;
  openReceiver: LiveSideDeps['openReceiver'];
  openHls: HlsSideDeps['open'];
  clock: Clock;
};

export class Player {
  readonly choice = signal<Choice>('live');
  readonly hlsReason = signal<HlsReason | null>(null);
  readonly #deps: PlayerDeps;
  readonly #live: LiveSide;
  readonly #hls: HlsSide;
  readonly #transport = signal<Transport>('webrtc');
  /** True once any picture has been seen. */
  readonly shownOnce = signal(false);
  readonly #cancels: Cancel[] = [];
  #cancelDeadline: Cancel = () => {};
  #cancelRetry: Cancel = () => {};
  #fallbacks = 0;
  #flowingSinceMs = 0;
  /** An attempt at WebRTC is under way and has time until the deadline. */
  #probing = true;
  #asksLive = false;
  #closed = false;
  #shownMedia: LiveMedia | null = null;

  readonly transport: ReadonlySignal<Transport> = computed(() => this.#transport.value);
  readonly latencyMs: ReadonlySignal<number | null> = computed(() =>
    this.#transport.value === 'hls' ? this.#hls.latencyMs.value : this.#live.latencyMs.value,
  );
  /** Whom to show beside the host: HLS brings the host alone. */
  readonly guests: ReadonlySignal<readonly GuestMedia[]> = computed(() =>
    this.#transport.value === 'hls'
      ? []
      : withoutHeldPictures(this.#live.guests.value, this.#deps.room.guests.value),
  );
  /** Of the layers or renditions that the host's picture can be had in, from the smallest up. */
  readonly sizes: ReadonlySignal<readonly LayerSize[]> = computed(() =>
    this.#transport.value === 'hls' ? this.#hls.sizes.value : this.#live.sizes.value,
  );
  readonly state: ReadonlySignal<PlayerState> = computed(() => this.#judge());

  private constructor(deps: PlayerDeps) {
    this.#deps = deps;
    const { room, ticket, clock } = deps;
    this.#live = LiveSide.create({
      link: room.link,
      openReceiver: deps.openReceiver,
      onReceiver: () => this.#offer(),
      onImpossible: (why) => this.#enterHls(why === 'no-place' ? 'placed' : why),
      clock,
    });
    this.#hls = HlsSide.create({
      ticket,
      open: deps.openHls,
      onTakeover: () => this.#giveVideoToHls(),
      clock,
    });
    this.#follow(deps);
  }

  static create(deps: PlayerDeps): Player {
    const player = new Player(deps);
    if (deps.choice === 'hls') player.choose('hls');
    if (player.hlsReason.peek() === null && !player.#closed) {
      player.#live.seek();
      player.#armDeadline(webrtcConnectLimitMs);
    }
    return player;
  }

  /** True while live media is wanted of the room. */
  get wantsLive(): boolean {
    return this.#live.seeking;
  }

  /** The viewer's own choice: live as far as it goes, or HLS and nothing else. */
  choose(choice: Choice): void {
    if (this.#closed) return;
    this.choice.value = choice;
    this.#cancelRetry();
    if (choice === 'hls') {
      this.#enterHls('chosen');
    } else if (!this.#live.flowing.peek()) {
      this.#asksLive = true;
      // HLS goes on until live pictures are there; the placement may be asked for again.
      this.hlsReason.value = 'fallback';
      this.#fallbacks = 0;
      this.#probe();
    }
  }

  /** Whether a place at the live picture was asked for, and not only taken as it came. */
  get asksLive(): boolean {
    return this.#asksLive;
  }

  /** Whoever tips and has found no live place asks for one. */
  promote(): void {
    if (this.choice.peek() === 'live' && this.hlsReason.peek() === 'placed') this.choose('live');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#cancelDeadline();
    this.#cancelRetry();
    this.#live.close();
    this.#hls.close();
    this.#deps.surface.clear();
  }

  #follow({ room, surface, ticket }: PlayerDeps): void {
    this.#cancels.push(
      room.link.granted.subscribe((granted) => {
        if (!granted) return;
        ticket.accept(granted.hls);
        if (granted.transport === 'hls' && this.hlsReason.peek() === null) this.#enterHls('placed');
      }),
      room.link.socket.subscribe((socket) => {
        if (socket) this.#armDeadline(webrtcConnectLimitMs);
      }),
      room.held.subscribe(() => this.#armDeadline(webrtcConnectLimitMs)),
      room.publishing.subscribe((publishing) => {
        if (!publishing) return;
        this.#armDeadline(webrtcConnectLimitMs);
        // Whoever publishes again may do so in another codec.
        if (this.hlsReason.peek() === 'codec') this.#planRetry();
      }),
      this.#live.flowing.subscribe((flowing) => (flowing ? this.#onFlow() : this.#onSilence())),
      ticket.refusal.subscribe((refusal) => {
        if (refusal && this.#transport.peek() === 'hls') surface.clear();
      }),
      surface.moving.subscribe((moving) => {
        if (moving) this.#onMotion();
      }),
      room.streamState.subscribe((state) => {
        if (state === 'ended') this.close();
      }),
    );
  }

  #judge(): PlayerState {
    const { room, surface, ticket } = this.#deps;
    const linkState = room.link.state.value;
    if (room.streamState.value === 'ended' || room.link.refusal.value === 'stream-ended') {
      return 'ended';
    }
    if (this.#transport.value === 'hls' && ticket.refusal.value) return 'failed';
    if (this.#transport.value === 'hls' && this.#hls.unplayable.value) return 'unplayable';
    if (room.held.value.some(isPicture)) return 'held';
    if (this.#deps.viewing.soundOnly.value && this.#isHeard()) return 'sound';
    if (surface.moving.value) return 'playing';
    if (linkState === 'closed') return 'failed';
    if (linkState === 'not-live' || (linkState === 'open' && !room.publishing.value)) {
      return 'waiting';
    }
    return this.shownOnce.value ? 'buffering' : 'connecting';
  }

  #isHeard(): boolean {
    return this.#transport.value === 'hls' ? this.#hls.playing.value : this.#live.flowing.value;
  }

  /** A receiver is there. Over nothing it is shown at once; over playing HLS only when it flows. */
  #offer(): void {
    if (!this.#hls.playing.peek() || this.#live.flowing.peek()) this.#showLive();
  }

  #showLive(): void {
    const media = this.#live.media;
    if (!media || media === this.#shownMedia || this.choice.peek() === 'hls') return;
    this.#shownMedia = media;
    this.#deps.surface.freeze();
    this.#hls.stop();
    this.#transport.value = 'webrtc';
    this.#deps.surface.showStream(media.stream);
  }

  #onFlow(): void {
    this.#cancelDeadline();
    this.#cancelRetry();
    this.#flowingSinceMs = this.#deps.clock.now();
    if (this.choice.peek() === 'hls') return;
    this.hlsReason.value = null;
    this.#showLive();
  }

  #onSilence(): void {
    if (this.#flowingSinceMs === 0) return;
    if (this.#deps.clock.now() - this.#flowingSinceMs > webrtcStableMs) this.#fallbacks = 0;
    this.#flowingSinceMs = 0;
    this.#armDeadline(webrtcBreakLimitMs);
  }

  /** Whether anything is to be had: what is held HLS has no more than we do. */
  #isSent(): boolean {
    const { publishing, sources, held } = this.#deps.room;
    const isHeldWhole = sources.peek().every((source) => held.peek().includes(source));
    return publishing.peek() && (sources.peek().length === 0 || !isHeldWhole);
  }

  #armDeadline(limitMs: number): void {
    this.#cancelDeadline();
    if (this.#closed || !this.#live.seeking || this.#live.flowing.peek()) return;
    this.#cancelDeadline = this.#deps.clock.after(limitMs, () => this.#onDeadline());
  }

  #onDeadline(): void {
    const { room } = this.#deps;
    this.#probing = false;
    // Nobody sends: HLS has nothing to show either, and the next publishing arms the deadline again.
    if (room.link.state.peek() === 'open' && !this.#isSent()) return;
    this.#enterHls('fallback');
    this.#settleOnHls();
    this.#planRetry();
  }

  /**
   * HLS plays and WebRTC does not: its receiver is given back. Not before HLS shows something, since
   * the receiver may still win the race; and not while the room itself is away, since then the fault
   * is not in the media path and WebRTC comes back with the room.
   */
  #settleOnHls(): void {
    const { room, surface, viewing } = this.#deps;
    const isShown = surface.moving.peek() || viewing.soundOnly.peek();
    if (!this.#hls.playing.peek() || !isShown) return;
    if (room.link.state.peek() === 'open' && !this.#live.flowing.peek()) this.#live.stop();
  }

  #planRetry(): void {
    const delayMs = Math.min(webrtcRetryMaxMs, webrtcRetryFirstMs * 2 ** this.#fallbacks);
    this.#fallbacks += 1;
    this.#cancelRetry();
    this.#cancelRetry = this.#deps.clock.after(delayMs, () => this.#probe());
  }

  /** Tries WebRTC again behind whatever is shown. */
  #probe(): void {
    if (this.#closed || this.#live.flowing.peek()) return;
    this.#probing = true;
    this.#live.seek();
    this.#armDeadline(webrtcConnectLimitMs);
  }

  #enterHls(reason: HlsReason): void {
    if (this.#closed) return;
    this.hlsReason.value = reason;
    if (reason !== 'fallback') {
      this.#cancelDeadline();
      this.#cancelRetry();
      this.#live.stop();
    }
    this.#hls.start();
  }

  #giveVideoToHls(): void {
    this.#shownMedia = null;
    this.#deps.surface.freeze();
    this.#deps.surface.clear();
    this.#transport.value = 'hls';
  }

  #onMotion(): void {
    this.shownOnce.value = true;
    if (!this.#probing) this.#settleOnHls();
  }
}

const isPicture = (source: MediaSource): boolean => source === 'camera' || source === 'screen';

/** Guests as they are to be seen; also used where the host looks at them. */
export function withoutHeldPictures(
  media: readonly GuestMedia[],
  told: readonly GuestOnStage[],
): readonly GuestMedia[] {
  const held = new Set(told.filter((guest) => guest.held.some(isPicture)).map(({ id }) => id));
  return media.map((guest) => (held.has(guest.id) ? { ...guest, hasPicture: false } : guest));
}
