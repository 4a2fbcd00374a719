// The HLS side of the player: keeps one playback going while HLS is wanted and allowed, and reopens it when it fails.
import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { LayerSize } from '#contract';
import { backoffMs } from './backoff.ts';
import type { Cancel, Clock } from './clock.ts';
import type { HlsTicket } from './hls-ticket.ts';

export const reopenBackoff = { firstMs: 500, maxMs: 3_000 };
/** A playback that lasted for so long does not count against the next one. */
export const playbackStableMs = 15_000;

export type HlsMedia = {
  readonly latencyMs: ReadonlySignal<number | null>;
  readonly failed: ReadonlySignal<boolean>;
  /** Of the renditions, from the smallest up; empty where they cannot be chosen among. */
  readonly sizes: ReadonlySignal<readonly LayerSize[]>;
  close(): void;
};

export type HlsSideDeps = {
  ticket: HlsTicket;
  /** Takes the video element over and plays; rejects with an `UnsupportedError` where this browser cannot. */
  open: (url: string) => Promise<HlsMedia>;
  /** Called right before the video element is taken over. */
  onTakeover: () => void;
  clock: Clock;
  random?: () => number;
};

export class HlsSide {
  readonly #deps: HlsSideDeps;
  readonly #latencyMs: Signal<number | null> = signal(null);
  readonly #sizes: Signal<readonly LayerSize[]> = signal([]);
  readonly #playing = signal(false);
  readonly #unplayable = signal(false);
  readonly #cancels: Cancel[];
  #media: HlsMedia | null = null;
  #mediaCancels: Cancel[] = [];
  #cancelReopen: Cancel = () => {};
  #wanted = false;
  #opening = false;
  #reopens = 0;
  #openedAtMs = 0;

  private constructor(deps: HlsSideDeps) {
    this.#deps = deps;
    this.#cancels = [
      deps.ticket.url.subscribe((url) => {
        if (url && this.#wanted) this.#open();
      }),
      deps.ticket.refusal.subscribe((refusal) => {
        if (refusal) this.#release();
        else if (this.#wanted) this.#open();
      }),
    ];
  }

  static create(deps: HlsSideDeps): HlsSide {
    return new HlsSide(deps);
  }

  /** True while the video element belongs to HLS. */
  get playing(): ReadonlySignal<boolean> {
    return this.#playing;
  }

  /** True once this browser has turned out not to play HLS. */
  get unplayable(): ReadonlySignal<boolean> {
    return this.#unplayable;
  }

  get latencyMs(): ReadonlySignal<number | null> {
    return this.#latencyMs;
  }

  get sizes(): ReadonlySignal<readonly LayerSize[]> {
    return this.#sizes;
  }

  start(): void {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#deps.ticket.keep();
    this.#open();
  }

  stop(): void {
    if (!this.#wanted) return;
    this.#wanted = false;
    this.#reopens = 0;
    this.#deps.ticket.rest();
    this.#release();
  }

  close(): void {
    this.stop();
    for (const cancel of this.#cancels) cancel();
  }

  async #open(): Promise<void> {
    const { ticket } = this.#deps;
    const url = ticket.url.peek();
    if (!url || ticket.refusal.peek() || this.#media || this.#opening) return;
    if (this.#unplayable.peek()) {
      ticket.rest();
      return this.#deps.onTakeover();
    }
    this.#opening = true;
    this.#cancelReopen();
    try {
      this.#deps.onTakeover();
      const media = await this.#deps.open(url);
      if (this.#wanted && !ticket.refusal.peek()) this.#take(media);
      else media.close();
    } catch (error) {
      if (error instanceof Error && error.name === 'UnsupportedError') {
        this.#unplayable.value = true;
        ticket.rest();
      } else {
        // The player's own code could not be loaded: the network, most likely.
        this.#planReopen();
      }
    } finally {
      this.#opening = false;
    }
  }

  #take(media: HlsMedia): void {
    this.#media = media;
    this.#openedAtMs = this.#deps.clock.now();
    this.#playing.value = true;
    this.#mediaCancels = [
      media.latencyMs.subscribe((latencyMs) => {
        this.#latencyMs.value = latencyMs;
      }),
      media.sizes.subscribe((sizes) => {
        this.#sizes.value = sizes;
      }),
      media.failed.subscribe((failed) => {
        if (failed) this.#planReopen();
      }),
    ];
  }

  /** The origin may have moved: a new ticket brings the new address along. */
  #planReopen(): void {
    const { clock, ticket, random } = this.#deps;
    if (!this.#wanted) return;
    if (clock.now() - this.#openedAtMs > playbackStableMs) this.#reopens = 0;
    this.#release();
    ticket.renewNow();
    this.#cancelReopen = clock.after(backoffMs(this.#reopens, reopenBackoff, random), () =>
      this.#open(),
    );
    this.#reopens += 1;
  }

  #release(): void {
    this.#cancelReopen();
    for (const cancel of this.#mediaCancels) cancel();
    this.#mediaCancels = [];
    this.#media?.close();
    this.#media = null;
    this.#playing.value = false;
    this.#latencyMs.value = null;
    this.#sizes.value = [];
  }
}
