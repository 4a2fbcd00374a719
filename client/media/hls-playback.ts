// HLS playback: hls.js in low-latency mode on a video element, or the browser's own HLS without it.
import { type ReadonlySignal, signal } from '@preact/signals';
import Hls, { type ErrorData } from 'hls.js';
import { type Cancel, type Clock, repeat } from '../models/clock.ts';
import type { HlsTicket } from '../models/hls-ticket.ts';

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

export class HlsPlayback {
  readonly #video: HTMLVideoElement;
  readonly #ticket: HlsTicket;
  readonly #latencyMs = signal<number | null>(null);
  readonly #failed = signal(false);
  readonly #stopWatching: Cancel;
  #hls: Hls | null = null;
  #recoveries = 0;
  #closed = false;

  private constructor(video: HTMLVideoElement, ticket: HlsTicket, clock: Clock) {
    this.#video = video;
    this.#ticket = ticket;
    this.#stopWatching = repeat(clock, watchIntervalMs, () => this.#watch());
  }

  /**
   * Takes the video element over at once. `url` is the multivariant playlist, without a ticket. Throws an
   * `UnsupportedError` where it cannot be played.
   */
  static create(
    video: HTMLVideoElement,
    url: string,
    ticket: HlsTicket,
    clock: Clock,
  ): HlsPlayback {
    const isNative = video.canPlayType('application/vnd.apple.mpegurl') !== '';
    if (!canPlayWithLibrary() && !isNative) throw new UnsupportedError('no decoder for HLS');
    const playback = new HlsPlayback(video, ticket, clock);
    if (canPlayWithLibrary()) playback.#openWithLibrary(url);
    else playback.#openNatively(url);
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

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stopWatching();
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

  #openWithLibrary(url: string): void {
    const hls = new Hls({
      lowLatencyMode: true,
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
    hls.on(Hls.Events.ERROR, (_event, data) => this.#onError(data));
    hls.loadSource(url);
    hls.attachMedia(this.#video);
    this.#hls = hls;
  }

  #openNatively(url: string): void {
    this.#video.addEventListener('error', this.#giveUp);
    this.#video.src = this.#ticket.sign(url);
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
