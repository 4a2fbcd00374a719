// The feed: carries what an encoder sends to the ffmpeg of the moment, and holds the encoder back when that is too much.
import { EventEmitter } from 'node:events';
import type { Caller } from './caller.ts';
import type { Ffmpeg } from './ffmpeg/ffmpeg.ts';
import { backlogBytesMax, bitrateWindowMs } from './limits.ts';

type Sink = Pick<Ffmpeg, 'write' | 'congested' | 'on' | 'off'>;

interface FeedEvents {
  /** More has come than is allowed. */
  excess: [];
}

export class Feed extends EventEmitter<FeedEvents> {
  readonly #caller: Caller;
  readonly #bytesMax: number;
  readonly #resume = () => {
    this.#isHeld = false;
    this.#caller.resume();
  };
  #isHeld = false;
  #sink: Sink | null = null;
  /** From the first byte on, until it is not needed any more. */
  #backlog: Buffer[] | null = [];
  #backlogBytes = 0;
  #window = { sinceMs: performance.now(), bytes: 0 };
  #heardAtMs = performance.now();

  private constructor(caller: Caller, bitrateMaxBps: number) {
    super();
    this.#caller = caller;
    this.#bytesMax = (bitrateMaxBps / 8) * (bitrateWindowMs / 1_000);
    caller.on('received', (bytes) => this.#measure(bytes));
    caller.on('data', (bytes) => this.#take(bytes));
  }

  static open(caller: Caller, bitrateMaxBps: number): Feed {
    return new Feed(caller, bitrateMaxBps);
  }

  /** By the clock of `performance.now()`. */
  get heardAtMs(): number {
    return this.#heardAtMs;
  }

  /** Whether the encoder has to wait, because what it has sent is not taken. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** From now on `sink` gets everything, after the head and whatever is kept of the beginning. */
  direct(sink: Sink | null): void {
    this.#sink?.off('drain', this.#resume);
    this.#sink = sink;
    if (!sink) return;
    sink.on('drain', this.#resume);
    sink.write(this.#caller.head);
    for (const bytes of this.#backlog ?? []) sink.write(bytes);
    this.#resume();
  }

  /** Whoever comes later begins with what comes then. */
  forgetBeginning(): void {
    this.#backlog = null;
  }

  #take(bytes: Buffer): void {
    this.#heardAtMs = performance.now();
    this.#keep(bytes);
    this.#sink?.write(bytes);
    if (!this.#sink?.congested) return;
    this.#isHeld = true;
    this.#caller.pause();
  }

  #keep(bytes: Buffer): void {
    this.#backlog?.push(bytes);
    this.#backlogBytes += this.#backlog ? bytes.length : 0;
    if (this.#backlogBytes <= backlogBytesMax || !this.#backlog) return;
    this.#backlog = null;
    this.emit('excess');
  }

  #measure(bytes: number): void {
    const window = this.#window;
    const nowMs = performance.now();
    if (nowMs - window.sinceMs > bitrateWindowMs) {
      this.#window = { sinceMs: nowMs, bytes };
      return;
    }
    window.bytes += bytes;
    if (window.bytes > this.#bytesMax) this.emit('excess');
  }
}
