// Video encoder: turns coded pictures into H.264 ones, each with the time of the frame that it was made of.
import type { Logger } from 'pino';
import { type AvcConfig, avcConfigOfRecord } from '../codec/avc-config.ts';
import { createFlvReader } from '../codec/flv.ts';
import { type IvfCodec, ivfFrame, ivfHeader } from '../codec/ivf.ts';
import type { Picture } from '../packaging/video-packager.ts';
import { encodedSize, type PictureSize, toH264Arguments } from './arguments.ts';
import { encoderStallMs } from './audio-encoder.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { createRestarts, type Restarts } from './restarts.ts';

const watchIntervalMs = 250;
/** Frames in the encoder; more than four seconds of them is a stall. */
const inFlightMax = 120;

export interface VideoEncoderOptions {
  codec: IvfCodec;
  ffmpegBin: string;
  log: Logger;
  keyframeMs: number;
  onPicture(picture: Picture): void;
  /** The encoder has begun anew and can do nothing before the next keyframe. */
  onKeyframeNeeded(): void;
}

export interface EncoderInput {
  chunks: readonly Buffer[];
  key: boolean;
  size: PictureSize | null;
  /** On the timeline. */
  timeMs: number;
}

/** Supervised like the audio encoder; after a restart it waits for a keyframe of the source. */
export class VideoEncoder {
  readonly #options: VideoEncoderOptions;
  readonly #restarts: Restarts = createRestarts();
  readonly #watch: NodeJS.Timeout;
  #process: FfmpegProcess | null = null;
  #config: AvcConfig | null = null;
  /** Timestamp in whole milliseconds, as ffmpeg sees it, to time on the timeline. */
  #inFlight = new Map<number, number>();
  #firstMs = 0;
  #lastMs = -1;
  #lastOutputMs = Date.now();
  #allowed = true;
  #closed = false;

  static create(options: VideoEncoderOptions): VideoEncoder {
    return new VideoEncoder(options);
  }

  private constructor(options: VideoEncoderOptions) {
    this.#options = options;
    this.#watch = setInterval(() => this.#checkStall(), watchIntervalMs);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  push(frame: EncoderInput): void {
    if (this.#closed) return;
    if (!this.#process) {
      if (!frame.key || !frame.size || !this.#allowed) {
        if (this.#allowed) this.#options.onKeyframeNeeded();
        return;
      }
      this.#start(frame.size, frame.timeMs);
    }
    const timestampMs = Math.max(this.#lastMs + 1, Math.round(frame.timeMs - this.#firstMs));
    this.#lastMs = timestampMs;
    if (this.#inFlight.size === 0) this.#lastOutputMs = Date.now();
    this.#inFlight.set(timestampMs, frame.timeMs);
    this.#process?.write(ivfFrame(Buffer.concat(frame.chunks), timestampMs));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.#restarts.cancel();
    this.#process?.close();
  }

  #start(source: PictureSize, timeMs: number): void {
    const size = encodedSize(source);
    const reader = createFlvReader({
      onConfig: (record) => {
        this.#config = avcConfigOfRecord(Buffer.from(record));
      },
      onPicture: (bytes, timestampMs, key) => this.#take(bytes, timestampMs, key),
    });
    const process = FfmpegProcess.start(
      this.#options.ffmpegBin,
      toH264Arguments(this.#options.codec, size, this.#options.keyframeMs),
    );
    process.on('data', (bytes) => {
      try {
        reader.push(bytes);
      } catch (error) {
        this.#replace(process, String(error));
      }
    });
    process.on('exit', (detail) => this.#replace(process, detail));
    process.write(ivfHeader(this.#options.codec, source.width, source.height));
    this.#process = process;
    this.#config = null;
    this.#inFlight.clear();
    this.#firstMs = timeMs;
    this.#lastMs = -1;
    this.#lastOutputMs = Date.now();
  }

  #take(bytes: Buffer, timestampMs: number, key: boolean): void {
    const timeMs = this.#inFlight.get(timestampMs);
    if (timeMs === undefined || !this.#config) return;
    for (const earlier of this.#inFlight.keys()) {
      if (earlier > timestampMs) break;
      this.#inFlight.delete(earlier);
    }
    this.#lastOutputMs = Date.now();
    this.#options.onPicture({
      chunks: [bytes],
      bytes: bytes.length,
      key,
      timeMs,
      config: this.#config,
    });
  }

  #checkStall(): void {
    const process = this.#process;
    if (!process || this.#inFlight.size === 0) return;
    const silent = Date.now() - this.#lastOutputMs > encoderStallMs;
    if (silent || process.congested || this.#inFlight.size > inFlightMax) {
      this.#replace(process, 'stalled');
    }
  }

  #replace(process: FfmpegProcess, detail: string): void {
    if (this.#closed || this.#process !== process) return;
    this.#options.log.warn({ detail }, 'video encoder replaced');
    process.close();
    this.#process = null;
    this.#allowed = false;
    this.#restarts.plan(() => {
      this.#allowed = true;
      this.#options.onKeyframeNeeded();
    });
  }
}
