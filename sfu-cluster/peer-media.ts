// What one peer has on the media of its room: its transports, its tracks, its consumers and its tap.

import type {
  Consumer,
  PlainTransport,
  Producer,
  Transport,
  WebRtcTransport,
} from 'mediasoup/types';
import type { Logger } from 'pino';
import type { z } from 'zod';
import {
  assert,
  type ClientFrameOf,
  type ConsumerData,
  type MediaKind,
  type ResponseData,
  type TransportDirection,
} from '#contract';
import { mediaCall } from './media/faults.ts';
import { Outflow } from './media/outflow.ts';
import {
  parseDtlsParameters,
  parseRtpCapabilities,
  parseRtpParameters,
  parseSrtpParameters,
} from './media/parameters.ts';
import type { RoomMedia, Track } from './media/room-media.ts';
import { Tap, type TapRules } from './media/tap.ts';
import type { Peer } from './peer.ts';
import { refusal } from './refusals.ts';
import type { Room } from './room.ts';

const kindOfSource = {
  microphone: 'audio',
  camera: 'video',
  screen: 'video',
  'screen-audio': 'audio',
} as const;

type Direction = z.infer<typeof TransportDirection>;

interface PeerMediaOptions {
  peer: Peer;
  room: Room;
  log: Logger;
  tap: TapRules;
}

export class PeerMedia {
  readonly #peer: Peer;
  readonly #room: Room;
  readonly #log: Logger;
  readonly #tapRules: TapRules;
  /** One per direction: a new one takes the place of the one before. */
  readonly #transports = new Map<Direction, WebRtcTransport>();
  /** Of a publisher without WebRTC, one for each kind of track. */
  readonly #plain = new Map<MediaKind, PlainTransport>();
  readonly #connected = new WeakSet<WebRtcTransport>();
  readonly #producers = new Map<string, Producer>();
  readonly #consumers = new Map<string, Consumer>();
  #tap: Tap | null = null;
  #outflow: Outflow | null = null;
  #used = false;
  #closed = false;

  constructor(options: PeerMediaOptions) {
    this.#peer = options.peer;
    this.#room = options.room;
    this.#log = options.log;
    this.#tapRules = options.tap;
  }

  /** Whether there has ever been a transport or a tap, so that losing the worker concerns the peer. */
  get used(): boolean {
    return this.#used;
  }

  async createTransport(direction: Direction): Promise<ResponseData<'transport.create'>> {
    const transport = await mediaCall(null, () =>
      direction === 'send' ? this.#openToSend() : this.#openToReceive(),
    );
    this.#used = true;
    if (this.#peer.leaving || transport.closed) {
      transport.close();
      throw refusal('unavailable', 'the room was closed');
    }
    this.#transports.get(direction)?.close();
    this.#transports.set(direction, transport);
    // Its worker has failed; a room that is closed has sent its peers away before.
    transport.once('routerclose', () => this.#workerFailed());
    transport.observer.once('close', () => {
      if (this.#transports.get(direction) === transport) this.#transports.delete(direction);
    });
    return {
      transportId: transport.id,
      iceParameters: { ...transport.iceParameters },
      iceCandidates: transport.iceCandidates.map((candidate) => ({ ...candidate })),
      dtlsParameters: { ...transport.dtlsParameters },
    };
  }

  async #openToSend(): Promise<WebRtcTransport> {
    return (await this.#room.media()).openPublisherTransport();
  }

  async #openToReceive(): Promise<WebRtcTransport> {
    // The new one takes the place of the one before, also where there are no others.
    this.#transports.get('receive')?.close();
    const leavePlace = this.#peer.takeLivePlace();
    try {
      const transport = await (await this.#room.media()).openViewerTransport();
      transport.observer.once('close', leavePlace);
      if (transport.closed) leavePlace();
      return transport;
    } catch (error) {
      leavePlace();
      throw error;
    }
  }

  async connectTransport(frame: ClientFrameOf<'transport.connect'>): Promise<void> {
    const transport = this.#transport(frame.transportId);
    const dtlsParameters = parseDtlsParameters(frame.dtlsParameters);
    if (this.#connected.has(transport)) {
      throw refusal('out-of-order', 'the transport was connected before');
    }
    await mediaCall('malformed-frame', () => transport.connect({ dtlsParameters }));
    this.#connected.add(transport);
  }

  async restartIce(transportId: string): Promise<ResponseData<'transport.restart-ice'>> {
    const transport = this.#transport(transportId);
    const iceParameters = await mediaCall(null, () => transport.restartIce());
    return { iceParameters: { ...iceParameters } };
  }

  /** A transport without WebRTC for one track; one for the same kind that was there before is closed. */
  async createPlainTransport({
    kind,
    srtpParameters,
  }: ClientFrameOf<'transport.plain'>): Promise<ResponseData<'transport.plain'>> {
    const theirs = parseSrtpParameters(srtpParameters);
    const { pipeListen } = this.#tapRules;
    const transport = await mediaCall(null, async () => {
      const media = await this.#room.media();
      return media.openPlainTransport(pipeListen, theirs);
    });
    this.#used = true;
    if (this.#peer.leaving || transport.closed) {
      transport.close();
      throw refusal('unavailable', 'the room was closed');
    }
    this.#plain.get(kind)?.close();
    this.#plain.set(kind, transport);
    transport.once('routerclose', () => this.#workerFailed());
    return plainTransportDataOf(transport);
  }

  async produce(frame: ClientFrameOf<'produce'>): Promise<ResponseData<'produce'>> {
    const { source, kind } = frame;
    const transport = this.#sendingTransport(frame);
    if (kindOfSource[source] !== kind) {
      throw refusal('unsupported-media', `a ${source} is no ${kind}`);
    }
    const rtpParameters = parseRtpParameters(frame.rtpParameters);
    const media = await this.#room.media();
    // A socket that has closed meanwhile must not send away the one that took its place.
    if (this.#peer.leaving) throw refusal('unavailable', 'the socket was closed');
    this.#room.takeStage(this.#peer);
    try {
      const producer = await mediaCall('unsupported-media', () =>
        media.publish(transport, { source, kind, owner: this.#peer.owner, rtpParameters }),
      );
      this.#own(producer);
      this.#log.info({ source, type: producer.type }, 'track published');
      return { producerId: producer.id };
    } finally {
      this.#leaveStageIfSilent();
    }
  }

  closeProducer(producerId: string): void {
    const producer = this.#producers.get(producerId);
    if (!producer) throw refusal('not-found', 'this socket has no such producer');
    // Forgotten first: whoever asked for it needs no notice of it.
    this.#producers.delete(producerId);
    producer.close();
    this.#leaveStageIfSilent();
  }

  async tellSizes({ producerId, sizes }: ClientFrameOf<'producer.sizes'>): Promise<void> {
    const producer = this.#producers.get(producerId);
    if (!producer) throw refusal('not-found', 'this socket has no such producer');
    if (sizes.length !== (producer.rtpParameters.encodings?.length ?? 1)) {
      throw refusal('malformed-frame', 'sizes: one for each layer is needed');
    }
    (await this.#room.media()).tellSizes(producerId, sizes);
  }

  /**
   * Consumers of every track of the room that this socket does not consume yet, all paused. Nobody on the stage hears
   * themselves. Refuses `unsupported-media` a browser that cannot play the room's picture: its sound alone is not what
   * it came for, and HLS has both.
   */
  async consume(frame: ClientFrameOf<'consume'>): Promise<ResponseData<'consume'>> {
    const transport = this.#transport(frame.transportId, 'receive');
    const rtpCapabilities = parseRtpCapabilities(frame.rtpCapabilities);
    const media = await this.#room.media();
    const consumed = new Set([...this.#consumers.values()].map((consumer) => consumer.producerId));
    const tracks = media.tracks.filter(
      (track) => !consumed.has(track.producer.id) && !this.#isOwn(track),
    );
    const { picture } = media;
    if (picture && tracks.includes(picture) && !media.viewing.canPlay(picture, rtpCapabilities)) {
      throw refusal('unsupported-media', 'the codec of the picture cannot be received');
    }
    const made = await Promise.all(
      tracks.map((track) => this.#consumeTrack(media, transport, track, rtpCapabilities)),
    );
    const consumers = made.filter((data) => data !== null);
    const lasting = tracks.filter((track) => !track.producer.closed);
    if (lasting.length > 0 && consumers.length === 0) {
      throw refusal('unsupported-media', 'none of the codecs in this room can be received');
    }
    return { consumers };
  }

  async resumeConsumers(consumerIds: string[]): Promise<void> {
    const consumers = consumerIds.map((id) => this.#consumer(id));
    const transport = this.#transports.get('receive');
    if (!transport) throw refusal('not-found', 'the receiving transport is gone');
    const media = await this.#room.media();
    await Promise.all(
      consumers.map((consumer) => mediaCall(null, () => media.viewing.resume(transport, consumer))),
    );
  }

  async preferLayers(frame: ClientFrameOf<'consumer.layers'>): Promise<void> {
    const consumer = this.#consumer(frame.consumerId);
    if (consumer.kind !== 'video') throw refusal('unsupported-media', 'sound has no layers');
    const { spatialLayer, temporalLayer } = frame;
    const media = await this.#room.media();
    await mediaCall('malformed-frame', () =>
      media.viewing.prefer(consumer, { spatialLayer, temporalLayer }),
    );
  }

  async pauseConsumers(consumerIds: string[]): Promise<void> {
    const consumers = consumerIds.map((id) => this.#consumer(id));
    const media = await this.#room.media();
    await Promise.all(
      consumers.map((consumer) => mediaCall(null, () => media.viewing.pause(consumer))),
    );
  }

  /** Opens the tap; one that was open before is closed. */
  async openTap(frame: ClientFrameOf<'tap.open'>): Promise<ResponseData<'tap.open'>> {
    this.#tap?.close();
    this.#tap = null;
    const media = await this.#room.media();
    const tap = await mediaCall(null, () => Tap.create(media, this.#tapRules, frame));
    this.#used = true;
    if (this.#peer.leaving) {
      tap.close();
      throw refusal('unavailable', 'the room was closed');
    }
    this.#tap = tap;
    tap.on('consumerClosed', (consumerId) =>
      this.#peer.send({ type: 'consumer.closed', consumerId }),
    );
    return { tracks: tap.tracks };
  }

  /** Opens the pipe to another node; one that was open before is closed. */
  async openPipe(frame: ClientFrameOf<'pipe.open'>): Promise<ResponseData<'pipe.open'>> {
    this.#outflow?.close();
    this.#outflow = null;
    const media = await this.#room.media();
    const { outflow, data } = await mediaCall('malformed-frame', () =>
      Outflow.create(media, this.#tapRules, frame),
    );
    this.#used = true;
    if (this.#peer.leaving) {
      outflow.close();
      throw refusal('unavailable', 'the room was closed');
    }
    this.#outflow = outflow;
    outflow.on('consumerClosed', (consumerId) =>
      this.#peer.send({ type: 'consumer.closed', consumerId }),
    );
    return data;
  }

  async consumePipe(): Promise<ResponseData<'pipe.consume'>> {
    const outflow = this.#outflow;
    if (!outflow) throw refusal('out-of-order', 'open the pipe first');
    return { consumers: await mediaCall(null, () => outflow.consume()) };
  }

  wantPipeLayer({ producerId, spatialLayer }: ClientFrameOf<'pipe.layers'>): void {
    if (!this.#outflow) throw refusal('out-of-order', 'open the pipe first');
    this.#outflow.want(producerId, spatialLayer);
  }

  requestTapKeyframe(): void {
    if (!this.#tap) throw refusal('out-of-order', 'open the tap first');
    this.#tap.requestKeyframe();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const transport of this.#transports.values()) transport.close();
    for (const transport of this.#plain.values()) transport.close();
    this.#tap?.close();
    this.#outflow?.close();
    this.#room.leaveStage(this.#peer);
  }

  #own(producer: Producer): void {
    const { id } = producer;
    this.#producers.set(id, producer);
    producer.observer.once('close', () => {
      if (!this.#producers.delete(id)) return;
      this.#peer.send({ type: 'producer.closed', producerId: id });
      this.#leaveStageIfSilent();
    });
  }

  #isOwn({ owner }: Track): boolean {
    const isSelf = owner.id === this.#peer.subject;
    return isSelf && (!owner.isHost || this.#peer.isOnStage);
  }

  #leaveStageIfSilent(): void {
    if (this.#producers.size === 0) this.#room.leaveStage(this.#peer);
  }

  /** Null for a track whose codec this browser lacks, or that ended meanwhile: it is not missed. */
  async #consumeTrack(
    media: RoomMedia,
    transport: WebRtcTransport,
    track: Track,
    rtpCapabilities: ReturnType<typeof parseRtpCapabilities>,
  ): Promise<ConsumerData | null> {
    let consumer: Consumer | null;
    try {
      consumer = await mediaCall('unsupported-media', () =>
        media.viewing.consume(transport, track, rtpCapabilities),
      );
    } catch (error) {
      if (track.producer.closed) return null;
      throw error;
    }
    if (!consumer || consumer.closed) return null;
    const { id, producerId, kind } = consumer;
    this.#consumers.set(id, consumer);
    const { producer } = track;
    const ended = () => {
      producer.observer.off('close', ended);
      if (this.#consumers.delete(id)) this.#peer.send({ type: 'consumer.closed', consumerId: id });
    };
    consumer.observer.once('close', ended);
    // The worker would tell as well, but later than the room tells its new list of sources.
    producer.observer.once('close', ended);
    const { source, owner } = track;
    const rtpParameters = { ...consumer.rtpParameters };
    const sizes = [...track.sizes];
    return { consumerId: id, producerId, kind, source, owner, rtpParameters, sizes };
  }

  #sendingTransport({ transportId, kind }: ClientFrameOf<'produce'>): Transport {
    const plain = this.#plain.get(kind);
    return plain?.id === transportId && !plain.closed
      ? plain
      : this.#transport(transportId, 'send');
  }

  #workerFailed(): void {
    this.#peer.dismiss('unavailable', 'the media worker has failed; join again');
  }

  #transport(id: string, direction?: Direction): WebRtcTransport {
    for (const [itsDirection, transport] of this.#transports) {
      const fits = direction === undefined || direction === itsDirection;
      if (transport.id === id && fits) return transport;
    }
    throw refusal('not-found', 'this socket has no such transport');
  }

  #consumer(id: string): Consumer {
    const consumer = this.#consumers.get(id);
    if (!consumer) throw refusal('not-found', 'this socket has no such consumer');
    return consumer;
  }
}

function plainTransportDataOf({
  id,
  tuple,
  rtcpTuple,
}: PlainTransport): ResponseData<'transport.plain'> {
  assert(rtcpTuple, 'a transport without RTCP mux has a second port');
  return {
    transportId: id,
    address: tuple.localAddress,
    port: tuple.localPort,
    rtcpPort: rtcpTuple.localPort,
  };
}
