// A caller: an encoder that has shown a stream key, whatever protocol it speaks.
import type { EventEmitter } from 'node:events';
import type { IngestProtocol } from '#contract';

export interface CallerEvents {
  /** So many bytes have come since it was accepted, whatever they are: before what they hold. */
  received: [bytes: number];
  /** A piece of what it sends, in its container format. */
  data: [bytes: Buffer];
  /** Once: it is gone, whoever has ended it. */
  close: [];
}

export interface Caller extends EventEmitter<CallerEvents> {
  readonly protocol: IngestProtocol;
  /** A secret: it goes to the edge and nowhere else. */
  readonly key: string;
  readonly address: string;
  readonly format: 'flv' | 'mpegts';
  /** What a decoder that starts now must have read before. */
  readonly head: Buffer;
  readonly closed: boolean;
  /** Lets it send. */
  accept(): void;
  /** Ends the connection because the edge does not take it, and says so where the protocol can. */
  refuse(): void;
  /** While paused it is not read from. */
  pause(): void;
  resume(): void;
  close(): void;
}
