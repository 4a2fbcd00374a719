// Audio encoder: turns an unbroken Opus stream into AAC frames whose places are known to the sample.
import type { Logger } from 'pino';
import { type AacConfig, aacFrameSamples, createAdtsReader } from '../codec/adts.ts';
import { createOggOpusWriter, type OggOpusWriter } from '../codec/ogg-opus.ts';
import { audioChannels, opusToAacArguments } from './arguments.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { createRestarts, type Restarts } from './restarts.ts';

/** An encoder that takes input and gives nothing back for so long is replaced. */
export const encoderStallMs = 2_000;
const watchIntervalMs = 250;
/** Packets that are kept until their sound has come out, for a new encoder to begin with: ten seconds. */
const keptPacketsMax = 500;
/** The encoder's first frame holds nothing but its own start (priming): one frame. */
const primingFrames = 1;
/** A new encoder repeats one frame, so that its first new one overlaps properly with the past. */
const warmUpSamples = aacFrameSamples;

export interface AudioEncoderOptions {
  ffmpegBin: string;
  log: Logger;
  /** Place of the first sample, in samples of the timeline. */
  startSamples: number;
  onFrame(frame: Buffer, config: AacConfig, startSamples: number): void;
}

interface KeptPacket {
  packet: Buffer;
  samples: number;
  /** Place of its first sample, counted from the first packet. */
  at: number;
}

/**
 * ADTS has no timestamps; places are counted. When ffmpeg dies or stalls, a new one is fed again what had not
 * come out yet, and goes on at the very next sample: players notice a delay at most.
 */
export class AudioEncoder {
  readonly #options: AudioEncoderOptions;
  readonly #restarts: Restarts = createRestarts();
  readonly #watch: NodeJS.Timeout;
  #process: FfmpegProcess | null = null;
  #writer: OggOpusWriter = createOggOpusWriter(audioChannels);
  #kept: KeptPacket[] = [];
  /** End of what has been fed in, and start of the next frame to come out. */
  #fed = 0;
  #next = 0;
  #lastOutputMs = Date.now();
  #closed = false;

  static create(options: AudioEncoderOptions): AudioEncoder {
    const encoder = new AudioEncoder(options);
    encoder.#start();
    return encoder;
  }

  private constructor(options: AudioEncoderOptions) {
    this.#options = options;
    this.#watch = setInterval(() => this.#checkStall(), watchIntervalMs);
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  push(packet: Buffer, samples: number): void {
    if (this.#closed) return;
    this.#kept.push({ packet, samples, at: this.#fed });
    this.#fed += samples;
    if (this.#kept.length > keptPacketsMax) this.#kept.shift();
    this.#process?.write(this.#writer.page(packet, samples));
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.#restarts.cancel();
    this.#process?.close();
  }

  #start(): void {
    const first = this.#kept[0];
    const oldest = first ? first.at : this.#fed;
    // What comes out first must be what comes next; if that is lost, what is oldest.
    const from = Math.max(this.#next - (this.#next > 0 ? warmUpSamples : 0), oldest);
    let frameStart = from - primingFrames * aacFrameSamples;
    const reader = createAdtsReader((frame, config) => {
      const start = frameStart;
      frameStart += aacFrameSamples;
      if (start < from || start < this.#next) return;
      this.#take(frame, config, start);
    });
    const process = FfmpegProcess.start(this.#options.ffmpegBin, opusToAacArguments(from - oldest));
    process.on('data', (bytes) => {
      try {
        reader.push(bytes);
      } catch (error) {
        this.#replace(process, String(error));
      }
    });
    process.on('exit', (detail) => this.#replace(process, detail));
    this.#process = process;
    this.#writer = createOggOpusWriter(audioChannels);
    this.#lastOutputMs = Date.now();
    process.write(this.#writer.header());
    for (const { packet, samples } of this.#kept) process.write(this.#writer.page(packet, samples));
  }

  #take(frame: Buffer, config: AacConfig, start: number): void {
    this.#lastOutputMs = Date.now();
    this.#next = start + aacFrameSamples;
    while (
      this.#kept[0] &&
      this.#kept[0].at + this.#kept[0].samples <= this.#next - warmUpSamples
    ) {
      this.#kept.shift();
    }
    this.#options.onFrame(frame, config, this.#options.startSamples + start);
  }

  #checkStall(): void {
    const waiting = this.#fed - this.#next > 4 * aacFrameSamples + 2_880;
    if (!waiting) this.#lastOutputMs = Date.now();
    if (this.#process && Date.now() - this.#lastOutputMs > encoderStallMs) {
      this.#replace(this.#process, 'stalled');
    }
  }

  #replace(process: FfmpegProcess, detail: string): void {
    if (this.#closed || this.#process !== process) return;
    this.#options.log.warn({ detail }, 'audio encoder replaced');
    process.close();
    this.#process = null;
    this.#restarts.plan(() => this.#start());
  }
}
