// A caller by SRT: one connection that was taken with its stream id; it sends MPEG-TS.
import { EventEmitter } from 'node:events';
import type { Caller, CallerEvents } from '../caller.ts';

export interface SrtConnection {
  /** Whether what it sends is read. */
  flow(open: boolean): void;
  close(): void;
}

export class SrtCaller extends EventEmitter<CallerEvents> implements Caller {
  readonly protocol = 'srt';
  readonly format = 'mpegts';
  /** MPEG-TS repeats what a decoder must know. */
  readonly head = Buffer.alloc(0);
  readonly key: string;
  readonly address: string;
  readonly #connection: SrtConnection;
  #closed = false;

  constructor(connection: SrtConnection, key: string, address: string) {
    super();
    this.#connection = connection;
    this.key = key;
    this.address = address;
  }

  get closed(): boolean {
    return this.#closed;
  }

  accept(): void {
    this.#connection.flow(true);
  }

  /** The handshake is over by then: the protocol has no word for it any more. */
  refuse(): void {
    this.close();
  }

  pause(): void {
    if (!this.#closed) this.#connection.flow(false);
  }

  resume(): void {
    if (!this.#closed) this.#connection.flow(true);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close();
    this.emit('close');
  }

  /** What the connection has received. */
  hear(bytes: Buffer): void {
    if (!this.#closed) this.emit('received', bytes.length);
    if (!this.#closed) this.emit('data', bytes);
  }
}
