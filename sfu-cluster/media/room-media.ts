// The media of one room: its tracks on the home branch, and the branches on other workers that its viewers need.
import { EventEmitter } from 'node:events';
import type {
  PipeTransport,
  PlainTransport,
  Producer,
  RtpParameters,
  SrtpParameters,
  Transport,
  WebRtcTransport,
} from 'mediasoup/types';
import {
  type GuestOnStage,
  type LayerSize,
  type MediaHold,
  type MediaSource,
  type RoomMediaNotice,
  type TrackOwner,
  VideoCodec,
} from '#contract';
import { refusal } from '../refusals.ts';
import { awaitArrival } from './arrival.ts';
import { Branch } from './branch.ts';
import { Branches, type ViewerPlace } from './branches.ts';
import { mediaCall } from './faults.ts';
import { createFlows, type Flows, type FlowUse } from './flows.ts';
import { keyframeAwaitedMs } from './keyframe-governor.ts';
import type { Liveness } from './liveness.ts';
import { refuseIfClosed } from './made.ts';
import { Viewing } from './viewing.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What one publisher may send: three camera layers, a screen, and sound. */
const publishBitrateMaxBps = 8_000_000;
/** Nobody paces plain RTP: a keyframe comes as fast as the line carries it. The system may grant less. */
const plainReceiveBufferBytes = 2_000_000;

export interface Track {
  source: MediaSource;
  owner: TrackOwner;
  producer: Producer;
  /** Of its layers, from the smallest up; empty while they are not known. */
  sizes: readonly LayerSize[];
  /** Published on this node; otherwise it is piped in from another one. */
  isOurs: boolean;
}

/** Where pipes to and from other nodes listen, and what the others call that address. */
export interface PipeListen {
  address: string;
  announcedAddress: string | undefined;
}

interface RoomMediaEvents {
  /** A track came or went. */
  change: [];
  /** Somebody has begun to watch, here or on a node that brings it from here. */
  watched: [];
  /** Nobody does any more. */
  unwatched: [];
  /** From now on a track is kept from everybody, or is not any more. */
  held: [Track, boolean];
  /** The layers of a track are of other sizes than before. */
  sized: [Track];
  /** The worker is gone, and everything here with it. */
  lost: [];
}

export class RoomMedia extends EventEmitter<RoomMediaEvents> {
  readonly #branches: Branches;
  /** What viewers get of it. */
  readonly viewing: Viewing;
  /** By whom they belong to and what they show: of each there is one. */
  readonly #tracks = new Map<string, Track>();
  /** By place: what is to take that of a copy as soon as it flows. */
  readonly #arriving = new Map<string, Track>();
  /** Places that a producer is being made for, and on what: two requests cannot both have one. */
  readonly #reserved = new Map<string, { transport: Transport; isOurs: boolean }>();
  /** By owner: what is kept from everybody of their tracks. */
  readonly #holds = new Map<string, MediaHold>();
  /** Kept from everybody at the moment; the library says so only once its worker has answered. */
  readonly #held = new WeakSet<Producer>();
  /** The transports by which media comes and goes, other than between our own workers. */
  readonly flows: Flows = createFlows();
  #changeDue = false;

  private constructor(pool: WorkerPool, home: Branch) {
    super();
    this.#branches = new Branches(pool, home, () => this.#left());
    this.viewing = new Viewing(this.#branches, this.flows);
  }

  /** Its home is the worker that is least busy. */
  static async create(pool: WorkerPool): Promise<RoomMedia> {
    const home = await Branch.create(await pool.pick());
    const media = new RoomMedia(pool, home);
    home.router.observer.once('close', () => media.#end());
    home.router.once('workerclose', () => media.emit('lost'));
    return media;
  }

  /** Where the tracks are published. */
  get home(): Branch {
    return this.#branches.home;
  }

  /** The home, and one for each further worker that viewers need. */
  get branches(): Branch[] {
    return this.#branches.all;
  }

  get tracks(): Track[] {
    return [...this.#tracks.values()];
  }

  /** What the host shows. */
  get sources(): MediaSource[] {
    return this.tracks.filter(({ owner }) => owner.isHost).map(({ source }) => source);
  }

  /** What of that is kept from everybody. */
  get held(): MediaSource[] {
    return this.tracks
      .filter(({ owner, producer }) => owner.isHost && this.#held.has(producer))
      .map(({ source }) => source);
  }

  get guests(): GuestOnStage[] {
    const guests = new Map<string, GuestOnStage>();
    for (const { owner, source, producer } of this.tracks) {
      if (owner.isHost) continue;
      const { id, name } = owner;
      const guest = guests.get(id) ?? { id, name, sources: [], held: [] };
      guest.sources.push(source);
      if (this.#held.has(producer)) guest.held.push(source);
      guests.set(id, guest);
    }
    return [...guests.values()];
  }

  /** Whether somebody publishes here, on this node. */
  get isPublishedHere(): boolean {
    return this.tracks.some(({ isOurs }) => isOurs);
  }

  /** Whether this person publishes this on this node. */
  isOurs(ownerId: string, source: MediaSource): boolean {
    const place = placeOf(ownerId, source);
    const known = this.#tracks.get(place)?.isOurs || this.#reserved.get(place)?.isOurs;
    return this.#arriving.has(place) || (known ?? false);
  }

  /** Whether copies are shown of what is published here and does not flow yet. */
  get isArriving(): boolean {
    return this.#arriving.size > 0;
  }

  /** People who watch here, on all branches. */
  get viewers(): number {
    return this.#branches.viewers;
  }

  /** Whether people here or other nodes want what the room shows. */
  get isWatched(): boolean {
    return this.viewers > 0 || this.flows.count('pipe-out') > 0;
  }

  /** Whether the host publishes here, on this node. */
  get isHostedHere(): boolean {
    return this.tracks.some(({ isOurs, owner }) => isOurs && owner.isHost);
  }

  /** The track that stands for the room's picture: what the host shows, a shared screen before the camera. */
  get picture(): Track | null {
    return this.#ofHost('screen') ?? this.#ofHost('camera');
  }

  get sound(): Track | null {
    return this.#ofHost('microphone') ?? this.#ofHost('screen-audio');
  }

  #ofHost(source: MediaSource): Track | null {
    return this.tracks.find((track) => track.source === source && track.owner.isHost) ?? null;
  }

  /** Keeps sound, pictures, both or nothing of this owner from everybody, also of what they publish later. */
  hold(ownerId: string, held: MediaHold): void {
    if (held.sound || held.picture) this.#holds.set(ownerId, held);
    else this.#holds.delete(ownerId);
    for (const track of [...this.tracks, ...this.#arriving.values()]) {
      if (track.owner.id === ownerId) this.#applyHold(track);
    }
  }

  #applyHold(track: Track): void {
    const { owner, producer, isOurs } = track;
    // Of what is brought from another node that one takes care.
    if (!isOurs || producer.closed) return;
    const held = this.#holds.get(owner.id);
    const isHeld = (producer.kind === 'audio' ? held?.sound : held?.picture) ?? false;
    if (!this.#noteHeld(producer, isHeld)) return;
    // It fails only if the producer closes at this moment, and then nobody gets anything of it.
    (isHeld ? producer.pause() : producer.resume()).catch(() => undefined);
    this.emit('held', track, isHeld);
  }

  /** What the node that our copies come from keeps from everybody. */
  hearHeld({ held, guests }: Pick<RoomMediaNotice, 'held' | 'guests'>): void {
    for (const { owner, source, producer, isOurs } of this.tracks) {
      if (isOurs) continue;
      const theirs = owner.isHost ? held : guests.find(({ id }) => id === owner.id)?.held;
      this.#noteHeld(producer, theirs?.includes(source) ?? false);
    }
  }

  /** Answers whether that is new. */
  #noteHeld(producer: Producer, isHeld: boolean): boolean {
    if (isHeld === this.#held.has(producer)) return false;
    if (isHeld) this.#held.add(producer);
    else this.#held.delete(producer);
    this.#changed();
    return true;
  }

  /** The codec of the picture, or null while there is none. */
  get videoCodec(): VideoCodec | null {
    const mimeType = this.picture?.producer.rtpParameters.codecs[0]?.mimeType ?? '';
    return VideoCodec.options.find((codec) => mimeType.toUpperCase() === `VIDEO/${codec}`) ?? null;
  }

  /** For somebody who publishes: at home. */
  async openPublisherTransport(liveness?: Liveness): Promise<WebRtcTransport> {
    const transport = await this.home.openWebRtcTransport(liveness);
    await transport.setMaxIncomingBitrate(publishBitrateMaxBps);
    this.flows.add(transport, 'publish');
    return transport;
  }

  /** For somebody who watches: on a worker that has room. Refuses `no-room`. */
  async openViewerTransport(place: ViewerPlace = {}): Promise<WebRtcTransport> {
    this.viewing.expect();
    const transport = await this.#branches.openViewerTransport(place);
    this.flows.add(transport, 'watch');
    this.emit('watched');
    return transport;
  }

  /** A transport that sends plain RTP and RTCP to one UDP port. */
  async openTapTransport(listen: string, address: string, port: number): Promise<PlainTransport> {
    const transport = await this.home.router.createPlainTransport({
      listenInfo: { protocol: 'udp', ip: listen },
      rtcpMux: true,
      comedia: false,
    });
    try {
      await transport.connect({ ip: address, port });
      this.flows.add(transport, 'tap');
      return transport;
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  /** One end of a pipe to another node: encrypted, and packets that are lost on the way are sent again. */
  async openPipeTransport(
    { address, announcedAddress }: PipeListen,
    use: Extract<FlowUse, 'pipe-in' | 'pipe-out'>,
  ): Promise<PipeTransport> {
    const transport = await this.home.router.createPipeTransport({
      listenInfo: {
        protocol: 'udp',
        ip: address,
        ...(announcedAddress === undefined ? {} : { announcedAddress }),
      },
      enableRtx: true,
      enableSrtp: true,
    });
    this.flows.add(transport, use);
    if (use === 'pipe-out') {
      transport.observer.once('close', () => this.#left());
      this.emit('watched');
    }
    return transport;
  }

  /** For somebody who publishes without WebRTC: at home; what does not carry their key is not heard. */
  async openPlainTransport(
    { address, announcedAddress }: PipeListen,
    srtpParameters: SrtpParameters,
  ): Promise<PlainTransport> {
    const listenInfo = {
      protocol: 'udp' as const,
      ip: address,
      recvBufferSize: plainReceiveBufferBytes,
      ...(announcedAddress === undefined ? {} : { announcedAddress }),
    };
    const transport = await this.home.router.createPlainTransport({
      listenInfo,
      rtcpListenInfo: listenInfo,
      // Such publishers send their reports from a port of their own.
      rtcpMux: false,
      comedia: true,
      enableSrtp: true,
      srtpCryptoSuite: srtpParameters.cryptoSuite,
    });
    try {
      await mediaCall('malformed-frame', () => transport.connect({ srtpParameters }));
      this.flows.add(transport, 'publish');
      return transport;
    } catch (error) {
      transport.close();
      throw error;
    }
  }

  /** Publishes a track; refuses a source that is there already. `id` is that of the track it is a copy of. */
  async publish(
    transport: Transport,
    track: {
      id?: string;
      source: MediaSource;
      owner: TrackOwner;
      kind: 'audio' | 'video';
      rtpParameters: RtpParameters;
      isOurs?: boolean;
    },
  ): Promise<Producer> {
    const { id, source, owner, kind, rtpParameters, isOurs = true } = track;
    const place = placeOf(owner.id, source);
    // Whoever comes from another node is shown by their copy from there until their own media flows.
    const shown = this.#tracks.get(place);
    const isTaken = shown !== undefined && (shown.isOurs || !isOurs);
    // What is being made on a transport that has closed will be nothing.
    const reserved = this.#reserved.get(place)?.transport.closed === false;
    if (isTaken || reserved || this.#arriving.has(place)) {
      throw refusal('already-published', `there is a ${source} of theirs in this room already`);
    }
    const reservation = { transport, isOurs };
    this.#reserved.set(place, reservation);
    try {
      const producer = await transport.produce({
        ...(id === undefined ? {} : { id }),
        kind,
        rtpParameters,
        ...(kind === 'video' ? { keyFrameRequestDelay: keyframeAwaitedMs } : {}),
      });
      if (kind === 'video' && !transport.closed) await this.viewing.watchKeyframes(producer);
      refuseIfClosed(transport, producer);
      const made: Track = { source, owner, producer, sizes: [], isOurs };
      const copy = this.#tracks.get(place);
      if (copy) this.#arrive(place, made, copy);
      else this.#show(place, made);
      return producer;
    } finally {
      if (this.#reserved.get(place) === reservation) this.#reserved.delete(place);
    }
  }

  #show(place: string, track: Track): void {
    const { producer } = track;
    this.#tracks.set(place, track);
    this.#applyHold(track);
    this.viewing.begin(track);
    producer.observer.once('close', () => {
      this.#tracks.delete(place);
      this.#changed();
    });
    this.#changed();
  }

  #arrive(place: string, track: Track, copy: Track): void {
    this.#arriving.set(place, track);
    track.producer.observer.once('close', () => this.#arriving.delete(place));
    awaitArrival(track.producer, copy.producer, () => {
      this.#arriving.delete(place);
      copy.producer.close();
      this.#show(place, track);
    });
    this.#applyHold(track);
  }

  /** How large the layers of a picture are, from the smallest up. */
  tellSizes(producerId: string, sizes: readonly LayerSize[]): void {
    const known = [...this.tracks, ...this.#arriving.values()];
    const track = known.find(({ producer }) => producer.id === producerId);
    if (!track || JSON.stringify(sizes) === JSON.stringify(track.sizes)) return;
    track.sizes = sizes;
    this.emit('sized', track);
  }

  /**
   * Told a moment later, and once for changes of the same moment: whoever consumes a track that
   * has ended hears of its end first, and so does not take the new list for what it has already.
   */
  #changed(): void {
    if (this.#changeDue) return;
    this.#changeDue = true;
    queueMicrotask(() => {
      this.#changeDue = false;
      this.emit('change');
    });
  }

  close(): void {
    if (this.home.closed) return;
    this.removeAllListeners();
    this.home.close();
  }

  /** The home is gone, and with it all that the branches could show. */
  #end(): void {
    this.viewing.close();
    this.#branches.close();
  }

  #left(): void {
    if (!this.isWatched) this.emit('unwatched');
  }
}

function placeOf(ownerId: string, source: MediaSource): string {
  return `${ownerId} ${source}`;
}
