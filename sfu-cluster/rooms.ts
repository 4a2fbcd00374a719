// The rooms of this node: opened by the first socket of a stream, closed by the last or by its end.
import { EventEmitter } from 'node:events';
import {
  nodeStreamsMax,
  roomTicketTtlSeconds,
  type SocketErrorCode,
  ticketClockSkewSeconds,
} from '#contract';
import type { Hub } from './hub.ts';
import { refusal } from './refusals.ts';
import { Room, type RoomDeps } from './room.ts';

/** Tickets for an ended stream may still be about; none of them opens its room again. */
const endedRememberedMs = (roomTicketTtlSeconds + 2 * ticketClockSkewSeconds) * 1000;
const endedRememberedMax = 10_000;

interface RoomsEvents {
  /** A track came or went in some room. */
  media: [];
}

interface RoomsDeps extends RoomDeps {
  hub: Hub;
}

interface Opened {
  room: Room;
  listening: Promise<void>;
  /** Sockets that are on their way in; the room stays open for them. */
  joining: number;
}

export class Rooms extends EventEmitter<RoomsEvents> {
  readonly #deps: RoomsDeps;
  readonly #open = new Map<string, Opened>();
  readonly #endedAtMs = new Map<string, number>();
  #closed = false;
  #isLeaving = false;

  private constructor(deps: RoomsDeps) {
    super();
    this.#deps = deps;
  }

  static open(deps: RoomsDeps): Rooms {
    const rooms = new Rooms(deps);
    const { hub } = deps;
    hub.on('event', (event) => {
      rooms.find(event.streamId)?.deliver(event);
      if (event.type === 'stream.state' && event.data.state === 'ended') rooms.end(event.streamId);
    });
    hub.on('stage', (streamId, subjects) => rooms.find(streamId)?.tellStage(subjects));
    hub.on('resync', () => {
      for (const { room } of rooms.#open.values()) room.broadcast({ type: 'room.resync' });
    });
    return rooms;
  }

  get size(): number {
    return this.#open.size;
  }

  get all(): Room[] {
    return [...this.#open.values()].map((opened) => opened.room);
  }

  /** The node is about to end. */
  prepareToLeave(): void {
    this.#isLeaving = true;
    for (const room of this.all) room.prepareToLeave();
  }

  find(streamId: string): Room | null {
    return this.#open.get(streamId)?.room ?? null;
  }

  /**
   * Lets `enter` add a socket to the room of a stream, once the room hears that stream's events:
   * what happens after the join is told, what happened before can be fetched.
   */
  async join<T>(streamId: string, enter: (room: Room) => T): Promise<T> {
    if (this.#hasEnded(streamId)) throw refusal('stream-ended', 'the stream has ended');
    const opened = this.#open.get(streamId) ?? this.#openRoom(streamId);
    opened.joining += 1;
    try {
      await opened.listening;
      if (opened.room.closed) {
        throw this.#closed
          ? refusal('unavailable', 'the node shuts down')
          : refusal('stream-ended', 'the stream has ended');
      }
      return enter(opened.room);
    } finally {
      opened.joining -= 1;
      this.#closeIfEmpty(opened);
    }
  }

  /** The stream is over: everybody in its room is told so and disconnected. */
  end(streamId: string): void {
    this.#rememberEnd(streamId);
    const opened = this.#open.get(streamId);
    if (opened) this.#shut(opened, 'stream-ended', 'the stream has ended');
  }

  close(code: SocketErrorCode, detail: string): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const opened of [...this.#open.values()]) this.#shut(opened, code, detail);
    this.removeAllListeners();
  }

  #openRoom(streamId: string): Opened {
    if (this.#closed || this.#open.size >= nodeStreamsMax) {
      throw refusal('unavailable', 'this node takes no further rooms');
    }
    const room = new Room(streamId, this.#deps);
    if (this.#isLeaving) room.prepareToLeave();
    const listening = this.#deps.hub.listen(streamId).catch(() => {
      throw refusal('unavailable', 'room events cannot be heard at the moment');
    });
    const opened: Opened = { room, listening, joining: 0 };
    this.#open.set(streamId, opened);
    room.on('media', () => this.emit('media'));
    room.on('empty', () => this.#closeIfEmpty(opened));
    return opened;
  }

  #closeIfEmpty(opened: Opened): void {
    if (opened.joining === 0 && opened.room.size === 0 && !opened.room.closed) {
      this.#shut(opened, 'unavailable', 'the room is empty');
    }
  }

  #shut(opened: Opened, code: SocketErrorCode, detail: string): void {
    const { room } = opened;
    const published = room.isPublishedHere;
    this.#open.delete(room.streamId);
    this.#deps.hub.forget(room.streamId);
    room.close(code, detail);
    if (published) this.emit('media');
  }

  #hasEnded(streamId: string): boolean {
    const atMs = this.#endedAtMs.get(streamId);
    return atMs !== undefined && performance.now() - atMs < endedRememberedMs;
  }

  #rememberEnd(streamId: string): void {
    // The oldest are first in the map, because an end is put in once.
    this.#endedAtMs.delete(streamId);
    this.#endedAtMs.set(streamId, performance.now());
    for (const [oldest, atMs] of this.#endedAtMs) {
      const stale = performance.now() - atMs > endedRememberedMs;
      if (!stale && this.#endedAtMs.size <= endedRememberedMax) break;
      this.#endedAtMs.delete(oldest);
    }
  }
}
