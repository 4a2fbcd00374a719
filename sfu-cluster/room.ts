// A room: the sockets of one stream on this node, what they are told, and the media that they share.
import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import {
  type MediaSource,
  type RoomEvent,
  type ServerFrame,
  type SfuReport,
  type SocketErrorCode,
  stagePublishersMax,
} from '#contract';
import { encodeFrame } from './frames.ts';
import { type Inflow, openInflow } from './inflow.ts';
import { type PipeListen, RoomMedia } from './media/room-media.ts';
import type { WorkerPool } from './media/worker-pool.ts';
import type { Peer } from './peer.ts';
import type { Pull } from './pull.ts';
import type { Quality, StreamQuality } from './quality.ts';
import { refusal } from './refusals.ts';
import { createTally } from './tally.ts';

/** A count of the whole audience that is older is not believed any more. */
const audienceMsMax = 15_000;
/** A change of the viewer count is told after so long, together with those that follow it closely. */
const viewersSettleMs = 50;
/** The viewer count is told at most once in so long. */
const viewersIntervalMs = 1_000;

/** Guests who publish here without their host are asked so often to go where the host is. */
const strayMs = 3_000;
/** Media that nobody here watches any more is still brought for so long: whoever leaves may come back. */
export const inflowLingersMs = 5_000;

interface RoomHappenings {
  /** A track came or went: worth telling the edge. */
  media: [];
  /** The last socket has left. */
  empty: [];
}

export interface RoomDeps {
  pool: WorkerPool;
  log: Logger;
  /** From which node the media is to be brought when it is not published here. */
  pull: Pull;
  pipeListen: PipeListen;
  quality: Quality;
}

export class Room extends EventEmitter<RoomHappenings> {
  readonly streamId: string;
  /** What its viewers tell of their picture. */
  readonly quality: StreamQuality;
  readonly #deps: RoomDeps;
  readonly #log: Logger;
  readonly #peers = new Set<Peer>();
  /** Sockets of each person who watches: two windows are one viewer. */
  readonly #viewers = createTally();
  #media: Promise<RoomMedia> | null = null;
  #liveMedia: RoomMedia | null = null;
  /** By person: the socket that they publish on. */
  readonly #stage = new Map<string, Peer>();
  #straysTimer: NodeJS.Timeout | undefined;
  #inflow: Inflow | null = null;
  #unwatchedTimer: NodeJS.Timeout | undefined;
  #audience = { viewers: 0, atMs: Number.NEGATIVE_INFINITY };
  #viewersTimer: NodeJS.Timeout | null = null;
  #viewersToldAtMs = 0;
  #viewersTold = 0;
  #closed = false;
  #isLeaving = false;

  constructor(streamId: string, deps: RoomDeps) {
    super();
    this.streamId = streamId;
    this.#deps = deps;
    this.#log = deps.log.child({ streamId });
    this.quality = deps.quality.ofStream();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get size(): number {
    return this.#peers.size;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  /** Who watches on this node. */
  get subjects(): Iterable<string> {
    return this.#viewers.keys();
  }

  /** How many watch on all nodes, by either way: as the edge has counted, and never fewer than are here. */
  get audience(): number {
    const isFresh = performance.now() - this.#audience.atMs < audienceMsMax;
    return Math.max(this.viewers, isFresh ? this.#audience.viewers : 0);
  }

  /** What the host shows. */
  get sources(): MediaSource[] {
    return this.#liveMedia?.sources ?? [];
  }

  /** Whether the room's media comes into this node from its publishers, and not from another node. */
  get isPublishedHere(): boolean {
    return this.#liveMedia?.isPublishedHere ?? false;
  }

  /** The facts about this room that the edge wants. */
  get report(): SfuReport['streams'][number] {
    const media = this.#liveMedia?.isHostedHere ? this.#liveMedia : null;
    return {
      streamId: this.streamId,
      publishing: media !== null,
      videoCodec: media?.videoCodec ?? null,
      viewers: this.viewers,
    };
  }

  add(peer: Peer): void {
    this.#peers.add(peer);
    if (!peer.isViewer) return;
    this.#viewers.add(peer.subject);
    this.#viewersChanged();
  }

  remove(peer: Peer): void {
    if (!this.#peers.delete(peer)) return;
    if (peer.isViewer) {
      this.#viewers.remove(peer.subject);
      this.#viewersChanged();
    }
    if (this.#peers.size === 0 && !this.#closed) this.emit('empty');
  }

  /** Takes in what the edge has counted. */
  hearAudience(viewers: number): void {
    this.#audience = { viewers, atMs: performance.now() };
    if (this.audience !== this.#viewersTold) this.#viewersChanged();
  }

  /** What a new socket is told right after it has joined. */
  greet(peer: Peer): void {
    peer.send(this.#mediaNotice());
    if (this.#isLeaving) peer.send({ type: 'room.move' });
  }

  /** Tells every socket; the frame is encoded once. */
  broadcast(frame: ServerFrame): void {
    const encoded = encodeFrame(frame);
    for (const peer of this.#peers) peer.sendEncoded(encoded);
  }

  deliver(event: RoomEvent): void {
    this.broadcast({ type: 'room.event', event });
  }

  /** The room's media if there is any now. */
  get liveMedia(): RoomMedia | null {
    return this.#liveMedia;
  }

  /** The room's media, made when it is first needed: listeners of events alone need none. */
  media(): Promise<RoomMedia> {
    this.#media ??= this.#openMedia().catch((error: unknown) => {
      this.#media = null;
      throw error;
    });
    return this.#media;
  }

  /**
   * Puts `peer` on the stage. A second host is refused, and whoever finds it full; the same person's older socket,
   * which is most often a dead one, gives way.
   */
  takeStage(peer: Peer): void {
    const holder = this.#stage.get(peer.subject);
    if (holder !== peer) this.#refuseStage(peer);
    this.#stage.set(peer.subject, peer);
    this.#watchStrays();
    // Where the host publishes is where the room is; guests may come here before them.
    if (peer.owner.isHost) this.#settleInflow();
    this.#liveMedia?.hold(peer.subject, peer.held);
    if (holder && holder !== peer) {
      holder.dismiss('replaced', 'you publish from another window now');
    }
  }

  #refuseStage(peer: Peer): void {
    const others = this.publishers.filter(
      (other) => other.subject !== peer.subject && !other.leaving,
    );
    if (peer.owner.isHost && others.some(({ owner }) => owner.isHost)) {
      throw refusal('already-published', 'somebody publishes in this room');
    }
    if (others.length >= stagePublishersMax) {
      throw refusal('stage-full', `no more than ${stagePublishersMax} publish in a room`);
    }
  }

  leaveStage(peer: Peer): void {
    if (this.#stage.get(peer.subject) !== peer) return;
    this.#stage.delete(peer.subject);
    this.#watchStrays();
    if (this.#liveMedia) this.#considerInflow(this.#liveMedia);
  }

  /** Those who publish, to be sent to another node before all others. */
  get publishers(): Peer[] {
    return [...this.#stage.values()];
  }

  /** What is to be kept from everybody of that which somebody on the stage publishes has changed. */
  hold(peer: Peer): void {
    if (this.#stage.get(peer.subject) === peer) this.#liveMedia?.hold(peer.subject, peer.held);
  }

  /** Tells these people that the stage has changed. */
  tellStage(subjects: readonly string[]): void {
    for (const peer of this.#peers) {
      if (subjects.includes(peer.subject)) peer.send({ type: 'room.stage' });
    }
  }

  /** The node is about to end: nothing more is brought here for other nodes, and who comes late is sent on. */
  prepareToLeave(): void {
    this.#isLeaving = true;
  }

  get peers(): Peer[] {
    return [...this.#peers];
  }

  /** Closes every socket with this reason, and the media. */
  close(code: SocketErrorCode, detail: string): void {
    if (this.#closed) return;
    this.#closed = true;
    if (this.#viewersTimer) clearTimeout(this.#viewersTimer);
    clearInterval(this.#straysTimer);
    this.removeAllListeners();
    this.#stopInflow();
    const media = this.#liveMedia;
    this.#liveMedia = null;
    // Sockets that are about to close need not hear of each track that closes with them.
    media?.removeAllListeners();
    for (const peer of this.#peers) peer.dismiss(code, detail);
    media?.close();
  }

  async #openMedia(): Promise<RoomMedia> {
    const media = await RoomMedia.create(this.#deps.pool);
    if (this.#closed) {
      media.close();
      throw refusal('unavailable', 'the room was closed');
    }
    this.#liveMedia = media;
    media.on('change', () => {
      this.broadcast(this.#mediaNotice());
      this.emit('media');
      if (this.publishers.some(({ owner }) => owner.isHost)) this.#settleInflow();
      else this.#considerInflow(media);
    });
    media.viewing.on('demand', (producerId, spatialLayer) => {
      // Whose it is knows it by its id; what comes from another node is told there by the inflow.
      const owner = media.tracks.find(({ producer }) => producer.id === producerId)?.owner;
      const publisher = owner && this.#stage.get(owner.id);
      publisher?.send({ type: 'producer.layers', producerId, spatialLayer });
    });
    media.on('sized', ({ producer, sizes }) =>
      this.broadcast({ type: 'producer.sizes', producerId: producer.id, sizes: [...sizes] }),
    );
    media.on('held', ({ owner, producer }, isHeld) => {
      const frame = { type: 'producer.held', producerId: producer.id, isHeld } as const;
      this.#stage.get(owner.id)?.send(frame);
    });
    media.on('watched', () => this.#considerInflow(media));
    media.on('unwatched', () => {
      clearTimeout(this.#unwatchedTimer);
      this.#unwatchedTimer = setTimeout(() => {
        if (!this.#isWanted(media)) this.#stopInflow();
      }, inflowLingersMs);
    });
    media.once('lost', () => this.#mediaLost());
    return media;
  }

  /** Media that somebody wants from here and nobody publishes here is brought from another node. */
  #considerInflow(media: RoomMedia): void {
    if (media.isHostedHere || this.publishers.some(({ owner }) => owner.isHost)) return;
    if (this.#inflow || this.#closed || !this.#isWanted(media)) return;
    const { pull, pipeListen } = this.#deps;
    this.#inflow = openInflow({
      streamId: this.streamId,
      media,
      listen: pipeListen,
      pull,
      log: this.#log,
    });
  }

  #isWanted(media: RoomMedia): boolean {
    return this.#isLeaving ? media.viewers > 0 : media.isWatched;
  }

  /** Of a host who is here: what flows in from the node that they have left is shown until theirs flows. */
  #settleInflow(): void {
    const media = this.#liveMedia;
    const hasCopies = media?.tracks.some(({ isOurs }) => !isOurs) ?? false;
    const isSettled = media?.isHostedHere && !media.isArriving;
    if (!hasCopies || isSettled) this.#stopInflow();
  }

  /**
   * Guests publish where the host does, for from there everybody gets them. Those who are alone here ask every now and
   * then for where that is.
   */
  #watchStrays(): void {
    const strays = this.publishers.filter(({ owner }) => !owner.isHost);
    const hasHost = strays.length < this.#stage.size;
    if (hasHost || strays.length === 0 || this.#closed) {
      clearInterval(this.#straysTimer);
      this.#straysTimer = undefined;
      return;
    }
    this.#straysTimer ??= setInterval(() => {
      for (const peer of this.publishers) peer.send({ type: 'room.move' });
    }, strayMs);
  }

  #stopInflow(): void {
    clearTimeout(this.#unwatchedTimer);
    this.#inflow?.close();
    this.#inflow = null;
  }

  #mediaNotice(): ServerFrame {
    const { sources = [], held = [], guests = [] } = this.#liveMedia ?? {};
    return { type: 'room.media', sources, held, guests };
  }

  /** Whoever had media must come back; the others stay and keep hearing events. */
  #mediaLost(): void {
    this.#log.warn('the media of a room is lost');
    this.#stopInflow();
    this.#media = null;
    // What still closes with it is told once, here.
    this.#liveMedia?.removeAllListeners();
    this.#liveMedia = null;
    this.broadcast(this.#mediaNotice());
    for (const peer of this.#peers) {
      if (peer.media.used) {
        peer.dismiss('unavailable', 'the media worker has failed; join again');
      }
    }
    this.emit('media');
  }

  #viewersChanged(): void {
    if (this.#viewersTimer || this.#closed) return;
    const dueMs = this.#viewersToldAtMs + viewersIntervalMs - performance.now();
    this.#viewersTimer = setTimeout(
      () => {
        this.#viewersTimer = null;
        const viewers = this.audience;
        if (viewers === this.#viewersTold) return;
        this.#viewersTold = viewers;
        this.#viewersToldAtMs = performance.now();
        this.broadcast({ type: 'room.viewers', viewers });
      },
      Math.max(viewersSettleMs, dueMs),
    );
  }
}
