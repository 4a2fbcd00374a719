// The receiver: one WebRTC transport that brings a room's audio and video into one MediaStream.

import { type ReadonlySignal, signal } from '@preact/signals';
import type { ConsumerData, LayerSize, MediaSource, TrackOwner } from '#contract';
import { type Cancel, type Clock, repeat } from '../models/clock.ts';
import type { Viewing } from '../models/viewing.ts';
import { asLibrary, createTransport, loadDevice, type types } from './device.ts';
import { guardIce, type IceGuard, type PathState } from './ice-guard.ts';
import { createLinePatience } from './line-patience.ts';
import { createPictures, type Pictures, pictureOrder } from './pictures.ts';
import { createQualityReporter, type QualityReporter } from './quality-reporter.ts';
import type { Notice, RoomSocket } from './room-socket.ts';

export { warmUp } from './device.ts';

export const statsIntervalMs = 1_000;
/** Media that has not grown for so long has stopped flowing. */
export const flowSilenceMs = 2_500;

type Taken = { consumer: types.Consumer; source: MediaSource; owner: TrackOwner };

export type ReceiverDeps = {
  socket: RoomSocket;
  clock: Clock;
  viewing: Viewing;
  /** The moment from which the first picture is waited for; now, if it is not said. */
  wantedAtMs?: number;
};

/** A guest on the stage: their picture and sound. */
export type GuestMedia = {
  readonly id: string;
  readonly name: string;
  readonly stream: MediaStream;
  readonly hasPicture: boolean;
};

export class Receiver {
  readonly stream = new MediaStream();
  readonly #socket: RoomSocket;
  readonly #clock: Clock;
  readonly #transport: types.Transport;
  readonly #rtpCapabilities: types.RtpCapabilities;
  readonly #guard: IceGuard;
  readonly #quality: QualityReporter;
  readonly #viewing: Viewing;
  readonly #pictures: Pictures;
  readonly #taken = new Map<string, Taken>();
  readonly #flowing = signal(false);
  readonly #pictured = signal(false);
  readonly #guests = signal<readonly GuestMedia[]>([]);
  readonly #sizes = signal<readonly LayerSize[]>([]);
  readonly #latencyMs = signal<number | null>(null);
  readonly #cancels: Cancel[] = [];
  #asking: Promise<void> = Promise.resolve();
  /** While tracks are being taken: those that were told to have ended and are not here yet. */
  #endedMeanwhile: Set<string> | null = null;
  #mediaBytes = 0;
  #grownAtMs = 0;
  #delaySeconds = 0;
  readonly #delayOfLine = createLinePatience();
  /** What the buffers are asked to hold; by itself a browser holds what the line's unrest needs. */
  #heldBackMs = 0;
  #emitted = 0;
  #closed = false;

  private constructor(
    { socket, clock, viewing, wantedAtMs = clock.now() }: ReceiverDeps,
    transport: types.Transport,
    rtpCapabilities: types.RtpCapabilities,
  ) {
    this.#socket = socket;
    this.#clock = clock;
    this.#viewing = viewing;
    this.#transport = transport;
    this.#rtpCapabilities = rtpCapabilities;
    this.#guard = guardIce(transport, socket, clock);
    this.#pictures = createPictures({ socket, viewing, clock, onChange: () => this.#arrange() });
    this.#quality = createQualityReporter({
      send(report) {
        // A node of an older version refuses it; nobody here waits for an answer.
        socket.request('quality.report', report).catch(() => {});
      },
      clock,
      wantedAtMs,
      isUnseen: () => document.visibilityState === 'hidden' || viewing.soundOnly.peek(),
    });
    this.#cancels.push(
      socket.onNotice((notice) => this.#hear(notice)),
      repeat(clock, statsIntervalMs, () => this.#measure()),
    );
  }

  /** Receives whatever the room has now, and goes on following it as producers come and go. */
  static async create(deps: ReceiverDeps): Promise<Receiver> {
    const { socket } = deps;
    const device = loadDevice(socket, 'recvonly');
    const transport = await createTransport(socket, device, 'receive');
    const { recvRtpCapabilities } = await device;
    const receiver = new Receiver(deps, transport, recvRtpCapabilities);
    try {
      await receiver.#ask();
      return receiver;
    } catch (error) {
      receiver.close();
      throw error;
    }
  }

  /** True while media arrives. */
  get flowing(): ReadonlySignal<boolean> {
    return this.#flowing;
  }

  /** Those who are on the stage beside the host, in the order in which they came. */
  get guests(): ReadonlySignal<readonly GuestMedia[]> {
    return this.#guests;
  }

  /** Of the layers of the host's picture, from the smallest up; empty while they are not known. */
  get sizes(): ReadonlySignal<readonly LayerSize[]> {
    return this.#sizes;
  }

  /**
   * True once a picture has begun to come, which is with a keyframe: the node sends nothing of it before. Where none is
   * wanted it is the sound that counts.
   */
  get pictured(): ReadonlySignal<boolean> {
    return this.#pictured;
  }

  get path(): ReadonlySignal<PathState> {
    return this.#guard.state;
  }

  /** How old the picture is by the measure of this side: way and buffer, in milliseconds. */
  get latencyMs(): ReadonlySignal<number | null> {
    return this.#latencyMs;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#pictures.close();
    this.#guard.close();
    this.#transport.close();
    this.#flowing.value = false;
  }

  #hear(notice: Notice): void {
    if (notice.type === 'consumer.closed') this.#drop(notice.consumerId);
    else if (notice.type === 'producer.closed') this.#dropProducer(notice.producerId);
    else if (notice.type === 'producer.sizes') {
      this.#pictures.resize(notice.producerId, notice.sizes);
    } else if (notice.type === 'room.media' && this.#misses(notice)) {
      this.#ask().catch((error: unknown) => {
        // A broken socket brings a new receiver; a refused request is made again with the next notice.
        const { code } = (error ?? {}) as { code?: unknown };
        // The performer sends another codec now: whoever asks for a new receiver is told that it cannot be played.
        if (code === 'unsupported-media') this.#guard.lose();
      });
    }
  }

  #misses({ sources, guests }: Extract<Notice, { type: 'room.media' }>): boolean {
    const have = new Set(
      [...this.#taken.values()].map(({ owner, source }) => placeOf(owner, source)),
    );
    const host = { id: '', isHost: true };
    return (
      sources.some((source) => !have.has(placeOf(host, source))) ||
      guests.some(({ id, sources: theirs }) =>
        theirs.some((source) => !have.has(placeOf({ id, isHost: false }, source))),
      )
    );
  }

  /** Asks for all producers at once; one question at a time, so that none is answered twice. */
  #ask(): Promise<void> {
    const asked = this.#asking.then(() => this.#consume());
    this.#asking = asked.catch(() => {});
    return asked;
  }

  async #consume(): Promise<void> {
    if (this.#closed) return;
    const ended = new Set<string>();
    this.#endedMeanwhile = ended;
    try {
      const { consumers } = await this.#socket.request('consume', {
        transportId: this.#transport.id,
        rtpCapabilities: this.#rtpCapabilities,
      });
      const known = new Set([...this.#taken.values()].map(({ consumer }) => consumer.producerId));
      const isFresh = (data: ConsumerData) =>
        !known.has(data.producerId) && !ended.has(data.consumerId);
      const fresh = consumers.filter(isFresh);
      if (fresh.length === 0 || this.#closed) return;
      // Taken together they cost one negotiation, not one each.
      await Promise.all(fresh.map((data) => this.#take(data)));
      for (const consumerId of ended) this.#drop(consumerId);
      await this.#begin(fresh.filter(({ consumerId }) => this.#taken.has(consumerId)));
    } finally {
      this.#endedMeanwhile = null;
    }
  }

  async #begin(taken: readonly ConsumerData[]): Promise<void> {
    this.#pictures.begin(taken);
    this.#arrange();
    const sounds = taken.filter(({ kind }) => kind === 'audio');
    if (sounds.length === 0) return;
    const consumerIds = sounds.map(({ consumerId }) => consumerId);
    await this.#socket.request('consumer.resume', { consumerIds });
  }

  async #take(data: ConsumerData): Promise<void> {
    const consumer = await this.#transport.consume({
      id: data.consumerId,
      producerId: data.producerId,
      kind: data.kind,
      rtpParameters: asLibrary<types.RtpParameters>(data.rtpParameters),
      // One stream id for each person, so that the browser keeps lips and voice together.
      streamId: data.owner.id,
    });
    setBuffer(consumer, this.#heldBackMs);
    consumer.track.addEventListener('unmute', () => this.#begun(data));
    this.#taken.set(consumer.id, { consumer, source: data.source, owner: data.owner });
  }

  #drop(consumerId: string): void {
    const taken = this.#taken.get(consumerId);
    if (!taken) {
      this.#endedMeanwhile?.add(consumerId);
      return;
    }
    this.#taken.delete(consumerId);
    this.#pictures.drop(consumerId);
    taken.consumer.close();
    this.#arrange();
  }

  #dropProducer(producerId: string): void {
    for (const { consumer } of [...this.#taken.values()]) {
      if (consumer.producerId === producerId) this.#drop(consumer.id);
    }
  }

  /**
   * Puts into each stream what should be seen and heard of a person: one picture, every sound. A picture that is not
   * wanted must not be in it: browsers would wait for it with the sound.
   */
  #arrange(): void {
    this.#sizes.value = this.#pictures.hostSizes;
    const isSoundOnly = this.#viewing.soundOnly.peek();
    const taken = [...this.#taken.values()].filter(
      ({ consumer }) => consumer.kind === 'audio' || !isSoundOnly,
    );
    fill(
      this.stream,
      taken.filter(({ owner }) => owner.isHost),
    );
    this.#arrangeGuests(taken.filter(({ owner }) => !owner.isHost));
  }

  #arrangeGuests(taken: readonly Taken[]): void {
    const known = new Map(this.#guests.peek().map((guest) => [guest.id, guest.stream]));
    const byId = Map.groupBy(taken, ({ owner }) => owner.id);
    this.#guests.value = [...byId].map(([id, theirs]) => {
      const stream = known.get(id) ?? new MediaStream();
      fill(stream, theirs);
      const name = theirs[0]?.owner.name ?? '';
      return { id, name, stream, hasPicture: stream.getVideoTracks().length > 0 };
    });
  }

  #begun({ consumerId, kind, owner }: ConsumerData): void {
    this.#pictures.begun(consumerId);
    if (kind === 'video' && owner.isHost) {
      this.#pictured.value = true;
      this.#quality.begun();
    }
    this.#grown();
  }

  #grown(): void {
    if (this.#closed) return;
    this.#grownAtMs = this.#clock.now();
    this.#flowing.value = true;
    if (this.#viewing.soundOnly.peek()) this.#pictured.value = true;
  }

  async #measure(): Promise<void> {
    if (this.#closed || this.#taken.size === 0) return this.#judgeFlow(this.#mediaBytes);
    const reports = await this.#transport.getStats();
    let bytes = 0;
    let packets = 0;
    let repaired = 0;
    let roundTripSeconds = 0;
    for (const report of reports.values() as Iterable<Record<string, unknown>>) {
      if (report.type === 'inbound-rtp') {
        bytes += Number(report.bytesReceived ?? 0);
        if (report.kind === 'video') {
          this.#measureBuffer(report, roundTripSeconds);
          packets += Number(report.packetsReceived ?? 0);
          repaired += Number(report.retransmittedPacketsReceived ?? 0);
        }
      } else if (report.type === 'candidate-pair' && report.nominated) {
        roundTripSeconds = Number(report.currentRoundTripTime ?? 0);
      }
    }
    this.#judgeFlow(bytes);
    const roundTripMs = roundTripSeconds * 1_000;
    this.#holdBack(this.#delayOfLine({ nowMs: this.#clock.now(), packets, repaired, roundTripMs }));
    this.#quality.read(reports.values());
  }

  /** Pictures and sound alike, or lips and voice would part. */
  #holdBack(delayMs: number): void {
    if (delayMs === this.#heldBackMs) return;
    this.#heldBackMs = delayMs;
    for (const { consumer } of this.#taken.values()) setBuffer(consumer, delayMs);
  }

  #measureBuffer(report: Record<string, unknown>, roundTripSeconds: number): void {
    const delay = Number(report.jitterBufferDelay ?? 0);
    const emitted = Number(report.jitterBufferEmittedCount ?? 0);
    // Firefox lists what only carries probes of the line as a picture of its own.
    if (emitted === 0) return;
    const frames = emitted - this.#emitted;
    if (frames > 0) {
      const bufferMs = ((delay - this.#delaySeconds) / frames) * 1_000;
      this.#latencyMs.value = Math.max(0, Math.round(bufferMs + roundTripSeconds * 1_000));
    }
    this.#delaySeconds = delay;
    this.#emitted = emitted;
  }

  /** Of a room without sound, whose pictures nobody looks at, nothing comes, as it should be. */
  get #wantsNothing(): boolean {
    const taken = [...this.#taken.values()];
    const hasSound = taken.some(({ consumer }) => consumer.kind === 'audio');
    return taken.length > 0 && !hasSound && !this.#pictures.isAnyWanted;
  }

  #judgeFlow(bytes: number): void {
    if (bytes > this.#mediaBytes || this.#wantsNothing) this.#grown();
    else if (this.#clock.now() - this.#grownAtMs > flowSilenceMs) this.#flowing.value = false;
    this.#mediaBytes = bytes;
  }
}

/** What somebody shows, by whom it is of; of the host there is one. */
function placeOf({ id, isHost }: Pick<TrackOwner, 'id' | 'isHost'>, source: MediaSource): string {
  return `${isHost ? 'host' : id} ${source}`;
}

function setBuffer({ rtpReceiver }: types.Consumer, delayMs: number): void {
  if (rtpReceiver && 'jitterBufferTarget' in rtpReceiver) rtpReceiver.jitterBufferTarget = delayMs;
}

function fill(stream: MediaStream, taken: readonly Taken[]): void {
  const picture = pictureOrder
    .map((source) => taken.find((one) => one.source === source))
    .find((one) => one !== undefined);
  const wanted = new Set<MediaStreamTrack>();
  if (picture) wanted.add(picture.consumer.track);
  for (const { consumer } of taken) if (consumer.kind === 'audio') wanted.add(consumer.track);
  for (const track of stream.getTracks()) if (!wanted.has(track)) stream.removeTrack(track);
  for (const track of wanted) stream.addTrack(track);
}
