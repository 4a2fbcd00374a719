// A peer: one socket, or one who came without, that has joined a room, and who stands behind it.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import {
  type Capability,
  type MediaHold,
  type NodeTicket,
  nothingHeld,
  type Revocation,
  type ServerFrame,
  type SocketErrorCode,
  type TrackOwner,
} from '#contract';
import type { EncodedFrame } from './frames.ts';
import type { TapRules } from './media/tap.ts';
import { PeerMedia } from './peer-media.ts';
import type { ViewerQuality } from './quality.ts';
import type { Room } from './room.ts';
import type { Ticket } from './ticket-gate.ts';
import { createTokenBucket } from './token-bucket.ts';

/**
 * Transports, tracks and taps that one socket may have built in a second, and how many at once:
 * each track that comes or goes makes every viewer of the room ask the worker for something.
 */
export const buildingRatePerSecond = 2;
export const buildingBurstMax = 20;

/** What carries a peer: a room socket, or a quiet link for whoever has none. */
export interface PeerLink {
  /** True from the moment in which it is being closed. */
  readonly closed: boolean;
  /** Adds who the peer is to what is logged. */
  identify(fields: { streamId: string; peerId: string }): void;
  send(frame: ServerFrame): void;
  sendEncoded(frame: EncodedFrame): void;
  close(code: SocketErrorCode, detail: string): void;
  once(event: 'close', listener: () => void): unknown;
}

interface PeerOptions {
  link: PeerLink;
  ticket: Ticket;
  room: Room;
  log: Logger;
  tap: TapRules;
  takeLivePlace: () => () => void;
}

export class Peer {
  readonly id = randomUUID();
  readonly media: PeerMedia;
  readonly quality: ViewerQuality;
  /** Takes a live place for whoever is behind it; the answer gives it back. Throws `no-room`. */
  readonly takeLivePlace: () => () => void;
  readonly building = createTokenBucket({
    ratePerSecond: buildingRatePerSecond,
    burst: buildingBurstMax,
  });
  readonly #link: PeerLink;
  readonly #ticket: Ticket;
  readonly #log: Logger;
  readonly #room: Room;
  #held: MediaHold;
  #closed = false;

  private constructor({ link, ticket, room, log, tap, takeLivePlace }: PeerOptions) {
    this.#link = link;
    this.#ticket = ticket;
    this.#room = room;
    this.takeLivePlace = takeLivePlace;
    this.#held = ticket.aud === 'room' ? ticket.held : nothingHeld;
    const fields = { streamId: ticket.stream, peerId: this.id };
    link.identify(fields);
    this.quality = room.quality.ofViewer();
    this.#log = log.child(fields);
    this.media = new PeerMedia({ peer: this, room, log: this.#log, tap });
  }

  /** Joins the room and stays until the link is closed. */
  static join(options: PeerOptions): Peer {
    const peer = new Peer(options);
    const { link, room } = options;
    link.once('close', () => {
      peer.close();
      room.remove(peer);
      peer.#log.debug('a socket has left');
    });
    room.add(peer);
    peer.#log.debug({ as: peer.nodeUse ?? peer.capabilities }, 'a socket has joined');
    return peer;
  }

  /** The user, guest or transcoder that the ticket was given to. */
  get subject(): string {
    return this.#ticket.sub;
  }

  get capabilities(): Capability[] {
    return this.#ticket.aud === 'room' ? this.#ticket.capabilities : [];
  }

  /** What a machine of ours is here for; null for people. */
  get nodeUse(): NodeTicket['use'] | null {
    return this.#ticket.aud === 'node' ? this.#ticket.use : null;
  }

  /** Whether it may publish: the host of the room, or somebody whom they have invited. */
  get isOnStage(): boolean {
    return this.can('publish') || this.can('stage');
  }

  /** What its tracks say of whom they belong to. */
  get owner(): TrackOwner {
    const name = this.#ticket.aud === 'room' ? this.#ticket.name : '';
    return { id: this.subject, name, isHost: this.can('publish') };
  }

  /** What is kept from everybody of that which it publishes. */
  get held(): MediaHold {
    return this.#held;
  }

  hold(held: MediaHold): void {
    this.#held = held;
    this.#room.hold(this);
  }

  /** Whether the socket stands for somebody who watches: nobody of the stage, nor the host, nor a machine of ours. */
  get isViewer(): boolean {
    return this.nodeUse === null && !this.isOnStage && !this.can('monitor');
  }

  /** True from the moment in which the socket is being closed. */
  get leaving(): boolean {
    return this.#closed || this.#link.closed;
  }

  can(capability: Capability): boolean {
    return this.capabilities.includes(capability);
  }

  send(frame: ServerFrame): void {
    this.#link.send(frame);
  }

  sendEncoded(frame: EncodedFrame): void {
    this.#link.sendEncoded(frame);
  }

  /** Leaves for a revocation of its ticket. Whoever publishes a stream is none of its viewers. */
  revoke({ kind }: Revocation): void {
    if (kind === 'stream' && !this.isViewer) return;
    this.dismiss('revoked', 'the ticket was revoked; ask for a new one');
  }

  /** Closes the socket with a reason, and everything that this peer has made at once. */
  dismiss(code: SocketErrorCode, detail: string): void {
    this.#link.close(code, detail);
    this.close();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.media.close();
  }
}
