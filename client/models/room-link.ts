// The link to a room: ticket, socket, join; and again, with a new ticket, whenever the socket drops.

import { signal } from '@preact/signals';
import type { TicketGrant } from '#contract';
import type { RoomSocket, SocketFault } from '../media/room-socket.ts';
import { ApiError } from './api-error.ts';
import { backoffMs, reconnectBackoff } from './backoff.ts';
import { type Clock, pause } from './clock.ts';

/** A link that held for so long had no fault of its own: the next drop starts counting afresh. */
export const linkStableMs = 10_000;
/** After so many attempts in a row (about ten minutes) the person is asked. */
export const linkAttemptsMax = 70;
/** A stream that is not live yet is asked for again at this pace. */
export const notLivePauseMs = 2_000;

export type LinkState = 'connecting' | 'open' | 'reconnecting' | 'not-live' | 'closed';

/** Why a link gave up; nothing but a person can start it again. */
export type LinkRefusal = SocketFault | ApiError['code'];

export type RoomLinkDeps = {
  /** Is told the address that was granted before and did not answer, if so. */
  grant(unreachable: string | undefined): Promise<TicketGrant>;
  join(room: TicketGrant['room']): Promise<RoomSocket>;
  clock: Clock;
  /** How long a socket is kept that was left for one on another node; `viewerOverlapMs` when nothing. */
  moveOverlapMs?: number;
  random?: () => number;
};

/** A viewer keeps what is left for the pictures that it still brings. */
export const viewerOverlapMs = 3_000;
/** A publisher keeps it for the viewers: they are sent after it, over some seconds. */
export const publisherOverlapMs = 8_000;

type Moved = { socket: RoomSocket; url: string };

const finalFaults = new Set<unknown>([
  'forbidden',
  'stream-ended',
  'replaced',
  'version-unsupported',
  'not-found',
  'unauthenticated',
  'session-expired',
  'age-gate-needed',
  'followers-only',
  'entry-needed',
  'country-blocked',
  'blocked',
]);

/** A node that refuses everybody with this, or does not answer, is gone or about to go. */
const unreachableFaults = new Set<unknown>(['lost', 'late', 'unavailable']);

/** What a ticket is refused with to whom a log-in has ended; without one it may still be had. */
const loginFaults = new Set<unknown>(['unauthenticated', 'session-expired']);

/**
 * Whether to ask for a new ticket at once: after the old one was revoked, which may have been for everybody here, and
 * once more as nobody in particular when the revocation was of the log-in.
 */
function isAskedAnewAtOnce(fault: LinkRefusal | null, before: LinkRefusal | null): boolean {
  if (fault === 'revoked') return before !== 'revoked';
  return before === 'revoked' && loginFaults.has(fault);
}

function codeOf(error: unknown): LinkRefusal | null {
  if (error instanceof ApiError) return error.code;
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? (code as SocketFault) : null;
}

export class RoomLink {
  readonly state = signal<LinkState>('connecting');
  readonly socket = signal<RoomSocket | null>(null);
  readonly granted = signal<TicketGrant | null>(null);
  readonly refusal = signal<LinkRefusal | null>(null);
  readonly #deps: RoomLinkDeps;
  #waiting = new AbortController();
  #closed = false;
  #attempts = 0;
  /** Where the newest ticket was for, unless that node answered. */
  #unreachable: string | undefined;
  /** Those that this one has moved away from, which go on for a moment. */
  readonly #left = new Set<RoomSocket>();

  private constructor(deps: RoomLinkDeps) {
    this.#deps = deps;
  }

  /** Starts linking at once; the outcome shows in the signals. */
  static create(deps: RoomLinkDeps): RoomLink {
    const link = new RoomLink(deps);
    link.#run();
    return link;
  }

  /** The network is back or the page is looked at again: do not wait any longer. */
  nudge(): void {
    this.#waiting.abort();
  }

  /** Leaves the room and comes back with a new ticket, as after a drop. */
  rejoin(): void {
    const socket = this.socket.peek();
    if (socket) socket.close();
    else this.nudge();
  }

  /** Tries again after the link had given up. */
  retry(): void {
    if (this.state.peek() !== 'closed' || this.#closed) return;
    this.#attempts = 0;
    this.refusal.value = null;
    this.state.value = 'connecting';
    this.#run();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.state.value = 'closed';
    this.#waiting.abort();
    this.socket.peek()?.close();
    for (const socket of this.#left) socket.close();
  }

  async #run(): Promise<void> {
    let before: LinkRefusal | null = null;
    while (!this.#closed) {
      const fault = await this.#hold();
      if (this.#closed) return;
      // A link that held has nothing to do with what was before.
      if (this.#attempts === 0) before = null;
      const atOnce = isAskedAnewAtOnce(fault, before);
      if ((finalFaults.has(fault) && !atOnce) || this.#attempts >= linkAttemptsMax) {
        this.refusal.value = fault;
        this.state.value = 'closed';
        return;
      }
      before = fault;
      await this.#waitAfter(fault, atOnce);
    }
  }

  /** One life of the socket, from the ticket to its end. */
  async #hold(): Promise<LinkRefusal | null> {
    const { grant, join, clock } = this.#deps;
    try {
      const granted = await grant(this.#unreachable);
      if (this.#closed) return null;
      this.granted.value = granted;
      const socket = await this.#reach(granted.room, join);
      if (this.#closed) {
        socket.close();
        return null;
      }
      const joinedAt = clock.now();
      const fault = await this.#stay(socket, granted.room.url);
      this.socket.value = null;
      if (clock.now() - joinedAt >= linkStableMs) this.#attempts = 0;
      return fault;
    } catch (error) {
      return codeOf(error);
    }
  }

  async #reach(room: TicketGrant['room'], join: RoomLinkDeps['join']): Promise<RoomSocket> {
    this.#unreachable = undefined;
    try {
      return await join(room);
    } catch (error) {
      if (unreachableFaults.has(codeOf(error))) this.#unreachable = room.url;
      throw error;
    }
  }

  /** On this socket, and on those that take its place when its node sends everybody away. */
  async #stay(first: RoomSocket, firstUrl: string): Promise<SocketFault> {
    let socket = first;
    let url = firstUrl;
    for (;;) {
      this.socket.value = socket;
      this.state.value = 'open';
      const moved = new Promise<Moved>((resolve) => this.#moveWhenAsked(socket, url, resolve));
      const outcome = await Promise.race([socket.ended, moved]);
      if (typeof outcome === 'string') {
        // A node that has fallen silent may be believed to live for a while yet.
        if (outcome === 'late') this.#unreachable = url;
        return outcome;
      }
      const left = socket;
      this.#left.add(left);
      this.#deps.clock.after(this.#deps.moveOverlapMs ?? viewerOverlapMs, () => {
        this.#left.delete(left);
        left.close();
      });
      ({ socket, url } = outcome);
    }
  }

  #moveWhenAsked(socket: RoomSocket, url: string, done: (moved: Moved) => void): void {
    const { grant, join } = this.#deps;
    let isMoving = false;
    const stop = socket.onNotice(async (notice) => {
      if (notice.type !== 'room.move' || isMoving) return;
      isMoving = true;
      try {
        const granted = await grant(undefined);
        // There is no other node: this one serves until it ends, or asks again.
        if (granted.room.url === url || this.#closed || !socket.isOpen) return;
        const next = await join(granted.room);
        if (this.#closed || !socket.isOpen) {
          next.close();
          return;
        }
        stop();
        this.granted.value = granted;
        done({ socket: next, url: granted.room.url });
      } catch {
        // The socket will end soon, and whoever comes back then is told why not.
      } finally {
        isMoving = false;
      }
    });
  }

  async #waitAfter(fault: LinkRefusal | null, atOnce: boolean): Promise<void> {
    const { clock, random } = this.#deps;
    this.#waiting = new AbortController();
    if (fault === 'stream-not-live') {
      this.state.value = 'not-live';
      await pause(clock, notLivePauseMs, this.#waiting.signal);
      return;
    }
    if (this.state.peek() !== 'connecting') this.state.value = 'reconnecting';
    const waitMs = atOnce ? 0 : backoffMs(this.#attempts, reconnectBackoff, random);
    await pause(clock, waitMs, this.#waiting.signal);
    this.#attempts += 1;
  }
}
