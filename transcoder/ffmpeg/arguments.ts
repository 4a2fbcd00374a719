// ffmpeg arguments: made of constants and numbers only, so that nothing foreign can reach a command line.
import { assert } from '#contract';
import type { IvfCodec } from '../codec/ivf.ts';

/** Only pipes: whatever a stream contains, ffmpeg opens no file and no address. */
const guarded = ['-hide_banner', '-loglevel', 'error', '-nostats', '-protocol_whitelist', 'pipe'];
/**
 * Start at once instead of looking at the first seconds of input. (The flag `nobuffer` is not for us: it throws
 * away the packets that were looked at, and with them a piece of sound or the first keyframe.)
 */
const atOnce = ['-probesize', '32', '-analyzeduration', '0', '-fpsprobesize', '0'];

export const audioChannels = 2;
export const audioSampleRate = 48_000;
const audioBitsPerSecond = 128_000;

function whole(value: number): string {
  assert(Number.isSafeInteger(value) && value >= 0, 'arguments are whole numbers');
  return String(value);
}

/** Opus in Ogg on stdin, AAC in ADTS on stdout; the first `skipSamples` of the input are left out. */
export function opusToAacArguments(skipSamples: number): string[] {
  return [
    ...guarded,
    ...atOnce,
    '-f',
    'ogg',
    '-i',
    'pipe:0',
    '-map',
    '0:a:0',
    '-af',
    `atrim=start_sample=${whole(skipSamples)}`,
    '-c:a',
    'aac',
    '-b:a',
    whole(audioBitsPerSecond),
    '-ar',
    whole(audioSampleRate),
    '-ac',
    whole(audioChannels),
    '-flush_packets',
    '1',
    '-f',
    'adts',
    'pipe:1',
  ];
}

export interface PictureSize {
  width: number;
  height: number;
}

const encodedSideMax: PictureSize = { width: 1_280, height: 720 };

/** The largest size of the same shape within 1280x720 (or 720x1280), in even numbers. */
export function encodedSize(source: PictureSize): PictureSize {
  const upright = source.height > source.width;
  const box = upright
    ? { width: encodedSideMax.height, height: encodedSideMax.width }
    : encodedSideMax;
  const scale = Math.min(1, box.width / source.width, box.height / source.height);
  const even = (value: number) => Math.max(2, Math.round((value * scale) / 2) * 2);
  return { width: even(source.width), height: even(source.height) };
}

const bitsPerPixelSecond = 3;
/** What cameras send; the rate control alone goes by it. */
const framesPerSecond = 30;
const encodedBitsPerSecondMin = 300_000;

/** Those that show of a picture in layers the whole one alone; ffmpeg's own VP9 decoder shows each. */
const decoders: Record<IvfCodec, string> = {
  VP80: 'vp8',
  VP90: 'libvpx-vp9',
  AV01: 'libdav1d',
};

/**
 * Pictures in IVF on stdin, H.264 in FLV on stdout. The picture keeps its size even when the source changes its
 * own; a keyframe comes every `keyframeMs`.
 */
export function toH264Arguments(codec: IvfCodec, size: PictureSize, keyframeMs: number): string[] {
  const width = whole(size.width);
  const height = whole(size.height);
  const keyframeSeconds = `(${whole(keyframeMs)}/1000)`;
  const rate = Math.max(encodedBitsPerSecondMin, size.width * size.height * bitsPerPixelSecond);
  return [
    ...guarded,
    ...atOnce,
    '-flags',
    'low_delay',
    '-threads',
    '1',
    '-c:v',
    decoders[codec],
    '-f',
    'ivf',
    '-i',
    'pipe:0',
    '-map',
    '0:v:0',
    '-vf',
    `scale=${width}:${height}:force_original_aspect_ratio=decrease,pad=${width}:${height}:-1:-1,setsar=1`,
    '-fps_mode',
    'passthrough',
    '-enc_time_base',
    '1:1000',
    '-c:v',
    'libx264',
    '-preset',
    'superfast',
    '-tune',
    'zerolatency',
    '-profile:v',
    'high',
    // What stills can be written for; see codec/h264-still.ts.
    ...['-coder', 'vlc', '-weightp', 'none'],
    '-pix_fmt',
    'yuv420p',
    '-bf',
    '0',
    '-crf',
    '23',
    '-maxrate',
    whole(rate),
    '-bufsize',
    whole(rate),
    // Of timestamps in milliseconds it would make 1,000 pictures a second, and give each a thirtieth of its bits.
    '-x264-params',
    `fps=${whole(framesPerSecond)}`,
    '-g',
    '600',
    '-sc_threshold',
    '0',
    '-force_key_frames',
    // On a grid, and only one behind a pause: counting them would make up for those that the pause left out.
    `expr:isnan(prev_forced_t)+gte(t,(floor(prev_forced_t/${keyframeSeconds})+1)*${keyframeSeconds})`,
    '-flush_packets',
    '1',
    '-flvflags',
    'no_duration_filesize',
    '-f',
    'flv',
    'pipe:1',
  ];
}

const thumbnailWidth = 480;
const jpegQuality = 5;

/** One H.264 picture (Annex B) on stdin, a JPEG on stdout. */
export function thumbnailArguments(): string[] {
  return [
    ...guarded,
    '-threads',
    '1',
    '-f',
    'h264',
    '-i',
    'pipe:0',
    '-frames:v',
    '1',
    '-vf',
    `scale=${whole(thumbnailWidth)}:-2`,
    '-c:v',
    'mjpeg',
    '-q:v',
    whole(jpegQuality),
    '-f',
    'image2pipe',
    'pipe:1',
  ];
}
