// JPEG (ITU-T T.81): its tables, frame and scans; the segments of applications and comments are dropped.
import { broken, type Drawing, type PictureBytes, type Size } from './picture-bytes.ts';

const soi = 0xd8;
const eoi = 0xd9;
const sos = 0xda;
const app14 = 0xee;
/** Baseline, extended and progressive Huffman coding: what every browser draws. */
const frames = new Set([0xc0, 0xc1, 0xc2]);
/** Quantisation and Huffman tables, the restart interval. */
const tables = new Set([0xdb, 0xc4, 0xdd]);
/** How colours are coded; the rest of an Adobe segment says nothing. */
const adobe = 'Adobe';
const adobeBytes = 14;
/** More than any encoder makes, so that a file of nothing but empty segments is not walked for long. */
const segmentsMax = 2_000;

const isRestart = (marker: number) => marker >= 0xd0 && marker <= 0xd7;

/** Where coded data ends: at the next marker that is none of a restart. A zero after 0xff is data. */
function endOfScan(bytes: PictureBytes, from: number): number {
  for (let at = from; ; at += 1) {
    if (bytes.u8(at) !== 0xff) continue;
    const marker = bytes.u8(at + 1);
    if (marker !== 0 && marker !== 0xff && !isRestart(marker)) return at;
  }
}

/** A segment as it is kept; null for one that is dropped. */
function kept(bytes: PictureBytes, marker: number, at: number, end: number): Uint8Array | null {
  if (tables.has(marker) || frames.has(marker) || marker === sos) return bytes.slice(at, end);
  const isColour = marker === app14 && bytes.hasText(at + 4, adobe) && end === at + 2 + adobeBytes;
  if (isColour) return bytes.slice(at, end);
  const isDropped = (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe;
  if (!isDropped) throw broken('a part that a JPEG of the web does not have');
  return null;
}

export function cleanJpeg(bytes: PictureBytes): Drawing {
  const pieces: Uint8Array[] = [Uint8Array.of(0xff, soi)];
  let size: Size | null = null;
  let scans = 0;
  let at = 2;
  for (let count = 0; count < segmentsMax; count += 1) {
    if (bytes.u8(at) !== 0xff) throw broken('no marker where one must be');
    const marker = bytes.u8(at + 1);
    // Markers may be preceded by any number of fill bytes.
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === eoi) {
      if (!size || scans === 0) throw broken('nothing to draw');
      return { ...size, pieces: [...pieces, Uint8Array.of(0xff, eoi)] };
    }
    const end = at + 2 + bytes.u16(at + 2);
    if (end < at + 4) throw broken('a part without a length');
    const piece = kept(bytes, marker, at, end);
    if (piece) pieces.push(piece);
    if (frames.has(marker)) {
      if (size) throw broken('two pictures in one');
      size = { height: bytes.u16(at + 5), width: bytes.u16(at + 7) };
    }
    at = end;
    if (marker === sos) {
      if (!size) throw broken('nothing to draw');
      scans += 1;
      at = endOfScan(bytes, end);
      pieces.push(bytes.slice(end, at));
    }
  }
  throw broken('too many parts');
}
