// The broadcast: one stream of ours from "go live" to its end, re-published by itself after every break.

import { signal } from '@preact/signals';
import type { CreateStreamBody, MediaSource, Stream } from '#contract';
import type { Api } from './api.ts';
import { hasCode, messageOf } from './api-error.ts';
import { type Cancel, repeat } from './clock.ts';
import { createRoom, type Room, type RoomDeps } from './room.ts';
import { publisherOverlapMs } from './room-link.ts';
import { createSendingState, Sending, type SendingDeps } from './sending.ts';

export const streamRefreshMs = 2_000;

export type Phase = 'idle' | 'starting' | 'live' | 'ending' | 'ended';
/** Who sends: this window, or another one or an encoder, which this window looks after. */
export type Sender = 'here' | 'elsewhere';

export type BroadcastDeps = SendingDeps & {
  api: Pick<Api, 'streams'>;
  join: RoomDeps['join'];
  newKey: () => string;
  onRoom: (room: Room, sender: Sender) => void;
};

const isSound = (source: MediaSource) => source === 'microphone' || source === 'screen-audio';

export class Broadcast {
  readonly phase = signal<Phase>('idle');
  readonly sender = signal<Sender>('here');
  readonly stream = signal<Stream | null>(null);
  readonly room = signal<Room | null>(null);
  readonly #sent = createSendingState();
  readonly health = this.#sent.health;
  readonly path = this.#sent.path;
  readonly held = this.#sent.held;
  readonly fault = this.#sent.fault;
  readonly #deps: BroadcastDeps;
  readonly #cancels: Cancel[] = [];
  #sending: Sending | null = null;

  private constructor(deps: BroadcastDeps) {
    this.#deps = deps;
  }

  static create(deps: BroadcastDeps): Broadcast {
    return new Broadcast(deps);
  }

  async goLive(body: CreateStreamBody): Promise<void> {
    if (this.phase.peek() !== 'idle') return;
    const { streams } = this.#deps.api;
    await this.#attempt(async () => {
      // A stream that was made by an attempt which then failed is used, not left behind.
      const made = this.stream.peek() ?? (await streams.create(body, this.#deps.newKey()));
      this.stream.value = made;
      await this.#begin(made);
    });
  }

  /** Takes up a stream that is still open from before. */
  async resume(stream: Stream): Promise<void> {
    if (this.phase.peek() !== 'idle') return;
    this.stream.value = stream;
    await this.#attempt(() => this.#begin(stream));
  }

  /** Looks after a stream that is sent from elsewhere: its room, and nothing of ours in it. */
  follow(stream: Stream): void {
    if (this.phase.peek() !== 'idle') return;
    this.stream.value = stream;
    this.phase.value = 'starting';
    this.fault.value = null;
    this.sender.value = 'elsewhere';
    const room = this.#enter(stream.id);
    this.#cancels.push(
      room.held.subscribe((held) => {
        this.held.value = { sound: held.some(isSound), picture: held.some((one) => !isSound(one)) };
      }),
    );
    this.#onState(stream.state);
  }

  /** Sends from here what was sent from elsewhere, which stops then. */
  async takeOver(): Promise<void> {
    const stream = this.stream.peek();
    const phase = this.phase.peek();
    const isRunning = phase === 'starting' || phase === 'live';
    if (!stream || !isRunning || this.sender.peek() === 'here') return;
    this.#leave();
    this.sender.value = 'here';
    await this.#attempt(() => this.#begin(stream));
  }

  async end(): Promise<void> {
    const stream = this.stream.peek();
    const before = this.phase.peek();
    if (!stream || before === 'ending' || before === 'ended') return;
    this.phase.value = 'ending';
    try {
      this.stream.value = await this.#deps.api.streams.end(stream.id);
      this.#finish();
    } catch (error) {
      if (hasCode(error, 'stream-ended', 'invalid-transition')) return this.#finish();
      this.phase.value = before;
      this.fault.value = messageOf(error);
    }
  }

  /** Leaves without ending: the stream waits a while for somebody to resume it. */
  close(): void {
    this.#leave();
  }

  #leave(): void {
    for (const cancel of this.#cancels.splice(0)) cancel();
    this.#sending?.close();
    this.#sending = null;
    this.room.peek()?.close();
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    this.phase.value = 'starting';
    this.fault.value = null;
    try {
      await work();
    } catch (error) {
      this.phase.value = 'idle';
      this.fault.value = messageOf(error);
    }
  }

  async #begin(made: Stream): Promise<void> {
    const { api } = this.#deps;
    if (made.state === 'created') this.stream.value = await api.streams.start(made.id);
    const room = this.#enter(made.id);
    this.#sending = Sending.begin(room.link, this.#sent, this.#deps);
  }

  #enter(streamId: string): Room {
    const { api, join, clock, onRoom } = this.#deps;
    const isSender = this.sender.peek() === 'here';
    const room = createRoom({
      streamId,
      api,
      grant: (unreachable) =>
        api.streams.ticket(streamId, { intent: isSender ? 'publish' : 'watch', unreachable }),
      join,
      clock,
      ...(isSender ? { moveOverlapMs: publisherOverlapMs } : {}),
    });
    this.room.value = room;
    onRoom(room, this.sender.peek());
    this.#cancels.push(
      room.link.refusal.subscribe((refusal) => this.#onRefusal(refusal)),
      room.streamState.subscribe((state) => this.#onState(state)),
      repeat(clock, streamRefreshMs, () => this.#refresh(streamId)),
    );
    return room;
  }

  #onRefusal(refusal: string | null): void {
    if (refusal === 'stream-ended') this.#finish();
    else if (refusal === 'replaced') {
      this.fault.value = 'This stream was taken over by another window.';
    } else if (refusal) {
      this.fault.value = 'The stream cannot be reached. Check your network and resume it.';
    }
  }

  #onState(state: Stream['state'] | null): void {
    if (state === 'live' && this.phase.peek() === 'starting') this.phase.value = 'live';
    if (state === 'ended') this.#finish();
  }

  /** The events of the room tell first; this covers what they may have missed. */
  async #refresh(id: string): Promise<void> {
    try {
      const fresh = await this.#deps.api.streams.read(id);
      this.stream.value = fresh;
      this.#onState(fresh.state);
    } catch {
      // The next round asks again; the room's own link says when the network is gone.
    }
  }

  #finish(): void {
    if (this.phase.peek() === 'ended') return;
    this.phase.value = 'ended';
    this.close();
  }
}
