// Tests of the small containers that carry media to and from ffmpeg, read by ffmpeg itself.
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { codedOpus, codedVp8, ffmpegBin } from '../testing/media.ts';
import { type AacConfig, createAdtsReader } from './adts.ts';
import { createFlvReader } from './flv.ts';
import { ivfFrame, ivfHeader } from './ivf.ts';
import { createOggOpusWriter } from './ogg-opus.ts';
import { silentOpus } from './opus-packet.ts';

function ffmpeg(input: Buffer, args: string[]): Buffer {
  return execFileSync(ffmpegBin, ['-v', 'error', '-i', 'pipe:0', ...args, 'pipe:1'], {
    input,
    maxBuffer: 64 * 1024 * 1024,
  });
}

/** Bytes in pieces of awkward sizes, as a pipe may deliver them. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = (size * 7) % 997) {
    yield bytes.subarray(at, at + size);
  }
}

test('every Opus packet that is written is decoded to exactly its samples', async () => {
  const { packets } = await codedOpus({ seconds: 1 });
  const writer = createOggOpusWriter(2);
  const written = [writer.header(), ...packets.map((packet) => writer.page(packet, 960))];
  written.push(...silentOpus.map((silence) => writer.page(silence.packet, silence.samples)));
  const samples = packets.length * 960 + silentOpus.reduce((sum, each) => sum + each.samples, 0);
  const raw = ffmpeg(Buffer.concat(written), ['-ar', '48000', '-ac', '2', '-f', 's16le']);
  expect(raw.length / 4).toBe(samples);
});

test('a packet longer than one lacing value is written whole', () => {
  const long = Buffer.alloc(1_020, 7);
  long[0] = 0xfc;
  const page = createOggOpusWriter(2).page(long, 960);
  expect(page.readUInt8(26)).toBe(5);
  expect([...page.subarray(27, 32)]).toEqual([255, 255, 255, 255, 0]);
  expect(page.subarray(32).equals(long)).toBe(true);
});

test('every VP8 frame that is written is decoded', async () => {
  const { frames } = await codedVp8({ seconds: 1 });
  const bodies = frames.map(([frame = Buffer.alloc(0)], index) => ivfFrame(frame, index * 33));
  const raw = ffmpeg(Buffer.concat([ivfHeader('VP80', 320, 180), ...bodies]), [
    ...['-fps_mode', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo'],
  ]);
  expect(raw.length / (320 * 180)).toBe(frames.length);
});

describe('ADTS', () => {
  const bytes = execFileSync(ffmpegBin, [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'sine=sample_rate=48000', '-t', '1'],
    ...['-ac', '2', '-c:a', 'aac', '-f', 'adts', 'pipe:1'],
  ]);

  test('is cut into frames however the bytes arrive', () => {
    const frames: Buffer[] = [];
    const configs: AacConfig[] = [];
    const reader = createAdtsReader((frame, config) => {
      frames.push(Buffer.from(frame));
      configs.push(config);
    });
    for (const piece of pieces(bytes)) reader.push(piece);
    expect(frames).toHaveLength(Math.ceil(48_000 / 1_024) + 1);
    expect(frames.reduce((sum, frame) => sum + frame.length + 7, 0)).toBe(bytes.length);
    expect(configs[0]).toEqual({
      specificConfig: Buffer.from([0x11, 0x90]),
      sampleRate: 48_000,
      channels: 2,
    });
  });

  test('that is not ADTS is refused', () => {
    expect(() => createAdtsReader(() => {}).push(Buffer.alloc(16, 1))).toThrow(
      'not an ADTS stream',
    );
  });
});

describe('FLV', () => {
  const bytes = execFileSync(ffmpegBin, [
    ...['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=30', '-t', '1'],
    ...['-c:v', 'libx264', '-tune', 'zerolatency', '-g', '15', '-f', 'flv', 'pipe:1'],
  ]);

  test('gives pictures with their timestamps however the bytes arrive', () => {
    const records: Buffer[] = [];
    const pictures: { bytes: number; timestampMs: number; key: boolean }[] = [];
    const reader = createFlvReader({
      onConfig: (record) => records.push(record),
      onPicture: (picture, timestampMs, key) =>
        pictures.push({ bytes: picture.length, timestampMs, key }),
    });
    for (const piece of pieces(bytes)) reader.push(piece);
    expect(records.length).toBeGreaterThan(0);
    expect(pictures).toHaveLength(30);
    expect(pictures.map((each) => each.timestampMs).slice(0, 4)).toEqual([0, 33, 67, 100]);
    expect(pictures.filter((each) => each.key)).toHaveLength(2);
  });

  test('that is not FLV is refused', () => {
    const reader = createFlvReader({ onConfig() {}, onPicture() {} });
    expect(() => reader.push(Buffer.alloc(64, 1))).toThrow('not an FLV stream');
  });
});
