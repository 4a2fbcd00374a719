// HLS playback: hls.js in low-latency mode on a video element, or the browser's own HLS without it.
import { type ReadonlySignal, signal } from '@preact/signals';
import Hls, { type ErrorData, type ManifestParsedData } from 'hls.js';
import type { LayerSize } from '#contract';
import { type Cancel, type Clock, repeat } from '../models/clock.ts';
import type { HlsTicket } from '../models/hls-ticket.ts';
import { chooseLayer } from '../models/layer-choice.ts';
import { hostPlace, type Viewing } from '../models/viewing.ts';

/** The fastest that playback may run to catch up with the live edge. */
export const catchUpRateMax = 1.2;
/** Further behind than its target by this, playback jumps instead of running. */
export const jumpBehindSeconds = 4;
export const watchIntervalMs = 500;
export const bufferAheadSeconds = 10;
export const bufferBehindSeconds = 10;
export const mediaRecoveriesMax = 3;
/** What the connection is thought to carry until the first segment has been measured. */
export const bandwidthGuessBps = 4_000_000;

/** What every playlist of ours holds, whatever the performer sends. */
const mediaType = 'video/mp4; codecs="avc1.42e01f,mp4a.40.2"';

function canPlayWithLibrary(): boolean {
  return Hls.isSupported() && Hls.getMediaSource()?.isTypeSupported(mediaType) === true;
}

/** This browser decodes no H264, or no AAC. */
class UnsupportedError extends Error {
  override readonly name = 'UnsupportedError';
}
/** Of hls.js: the levels are its own to choose. */
const automatic = -1;

type HlsPlaybackDeps = {
  video: HTMLVideoElement;
  /** The multivariant playlist, without a ticket. */
  url: string;
  ticket: HlsTicket;
  clock: Clock;
  viewing: Viewing;
};

export class HlsPlayback {
  readonly #video: HTMLVideoElement;
  readonly #url: string;
  readonly #ticket: HlsTicket;
  readonly #viewing: Viewing;
  readonly #sizes = signal<readonly LayerSize[]>([]);
  readonly #latencyMs = signal<number | null>(null);
  readonly #failed = signal(false);
  readonly #cancels: Cancel[];
  #hls: Hls | null = null;
  /** The playlist of the sound alone, where the stream has one. */
  #soundUrl: string | null = null;
  #playsSoundAlone = false;
  #level: number | null = null;
  #recoveries = 0;
  #closed = false;

  private constructor({ video, url, ticket, clock, viewing }: HlsPlaybackDeps) {
    this.#video = video;
    this.#url = url;
    this.#ticket = ticket;
    this.#viewing = viewing;
    const follow = () => this.#follow();
    this.#cancels = [
      repeat(clock, watchIntervalMs, () => this.#watch()),
      ...[viewing.quality, viewing.hostInSight, viewing.boxes].map((one) => one.subscribe(follow)),
    ];
  }

  /** Takes the video element over at once. Throws an `UnsupportedError` where it cannot be played. */
  static create(deps: HlsPlaybackDeps): HlsPlayback {
    const isNative = deps.video.canPlayType('application/vnd.apple.mpegurl') !== '';
    if (!canPlayWithLibrary() && !isNative) throw new UnsupportedError('no decoder for HLS');
    const playback = new HlsPlayback(deps);
    if (canPlayWithLibrary()) playback.#openWithLibrary();
    else playback.#openNatively();
    return playback;
  }

  /** The distance from the live edge, in milliseconds. */
  get latencyMs(): ReadonlySignal<number | null> {
    return this.#latencyMs;
  }

  /** True when this playback has given up; a new one, with a new ticket, may do better. */
  get failed(): ReadonlySignal<boolean> {
    return this.#failed;
  }

  /** Of the levels, from the smallest up; empty while they are not known, and where the browser plays by itself. */
  get sizes(): ReadonlySignal<readonly LayerSize[]> {
    return this.#sizes;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const cancel of this.#cancels) cancel();
    this.#video.playbackRate = 1;
    if (this.#hls) {
      this.#hls.destroy();
      this.#hls = null;
    } else {
      this.#video.removeEventListener('error', this.#giveUp);
      this.#video.removeAttribute('src');
      this.#video.load();
    }
  }

  #openWithLibrary(): void {
    const hls = new Hls({
      lowLatencyMode: true,
      // What is to be loaded is known with the playlist.
      autoStartLoad: false,
      // The target distance is left to the playlist's PART-HOLD-BACK: setting it turns low latency off.
      maxLiveSyncPlaybackRate: catchUpRateMax,
      liveSyncOnStallIncrease: 0.25,
      liveDurationInfinity: true,
      maxBufferLength: bufferAheadSeconds,
      maxMaxBufferLength: bufferAheadSeconds,
      backBufferLength: bufferBehindSeconds,
      abrEwmaDefaultEstimate: bandwidthGuessBps,
      testBandwidth: false,
      xhrSetup: (xhr, address) => {
        if (!new URL(address).pathname.endsWith('.m3u8')) return;
        xhr.open('GET', this.#ticket.sign(address), true);
      },
    });
    hls.on(Hls.Events.MANIFEST_PARSED, (_event, data) => this.#onPlaylist(data));
    hls.on(Hls.Events.ERROR, (_event, data) => this.#onError(data));
    hls.loadSource(this.#url);
    hls.attachMedia(this.#video);
    this.#hls = hls;
  }

  #openNatively(): void {
    this.#video.addEventListener('error', this.#giveUp);
    this.#video.src = this.#ticket.sign(this.#url);
  }

  readonly #giveUp = (): void => {
    if (!this.#closed) this.#failed.value = true;
  };

  #onError(data: ErrorData): void {
    const status = data.response?.code;
    if (status === 401 || status === 403) this.#ticket.renewNow();
    if (!data.fatal) return;
    if (data.type === Hls.ErrorTypes.MEDIA_ERROR && this.#recoveries < mediaRecoveriesMax) {
      this.#recoveries += 1;
      this.#hls?.recoverMediaError();
      return;
    }
    this.#giveUp();
  }

  #onPlaylist({ levels, audioTracks }: ManifestParsedData): void {
    if (!this.#playsSoundAlone) {
      this.#soundUrl = audioTracks.find(({ url }) => url)?.url ?? null;
      this.#sizes.value = levels.map(({ width, height }) => ({ width, height }));
    }
    const isRight = !this.#follow();
    if (isRight) this.#hls?.startLoad();
  }

  /**
   * Loads what is looked at: the sound alone, where no picture is wanted, and the smallest picture where nobody looks,
   * which is quicker to return from. Answers whether another playlist is loaded for that.
   */
  #follow(): boolean {
    const hls = this.#hls;
    if (!hls || this.#sizes.peek().length === 0) return false;
    const wantsSoundAlone = this.#viewing.soundOnly.peek() && this.#soundUrl !== null;
    if (wantsSoundAlone !== this.#playsSoundAlone) {
      this.#playsSoundAlone = wantsSoundAlone;
      this.#level = null;
      hls.loadSource((wantsSoundAlone && this.#soundUrl) || this.#url);
      return true;
    }
    if (!wantsSoundAlone) this.#followLevel(hls);
    return false;
  }

  #followLevel(hls: Hls): void {
    const { quality, hostInSight, boxes } = this.#viewing;
    const wish = hostInSight.peek() ? quality.peek() : 'saver';
    const box = boxes.peek().get(hostPlace) ?? null;
    this.#level = chooseLayer(this.#sizes.peek(), wish, box, this.#level);
    const isFixed = typeof wish === 'number';
    hls.autoLevelCapping = isFixed ? automatic : this.#level;
    const level = isFixed ? this.#level : automatic;
    if (level !== automatic || !hls.autoLevelEnabled) hls.loadLevel = level;
  }

  #watch(): void {
    const hls = this.#hls;
    if (!hls?.latency) return;
    this.#latencyMs.value = Math.round(pictureAgeMs(hls) ?? hls.latency * 1_000);
    const behind = hls.latency - (hls.targetLatency ?? hls.latency);
    if (behind > jumpBehindSeconds && hls.liveSyncPosition && !this.#video.seeking) {
      this.#video.currentTime = hls.liveSyncPosition;
    }
  }
}

/** How long ago the picture was packaged, when both clocks agree well enough to say. */
function pictureAgeMs(hls: Hls): number | null {
  const taken = hls.playingDate?.getTime();
  if (taken === undefined) return null;
  const ageMs = Date.now() - taken;
  return ageMs > 0 && ageMs < 60_000 ? ageMs : null;
}
