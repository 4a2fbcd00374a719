// Tap session: one opened tap, from the UDP ports to the presentation, until the tap is opened anew.

import { isIP } from 'node:net';
import type { Logger } from 'pino';
import type { MediaSource, TapTrack } from '#contract';
import type { Presentation } from '../packaging/presentation.ts';
import { createSenderClock } from '../rtp/track-clock.ts';
import { bindUdpPort, type DatagramHandler, type UdpPort } from '../rtp/udp-port.ts';
import type { SfuLink } from './sfu-link.ts';
import { createSoundPipeline, createTrackPipeline, type TrackPipeline } from './track-pipeline.ts';

/** Media may overtake the answer that says what it is; so many packets a port wait for it. */
const earlyPacketsMax = 512;
/** No SFU sends more in one datagram than a network carries in one piece. */
const datagramBytesMax = 2_048;
export const tickMs = 10;

export interface TapSessionOptions {
  link: SfuLink;
  /** Where the SFU shall send the media. */
  tapAddress: string;
  /** How many video layers are wanted, best first. */
  videoLayers: number;
  presentation: Presentation;
  ffmpegBin: string;
  log: Logger;
  now(): number;
}

interface Lane {
  port: UdpPort;
  early: Parameters<DatagramHandler>[];
  pipeline: TrackPipeline | null;
  take: DatagramHandler;
}

export class TapSession {
  readonly tracks: readonly TapTrack[];
  readonly #lanes: readonly Lane[];
  readonly #timer: NodeJS.Timeout;
  readonly #presentation: Presentation;
  readonly #log: Logger;
  #closed = false;

  /** Throws `LinkError` when the SFU refuses. */
  static async open(options: TapSessionOptions): Promise<TapSession> {
    const lanes: Lane[] = [];
    try {
      for (let index = 0; index <= options.videoLayers; index++) {
        lanes.push(await openLane(options));
      }
      const [audioPort = 0, ...videoPorts] = lanes.map((lane) => lane.port.port);
      const answer = await options.link.request({
        type: 'tap.open',
        address: options.tapAddress,
        audioPort,
        videoPorts,
      });
      return new TapSession(lanes, answer.tracks, options);
    } catch (error) {
      for (const lane of lanes) lane.port.close();
      throw error;
    }
  }

  private constructor(lanes: Lane[], tracks: readonly TapTrack[], options: TapSessionOptions) {
    this.#lanes = lanes;
    this.tracks = tracks;
    this.#presentation = options.presentation;
    this.#log = options.log;
    this.#timer = setInterval(() => {
      const nowMs = options.now();
      this.#guard(() => {
        for (const lane of this.#lanes) lane.pipeline?.tick(nowMs);
        options.presentation.tick(nowMs);
      });
    }, tickMs);
    this.#start(options);
  }

  get sources(): MediaSource[] {
    return this.tracks.map((track) => track.source);
  }

  /** When the last packet of any track came; null before the first. */
  get lastPacketMs(): number | null {
    const times = this.#lanes.flatMap((lane) => lane.pipeline?.receiver?.lastPacketMs ?? []);
    return times.length > 0 ? Math.max(...times) : null;
  }

  get encoderPids(): number[] {
    return this.#lanes.flatMap((lane) => lane.pipeline?.encoderPid ?? []);
  }

  /** Publishes what has come and stops. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#timer);
    for (const lane of this.#lanes) {
      lane.port.close();
      lane.pipeline?.close();
    }
    this.#presentation.endRun();
  }

  /**
   * A defect that one stream's media brings to light must not end the process, and with it all the others. The
   * job misses the media, and opens the tap anew.
   */
  #guard(work: () => void): void {
    if (this.#closed) return;
    try {
      work();
    } catch (error) {
      this.#log.error({ err: error }, 'media could not be handled: tap closed');
      this.close();
    }
  }

  #start(options: TapSessionOptions): void {
    const { presentation, link, now } = options;
    const sender = createSenderClock();
    const requestKeyframe = () => {
      // A request that fails is repeated by the pacer, and a dead link is noticed elsewhere.
      link.request({ type: 'tap.keyframe' }).catch(() => {});
    };
    const video = this.tracks
      .filter((track) => track.kind === 'video')
      .sort((a, b) => (b.spatialLayer ?? 0) - (a.spatialLayer ?? 0));
    const packaged = this.tracks.flatMap((track) => {
      const lane = this.#lanes.find((each) => each.port.port === track.port);
      if (!lane || lane.pipeline) return [];
      lane.pipeline = createTrackPipeline({
        track,
        layer: Math.max(0, video.indexOf(track)),
        presentation,
        sender,
        ffmpegBin: options.ffmpegBin,
        log: options.log.child({ track: track.source }),
        now,
        requestKeyframe,
      });
      if (!lane.pipeline) options.log.warn({ mimeType: track.mimeType }, 'codec not packaged');
      return lane.pipeline ? [track] : [];
    });
    const [soundLane] = this.#lanes;
    if (packaged.length > 0) {
      const videoLayers = packaged.filter((track) => track.kind === 'video').length;
      if (soundLane && packaged.length === videoLayers && presentation.hasSound) {
        soundLane.pipeline = createSoundPipeline(options, null);
      }
      const audio = packaged.length > videoLayers || presentation.hasSound;
      presentation.startRun({ videoLayers, audio }, now());
    }
    for (const lane of this.#lanes) {
      lane.take = (datagram, from) =>
        this.#guard(() => lane.pipeline?.receiver?.receive(datagram, from, now()));
      for (const [datagram, from] of lane.early.splice(0)) lane.take(datagram, from);
    }
  }
}

async function openLane(options: TapSessionOptions): Promise<Lane> {
  const receive: DatagramHandler = (datagram, from) => {
    if (datagram.length > datagramBytesMax) return;
    lane.take(datagram, from);
  };
  const early: Lane['early'] = [];
  const keep: DatagramHandler = (datagram, from) => {
    if (early.length < earlyPacketsMax) early.push([datagram, from]);
  };
  const port = await bindUdpPort(receive, bindAddress(options.tapAddress));
  const lane: Lane = { port, early, pipeline: null, take: keep };
  return lane;
}

/** Media for the loopback address is taken from there only; another address may be a translated one. */
function bindAddress(tapAddress: string): string | undefined {
  if (tapAddress.startsWith('127.') || tapAddress === '::1') return tapAddress;
  return isIP(tapAddress) === 6 ? '::' : undefined;
}
