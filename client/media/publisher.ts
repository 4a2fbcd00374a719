// The publisher: one WebRTC transport that sends a picture in three sizes and a sound into a room.
import { computed, type ReadonlySignal, signal } from '@preact/signals';
import type { MediaHold } from '#contract';
import { type Cancel, type Clock, repeat } from '../models/clock.ts';
import { createTransport, loadDevice, type types } from './device.ts';
import { guardIce, type IceGuard, type PathState } from './ice-guard.ts';
import { type LadderName, ladders, layerSizesOf, scaleOf } from './ladders.ts';
import { mimeTypeOf, type PictureCodec, type SvcEncoding, svcMode } from './picture-codecs.ts';
import type { RoomSocket } from './room-socket.ts';

export const healthIntervalMs = 1_000;
/** The encoder starts here instead of feeling its way up from very little. */
export const startBitrateKbps = 1_500;
/** Encoders cut a few lines off; a picture that lacks more is one of the smaller copies. */
const wholePictureMin = 0.9;
/** Music in stereo; redundancy for lost packets; no pauses in silence. docs/architecture.md says why, with figures. */
const soundOptions: types.ProducerCodecOptions = {
  opusStereo: true,
  opusFec: true,
  opusDtx: false,
};

type SentCodec = 'H264' | 'VP8' | 'VP9' | 'AV1';

/** What the performer has chosen for the picture. */
export type Quality = { ladder: LadderName; codec: PictureCodec };

export type Health = {
  codec: SentCodec;
  bitrateBps: number;
  framesPerSecond: number;
  heightPixels: number;
  /** The line is too narrow for the whole picture: only its smaller copies are sent. */
  isReduced: boolean;
  roundTripMs: number | null;
  /** Share of packets lost on the way, 0 to 1. */
  loss: number;
};

export type PublishedTracks = { video: MediaStreamTrack | null; audio: MediaStreamTrack | null };

type Counters = { atMs: number; bytes: number; frames: number };

/** Layers inside one stream, or each as a stream of its own. */
function encodingsOf(ladder: LadderName, codec: SentCodec): types.RtpEncodingParameters[] {
  const { layerBps, fps } = ladders[ladder];
  const top = layerBps.length - 1;
  if (isSvc(codec)) {
    return [{ maxBitrate: layerBps[top] ?? 0, maxFramerate: fps, scalabilityMode: svcMode(top) }];
  }
  return layerBps.map((maxBitrate, place) => ({
    scaleResolutionDownBy: scaleOf(place, layerBps.length),
    maxBitrate,
    maxFramerate: fps,
    scalabilityMode: 'L1T1',
  }));
}

const isSvc = (codec: SentCodec): boolean => codec === 'VP9' || codec === 'AV1';

/** What was chosen, else H264 where this browser can encode it: the HLS version then needs no transcoding. */
function chooseCodec(
  device: types.Device,
  chosen: PictureCodec,
): { name: SentCodec; codec: types.RtpCodecCapability | undefined } {
  const encodable = new Set(
    RTCRtpSender.getCapabilities('video')?.codecs.map((codec) => codec.mimeType.toLowerCase()),
  );
  const codecs = device.sendRtpCapabilities.codecs ?? [];
  const find = (mimeType: string) =>
    codecs.find((codec) => codec.mimeType.toLowerCase() === mimeType);
  // A node of an older version may not take it.
  const wanted = chosen === 'compatible' ? undefined : find(mimeTypeOf(chosen));
  if (wanted && chosen !== 'compatible') return { name: chosen, codec: wanted };
  const h264 = encodable.has('video/h264') ? find('video/h264') : undefined;
  return h264 ? { name: 'H264', codec: h264 } : { name: 'VP8', codec: find('video/vp8') };
}

export class Publisher {
  readonly #transport: types.Transport;
  readonly #socket: RoomSocket;
  readonly #ladder: LadderName;
  readonly #clock: Clock;
  readonly #guard: IceGuard;
  readonly #health = signal<Health | null>(null);
  /** Ids of our tracks that the room keeps from everybody. */
  readonly #heldIds = signal<ReadonlySet<string>>(new Set());
  readonly #soundId = signal<string | null>(null);
  readonly #pictureId = signal<string | null>(null);
  readonly held: ReadonlySignal<MediaHold> = computed(() => ({
    sound: this.#heldIds.value.has(this.#soundId.value ?? ''),
    picture: this.#heldIds.value.has(this.#pictureId.value ?? ''),
  }));
  readonly #stopMeasuring: Cancel;
  readonly #stopHearing: Cancel;
  #video: types.Producer | null = null;
  #audio: types.Producer | null = null;
  #codec: SentCodec = 'H264';
  #before: Counters = { atMs: 0, bytes: 0, frames: 0 };
  /** Up to which copy of the picture anybody watches; null while nobody has said. */
  #wantedLayer: number | null = null;
  #topLayer = 0;
  /** Of the whole picture. */
  #sizeTold = '';
  #closed = false;

  private constructor(
    transport: types.Transport,
    socket: RoomSocket,
    ladder: LadderName,
    clock: Clock,
  ) {
    this.#transport = transport;
    this.#socket = socket;
    this.#ladder = ladder;
    this.#clock = clock;
    this.#guard = guardIce(transport, socket, clock);
    this.#stopMeasuring = repeat(clock, healthIntervalMs, () => this.#measure());
    this.#stopHearing = socket.onNotice((notice) => {
      // The room has let a track of ours go, as when its worker died: all is published anew.
      if (notice.type === 'producer.closed' && this.#owns(notice.producerId)) this.#guard.lose();
      if (notice.type === 'producer.layers' && notice.producerId === this.#video?.id) {
        this.#sendUpTo(notice.spatialLayer);
      }
      if (notice.type === 'producer.held') {
        const others = [...this.#heldIds.peek()].filter((id) => id !== notice.producerId);
        this.#heldIds.value = new Set(notice.isHeld ? [...others, notice.producerId] : others);
      }
    });
  }

  /** Sends the tracks; they stay the caller's and outlive this publisher. */
  static async create(
    socket: RoomSocket,
    tracks: PublishedTracks,
    quality: Quality,
    clock: Clock,
  ): Promise<Publisher> {
    const loading = loadDevice(socket, 'sendonly');
    const transport = await createTransport(socket, loading, 'send');
    const device = await loading;
    const publisher = new Publisher(transport, socket, quality.ladder, clock);
    transport.on('produce', ({ kind, rtpParameters }, done, fail) => {
      // A shared screen takes the camera's place, so that every viewer, HLS included, sees it at once.
      const source = kind === 'video' ? 'camera' : 'microphone';
      socket
        .request('produce', { transportId: transport.id, kind, source, rtpParameters })
        .then(({ producerId }) => done({ id: producerId }), fail);
    });
    try {
      await publisher.#send(device, tracks, quality);
      return publisher;
    } catch (error) {
      publisher.close();
      throw error;
    }
  }

  get path(): ReadonlySignal<PathState> {
    return this.#guard.state;
  }

  get health(): ReadonlySignal<Health | null> {
    return this.#health;
  }

  /** Changes what is seen without the viewers having to ask again. */
  async replaceVideo(track: MediaStreamTrack): Promise<void> {
    if (!this.#video || this.#closed) return;
    await this.#video.replaceTrack({ track });
    this.#tellSizes();
  }

  async replaceAudio(track: MediaStreamTrack | null): Promise<void> {
    if (this.#closed) return;
    if (this.#audio) await this.#audio.replaceTrack({ track });
    // Somebody who began without a microphone has plugged one in.
    else if (track) await this.#sendAudio(track);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopMeasuring();
    this.#stopHearing();
    this.#guard.close();
    this.#transport.close();
  }

  #owns(producerId: string): boolean {
    return this.#video?.id === producerId || this.#audio?.id === producerId;
  }

  async #send(
    device: types.Device,
    tracks: PublishedTracks,
    { ladder, codec: chosen }: Quality,
  ): Promise<void> {
    const { video, audio } = tracks;
    if (audio) await this.#sendAudio(audio);
    if (!video) return;
    const { name, codec } = chooseCodec(device, chosen);
    this.#codec = name;
    this.#topLayer = ladders[ladder].layerBps.length - 1;
    this.#video = await this.#transport.produce({
      track: video,
      stopTracks: false,
      encodings: encodingsOf(ladder, name),
      codecOptions: { videoGoogleStartBitrate: startBitrateKbps },
      ...(codec ? { codec } : {}),
    });
    this.#pictureId.value = this.#video.id;
    this.#tellSizes();
    await this.#keepPictureSize(this.#video.rtpSender);
  }

  async #sendAudio(track: MediaStreamTrack): Promise<void> {
    this.#audio = await this.#transport.produce({
      track,
      stopTracks: false,
      codecOptions: soundOptions,
    });
    this.#soundId.value = this.#audio.id;
  }

  /** Copies of the picture that nobody watches cost the performer's line and machine nothing. */
  async #sendUpTo(layer: number): Promise<void> {
    const sender = this.#video?.rtpSender;
    if (!sender || this.#closed) return;
    this.#wantedLayer = layer;
    const parameters = sender.getParameters();
    const encodings: SvcEncoding[] = parameters.encodings;
    for (const [place, encoding] of encodings.entries()) {
      if (isSvc(this.#codec)) {
        const top = Math.min(layer, this.#topLayer);
        encoding.scalabilityMode = svcMode(top);
        encoding.scaleResolutionDownBy = 2 ** (this.#topLayer - top);
      } else encoding.active = place <= layer;
    }
    await sender.setParameters(parameters).catch(() => {
      // A sender that is about to close; what it sends until then is more than is needed, and no harm.
    });
  }

  /** Viewers choose a layer by its size, which changes with what is shown, and with the way a phone is held. */
  #tellSizes(): void {
    const { width = 0, height = 0 } = this.#video?.track?.getSettings() ?? {};
    if (!this.#video || this.#closed || width === 0 || height === 0) return;
    const whole = `${width}x${height}`;
    if (whole === this.#sizeTold) return;
    this.#sizeTold = whole;
    const sizes = layerSizesOf(this.#ladder, { width, height });
    this.#socket.request('producer.sizes', { producerId: this.#video.id, sizes }).catch(() => {
      // A node of an older version, whose viewers get what their lines carry.
    });
  }

  /** When the machine is short of time, frames are skipped; a changing picture size would break HLS. */
  async #keepPictureSize(sender: RTCRtpSender | undefined): Promise<void> {
    if (!sender) return;
    const parameters = sender.getParameters();
    parameters.degradationPreference = 'maintain-resolution';
    await sender.setParameters(parameters).catch(() => {
      // A browser that does not know the preference goes by its own.
    });
  }

  async #measure(): Promise<void> {
    if (this.#closed) return;
    this.#tellSizes();
    const now: Counters = { atMs: this.#clock.now(), bytes: 0, frames: 0 };
    let heightPixels = 0;
    let roundTripMs: number | null = null;
    let loss = 0;
    const reports = await this.#transport.getStats();
    for (const report of reports.values() as Iterable<Record<string, unknown>>) {
      if (report.type === 'outbound-rtp') {
        now.bytes += Number(report.bytesSent ?? 0);
        now.frames = Math.max(now.frames, Number(report.framesEncoded ?? 0));
        // A copy that is held back keeps its last figures for a while, but sends nothing.
        if (report.framesPerSecond) {
          heightPixels = Math.max(heightPixels, Number(report.frameHeight ?? 0));
        }
      } else if (report.type === 'remote-inbound-rtp') {
        loss = Math.max(loss, Number(report.fractionLost ?? 0));
      } else if (report.type === 'candidate-pair' && report.nominated) {
        const seconds = Number(report.currentRoundTripTime ?? Number.NaN);
        roundTripMs = Number.isNaN(seconds) ? null : Math.round(seconds * 1_000);
      }
    }
    const wholePixels = this.#video?.track?.getSettings().height ?? 0;
    const isWanted = this.#wantedLayer === null || this.#wantedLayer >= this.#topLayer;
    const isReduced = isWanted && heightPixels < wholePixels * wholePictureMin;
    this.#report(now, { heightPixels, isReduced, roundTripMs, loss });
  }

  #report(
    now: Counters,
    rest: Pick<Health, 'heightPixels' | 'isReduced' | 'roundTripMs' | 'loss'>,
  ): void {
    const before = this.#before;
    this.#before = now;
    const seconds = (now.atMs - before.atMs) / 1_000;
    if (before.atMs === 0 || seconds <= 0) return;
    this.#health.value = {
      codec: this.#codec,
      bitrateBps: Math.max(0, Math.round(((now.bytes - before.bytes) * 8) / seconds)),
      framesPerSecond: Math.max(0, Math.round((now.frames - before.frames) / seconds)),
      ...rest,
    };
  }
}
