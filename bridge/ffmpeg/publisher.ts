// A publisher: the ffmpeg that sends tracks into a room, watched so that one that is stuck does not stay.
import { EventEmitter } from 'node:events';
import type { Feed } from '../feed.ts';
import {
  firstPacketMsMax,
  keyframeIntervalMsMax,
  stalledMsMax,
  watchIntervalMs,
} from '../limits.ts';
import type { Track } from '../node/tracks.ts';
import { type InputFormat, publishArguments } from './arguments.ts';
import { Ffmpeg } from './ffmpeg.ts';
import { type KeyFiles, writeKeyFiles } from './key-files.ts';
import type { ReportedPacket } from './packet-report.ts';

interface PublisherEvents {
  /** It has sent its first packet. */
  flowing: [];
  /** The picture cannot be taken as it is after all: B-frames, or keyframes that are too rare. */
  unfit: [why: string];
  /** Once, unless it was closed: it has ended, or was stuck. */
  end: [why: string];
}

export interface PublisherOptions {
  ffmpegBin: string;
  format: InputFormat;
  tracks: readonly Track[];
  encodesPicture: boolean;
  cname: string;
  feed: Feed;
}

export class Publisher extends EventEmitter<PublisherEvents> {
  readonly #options: PublisherOptions;
  readonly #ffmpeg: Ffmpeg;
  readonly #keyFiles: KeyFiles;
  readonly #watch: NodeJS.Timeout;
  readonly #startedAtMs = performance.now();
  #reportedAtMs: number | null = null;
  #keyframeDtsMs: number | null = null;
  #closed = false;

  private constructor(options: PublisherOptions, ffmpeg: Ffmpeg, keyFiles: KeyFiles) {
    super();
    this.#options = options;
    this.#keyFiles = keyFiles;
    this.#ffmpeg = ffmpeg;
    ffmpeg.on('packet', (packet) => this.#look(packet));
    ffmpeg.once('exit', (why) => this.#end(why));
    this.#watch = setInterval(() => this.#check(), watchIntervalMs);
    options.feed.direct(ffmpeg);
  }

  static async start(options: PublisherOptions): Promise<Publisher> {
    const { tracks } = options;
    const keyFiles = await writeKeyFiles(tracks.map(({ srtpKeyBase64 }) => srtpKeyBase64));
    const args = publishArguments({
      ...options,
      keyFiles: keyFiles.paths,
      startedAtMs: Date.now(),
    });
    return new Publisher(options, Ffmpeg.start(options.ffmpegBin, args), keyFiles);
  }

  get pid(): number | undefined {
    return this.#ffmpeg.pid;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearInterval(this.#watch);
    this.#ffmpeg.close();
    void this.#keyFiles.remove();
    this.removeAllListeners();
  }

  #look(packet: ReportedPacket): void {
    const isFirst = this.#reportedAtMs === null;
    this.#reportedAtMs = performance.now();
    if (isFirst) {
      void this.#keyFiles.remove();
      this.emit('flowing');
    }
    if (packet.kind !== 'video' || this.#options.encodesPicture || this.#closed) return;
    if (packet.dtsMs !== packet.ptsMs) this.emit('unfit', 'B-frames');
    // What comes before the first keyframe counts as well.
    if (packet.isKey) this.#keyframeDtsMs = packet.dtsMs;
    this.#keyframeDtsMs ??= packet.dtsMs;
    if (packet.dtsMs - this.#keyframeDtsMs > keyframeIntervalMsMax) {
      this.emit('unfit', 'rare keyframes');
    }
  }

  #check(): void {
    const nowMs = performance.now();
    const { heardAtMs, isHeld } = this.#options.feed;
    const allowedMs = this.#reportedAtMs === null ? firstPacketMsMax : stalledMsMax;
    // An encoder that has stopped is no fault of ffmpeg: then what came last is what counts.
    const untilMs = isHeld ? nowMs : heardAtMs;
    const quietMs = untilMs - (this.#reportedAtMs ?? this.#startedAtMs);
    if (quietMs > allowedMs - watchIntervalMs) this.#end('it takes input and sends nothing');
  }

  #end(why: string): void {
    if (this.#closed) return;
    this.emit('end', why);
    this.close();
  }
}
