// A quiet link: what carries a peer that has come without a socket. It hears of nothing but its end.
import { EventEmitter } from 'node:events';
import type { ServerFrame, SocketErrorCode } from '#contract';
import type { PeerLink } from './peer.ts';
import type { RefusalCounter } from './refusals.ts';

interface QuietLinkEvents {
  /** Once: whoever ended it. */
  close: [];
}

export class QuietLink extends EventEmitter<QuietLinkEvents> implements PeerLink {
  readonly #refusals: RefusalCounter;
  #closed = false;

  constructor(refusals: RefusalCounter) {
    super();
    this.#refusals = refusals;
  }

  get closed(): boolean {
    return this.#closed;
  }

  identify(): void {}

  /** Whoever is asked to move and cannot be told so leaves, and comes back by way of the edge. */
  send(frame: ServerFrame): void {
    if (frame.type === 'room.move') this.close('unavailable');
  }

  sendEncoded(): void {}

  close(code: SocketErrorCode): void {
    if (this.#closed) return;
    this.#refusals.count(code);
    this.end();
  }

  /** Closes it as its own side wished. */
  end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.emit('close');
  }
}
