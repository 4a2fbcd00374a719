// Tap session: one opened tap, from the UDP ports to the presentation, until the tap is opened anew.

import { isIP } from 'node:net';
import type { Logger } from 'pino';
import type { MediaSource, TapTrack } from '#contract';
import type { Presentation } from '../packaging/presentation.ts';
import { createSenderClock } from '../rtp/track-clock.ts';
import { bindUdpPort, type UdpPort } from '../rtp/udp-port.ts';
import type { SfuLink } from './sfu-link.ts';
import { createTrackPipeline, type TrackPipeline } from './track-pipeline.ts';

/** Media may overtake the answer that says what it is; so many packets a port wait for it. */
const earlyPacketsMax = 512;
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
  early: [datagram: Buffer, from: { address: string; port: number }][];
  pipeline: TrackPipeline | null;
}

export class TapSession {
  readonly tracks: readonly TapTrack[];
  readonly #lanes: readonly Lane[];
  readonly #timer: NodeJS.Timeout;
  readonly #presentation: Presentation;
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
    this.#start(options);
    this.#timer = setInterval(() => {
      const nowMs = options.now();
      for (const lane of this.#lanes) lane.pipeline?.tick(nowMs);
      options.presentation.tick(nowMs);
    }, tickMs);
  }

  get sources(): MediaSource[] {
    return this.tracks.map((track) => track.source);
  }

  /** When the last packet of any track came; null before the first. */
  get lastPacketMs(): number | null {
    const times = this.#lanes.flatMap((lane) => lane.pipeline?.receiver.lastPacketMs ?? []);
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
    if (packaged.length > 0) {
      const videoLayers = packaged.filter((track) => track.kind === 'video').length;
      presentation.startRun({ videoLayers, audio: packaged.length > videoLayers }, now());
    }
    for (const lane of this.#lanes) {
      for (const [datagram, from] of lane.early.splice(0)) {
        lane.pipeline?.receiver.receive(datagram, from, now());
      }
    }
  }
}

async function openLane(options: TapSessionOptions): Promise<Lane> {
  const early: Lane['early'] = [];
  const port = await bindUdpPort((datagram, from) => {
    if (lane.pipeline) lane.pipeline.receiver.receive(datagram, from, options.now());
    else if (early.length < earlyPacketsMax) early.push([datagram, from]);
  }, bindAddress(options.tapAddress));
  const lane: Lane = { port, early, pipeline: null };
  return lane;
}

/** Media for the loopback address is taken from there only; another address may be a translated one. */
function bindAddress(tapAddress: string): string | undefined {
  if (tapAddress.startsWith('127.') || tapAddress === '::1') return tapAddress;
  return isIP(tapAddress) === 6 ? '::' : undefined;
}
