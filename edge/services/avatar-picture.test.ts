// Tests of pictures: they are drawn as before, say nothing of who took them, and nothing broken gets through.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../problem.ts';
import { cleanPicture } from './avatar-picture.ts';

const kinds = ['jpeg', 'png', 'webp'] as const;
type Kind = (typeof kinds)[number];
const extensions: Record<Kind, string> = { jpeg: 'jpg', png: 'png', webp: 'webp' };
const ffmpeg = process.env.FFMPEG_BIN ?? 'ffmpeg';
const secret = 'GPS 28.6139N 77.2090E';
const secretBytes = new TextEncoder().encode(secret);

let folder: string;
const samples = {} as Record<Kind, Uint8Array>;

/** A picture that ffmpeg has made: not drawn by a hand of ours. */
function drawn(name: string, more: readonly string[] = []): Uint8Array {
  const file = join(folder, name);
  const size = 'testsrc=size=64x48:duration=1:rate=1';
  execFileSync(ffmpeg, ['-v', 'error', '-y', '-f', 'lavfi', '-i', size, ...more, file]);
  return readFileSync(file);
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pictures-'));
  for (const kind of kinds) samples[kind] = drawn(`a.${extensions[kind]}`, ['-frames:v', '1']);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The colours of every pixel, as ffmpeg sees them. */
function pixelsOf(bytes: Uint8Array, kind: Kind): string {
  const file = join(folder, `look.${extensions[kind]}`);
  writeFileSync(file, bytes);
  const raw = ['-v', 'error', '-i', file, '-f', 'rawvideo', '-pix_fmt', 'rgba', '-'];
  return execFileSync(ffmpeg, raw).toString('base64');
}

const bytesOf = (...parts: (string | Uint8Array | number[])[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) =>
      typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part),
    ),
  );
const big = (value: number, size: number): number[] =>
  Array.from({ length: size }, (_, index) => (value >>> (8 * (size - 1 - index))) & 0xff);
const little = (value: number, size: number): number[] => big(value, size).toReversed();

const segment = (marker: number, body: Uint8Array) =>
  bytesOf([0xff, marker], big(body.length + 2, 2), body);
const chunk = (name: string, body: Uint8Array) => {
  const named = bytesOf(name, body);
  return bytesOf(big(body.length, 4), named, big(crc32(named), 4));
};
const riffChunk = (name: string, body: Uint8Array) =>
  bytesOf(name, little(body.length, 4), body, body.length % 2 ? [0] : []);
const riff = (...chunks: Uint8Array[]) => {
  const body = bytesOf('WEBP', ...chunks);
  return bytesOf('RIFF', little(body.length, 4), body);
};

/** The sample with everything beside the picture that such a file can carry. */
function talkative(kind: Kind): Uint8Array {
  const whole = samples[kind];
  const from = (at: number, to?: number) => whole.slice(at, to);
  switch (kind) {
    case 'jpeg':
      return bytesOf(
        from(0, 2),
        segment(0xe1, bytesOf('Exif\0\0', secretBytes)),
        segment(0xe1, bytesOf('http://ns.adobe.com/xap/1.0/\0', secretBytes)),
        segment(0xe2, bytesOf('ICC_PROFILE\0', secretBytes)),
        segment(0xed, bytesOf('Photoshop 3.0\0', secretBytes)),
        segment(0xfe, secretBytes),
        from(2),
        'after the end: ',
        secretBytes,
      );
    case 'png':
      return bytesOf(
        from(0, 33),
        chunk('eXIf', secretBytes),
        chunk('tEXt', bytesOf('Comment\0', secretBytes)),
        chunk('iTXt', bytesOf('XML:com.adobe.xmp\0\0\0\0\0', secretBytes)),
        chunk('iCCP', bytesOf('p\0\0', secretBytes)),
        chunk('tIME', bytesOf([7, 230, 1, 2, 3, 4, 5])),
        chunk('acTL', bytesOf([0, 0, 0, 1, 0, 0, 0, 0])),
        from(33),
        secretBytes,
      );
    case 'webp': {
      const size = bytesOf(little(63, 3), little(47, 3));
      return bytesOf(
        riff(
          riffChunk('VP8X', bytesOf([0x2c, 1, 2, 3], size)),
          riffChunk('ICCP', secretBytes),
          from(12),
          riffChunk('EXIF', secretBytes),
          riffChunk('XMP ', secretBytes),
          riffChunk('odd!', secretBytes),
        ),
        secretBytes,
      );
    }
  }
}

const holds = (bytes: Uint8Array) => Buffer.from(bytes).includes(secret);
function refusalOf(bytes: Uint8Array): unknown {
  try {
    cleanPicture(bytes);
    return null;
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

describe.each(kinds)('%s', (kind) => {
  test('it is drawn as before, and all that it says beside the picture is gone', () => {
    const sent = talkative(kind);
    expect(holds(sent)).toBe(true);
    const { type, bytes } = cleanPicture(sent);
    expect(type).toBe(`image/${kind}`);
    expect(holds(bytes)).toBe(false);
    for (const word of ['Exif', 'ICC', 'XMP', 'xmp', 'Photoshop', 'Lavc', 'odd!']) {
      expect(Buffer.from(bytes).includes(word), word).toBe(false);
    }
    expect(pixelsOf(bytes, kind)).toBe(pixelsOf(samples[kind], kind));
    // What is clean stays as it is.
    expect(cleanPicture(bytes).bytes).toEqual(bytes);
  });

  test('cut off anywhere it is refused', () => {
    const { bytes } = cleanPicture(samples[kind]);
    for (let length = 0; length < bytes.length; length += 1) {
      expect(refusalOf(bytes.slice(0, length)), String(length)).toBe('picture-refused');
    }
  });

  test('with any bytes changed it is refused or drawn, and ends soon', () => {
    const whole = talkative(kind);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 }),
        (changes) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          const refusal = refusalOf(bytes);
          return refusal === null || refusal === 'picture-refused';
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test('what begins like one and goes on like nothing is refused', () => {
    const begin = samples[kind].slice(0, 16);
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 400 }),
        (rest) => refusalOf(bytesOf(begin, rest)) === 'picture-refused',
      ),
      { numRuns: 2_000 },
    );
  });

  test('too large or too small a side is refused', () => {
    const scaled = (size: string) => drawn(`s.${extensions[kind]}`, ['-frames:v', '1', '-s', size]);
    expect(refusalOf(scaled('2050x16'))).toBe('picture-refused');
    expect(refusalOf(scaled('16x8'))).toBe('picture-refused');
    expect(refusalOf(scaled('2048x16'))).toBeNull();
  });
});

test('a palette and transparency are kept', () => {
  const palette = drawn('p.png', ['-frames:v', '1', '-pix_fmt', 'pal8']);
  expect(pixelsOf(cleanPicture(palette).bytes, 'png')).toBe(pixelsOf(palette, 'png'));
  const clear = ['-frames:v', '1', '-vf', 'format=rgba,colorchannelmixer=aa=0.5'];
  for (const [kind, name] of [
    ['png', 'c.png'],
    ['webp', 'c.webp'],
  ] as const) {
    const picture = drawn(name, clear);
    expect(pixelsOf(cleanPicture(picture).bytes, kind)).toBe(pixelsOf(picture, kind));
  }
});

test.each([
  ['an SVG', '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'],
  ['a GIF', 'GIF89a\x01\0\x01\0\0\0\0;'],
  ['a page', '<!doctype html><script>alert(1)</script>'],
  ['nothing', ''],
])('%s is refused', (_, text) => {
  expect(refusalOf(bytesOf(text))).toBe('picture-refused');
});

test('pictures that move are refused', () => {
  const frame = riffChunk('ANMF', new Uint8Array(16));
  const header = riffChunk('VP8X', bytesOf([2, 0, 0, 0], little(63, 3), little(47, 3)));
  expect(refusalOf(riff(header, frame))).toBe('picture-refused');
  expect(refusalOf(riff(frame))).toBe('picture-refused');
});

test('a page that hides behind a picture is not kept with it', () => {
  const page = new TextEncoder().encode('<script>alert(1)</script>');
  for (const kind of kinds) {
    const { bytes } = cleanPicture(bytesOf(samples[kind], page));
    expect(Buffer.from(bytes).includes('<script>'), kind).toBe(false);
  }
});
