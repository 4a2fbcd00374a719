// Tests of parameter sets, against what a real encoder writes.
import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { annexBNals, ffmpegBin } from '../testing/media.ts';
import { avcConfigOf, avcConfigOfRecord, parameterSetsOf } from './avc-config.ts';
import { readSps } from './h264-sps.ts';

function setsOf(width: number, height: number, profile: string): { sps: Buffer; pps: Buffer } {
  const bytes = execFileSync(ffmpegBin, [
    ...['-v', 'error', '-f', 'lavfi', '-i', `color=size=${width}x${height}`, '-frames:v', '1'],
    ...['-pix_fmt', profile === 'high444' ? 'yuv444p' : 'yuv420p'],
    ...['-c:v', 'libx264', '-profile:v', profile, '-f', 'h264', 'pipe:1'],
  ]);
  const nals = [...annexBNals(bytes)];
  const find = (type: number) =>
    nals.find((nal) => (nal.readUInt8(0) & 0x1f) === type) ?? Buffer.alloc(0);
  return { sps: find(7), pps: find(8) };
}

describe('a sequence parameter set', () => {
  test.each([
    [320, 180, 'baseline', 66],
    [640, 360, 'main', 77],
    [1_280, 720, 'high', 100],
    [1_920, 1_080, 'high', 100],
    [1_080, 1_920, 'baseline', 66],
    [426, 240, 'high', 100],
    [322, 182, 'high444', 244],
  ])('of %ix%i %s tells size and profile', (width, height, profile, profileIdc) => {
    const read = readSps(setsOf(width, height, profile).sps);
    expect(read).toMatchObject({ width, height, profileIdc });
  });

  test('that is cut short or garbage is refused', () => {
    const { sps } = setsOf(1_280, 720, 'high');
    for (let length = 0; length < 10; length++) {
      expect(readSps(sps.subarray(0, length))).toBeNull();
    }
    expect(readSps(Buffer.alloc(32, 0))).toBeNull();
  });
});

test('a configuration record names the codec and can be read back', () => {
  const { sps, pps } = setsOf(1_280, 720, 'high');
  const config = avcConfigOf(sps, [pps]);
  expect(config).toMatchObject({ width: 1_280, height: 720 });
  expect(config?.codec).toBe(`avc1.${sps.toString('hex', 1, 4)}`);
  expect(parameterSetsOf(config?.record ?? Buffer.alloc(0))).toEqual([sps, pps]);
  expect(avcConfigOfRecord(config?.record ?? Buffer.alloc(0))).toEqual(config);
});
