// Viewing: begins, stops and changes what viewers, taps and other nodes get of a room's tracks, with as few keyframes as
// that needs, and adds up which layers are wanted.
import { EventEmitter } from 'node:events';
import type {
  Consumer,
  ConsumerLayers,
  PlainTransport,
  Producer,
  RtpCapabilities,
  Transport,
  WebRtcTransport,
} from 'mediasoup/types';
import type { Branches } from './branches.ts';
import { tapRtpCapabilities } from './codecs.ts';
import type { Flows } from './flows.ts';
import { createKeyframeGovernor } from './keyframe-governor.ts';
import { createLayerDemand } from './layer-demand.ts';
import { clampLayers, layersMax, topLayerOf } from './layers.ts';
import { refuseIfClosed } from './made.ts';
import type { Track } from './room-media.ts';

interface ViewingEvents {
  /** Up to which layer a picture is wanted from now on: by its id. */
  demand: [string, number];
}

export class Viewing extends EventEmitter<ViewingEvents> {
  readonly #branches: Branches;
  readonly #flows: Flows;
  readonly #resumed = new WeakSet<Consumer>();
  /** Stopped by their viewers after they had begun. */
  readonly #stopped = new WeakSet<Consumer>();
  readonly #wanting = new WeakSet<Consumer>();
  /** The newest wish of each viewer, and who waits for theirs to be followed. */
  readonly #wishes = new WeakMap<Consumer, ConsumerLayers>();
  readonly #changing = new WeakSet<Consumer>();
  /** Of consumers of a copy: the track at home, by whose id it is wanted. */
  readonly #homeIds = new WeakMap<Consumer, string>();
  readonly #keyframes = createKeyframeGovernor();
  #keyframeRequests = 0;
  #keyframesReceived = 0;
  readonly #keyframesWanted = new Set<Consumer>();
  readonly #demand = createLayerDemand((producerId, layer) =>
    this.emit('demand', producerId, layer),
  );

  constructor(branches: Branches, flows: Flows) {
    super();
    this.#branches = branches;
    this.#flows = flows;
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

  /** Somebody is about to come who will want a keyframe. */
  expect(): void {
    this.#keyframes.expect();
  }

  /** A track is shown from now on, with all its layers. */
  begin({ producer }: Track): void {
    if (topLayerOf(producer) > 0) this.#demand.begin(producer.id, topLayerOf(producer));
    producer.observer.once('close', () => this.#demand.forget(producer.id));
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
    const producerId = await this.#branches.carry(transport, track.producer);
    const consumer = await transport.consume({ producerId, rtpCapabilities, paused: true });
    refuseIfClosed(transport, consumer);
    this.#homeIds.set(consumer, id);
    if (consumer.kind === 'video') this.#flows.show(transport.id, consumer);
    return consumer;
  }

  /** Whether a browser with these capabilities can play a track. */
  canPlay(track: Track, rtpCapabilities: RtpCapabilities): boolean {
    // All routers are alike.
    return this.#branches.home.router.canConsume({
      producerId: track.producer.id,
      rtpCapabilities,
    });
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

  /** Viewers who lost packets ask through the worker: the governor must know of that too. */
  async watchKeyframes(producer: Producer): Promise<void> {
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
    this.removeAllListeners();
    this.#keyframes.close();
    this.#demand.close();
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
}
