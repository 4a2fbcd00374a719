// The media of one room: its tracks on the home branch, and the branches on other workers that its viewers need.
import { EventEmitter } from 'node:events';
import { parseScalabilityMode } from 'mediasoup';
import type {
  Consumer,
  ConsumerLayers,
  PipeTransport,
  PlainTransport,
  Producer,
  RtpCapabilities,
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
import { tapRtpCapabilities } from './codecs.ts';
import type { Dialect } from './dialect.ts';
import { mediaCall } from './faults.ts';
import { createFlows, type Flows, type FlowUse } from './flows.ts';
import { createKeyframeGovernor, keyframeAwaitedMs } from './keyframe-governor.ts';
import { createLayerDemand } from './layer-demand.ts';
import type { Liveness } from './liveness.ts';
import type { MediaWorker } from './worker.ts';
import type { WorkerPool } from './worker-pool.ts';

/** What one publisher may send: three camera layers, a screen, and sound. */
const publishBitrateMaxBps = 8_000_000;
/** Nobody paces plain RTP: a keyframe comes as fast as the line carries it. The system may grant less. */
const plainReceiveBufferBytes = 2_000_000;
/** No picture has more layers; who has no wish wants them all. */
export const layersMax = 3;
/** A branch that nobody watches is kept so long: whoever leaves may come back, and others come. */
export const branchLingersMs = 5_000;
/** Each is a further copy of the room's media on its worker; players of one make share one. */
export const dialectsMax = 16;
export const dialectsPerSubjectMax = 4;

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
  /** Up to which layer a picture is wanted from now on: by its id. */
  demand: [string, number];
  /** From now on a track is kept from everybody, or is not any more. */
  held: [Track, boolean];
  /** The layers of a track are of other sizes than before. */
  sized: [Track];
  /** The worker is gone, and everything here with it. */
  lost: [];
}

export class RoomMedia extends EventEmitter<RoomMediaEvents> {
  readonly #pool: WorkerPool;
  readonly #home: Branch;
  readonly #branches = new Map<MediaWorker, Promise<Branch>>();
  /** Branches of players that number codecs in their own way, by worker and dialect. */
  readonly #dialects = new Map<string, Promise<Branch>>();
  /** By the same: who came with the first player of that kind. */
  readonly #broughtBy = new Map<string, string>();
  readonly #living = new Set<Branch>();
  readonly #branchOf = new WeakMap<Transport, Branch>();
  readonly #lingering = new Map<Branch, NodeJS.Timeout>();
  /** By whom they belong to and what they show: of each there is one. */
  readonly #tracks = new Map<string, Track>();
  /** By place: what is to take that of a copy as soon as it flows. */
  readonly #arriving = new Map<string, Track>();
  /** Places that a producer is being made for, and on what: two requests cannot both have one. */
  readonly #reserved = new Map<string, Transport>();
  /** By owner: what is kept from everybody of their tracks. */
  readonly #holds = new Map<string, MediaHold>();
  /** Kept from everybody at the moment; the library says so only once its worker has answered. */
  readonly #held = new WeakSet<Producer>();
  readonly #resumed = new WeakSet<Consumer>();
  /** Stopped by their viewers after they had begun. */
  readonly #stopped = new WeakSet<Consumer>();
  readonly #wanting = new WeakSet<Consumer>();
  /** The newest wish of each viewer, and who waits for theirs to be followed. */
  readonly #wishes = new WeakMap<Consumer, ConsumerLayers>();
  readonly #changing = new WeakSet<Consumer>();
  /** Of consumers of a copy: the track at home, by whose id it is wanted. */
  readonly #homeIds = new WeakMap<Consumer, string>();
  /** The transports by which media comes and goes, other than between our own workers. */
  readonly flows: Flows = createFlows();
  readonly #keyframes = createKeyframeGovernor();
  #keyframeRequests = 0;
  #keyframesReceived = 0;
  readonly #keyframesWanted = new Set<Consumer>();
  readonly #demand = createLayerDemand((producerId, layer) =>
    this.emit('demand', producerId, layer),
  );
  #changeDue = false;

  private constructor(pool: WorkerPool, home: Branch) {
    super();
    this.#pool = pool;
    this.#home = home;
  }

  /** Its home is the worker that is least busy. */
  static async create(pool: WorkerPool): Promise<RoomMedia> {
    const home = await Branch.create(await pool.pick());
    const media = new RoomMedia(pool, home);
    media.#branches.set(home.worker, Promise.resolve(home));
    media.#living.add(home);
    home.router.observer.once('close', () => media.#end());
    home.router.once('workerclose', () => media.emit('lost'));
    return media;
  }

  /** Where the tracks are published. */
  get home(): Branch {
    return this.#home;
  }

  /** The home, and one for each further worker that viewers need. */
  get branches(): Branch[] {
    return [...this.#living];
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
    return this.#arriving.has(place) || (this.#tracks.get(place)?.isOurs ?? false);
  }

  /** Whether copies are shown of what is published here and does not flow yet. */
  get isArriving(): boolean {
    return this.#arriving.size > 0;
  }

  /** People who watch here, on all branches. */
  get viewers(): number {
    return this.branches.reduce((sum, branch) => sum + branch.viewers, 0);
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

  /** Keyframes: wishes here, those that went along with another one, requests by layer, and what has come. */
  get keyframes(): { wanted: number; bundled: number; requests: number; received: number } {
    const { asked, bundled } = this.#keyframes.counts;
    return {
      wanted: asked,
      bundled,
      requests: this.#keyframeRequests,
      received: this.#keyframesReceived,
    };
  }

  /** For somebody who publishes: at home. */
  async openPublisherTransport(liveness?: Liveness): Promise<WebRtcTransport> {
    const transport = await this.#home.openWebRtcTransport(liveness);
    await transport.setMaxIncomingBitrate(publishBitrateMaxBps);
    this.flows.add(transport, 'publish');
    return transport;
  }

  /** For somebody who watches: on a worker that has room. Refuses `no-room`. */
  async openViewerTransport({
    dialect = null,
    subject = '',
    liveness,
  }: {
    dialect?: Dialect | null;
    /** Who asks: one person brings only so many dialects into a room. */
    subject?: string;
    liveness?: Liveness;
  } = {}): Promise<WebRtcTransport> {
    this.#keyframes.expect();
    const worker = this.#pool.placeViewer([...this.#branches.keys()]);
    const branch = await (dialect
      ? this.#dialectOn(worker, dialect, subject)
      : this.#branchOn(worker));
    const lingering = this.#lingering.get(branch);
    if (lingering) clearTimeout(lingering);
    this.#lingering.delete(branch);
    const transport = await branch.openViewerTransport(() => this.#emptied(branch), liveness);
    this.#branchOf.set(transport, branch);
    this.flows.add(transport, 'watch');
    this.emit('watched');
    return transport;
  }

  /** A transport that sends plain RTP and RTCP to one UDP port. */
  async openTapTransport(listen: string, address: string, port: number): Promise<PlainTransport> {
    const transport = await this.#home.router.createPlainTransport({
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
    const transport = await this.#home.router.createPipeTransport({
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
    const transport = await this.#home.router.createPlainTransport({
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
    const reserved = this.#reserved.get(place)?.closed === false;
    if (isTaken || reserved || this.#arriving.has(place)) {
      throw refusal('already-published', `there is a ${source} of theirs in this room already`);
    }
    this.#reserved.set(place, transport);
    try {
      const producer = await transport.produce({
        ...(id === undefined ? {} : { id }),
        kind,
        rtpParameters,
        ...(kind === 'video' ? { keyFrameRequestDelay: keyframeAwaitedMs } : {}),
      });
      if (kind === 'video' && !transport.closed) await this.#watchKeyframes(producer);
      refuseIfClosed(transport, producer);
      const made: Track = { source, owner, producer, sizes: [], isOurs };
      const copy = this.#tracks.get(place);
      if (copy) this.#arrive(place, made, copy);
      else this.#show(place, made);
      return producer;
    } finally {
      if (this.#reserved.get(place) === transport) this.#reserved.delete(place);
    }
  }

  #show(place: string, track: Track): void {
    const { producer } = track;
    this.#tracks.set(place, track);
    this.#applyHold(track);
    if (topLayerOf(producer) > 0) this.#demand.begin(producer.id, topLayerOf(producer));
    producer.observer.once('close', () => {
      this.#demand.forget(producer.id);
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

  /**
   * A viewer's consumer, paused until the viewer is ready; null when the viewer's browser cannot
   * play the codec. Simulcast starts at the highest layer that the line is believed to carry.
   */
  async consume(
    transport: Transport,
    track: Track,
    rtpCapabilities: RtpCapabilities,
  ): Promise<Consumer | null> {
    const { id } = track.producer;
    if (!this.canPlay(track, rtpCapabilities)) return null;
    const branch = this.#branchOf.get(transport);
    const isElsewhere = branch !== undefined && branch !== this.#home;
    const producerId = isElsewhere ? await branch.carry(this.#home, track.producer) : id;
    const consumer = await transport.consume({ producerId, rtpCapabilities, paused: true });
    refuseIfClosed(transport, consumer);
    this.#homeIds.set(consumer, id);
    if (consumer.kind === 'video') this.flows.show(transport.id, consumer);
    return consumer;
  }

  /** Whether a browser with these capabilities can play a track. */
  canPlay(track: Track, rtpCapabilities: RtpCapabilities): boolean {
    // All routers are alike.
    return this.#home.router.canConsume({ producerId: track.producer.id, rtpCapabilities });
  }

  /** How large the layers of a picture are, from the smallest up. */
  tellSizes(producerId: string, sizes: readonly LayerSize[]): void {
    const known = [...this.tracks, ...this.#arriving.values()];
    const track = known.find(({ producer }) => producer.id === producerId);
    if (!track || JSON.stringify(sizes) === JSON.stringify(track.sizes)) return;
    track.sizes = sizes;
    this.emit('sized', track);
  }

  /** Up to which layer somebody wants a picture; null for who does not want it any more. */
  wantLayer(producerId: string, who: string, layer: number | null): void {
    if (layer === null) this.#demand.drop(producerId, who);
    else this.#demand.want(producerId, who, layer);
  }

  /**
   * A viewer wants a picture in no higher layer. Another layer begins with a keyframe, so wishes for what flows already
   * wait for their turn with the publisher, where the newest of each viewer counts.
   */
  async prefer(consumer: Consumer, layers: ConsumerLayers): Promise<void> {
    const { spatialLayer, temporalLayer } = clampLayers(consumer, layers);
    const before = clampLayers(consumer, this.#wishes.get(consumer));
    const isSame = spatialLayer === before.spatialLayer && temporalLayer === before.temporalLayer;
    this.#wishes.set(consumer, layers);
    if (isSame) return;
    if (!this.#resumed.has(consumer)) {
      await consumer.setPreferredLayers(layers);
      return;
    }
    this.#wantPicture(consumer);
    if (this.#changing.has(consumer)) return;
    this.#changing.add(consumer);
    this.#keyframes.run(() => {
      this.#changing.delete(consumer);
      const newest = this.#wishes.get(consumer);
      // It fails only if the consumer closes at this moment.
      if (newest && !consumer.closed) consumer.setPreferredLayers(newest).catch(() => undefined);
    });
  }

  /** Stops a viewer's consumer until it is resumed. */
  async pause(consumer: Consumer): Promise<void> {
    this.#resumed.delete(consumer);
    this.#stopped.add(consumer);
    this.wantLayer(this.#homeIdOf(consumer), consumer.id, null);
    await consumer.pause();
  }

  /** Starts a viewer's consumer, once: sound without delay, a picture with its keyframe. */
  async resume(transport: WebRtcTransport, consumer: Consumer): Promise<void> {
    if (this.#resumed.has(consumer)) return;
    this.#resumed.add(consumer);
    this.#stopped.delete(consumer);
    if (consumer.kind === 'video') this.#wantPicture(consumer);
    if (consumer.kind === 'audio') {
      await consumer.resume();
    } else if (transport.dtlsState === 'connected') {
      this.startPicture(consumer);
    } else {
      // The keyframe is asked for when the connection stands, so the governor must wait for it too.
      const start = (state: WebRtcTransport['dtlsState']) => {
        if (state === 'connected') this.startPicture(consumer);
      };
      transport.on('dtlsstatechange', start);
      consumer.observer.once('close', () => transport.off('dtlsstatechange', start));
    }
  }

  /** Resumes a consumer of a picture; the worker asks for a keyframe when it does. */
  startPicture(consumer: Consumer): void {
    this.#keyframes.run(() => {
      // It fails only if the consumer closes at this moment, and then there is nothing to start.
      if (!consumer.closed && !this.#stopped.has(consumer))
        consumer.resume().catch(() => undefined);
    });
  }

  /** Asks the publisher for a keyframe of what these consumers show; asking twice is asking once. */
  requestKeyframe(consumers: Consumer[]): void {
    const nobodyWaits = this.#keyframesWanted.size === 0;
    for (const consumer of consumers) this.#keyframesWanted.add(consumer);
    if (this.#keyframesWanted.size === 0) return;
    if (!nobodyWaits) {
      this.#keyframes.join();
      return;
    }
    this.#keyframes.runPatiently(() => {
      const wanted = [...this.#keyframesWanted];
      this.#keyframesWanted.clear();
      for (const consumer of wanted) {
        if (!consumer.closed) consumer.requestKeyFrame().catch(() => undefined);
      }
    });
  }

  /** A paused consumer of bare packets, pinned to `layers` if the track has layers. */
  async tap(
    transport: PlainTransport,
    track: Track,
    layers: ConsumerLayers | null,
  ): Promise<Consumer> {
    const consumer = await transport.consume({
      producerId: track.producer.id,
      rtpCapabilities: tapRtpCapabilities,
      enableRtx: false,
      paused: true,
      ...(layers ? { preferredLayers: layers } : {}),
    });
    refuseIfClosed(transport, consumer);
    if (consumer.kind === 'video') this.#wantPicture(consumer);
    return consumer;
  }

  #wantPicture(consumer: Consumer): void {
    const { id } = consumer;
    const producerId = this.#homeIdOf(consumer);
    const layer = (this.#wishes.get(consumer) ?? consumer.preferredLayers)?.spatialLayer;
    if (!this.#wanting.has(consumer)) {
      this.#wanting.add(consumer);
      consumer.observer.once('close', () => this.wantLayer(producerId, id, null));
    }
    this.wantLayer(producerId, id, layer ?? layersMax);
  }

  #homeIdOf(consumer: Consumer): string {
    return this.#homeIds.get(consumer) ?? consumer.producerId;
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

  /** Viewers who lost packets ask through the worker: the governor must know of that too. */
  async #watchKeyframes(producer: Producer): Promise<void> {
    producer.on('trace', ({ type }) => {
      if (type === 'keyframe') {
        this.#keyframesReceived += 1;
        this.#keyframes.arrived();
      } else {
        this.#keyframeRequests += 1;
        this.#keyframes.requested();
      }
    });
    await producer.enableTraceEvent(['pli', 'fir', 'keyframe']);
  }

  close(): void {
    if (this.#home.closed) return;
    this.removeAllListeners();
    this.#home.close();
  }

  /** The home is gone, and with it all that the branches could show. */
  #end(): void {
    this.#keyframes.close();
    this.#demand.close();
    for (const timer of this.#lingering.values()) clearTimeout(timer);
    this.#lingering.clear();
    // Those that are still being made close as soon as they are.
    for (const branch of this.#living) branch.close();
    this.#living.clear();
    this.#branches.clear();
    this.#dialects.clear();
  }

  #branchOn(worker: MediaWorker): Promise<Branch> {
    return this.#branchIn(this.#branches, worker, () => Branch.create(worker));
  }

  #dialectOn(worker: MediaWorker, dialect: Dialect, subject: string): Promise<Branch> {
    const key = `${worker.index} ${dialect.key}`;
    if (!this.#dialects.has(key)) {
      const theirs = [...this.#dialects.keys()].filter(
        (one) => this.#broughtBy.get(one) === subject,
      );
      if (this.#dialects.size >= dialectsMax || theirs.length >= dialectsPerSubjectMax) {
        throw refusal('no-room', 'players of too many kinds watch this room');
      }
      this.#broughtBy.set(key, subject);
    }
    const forget = () => this.#broughtBy.delete(key);
    return this.#branchIn(this.#dialects, key, async () => {
      const branch = await Branch.create(worker, dialect).catch((error) => {
        forget();
        throw error;
      });
      branch.router.observer.once('close', forget);
      return branch;
    });
  }

  #branchIn<K>(
    branches: Map<K, Promise<Branch>>,
    key: K,
    create: () => Promise<Branch>,
  ): Promise<Branch> {
    const known = branches.get(key);
    if (known) return known;
    const making = create().then((branch) => {
      this.#living.add(branch);
      branch.router.observer.once('close', () => {
        this.#living.delete(branch);
        if (branches.get(key) === making) branches.delete(key);
      });
      if (this.#home.closed) branch.close();
      return branch;
    });
    branches.set(key, making);
    making.catch(() => {
      if (branches.get(key) === making) branches.delete(key);
    });
    return making;
  }

  #left(): void {
    if (!this.isWatched) this.emit('unwatched');
  }

  #emptied(branch: Branch): void {
    this.#left();
    if (branch === this.#home || branch.closed) return;
    const timer = setTimeout(() => {
      this.#lingering.delete(branch);
      if (branch.viewers === 0) branch.close();
    }, branchLingersMs);
    this.#lingering.set(branch, timer);
  }
}

function placeOf(ownerId: string, source: MediaSource): string {
  return `${ownerId} ${source}`;
}

/** As the worker understands a wish, of which there may be more layers than the picture has; without one it takes all. */
function clampLayers(
  { rtpParameters }: Consumer,
  { spatialLayer, temporalLayer = layersMax }: ConsumerLayers = { spatialLayer: layersMax },
): Required<ConsumerLayers> {
  const mode = parseScalabilityMode(rtpParameters.encodings?.[0]?.scalabilityMode);
  return {
    spatialLayer: Math.min(spatialLayer, mode.spatialLayers - 1),
    temporalLayer: Math.min(temporalLayer, mode.temporalLayers - 1),
  };
}

/** The highest layer of a picture, counted from zero: each a stream of its own, or all in one (SVC). */
export function topLayerOf({ kind, type, rtpParameters }: Producer): number {
  const { encodings = [] } = rtpParameters;
  if (kind !== 'video' || encodings.length === 0) return 0;
  if (type !== 'svc') return encodings.length - 1;
  return parseScalabilityMode(encodings[0]?.scalabilityMode).spatialLayers - 1;
}

/**
 * The library hands out a producer or consumer whose transport was closed while it was being made,
 * and never closes it: it would stay in the room for ever.
 */
function refuseIfClosed(transport: Transport, made: Producer | Consumer): void {
  if (!transport.closed && !made.closed) return;
  made.close();
  throw refusal('unavailable', 'the transport was closed');
}
