// Thumbnails: small pictures of a stream, made every few seconds from its latest keyframe.
import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { avccNals, parameterSetsOf } from '../codec/avc-config.ts';
import { thumbnailArguments } from '../ffmpeg/arguments.ts';
import { FfmpegProcess } from '../ffmpeg/ffmpeg-process.ts';
import type { Picture } from '../packaging/video-packager.ts';

export const thumbnailIntervalMs = 10_000;
const thumbnailFirstCheckMs = 500;
const thumbnailTimeoutMs = 5_000;
const thumbnailBytesMax = 512 * 1024;
/** The latest one and the one that pages may still be loading. */
const thumbnailsKept = 2;
/** How many are made at once in the whole process; a stream that finds no place tries again later. */
const thumbnailsAtOnceMax = 2;

export interface ThumbnailMaker {
  /** A JPEG of the picture; null when there is no place or it does not work out. */
  make(picture: Picture): Promise<Buffer | null>;
}

/** One for all streams of a process, so that thumbnails cannot take the machine over. */
export function createThumbnailMaker(ffmpegBin: string, log: Logger): ThumbnailMaker {
  let running = 0;
  return {
    async make(picture) {
      const input = annexB(picture);
      if (!input || running >= thumbnailsAtOnceMax) return null;
      running++;
      try {
        return await runOnce(ffmpegBin, input);
      } catch (error) {
        log.warn({ err: error }, 'thumbnail not made');
        return null;
      } finally {
        running--;
      }
    },
  };
}

export interface Thumbnails {
  /** Path of the newest one below the stream's address; null before the first. */
  readonly latest: string | null;
  get(path: string): Buffer | null;
  close(): void;
}

/** Thumbnails are public and segments are not: they lie under a token of their own. */
export function createThumbnails(options: {
  maker: ThumbnailMaker;
  keyframe(): Picture | null;
  onNew(): void;
  intervalMs?: number;
}): Thumbnails {
  const token = randomBytes(16).toString('base64url');
  const kept = new Map<string, Buffer>();
  let latest: string | null = null;
  let count = 0;
  let closed = false;
  let timer = setTimeout(next, thumbnailFirstCheckMs);

  async function next(): Promise<void> {
    const picture = options.keyframe();
    const jpeg = picture && (await options.maker.make(picture));
    if (closed) return;
    if (jpeg) {
      latest = `${token}/thumbnail-${++count}.jpg`;
      kept.set(latest, jpeg);
      const [oldest] = kept.keys();
      if (kept.size > thumbnailsKept && oldest) kept.delete(oldest);
      options.onNew();
    }
    const pauseMs = jpeg ? (options.intervalMs ?? thumbnailIntervalMs) : thumbnailFirstCheckMs;
    timer = setTimeout(next, pauseMs);
  }

  return {
    get latest() {
      return latest;
    },
    get: (path) => kept.get(path) ?? null,
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

/** A keyframe as a decoder without a container wants it: start codes, parameter sets first. */
function annexB(picture: Picture): Buffer | null {
  const sets = parameterSetsOf(picture.config.record);
  if (!sets) return null;
  const startCode = Buffer.from([0, 0, 0, 1]);
  const nals = [...sets, ...avccNals(Buffer.concat(picture.chunks))];
  return Buffer.concat(nals.flatMap((nal) => [startCode, nal]));
}

function runOnce(ffmpegBin: string, input: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const process = FfmpegProcess.start(ffmpegBin, thumbnailArguments());
    const output: Buffer[] = [];
    let bytes = 0;
    const timer = setTimeout(() => {
      process.close();
      reject(new Error('ffmpeg took too long'));
    }, thumbnailTimeoutMs);
    process.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes <= thumbnailBytesMax) output.push(chunk);
    });
    process.on('exit', (detail) => {
      clearTimeout(timer);
      if (bytes > 0 && bytes <= thumbnailBytesMax) resolve(Buffer.concat(output));
      else reject(new Error(`no picture: ${detail}`));
    });
    process.write(input);
    process.endInput();
  });
}
