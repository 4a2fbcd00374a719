// A tap: plain RTP of a room's sound and of its picture's layers, sent to a transcoder's UDP ports.
import { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import { parseScalabilityMode } from 'mediasoup';
import type { Consumer, PlainTransport, Producer } from 'mediasoup/types';
import { assert, type ClientFrameOf, type TapTrack } from '#contract';
import { refusal } from '../refusals.ts';
import { topLayerOf } from './layers.ts';
import type { PipeListen, RoomMedia, Track } from './room-media.ts';

/**
 * A layer that does not flow yet is waited for so long: a line that started with a smaller layer
 * could change over only once the publisher's clock reports for both have come. After that a
 * smaller picture is better than none.
 */
const layerAwaitedMs = 2_000;

interface TapEvents {
  /** A tapped track has ended; what is left goes on. */
  consumerClosed: [string];
}

/** From where a tap sends, and to whom it may. */
export interface TapRules {
  listenAddress: string;
  pipeListen: PipeListen;
  /** A stolen ticket must not aim a room's media at somebody else. */
  allows(address: string): boolean;
}

interface Line {
  track: Track;
  port: number;
  spatialLayer: number | null;
}

export class Tap extends EventEmitter<TapEvents> {
  readonly #transports: PlainTransport[] = [];
  readonly #consumers: Consumer[] = [];
  /** Sound first, then the layers of the picture from the smallest up. */
  readonly tracks: TapTrack[] = [];
  readonly #media: RoomMedia;
  #closed = false;

  private constructor(media: RoomMedia) {
    super();
    this.#media = media;
  }

  /** Opens one line per track and layer; when one of them fails, none stays. */
  static async create(
    media: RoomMedia,
    { listenAddress, allows }: TapRules,
    request: ClientFrameOf<'tap.open'>,
  ): Promise<Tap> {
    if (isIP(request.address) === 0) {
      throw refusal('malformed-frame', 'address: an IP address is needed');
    }
    if (!allows(request.address)) {
      throw refusal('forbidden', 'address: neither that of this socket nor one that is allowed');
    }
    const tap = new Tap(media);
    try {
      await Promise.all(
        linesOf(media, request).map((line) => tap.#open(listenAddress, request.address, line)),
      );
    } catch (error) {
      tap.close();
      throw error;
    }
    tap.tracks.sort((a, b) => (a.spatialLayer ?? -1) - (b.spatialLayer ?? -1));
    return tap;
  }

  /** Asks the publisher for a keyframe of every tapped layer. */
  requestKeyframe(): void {
    this.#media.viewing.requestKeyframe(
      this.#consumers.filter((consumer) => consumer.kind === 'video'),
    );
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.removeAllListeners();
    for (const transport of this.#transports) transport.close();
  }

  async #open(
    listenAddress: string,
    address: string,
    { track, port, spatialLayer }: Line,
  ): Promise<void> {
    const transport = await this.#media.openTapTransport(listenAddress, address, port);
    if (this.#closed) {
      // Another line has failed meanwhile.
      transport.close();
      return;
    }
    this.#transports.push(transport);
    const layers =
      spatialLayer === null || track.producer.type === 'simple'
        ? null
        : { spatialLayer, temporalLayer: highestTemporalLayer(track) };
    const consumer = await this.#media.viewing.tap(transport, track, layers);
    this.#consumers.push(consumer);
    const ended = () => {
      transport.close();
      this.emit('consumerClosed', consumer.id);
    };
    track.producer.observer.once('close', ended);
    transport.observer.once('close', () => track.producer.observer.off('close', ended));
    this.tracks.push(describe(consumer, track, port, spatialLayer));
    if (consumer.kind === 'audio') await consumer.resume();
    else this.#startWhenFlowing(consumer, track.producer, spatialLayer ?? 0);
  }

  /** Starts the picture as soon as packets of its layer have come. */
  #startWhenFlowing(consumer: Consumer, producer: Producer, layer: number): void {
    const start = () => {
      clearTimeout(timer);
      producer.off('score', check);
      if (!consumer.closed) this.#media.viewing.startPicture(consumer);
    };
    // Layers inside one stream come together.
    const encoding = producer.type === 'svc' ? 0 : layer;
    const check = () => {
      const flows = producer.score.some(
        ({ encodingIdx, score }) => encodingIdx === encoding && score > 0,
      );
      if (flows) start();
    };
    const timer = setTimeout(start, layerAwaitedMs);
    consumer.observer.once('close', start);
    producer.on('score', check);
    check();
  }
}

/**
 * Sound goes to its port. Of the picture's layers the highest ones are taken, as many as there
 * are ports, the smaller picture on the earlier port; of layers inside one stream the whole picture
 * alone, since each line of it would hold the smaller ones too.
 */
function linesOf(media: RoomMedia, request: ClientFrameOf<'tap.open'>): Line[] {
  const { sound, picture } = media;
  const lines: Line[] = [];
  if (sound) lines.push({ track: sound, port: request.audioPort, spatialLayer: null });
  if (picture) {
    const layers = topLayerOf(picture.producer) + 1;
    const places = picture.producer.type === 'svc' ? 1 : request.videoPorts.length;
    const lowest = Math.max(0, layers - places);
    for (const [index, port] of request.videoPorts.entries()) {
      const spatialLayer = lowest + index;
      if (spatialLayer < layers) lines.push({ track: picture, port, spatialLayer });
    }
  }
  return lines;
}

function highestTemporalLayer(track: Track): number {
  const mode = track.producer.rtpParameters.encodings?.[0]?.scalabilityMode;
  return parseScalabilityMode(mode).temporalLayers - 1;
}

function describe(
  consumer: Consumer,
  track: Track,
  port: number,
  spatialLayer: number | null,
): TapTrack {
  const codec = consumer.rtpParameters.codecs[0];
  const ssrc = consumer.rtpParameters.encodings?.[0]?.ssrc;
  assert(codec && ssrc !== undefined, 'a consumer has a codec and an SSRC');
  return {
    kind: consumer.kind,
    source: track.source,
    port,
    spatialLayer,
    payloadType: codec.payloadType,
    ssrc,
    clockRate: codec.clockRate,
    channels: codec.channels ?? 1,
    mimeType: codec.mimeType,
    parameters: plainParameters(codec.parameters ?? {}),
  };
}

function plainParameters(parameters: Record<string, unknown>): TapTrack['parameters'] {
  return Object.fromEntries(
    Object.entries(parameters).filter(
      (entry): entry is [string, string | number] =>
        typeof entry[1] === 'string' || typeof entry[1] === 'number',
    ),
  );
}
