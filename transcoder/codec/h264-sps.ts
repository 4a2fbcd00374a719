// H.264 sequence parameter set: profile, level and picture size (ITU-T H.264, 7.3.2.1.1).
import { type BitReader, createBitReader, unescapeNal } from './bit-reader.ts';

export interface SequenceParameters {
  profileIdc: number;
  constraints: number;
  levelIdc: number;
  width: number;
  height: number;
  /** Bits of `frame_num` in a slice header. */
  frameNumBits: number;
  pictureOrderType: number;
  /** Bits of `pic_order_cnt_lsb` in a slice header; 0 when there is none. */
  pictureOrderBits: number;
  /** No interlacing. */
  framesOnly: boolean;
  macroblocks: number;
}

const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const pictureSideMax = 8_192;
const counterBitsMax = 16;

/** Reads an SPS NAL unit; null when it is malformed or absurd. */
export function readSps(nal: Buffer): SequenceParameters | null {
  try {
    return parse(nal);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function parse(nal: Buffer): SequenceParameters | null {
  const raw = unescapeNal(nal);
  const profileIdc = raw.readUInt8(1);
  const constraints = raw.readUInt8(2);
  const levelIdc = raw.readUInt8(3);
  const reader = createBitReader(raw.subarray(4));
  reader.ue();
  const chromaFormat = highProfiles.has(profileIdc) ? skipHighProfileFields(reader) : 1;
  const frameNumBits = reader.ue() + 4;
  const pictureOrder = readPictureOrder(reader);
  reader.ue();
  reader.flag();
  const widthUnits = reader.ue() + 1;
  const heightUnits = reader.ue() + 1;
  const framesOnly = reader.flag();
  if (!framesOnly) reader.flag();
  reader.flag();
  const crop = reader.flag()
    ? { left: reader.ue(), right: reader.ue(), top: reader.ue(), bottom: reader.ue() }
    : { left: 0, right: 0, top: 0, bottom: 0 };
  const cropX = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const cropY = (chromaFormat === 1 ? 2 : 1) * (framesOnly ? 1 : 2);
  const width = widthUnits * 16 - (crop.left + crop.right) * cropX;
  const height = heightUnits * 16 * (framesOnly ? 1 : 2) - (crop.top + crop.bottom) * cropY;
  const sane = width > 0 && height > 0 && width <= pictureSideMax && height <= pictureSideMax;
  if (!sane || Math.max(frameNumBits, pictureOrder.bits) > counterBitsMax) return null;
  const macroblocks = widthUnits * heightUnits;
  const order = { pictureOrderType: pictureOrder.type, pictureOrderBits: pictureOrder.bits };
  return {
    ...{ profileIdc, constraints, levelIdc, width, height },
    ...{ frameNumBits, ...order, framesOnly, macroblocks },
  };
}

/** Skips what only high profiles carry; returns chroma_format_idc. */
function skipHighProfileFields(reader: BitReader): number {
  const chromaFormat = reader.ue();
  if (chromaFormat === 3) reader.flag();
  reader.ue();
  reader.ue();
  reader.flag();
  if (reader.flag()) {
    for (let list = 0; list < (chromaFormat === 3 ? 12 : 8); list++) {
      if (reader.flag()) skipScalingList(reader, list < 6 ? 16 : 64);
    }
  }
  return chromaFormat;
}

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size; index++) {
    if (next !== 0) next = (last + reader.se() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function readPictureOrder(reader: BitReader): { type: number; bits: number } {
  const type = reader.ue();
  if (type === 0) return { type, bits: reader.ue() + 4 };
  if (type === 1) {
    reader.flag();
    reader.se();
    reader.se();
    const cycle = reader.ue();
    if (cycle > 255) throw new RangeError('picture order cycle too long');
    for (let index = 0; index < cycle; index++) reader.se();
  }
  return { type, bits: 0 };
}
