// An outflow: the tracks of a room piped to another node, once each, whatever the number of viewers there.
import { EventEmitter } from 'node:events';
import { isIP } from 'node:net';
import type { Consumer, PipeTransport } from 'mediasoup/types';
import type { ClientFrameOf, ConsumerData, ResponseData } from '#contract';
import { refusal } from '../refusals.ts';
import { layersMax } from './layers.ts';
import { refuseIfClosed } from './made.ts';
import { parseSrtpParameters } from './parameters.ts';
import type { RoomMedia, Track } from './room-media.ts';
import type { TapRules } from './tap.ts';

interface OutflowEvents {
  /** A track has ended; the other node must let its copy go. */
  consumerClosed: [string];
}

export class Outflow extends EventEmitter<OutflowEvents> {
  readonly #media: RoomMedia;
  readonly #transport: PipeTransport;
  readonly #piped = new Map<string, Consumer>();

  private constructor(media: RoomMedia, transport: PipeTransport) {
    super();
    this.#media = media;
    this.#transport = transport;
  }

  /** Answers where the other node has to send its reports and requests for keyframes. */
  static async create(
    media: RoomMedia,
    rules: TapRules,
    { address, port, srtpParameters }: ClientFrameOf<'pipe.open'>,
  ): Promise<{ outflow: Outflow; data: ResponseData<'pipe.open'> }> {
    if (isIP(address) === 0) throw refusal('malformed-frame', 'address: an IP address is needed');
    if (!rules.allows(address)) {
      throw refusal('forbidden', 'address: neither that of this socket nor one that is allowed');
    }
    const theirs = parseSrtpParameters(srtpParameters);
    const transport = await media.openPipeTransport(rules.pipeListen, 'pipe-out');
    try {
      await transport.connect({ ip: address, port, srtpParameters: theirs });
    } catch (error) {
      transport.close();
      throw error;
    }
    return { outflow: new Outflow(media, transport), data: pipeDataOf(transport) };
  }

  /** Begins with every track that does not flow yet. */
  async consume(): Promise<ConsumerData[]> {
    const missing = this.#media.tracks.filter(({ producer }) => !this.#piped.has(producer.id));
    const begun = await Promise.all(missing.map((track) => this.#begin(track)));
    // The end of one that has ended while others were begun has been told already.
    return begun.flatMap((data) => (data && this.#piped.has(data.producerId) ? [data] : []));
  }

  /** Up to which layer the viewers of the other node want a picture. */
  want(producerId: string, layer: number): void {
    const consumer = this.#piped.get(producerId);
    if (!consumer) throw refusal('not-found', 'this pipe has no such track');
    this.#media.viewing.wantLayer(producerId, consumer.id, layer);
  }

  close(): void {
    this.removeAllListeners();
    this.#transport.close();
  }

  /** Null for a track that has ended meanwhile. */
  async #begin({ source, owner, producer, ...track }: Track): Promise<ConsumerData | null> {
    const consumer = await this.#transport.consume({ producerId: producer.id }).catch((error) => {
      if (producer.closed) return null;
      throw error;
    });
    if (!consumer) return null;
    refuseIfClosed(this.#transport, consumer);
    if (producer.closed) return null;
    this.#piped.set(producer.id, consumer);
    // Until the other node says what its viewers want.
    if (consumer.kind === 'video') this.want(producer.id, layersMax);
    consumer.observer.once('close', () =>
      this.#media.viewing.wantLayer(producer.id, consumer.id, null),
    );
    producer.observer.once('close', () => {
      this.#piped.delete(producer.id);
      this.emit('consumerClosed', consumer.id);
    });
    const { id, kind } = consumer;
    const rtpParameters = { ...consumer.rtpParameters };
    const sizes = [...track.sizes];
    return { consumerId: id, producerId: producer.id, kind, source, owner, rtpParameters, sizes };
  }
}

/** What the other end of a pipe must know of this one. */
export function pipeDataOf(transport: PipeTransport): ResponseData<'pipe.open'> {
  const { tuple, srtpParameters } = transport;
  return {
    address: tuple.localAddress,
    port: tuple.localPort,
    srtpParameters: { ...srtpParameters },
  };
}
