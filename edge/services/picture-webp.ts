// WebP (RFC 9649): its one still frame, and its transparency; profiles, camera data and animations are dropped.
import { broken, type Drawing, type PictureBytes, type Size } from './picture-bytes.ts';

const headerBytes = 12;
const alphaFlag = 0x10;
const animationFlag = 0x02;
const chunksMax = 1_000;

interface Chunk {
  name: string;
  data: number;
  length: number;
  whole: Uint8Array;
}

/** The chunks within what the file says is its own; each is padded to an even length. */
function* chunksOf(bytes: PictureBytes): Generator<Chunk> {
  const end = 8 + bytes.u32little(4);
  if (end > bytes.length || end < headerBytes) throw broken('it ends too early');
  let at = headerBytes;
  for (let count = 0; at < end; count += 1) {
    if (count === chunksMax) throw broken('too many parts');
    const length = bytes.u32little(at + 4);
    const next = at + 8 + length + (length % 2);
    if (next > end) throw broken('it ends too early');
    yield { name: bytes.name(at), data: at + 8, length, whole: bytes.slice(at, next) };
    at = next;
  }
}

/** The frame of a lossy picture (RFC 6386, section 9.1). */
function lossySize(bytes: PictureBytes, { data, length }: Chunk) {
  const isKeyFrame = length >= 10 && (bytes.u8(data) & 1) === 0;
  if (!isKeyFrame || !bytes.has(data + 3, [0x9d, 0x01, 0x2a])) throw broken('no picture in it');
  const side = (at: number) => (bytes.u8(at) + bytes.u8(at + 1) * 256) & 0x3f_ff;
  return { width: side(data + 6), height: side(data + 8) };
}

/** The frame of a lossless picture (RFC 9649, section 3.4). */
function losslessSize(bytes: PictureBytes, { data, length }: Chunk) {
  if (length < 5 || bytes.u8(data) !== 0x2f) throw broken('no picture in it');
  const bits = bytes.u32little(data + 1);
  if (bits >>> 29 !== 0) throw broken('a version that nobody knows');
  return { width: (bits & 0x3f_ff) + 1, height: ((bits >>> 14) & 0x3f_ff) + 1 };
}

function little32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return bytes;
}

/** The header of the extended format, saying nothing but that there is transparency. */
function extendedHeader(bytes: PictureBytes, { data, whole }: Chunk): Uint8Array {
  const header = whole.slice();
  header[8] = bytes.u8(data) & alphaFlag;
  header.fill(0, 9, 12);
  return header;
}

export function cleanWebp(bytes: PictureBytes): Drawing {
  let size: Size | null = null;
  let canvas: Size | null = null;
  const kept: Uint8Array[] = [];
  let isFirst = true;
  for (const chunk of chunksOf(bytes)) {
    if (chunk.name === 'VP8X') {
      if (!isFirst || chunk.length !== 10) throw broken('a header where none may be');
      if (bytes.u8(chunk.data) & animationFlag) throw broken('pictures that move are not taken');
      canvas = {
        width: bytes.u24little(chunk.data + 4) + 1,
        height: bytes.u24little(chunk.data + 7) + 1,
      };
      kept.push(extendedHeader(bytes, chunk));
    } else if (chunk.name === 'VP8 ' || chunk.name === 'VP8L') {
      if (size) throw broken('two pictures in one');
      size = (chunk.name === 'VP8 ' ? lossySize : losslessSize)(bytes, chunk);
      kept.push(chunk.whole);
    } else if (chunk.name === 'ALPH') {
      if (!canvas || size) throw broken('a part where it may not be');
      kept.push(chunk.whole);
    } else if (chunk.name === 'ANIM' || chunk.name === 'ANMF') {
      throw broken('pictures that move are not taken');
    }
    isFirst = false;
  }
  if (!size) throw broken('nothing to draw');
  if (canvas && (canvas.width !== size.width || canvas.height !== size.height)) {
    throw broken('a canvas of another size than its picture');
  }
  const length = 4 + kept.reduce((sum, piece) => sum + piece.length, 0);
  const head = [bytes.slice(0, 4), little32(length), bytes.slice(8, headerBytes)];
  return { ...size, pieces: [...head, ...kept] };
}
