// PNG (W3C, third edition): its header, palette and pixels; texts, times, profiles and frames are dropped.
import { broken, type Drawing, type PictureBytes, type Size } from './picture-bytes.ts';

const signatureBytes = 8;
/** What is needed to draw it, or to draw it in the right colours. */
const needed = new Set(['IHDR', 'PLTE', 'tRNS', 'gAMA', 'cHRM', 'sRGB', 'sBIT', 'IDAT', 'IEND']);
/** Bit depths by colour type (section 11.2.1). */
const depths: Record<number, readonly number[]> = {
  0: [1, 2, 4, 8, 16],
  2: [8, 16],
  3: [1, 2, 4, 8],
  4: [8, 16],
  6: [8, 16],
};
const chunksMax = 10_000;

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let crc = index;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xed_b8_83_20 : crc >>> 1;
  return crc;
});

function crcOf(bytes: Uint8Array): number {
  let crc = 0xff_ff_ff_ff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (table[(crc ^ byte) & 0xff] ?? 0);
  return (crc ^ 0xff_ff_ff_ff) >>> 0;
}

function sizeOf(bytes: PictureBytes, data: number, length: number) {
  const isSound =
    length === 13 &&
    depths[bytes.u8(data + 9)]?.includes(bytes.u8(data + 8)) &&
    bytes.u16(data + 10) === 0 &&
    bytes.u8(data + 12) <= 1;
  if (!isSound) throw broken('a header that makes no sense');
  return { width: bytes.u32(data), height: bytes.u32(data + 4) };
}

export function cleanPng(bytes: PictureBytes): Drawing {
  const pieces = [bytes.slice(0, signatureBytes)];
  let size: Size | null = null;
  let hasPixels = false;
  let at = signatureBytes;
  for (let count = 0; count < chunksMax; count += 1) {
    const length = bytes.u32(at);
    const name = bytes.name(at + 4);
    const data = at + 8;
    const end = data + length + 4;
    const whole = bytes.slice(at, end);
    if (!/^[A-Za-z]{4}$/.test(name)) throw broken('a part without a name');
    if ((count === 0) !== (name === 'IHDR')) throw broken('a header where none may be');
    if (name === 'IHDR') size = sizeOf(bytes, data, length);
    if (needed.has(name)) {
      if (crcOf(bytes.slice(at + 4, data + length)) !== bytes.u32(data + length)) {
        throw broken('it is damaged');
      }
      pieces.push(whole);
    } else if (/^[A-Z]/.test(name)) {
      throw broken('a part that a PNG of the web does not have');
    }
    hasPixels ||= name === 'IDAT';
    if (name === 'IEND') {
      if (!size || !hasPixels || length !== 0) throw broken('nothing to draw');
      return { ...size, pieces };
    }
    at = end;
  }
  throw broken('too many parts');
}
