// Transcode job: one stream on this transcoder, from the first ticket until its last segment is forgotten.
import { EventEmitter } from 'node:events';
import type { Logger } from 'pino';
import type { Id, MediaSource, TranscoderReport } from '#contract';
import { createPresentation, type Presentation } from '../packaging/presentation.ts';
import { SfuLink } from '../tap/sfu-link.ts';
import { TapSession } from '../tap/tap-session.ts';
import { createThumbnails, type ThumbnailMaker, type Thumbnails } from './thumbnails.ts';

/** Changes of the room's media come in bursts; the tap is opened anew when a burst is over. */
export const retapDelayMs = 250;
/** Without any packet for so long the stream counts as stalled, ... */
export const mediaStalledMs = 3_000;
/** ... and the tap is opened anew, because it may be the tap that is broken. */
export const mediaSilentMs = 6_000;
const watchIntervalMs = 500;

export interface TranscodeJobOptions {
  streamId: Id;
  tapAddress: string;
  ffmpegBin: string;
  log: Logger;
  thumbnails: ThumbnailMaker;
  thumbnailIntervalMs?: number;
  /** How many simulcast layers are packaged, best first. */
  videoLayers: number;
}

interface TranscodeJobEvents {
  /** Its report has changed, and should be told soon. */
  changed: [];
}

type JobReport = TranscoderReport['jobs'][number];

export class TranscodeJob extends EventEmitter<TranscodeJobEvents> {
  readonly streamId: Id;
  readonly presentation: Presentation;
  readonly thumbnails: Thumbnails;
  readonly #options: TranscodeJobOptions;
  readonly #log: Logger;
  readonly #watch: NodeJS.Timeout;
  #link: SfuLink | null = null;
  #linking = false;
  #session: TapSession | null = null;
  #tappedMs = 0;
  #lastMediaMs = 0;
  #tapping = false;
  /** Something changed while the tap was being opened. */
  #tapAgain = false;
  #sources: MediaSource[] | null = null;
  #retap: NodeJS.Timeout | null = null;
  #state: JobReport['state'] = 'starting';
  #closed = false;

  /** Starts linking at once; failures show up in the report as a need for a ticket. */
  static create(
    options: TranscodeJobOptions,
    grant: { sfuUrl: string; ticket: string },
  ): TranscodeJob {
    const job = new TranscodeJob(options);
    void job.relink(grant);
    return job;
  }

  private constructor(options: TranscodeJobOptions) {
    super();
    this.streamId = options.streamId;
    this.#options = options;
    this.#log = options.log.child({ streamId: options.streamId });
    this.presentation = createPresentation({ nowMs: Date.now() });
    this.thumbnails = createThumbnails({
      maker: options.thumbnails,
      keyframe: () => this.presentation.keyframe,
      onNew: () => this.emit('changed'),
      ...(options.thumbnailIntervalMs ? { intervalMs: options.thumbnailIntervalMs } : {}),
    });
    this.#watch = setInterval(() => this.#look(), watchIntervalMs);
  }

  get closed(): boolean {
    return this.#closed;
  }

  get needsTicket(): boolean {
    return !this.#closed && !this.#link && !this.#linking;
  }

  get state(): JobReport['state'] {
    return this.#state;
  }

  /** Processes of the running encoders. */
  get encoderPids(): number[] {
    return this.#session?.encoderPids ?? [];
  }

  /** Makes a new link with a new ticket, in place of one that is broken. */
  async relink(grant: { sfuUrl: string; ticket: string }): Promise<void> {
    if (this.#closed || this.#linking) return;
    this.#linking = true;
    this.#dropLink();
    try {
      const link = await SfuLink.open({ url: grant.sfuUrl, ticket: grant.ticket, log: this.#log });
      this.#linking = false;
      if (this.#closed) link.close();
      else this.#adopt(link);
    } catch (error) {
      this.#linking = false;
      this.#log.warn({ err: error }, 'no link to the SFU');
      this.emit('changed');
    }
  }

  /** Ends the playlists; what they list can be fetched until the job is forgotten. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    if (this.#retap) clearTimeout(this.#retap);
    this.thumbnails.close();
    this.#dropLink();
    this.presentation.end();
    this.#log.info('transcode job ended');
  }

  #adopt(link: SfuLink): void {
    this.#link = link;
    link.on('media', (sources) => this.#mediaChanged(sources));
    link.on('tapEnded', () => this.#tapSoon());
    link.once('close', (reason) => {
      if (this.#link !== link) return;
      this.#log.warn({ reason }, 'link to the SFU lost');
      this.#dropLink();
      this.emit('changed');
    });
    this.#log.info('linked to the SFU');
    void this.#tap();
  }

  #dropLink(): void {
    const link = this.#link;
    this.#link = null;
    link?.removeAllListeners();
    link?.close();
    this.#dropSession();
  }

  #dropSession(): void {
    const session = this.#session;
    this.#session = null;
    session?.close();
  }

  #mediaChanged(sources: MediaSource[]): void {
    this.#sources = sources;
    if (this.#tapping) this.#tapAgain = true;
    else if (!this.#tapFits()) this.#tapSoon();
  }

  /** Whether what is tapped is what the room would now have us tap. */
  #tapFits(): boolean {
    if (!this.#sources) return true;
    const tapped = this.#session?.sources ?? [];
    const wanted = tappedSources(this.#sources);
    return wanted.length === tapped.length && wanted.every((each) => tapped.includes(each));
  }

  #tapSoon(): void {
    this.#retap ??= setTimeout(() => {
      this.#retap = null;
      void this.#tap();
    }, retapDelayMs);
  }

  /** Opens the tap; one at a time, and once more if something has changed meanwhile. */
  async #tap(): Promise<void> {
    if (this.#tapping) {
      this.#tapSoon();
      return;
    }
    const link = this.#link;
    if (!link || this.#closed) return;
    this.#tapping = true;
    this.#tappedMs = Date.now();
    this.#dropSession();
    try {
      const session = await TapSession.open({
        link,
        tapAddress: this.#options.tapAddress,
        videoLayers: this.#options.videoLayers,
        presentation: this.presentation,
        ffmpegBin: this.#options.ffmpegBin,
        log: this.#log,
        now: Date.now,
      });
      if (this.#closed || this.#link !== link) session.close();
      else this.#session = session;
      this.#log.info({ sources: session.sources }, 'tap opened');
    } catch (error) {
      // Nothing to tap yet, or the link is broken; the next notice or the next link tries again.
      this.#log.warn({ err: error }, 'tap not opened');
    } finally {
      this.#tapping = false;
      const again = this.#tapAgain;
      this.#tapAgain = false;
      if (again && !this.#tapFits()) this.#tapSoon();
    }
  }

  #look(): void {
    this.#lastMediaMs = Math.max(this.#lastMediaMs, this.#session?.lastPacketMs ?? 0);
    const now = Date.now();
    const deaf = !this.#session || this.#session.tracks.length > 0;
    const quietSinceMs = Math.max(this.#lastMediaMs, this.#tappedMs);
    if (this.#link && deaf && !this.#tapping && now - quietSinceMs > mediaSilentMs) {
      this.#log.warn('no media: opening the tap anew');
      this.#tapSoon();
    }
    const next = this.#stateAt(now);
    if (next === this.#state) return;
    this.#state = next;
    this.#log.info({ state: next }, 'state changed');
    this.emit('changed');
  }

  #stateAt(now: number): JobReport['state'] {
    if (!this.presentation.ready) return 'starting';
    return now - this.#lastMediaMs > mediaStalledMs ? 'stalled' : 'ready';
  }
}

/** The SFU taps one picture and one sound: a shared screen before the camera, the microphone before its sound. */
function tappedSources(sources: readonly MediaSource[]): MediaSource[] {
  const first = (...wanted: MediaSource[]) =>
    wanted.filter((each) => sources.includes(each)).slice(0, 1);
  return [...first('screen', 'camera'), ...first('microphone', 'screen-audio')];
}
