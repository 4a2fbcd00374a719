// Tests of the encoders on real ffmpeg: how soon frames come out, where they belong, and what a crash costs.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stillAfter } from '../codec/h264-still.ts';
import { ivfFrame, ivfHeader } from '../codec/ivf.ts';
import { createOggOpusWriter } from '../codec/ogg-opus.ts';
import type { Picture } from '../packaging/video-packager.ts';
import { until } from '../testing/bench.ts';
import { codedOpus, codedVp8, ffmpegBin } from '../testing/media.ts';
import { encodedSize, opusToAacArguments, toH264Arguments } from './arguments.ts';
import { AudioEncoder } from './audio-encoder.ts';
import { FfmpegProcess } from './ffmpeg-process.ts';
import { VideoEncoder } from './video-encoder.ts';

const log = pino({ level: 'silent' });
const packetSamples = 960;

/** Feeds packets at the pace of the clock; returns when all are fed. */
async function feed(packets: readonly Buffer[], push: (packet: Buffer, index: number) => void) {
  const startMs = performance.now();
  await new Promise<void>((resolve) => {
    let index = 0;
    const timer = setInterval(() => {
      while (index * 20 <= performance.now() - startMs) {
        const packet = packets[index];
        if (!packet) {
          clearInterval(timer);
          resolve();
          return;
        }
        push(packet, index++);
      }
    }, 5);
  });
}

describe('the audio encoder', () => {
  test('gives each frame back within 120 ms of sound, in its place', {
    timeout: 20_000,
  }, async () => {
    const { packets } = await codedOpus({ seconds: 3 });
    let fed = 0;
    const starts: number[] = [];
    const behindMs: number[] = [];
    const encoder = AudioEncoder.create({
      ffmpegBin,
      log,
      startSamples: 480_000,
      onFrame(_frame, _config, startSamples) {
        starts.push(startSamples);
        behindMs.push((fed - (startSamples - 480_000)) / 48);
      },
    });
    onTestFinished(() => encoder.close());
    await feed(packets, (packet) => {
      fed += packetSamples;
      encoder.push(packet, packetSamples);
    });
    expect(starts.slice(0, 3)).toEqual([480_000, 481_024, 482_048]);
    expect(starts.every((start, index) => start === 480_000 + index * 1_024)).toBe(true);
    // The median: a busy machine may delay some. A frame is 21 ms long, so 83 ms lie behind its end.
    const sorted = behindMs.slice(30).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(120);
  });

  test('keeps every sound at its sample, also over a crash', { timeout: 30_000 }, async () => {
    // Tones of 100 ms at 0, 2 and 4 seconds; the encoder dies between them.
    const { packets } = await codedOpus({ seconds: 5, beeps: true });
    const frames: Buffer[] = [];
    const encoder = AudioEncoder.create({
      ffmpegBin,
      log,
      startSamples: 0,
      onFrame: (frame) => frames.push(adts(frame)),
    });
    onTestFinished(() => encoder.close());
    for (const packet of packets.slice(0, 60)) encoder.push(packet, packetSamples);
    await until('the first second', () => frames.length > 40);
    if (encoder.pid) process.kill(encoder.pid, 'SIGKILL');
    for (const packet of packets.slice(60)) encoder.push(packet, packetSamples);
    await until('the rest', () => frames.length > 225);
    const heard = toneStarts(decode(Buffer.concat(frames), 'aac'));
    const spoken = toneStarts(decode(oggOf(packets), 'ogg'));
    expect(spoken.length).toBeGreaterThanOrEqual(2);
    expect(heard).toHaveLength(spoken.length);
    heard.forEach((sample, index) => {
      expect(Math.abs(sample - (spoken[index] ?? 0))).toBeLessThan(96);
    });
  });

  test('that is killed again and again loses no frame and doubles none', {
    timeout: 30_000,
  }, async () => {
    const { packets } = await codedOpus({ seconds: 5 });
    const starts: number[] = [];
    const encoder = AudioEncoder.create({
      ffmpegBin,
      log,
      startSamples: 0,
      onFrame: (_frame, _config, startSamples) => starts.push(startSamples),
    });
    onTestFinished(() => encoder.close());
    await feed(packets, (packet, index) => {
      encoder.push(packet, packetSamples);
      if (index % 60 === 59 && encoder.pid) process.kill(encoder.pid, 'SIGKILL');
    });
    await until(
      'the rest',
      () => starts.length >= Math.floor((packets.length * packetSamples) / 1_024) - 4,
    );
    expect(starts.every((start, index) => start === index * 1_024)).toBe(true);
  });
});

/** An encoder that lives as long as the test, and what it gives back. */
function startVideoEncoder() {
  const pictures: Picture[] = [];
  const count = { keyframesNeeded: 0 };
  const encoder = VideoEncoder.create({
    codec: 'VP80',
    ffmpegBin,
    log,
    keyframeMs: 1_000,
    onPicture: (picture) => pictures.push(picture),
    onKeyframeNeeded: () => count.keyframesNeeded++,
  });
  onTestFinished(() => encoder.close());
  return { encoder, pictures, count };
}

describe('the video encoder', () => {
  test('gives every frame back with its own time', { timeout: 30_000 }, async () => {
    const { frames } = await codedVp8({ seconds: 3 });
    const { encoder, pictures } = startVideoEncoder();
    // Uneven times, as of a camera in the dark.
    const timeOf = (index: number) => 10_000 + index * 33.3 + (index % 3) * 4.7;
    frames.forEach(([frame = Buffer.alloc(0)], index) => {
      const size = index === 0 ? { width: 320, height: 180 } : null;
      encoder.push({ chunks: [frame], key: index === 0, size, timeMs: timeOf(index) });
    });
    await until('all pictures', () => pictures.length === frames.length);
    expect(pictures.map((picture) => picture.timeMs)).toEqual(
      frames.map((_, index) => timeOf(index)),
    );
    const keys = pictures
      .filter((picture) => picture.key)
      .map((picture) => picture.timeMs - 10_000);
    expect(keys).toHaveLength(3);
    for (const [index, ms] of keys.entries()) expect(Math.abs(ms - index * 1_000)).toBeLessThan(50);
    expect(pictures[0]?.config).toMatchObject({ width: 320, height: 180 });
  });

  test('behind a pause makes one keyframe, not all that the pause left out, and stills fit to its pictures', {
    timeout: 30_000,
  }, async () => {
    const { frames } = await codedVp8({ seconds: 2 });
    const { encoder, pictures } = startVideoEncoder();
    frames.forEach(([frame = Buffer.alloc(0)], index) => {
      const timeMs = index * 33 + (index < 10 ? 0 : 8_000);
      const size = index === 0 ? { width: 320, height: 180 } : null;
      encoder.push({ chunks: [frame], key: index === 0, size, timeMs });
    });
    await until('all pictures', () => pictures.length === frames.length);
    const keys = pictures.flatMap((picture, index) => (picture.key ? [index] : []));
    expect(keys.filter((index) => index >= 10 && index < 30)).toEqual([10]);
    for (const { chunks, config } of pictures) {
      expect(stillAfter(Buffer.concat(chunks), config.record)).not.toBeNull();
    }
  });

  test('waits for a keyframe after a crash, and asks for it', { timeout: 30_000 }, async () => {
    const { frames } = await codedVp8({ seconds: 1 });
    const { encoder, pictures, count } = startVideoEncoder();
    const push = (index: number, timeMs: number) => {
      const size = index === 0 ? { width: 320, height: 180 } : null;
      encoder.push({ chunks: frames[index] ?? [], key: index === 0, size, timeMs });
    };
    for (let index = 0; index < 10; index++) push(index, index * 33);
    await until('pictures', () => pictures.length === 10);
    if (encoder.pid) process.kill(encoder.pid, 'SIGKILL');
    await until('a request', () => count.keyframesNeeded > 0);
    push(11, 400);
    expect(count.keyframesNeeded).toBeGreaterThan(1);
    push(0, 433);
    await until('a picture', () => pictures.length === 11);
    expect(pictures[10]).toMatchObject({ key: true, timeMs: 433 });
  });

  test('never makes a picture larger than the source or than 720p', () => {
    expect(encodedSize({ width: 1_920, height: 1_080 })).toEqual({ width: 1_280, height: 720 });
    expect(encodedSize({ width: 1_080, height: 1_920 })).toEqual({ width: 720, height: 1_280 });
    expect(encodedSize({ width: 641, height: 359 })).toEqual({ width: 642, height: 360 });
    expect(encodedSize({ width: 16_383, height: 16 })).toEqual({ width: 1_280, height: 2 });
  });
});

test('a process that floods its error output costs no memory, and its last words are told', async () => {
  const code = `const line = 'x'.repeat(65_000) + '\\n';
    let left = 1_000;
    (function more() {
      while (left-- > 0) if (!process.stderr.write(line)) return process.stderr.once('drain', more);
      process.stderr.write('last words', () => process.exit(3));
    })();`;
  const flooding = FfmpegProcess.start(process.execPath, ['-e', code]);
  const [detail] = await once(flooding, 'exit');
  expect(detail).toMatch(/^code 3 x+/);
  expect(detail).toMatch(/last words$/);
  expect(detail.length).toBeLessThan(2_100);
});

test('arguments take numbers only, and no protocol but pipes', () => {
  for (const list of [
    opusToAacArguments(7),
    toH264Arguments('VP80', { width: 640, height: 360 }, 1_000),
  ]) {
    expect(list.join(' ')).toContain('-protocol_whitelist pipe');
  }
  expect(() => opusToAacArguments(1.5)).toThrow();
  expect(() => opusToAacArguments(-1)).toThrow();
  expect(() => toH264Arguments('VP80', { width: Number.NaN, height: 2 }, 1_000)).toThrow();
});

/** An AAC frame (48 kHz, stereo) with a header, for decoders that read streams. */
function adts(frame: Buffer): Buffer {
  const bytes = frame.length + 7;
  const header = Buffer.from([0xff, 0xf1, 0x4c, 0x80, 0, 0x1f, 0xfc]);
  header.writeUInt8(0x80 | (bytes >> 11), 3);
  header.writeUInt8((bytes >> 3) & 0xff, 4);
  header.writeUInt8(((bytes & 7) << 5) | 0x1f, 5);
  return Buffer.concat([header, frame]);
}

function oggOf(packets: readonly Buffer[]): Buffer {
  const writer = createOggOpusWriter(2);
  return Buffer.concat([
    writer.header(),
    ...packets.map((packet) => writer.page(packet, packetSamples)),
  ]);
}

function decode(bytes: Buffer, format: string): Int16Array {
  const raw = execFileSync(
    ffmpegBin,
    ['-v', 'error', '-f', format, '-i', 'pipe:0', '-ac', '1', '-f', 's16le', 'pipe:1'],
    { input: bytes, maxBuffer: 64 * 1024 * 1024 },
  );
  return Int16Array.from({ length: raw.length / 2 }, (_, index) => raw.readInt16LE(index * 2));
}

/** Samples at which a tone begins after at least half a second of silence. */
function toneStarts(samples: Int16Array): number[] {
  const starts: number[] = [];
  let quiet = 0;
  samples.forEach((sample, index) => {
    if (Math.abs(sample) > 3_000) {
      if (quiet > 24_000) starts.push(index);
      quiet = 0;
    } else quiet++;
  });
  return starts;
}

test('pictures get the bits that they may have, though their times are in milliseconds', {
  timeout: 60_000,
}, async () => {
  const size = { width: 640, height: 360 };
  // The first seconds live on what the rate control has saved up.
  const seconds = 12;
  const { frames } = await codedVp8({ seconds, ...size, gop: 360 });
  const input = Buffer.concat([
    ivfHeader('VP80', size.width, size.height),
    ...frames.map(([frame], index) =>
      ivfFrame(frame ?? Buffer.alloc(0), Math.round((index * 1_000) / 30)),
    ),
  ]);
  const flv = execFileSync(ffmpegBin, toH264Arguments('VP80', size, 1_000), {
    input,
    maxBuffer: 2 ** 26,
  });
  const allowedBps = size.width * size.height * 3;
  expect((flv.length * 8) / seconds).toBeGreaterThan(allowedBps / 2);
});
