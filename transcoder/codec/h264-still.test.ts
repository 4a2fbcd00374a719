// Tests of stills: decoders must see exactly the picture before, and go on as if nothing had been put in.
import { execFileSync } from 'node:child_process';
import { beforeAll, expect, test } from 'vitest';
import { annexB, codedH264, ffmpegBin, picturesOf } from '../testing/media.ts';
import { stillAfter } from './h264-still.ts';

const [width, height] = [320, 180];
type Coded = ReturnType<typeof picturesOf>;
let pictures: Coded;

beforeAll(async () => {
  pictures = picturesOf(await codedH264({ seconds: 1, gop: 15 }));
});

/** Each decoded picture, in grey. */
function decode(coded: Coded): Buffer[] {
  const raw = execFileSync(
    ffmpegBin,
    [
      ...['-v', 'error', '-xerror', '-err_detect', 'explode', '-f', 'h264', '-i', 'pipe:0'],
      ...['-fps_mode', 'passthrough', '-pix_fmt', 'gray', '-f', 'rawvideo', 'pipe:1'],
    ],
    { input: annexB(coded), maxBuffer: 64 * 1024 * 1024, stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const bytes = width * height;
  return Array.from({ length: raw.length / bytes }, (_, index) =>
    raw.subarray(index * bytes, (index + 1) * bytes),
  );
}

test.each([1, 4])(
  'a pause of %i stills shows the picture before, and harms no picture after',
  (count) => {
    // Behind a keyframe, in the middle of a group, and behind its last picture.
    const places = new Set([0, 7, 14, 20]);
    const expected: Buffer[] = [];
    const plain = decode(pictures);
    const held = pictures.flatMap((picture, index) => {
      const shown = plain[index] ?? Buffer.alloc(0);
      expected.push(shown);
      if (!places.has(index)) return [picture];
      const data = stillAfter(picture.data, picture.config.record);
      if (!data) throw new Error('no still');
      expect(data.length).toBeLessThan(24);
      expected.push(...Array(count).fill(shown));
      return [picture, ...Array(count).fill({ ...picture, data, key: false })];
    });
    const seen = decode(held);
    expect(seen).toHaveLength(expected.length);
    expect(seen.every((each, index) => each.equals(expected[index] ?? Buffer.alloc(0)))).toBe(true);
  },
);

test('for what it cannot write, it says so', () => {
  const [picture] = pictures;
  if (!picture) throw new Error('no picture');
  const { record } = picture.config;
  // The entropy coding flag of the PPS stands behind its two ids, which are one bit each here.
  const cabac = Buffer.from(record);
  const ppsAt = 8 + record.readUInt16BE(6) + 3;
  cabac[ppsAt + 1] = (cabac[ppsAt + 1] ?? 0) | 0x20;
  expect(stillAfter(picture.data, record)).not.toBeNull();
  expect(stillAfter(picture.data, cabac)).toBeNull();
  expect(stillAfter(Buffer.alloc(0), record)).toBeNull();
  expect(stillAfter(picture.data.subarray(0, 5), record)).toBeNull();
  expect(stillAfter(picture.data, Buffer.from([1, 66, 0, 30, 0xff, 1]))).toBeNull();
  for (let seed = 0; seed < 500; seed++) {
    const noise = Buffer.from(
      Array.from({ length: seed % 50 }, (_, at) => (seed * 31 + at * 97) & 255),
    );
    stillAfter(noise, record);
    stillAfter(picture.data, noise);
  }
});
