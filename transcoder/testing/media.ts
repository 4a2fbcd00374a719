// Test media: coded pictures and sound made by ffmpeg, cut into what RTP would carry.
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type AvcConfig, avcConfigOf, avccNals, parameterSetsOf } from '../codec/avc-config.ts';

const run = promisify(execFile);
export const ffmpegBin = process.env.FFMPEG_BIN ?? 'ffmpeg';
export const ffprobeBin = process.env.FFPROBE_BIN ?? 'ffprobe';

export interface CodedVideo {
  mimeType: 'video/H264' | 'video/VP8';
  framesPerSecond: number;
  /** H.264: NAL units of each access unit; VP8: the frame as its only element. */
  frames: Buffer[][];
}

export interface CodedAudio {
  /** 20 ms each. */
  packets: Buffer[];
}

/** White for the first 100 ms of every second second, black otherwise. */
const flashing = "drawbox=color=white:t=fill:enable='lt(mod(t,2),0.1)'";
/** A tone at the same times as the flash. */
const beeping = "aevalsrc='if(lt(mod(t,2),0.1),0.8*sin(2*PI*1000*t),0)':s=48000";
const tone = 'sine=frequency=440:sample_rate=48000';

async function ffmpeg(args: string[]): Promise<Buffer> {
  const { stdout } = await run(ffmpegBin, ['-hide_banner', '-loglevel', 'error', ...args], {
    encoding: 'buffer',
    maxBuffer: 256 * 1024 * 1024,
  });
  return stdout;
}

export interface VideoShape {
  seconds: number;
  width?: number;
  height?: number;
  framesPerSecond?: number;
  /** Pictures from one keyframe to the next. */
  gop?: number;
  flashes?: boolean;
}

function source(shape: VideoShape): string[] {
  const { width = 320, height = 180, framesPerSecond = 30, flashes = false } = shape;
  const size = `size=${width}x${height}:rate=${framesPerSecond}`;
  const input = flashes ? `color=black:${size},${flashing}` : `testsrc2=${size}`;
  return ['-f', 'lavfi', '-i', input, '-t', String(shape.seconds), '-pix_fmt', 'yuv420p'];
}

export async function codedH264(shape: VideoShape): Promise<CodedVideo> {
  const { framesPerSecond = 30, gop = framesPerSecond } = shape;
  const bytes = await ffmpeg([
    ...source(shape),
    ...['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency'],
    ...['-profile:v', 'baseline', '-g', String(gop), '-keyint_min', String(gop)],
    ...['-x264-params', 'scenecut=0:aud=1:repeat-headers=1:slices=1:sliced-threads=0'],
    ...['-f', 'h264', 'pipe:1'],
  ]);
  const frames: Buffer[][] = [];
  for (const nal of annexBNals(bytes)) {
    if ((nal.readUInt8(0) & 0x1f) === 9) frames.push([]);
    else frames.at(-1)?.push(nal);
  }
  return { mimeType: 'video/H264', framesPerSecond, frames };
}

export async function codedVp8(shape: VideoShape): Promise<CodedVideo> {
  const { framesPerSecond = 30 } = shape;
  const frames = (await ivfFrames(shape, libvpx('libvpx'))).map((frame) => [frame]);
  return { mimeType: 'video/VP8', framesPerSecond, frames };
}

/** Whole frames, as in an IVF file. */
export const codedVp9 = (shape: VideoShape): Promise<Buffer[]> =>
  ivfFrames(shape, libvpx('libvpx-vp9'));

/** Whole temporal units, as in an IVF file. */
export const codedAv1 = (shape: VideoShape): Promise<Buffer[]> =>
  ivfFrames(shape, [
    ...['-c:v', 'libaom-av1', '-usage', 'realtime', '-cpu-used', '8', '-b:v', '1M'],
    ...['-lag-in-frames', '0', '-keyint_min', String(shape.gop ?? 60)],
  ]);

const libvpx = (encoder: string) => [
  ...['-c:v', encoder, '-deadline', 'realtime', '-cpu-used', '8', '-b:v', '1M'],
  ...['-auto-alt-ref', '0', '-lag-in-frames', '0'],
];

async function ivfFrames(shape: VideoShape, encoder: string[]): Promise<Buffer[]> {
  const gop = ['-g', String(shape.gop ?? 60)];
  const bytes = await ffmpeg([...source(shape), ...encoder, ...gop, '-f', 'ivf', 'pipe:1']);
  const frames: Buffer[] = [];
  for (let at = 32; at + 12 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    frames.push(bytes.subarray(at + 12, at + 12 + length));
    at += 12 + length;
  }
  return frames;
}

export async function codedOpus(shape: { seconds: number; beeps?: boolean }): Promise<CodedAudio> {
  const bytes = await ffmpeg([
    ...['-f', 'lavfi', '-i', shape.beeps ? beeping : tone, '-t', String(shape.seconds), '-ac', '2'],
    ...['-c:a', 'libopus', '-b:a', '64k', '-frame_duration', '20', '-application', 'lowdelay'],
    ...['-f', 'ogg', 'pipe:1'],
  ]);
  // The encoder adds a packet for what it holds back; without it, sound loops in step with pictures.
  return { packets: oggPackets(bytes).slice(2, 2 + shape.seconds * 50) };
}

/** Access units as the depacketiser makes them. */
export function picturesOf(video: CodedVideo): { data: Buffer; key: boolean; config: AvcConfig }[] {
  const typeOf = (nal: Buffer) => nal.readUInt8(0) & 0x1f;
  let sets: Buffer[] = [];
  return video.frames.map((nals) => {
    const own = nals.filter((nal) => [7, 8].includes(typeOf(nal)));
    if (own.length > 0) sets = own;
    const [sps = Buffer.alloc(0), ...pictureSets] = sets;
    const config = avcConfigOf(sps, pictureSets);
    if (!config) throw new Error('no parameter sets');
    const slices = nals.filter((nal) => ![7, 8].includes(typeOf(nal)));
    return { data: avcc(slices), key: slices.some((nal) => typeOf(nal) === 5), config };
  });
}

/** NAL units in AVCC form. */
export function avcc(nals: readonly Buffer[]): Buffer {
  return Buffer.concat(
    nals.flatMap((nal) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(nal.length);
      return [length, nal];
    }),
  );
}

/** Pictures as an Annex B byte stream, each keyframe with its parameter sets. */
export function annexB(
  pictures: readonly { data: Buffer; key: boolean; config: AvcConfig }[],
): Buffer {
  return Buffer.concat(
    pictures.flatMap(({ data, key, config }) => [
      Buffer.from([0, 0, 0, 1, 9, 0xf0]),
      ...[...((key && parameterSetsOf(config.record)) || []), ...avccNals(data)].flatMap((nal) => [
        Buffer.from([0, 0, 0, 1]),
        nal,
      ]),
    ]),
  );
}

/** The NAL units of an Annex B byte stream. */
export function* annexBNals(bytes: Buffer): Generator<Buffer> {
  const startCode = Buffer.from([0, 0, 1]);
  let start = bytes.indexOf(startCode);
  while (start >= 0) {
    const from = start + 3;
    start = bytes.indexOf(startCode, from);
    let end = start < 0 ? bytes.length : start;
    while (end > from && bytes[end - 1] === 0) end--;
    yield bytes.subarray(from, end);
  }
}

function oggPackets(bytes: Buffer): Buffer[] {
  const packets: Buffer[] = [];
  let pieces: Buffer[] = [];
  for (let at = 0; at + 27 <= bytes.length; ) {
    const segments = bytes.readUInt8(at + 26);
    let data = at + 27 + segments;
    for (let index = 0; index < segments; index++) {
      const length = bytes.readUInt8(at + 27 + index);
      pieces.push(bytes.subarray(data, data + length));
      data += length;
      if (length < 255) {
        packets.push(Buffer.concat(pieces));
        pieces = [];
      }
    }
    at = data;
  }
  return packets;
}

export interface Probed {
  stderr: string;
  packets: { ptsSeconds: number; durationSeconds: number; key: boolean }[];
}

/** Reads a file as ffprobe sees it; `stderr` is empty when nothing is wrong with it. */
export async function probePackets(file: string): Promise<Probed> {
  const { stdout, stderr } = await run(
    ffprobeBin,
    [
      ...['-v', 'warning', '-show_entries', 'packet=pts_time,duration_time,flags'],
      ...['-of', 'csv=p=0', file],
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  const packets = stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [pts = '', duration = '', flags = ''] = line.split(',');
      return {
        ptsSeconds: Number(pts),
        durationSeconds: Number(duration),
        key: flags.startsWith('K'),
      };
    });
  return { stderr, packets };
}

/** Lets `use` read the bytes as a file. */
export async function withBytes<T>(bytes: Buffer, use: (file: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'transcoder-test-'));
  try {
    const file = join(folder, 'media.mp4');
    await writeFile(file, bytes);
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Decodes a file with its own timestamps; returns what ffmpeg complained about. */
export async function decodeErrors(file: string): Promise<string> {
  const times = ['-fps_mode', 'passthrough', '-enc_time_base', '-1'];
  const { stderr } = await run(
    ffmpegBin,
    ['-hide_banner', '-v', 'warning', '-i', file, ...times, '-f', 'null', '-'],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  return stderr;
}

/** Raw decoded samples: 8-bit grey for video, 16-bit mono for audio. */
export async function decodeRaw(file: string, kind: 'video' | 'audio'): Promise<Buffer> {
  const form =
    kind === 'video'
      ? ['-vf', 'scale=2:2', '-pix_fmt', 'gray', '-fps_mode', 'passthrough', '-f', 'rawvideo']
      : ['-ac', '1', '-ar', '48000', '-f', 's16le'];
  return ffmpeg(['-i', file, ...form, 'pipe:1']);
}
