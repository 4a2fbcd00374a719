// An encoder for tests: a real ffmpeg that makes a picture and a sound and pushes them to an address.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface EncoderOptions {
  /** Arguments of the picture's encoder. */
  video?: readonly string[];
  sound?: boolean;
  size?: string;
}

/** What OBS sends for live pictures when it is told a keyframe interval of one second. */
export const plainH264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-bf', '0', '-g', '30'];

export interface Encoder {
  readonly child: ChildProcess;
  /** What it wrote to stderr when it has ended. */
  readonly ended: Promise<string>;
  stop(): void;
}

/** Sends in real time until it is stopped or the other side ends. */
export function startEncoder(url: string, options: EncoderOptions = {}): Encoder {
  const { video = plainH264, sound = true, size = '640x360' } = options;
  return run([
    ...['-re', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=30`],
    ...(sound ? ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000'] : []),
    ...[...video, '-pix_fmt', 'yuv420p', ...(sound ? ['-c:a', 'aac'] : [])],
    ...['-f', url.startsWith('rtmp') ? 'flv' : 'mpegts', url],
  ]);
}

/** Sends bytes that are no picture: within the container that RTMP makes, and by SRT not even in one. */
export function startNoise(url: string): Encoder {
  const noise = url.startsWith('rtmp')
    ? ['testsrc2=size=320x180:rate=30', '-c:v', 'flv', '-bsf:v', 'noise=amount=1', '-f', 'flv']
    : ['anoisesrc=sample_rate=192000', '-c:a', 'pcm_u8', '-f', 'u8'];
  return run(['-re', '-f', 'lavfi', '-i', ...noise, url]);
}

function run(args: readonly string[]): Encoder {
  const ffmpeg = process.env.FFMPEG_BIN ?? 'ffmpeg';
  const child = spawn(ffmpeg, ['-hide_banner', '-loglevel', 'error', ...args]);
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    said += chunk;
  });
  return {
    child,
    ended: once(child, 'close').then(() => said),
    stop: () => void child.kill(),
  };
}
