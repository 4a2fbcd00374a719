// H.264 still: a coded picture of a few bytes that says "as before", for times in which a source sends nothing.
import { avccNals, parameterSetsOf } from './avc-config.ts';
import { createBitReader, unescapeNal } from './bit-reader.ts';
import { createBitWriter, escapeNal } from './bit-writer.ts';
import { readSps, type SequenceParameters } from './h264-sps.ts';

const nalTypeSlice = 1;
const nalTypeIdr = 5;
const sliceTypeP = 5;
/** So many bytes of a slice hold the fields that are read here. */
const sliceHeadBytes = 32;

interface PictureParameters {
  id: number;
  /** A P slice says whether its edges are smoothed. */
  smoothingControl: boolean;
  redundantCount: boolean;
}

/**
 * The picture that repeats `picture` (AVCC, with this `avcC` record): a P slice of skipped macroblocks, to which
 * nothing refers, so that the pictures after it stay good. Null where the stream is coded in a way that this does
 * not know (CABAC, interlacing, weighted prediction): constrained baseline, which the SFU asks for, always works.
 */
export function stillAfter(picture: Buffer, record: Buffer): Buffer | null {
  try {
    return write(picture, record);
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function write(picture: Buffer, record: Buffer): Buffer | null {
  const [spsNal, ...ppsNals] = parameterSetsOf(record) ?? [];
  const sps = spsNal && readSps(spsNal);
  if (!sps?.framesOnly || sps.pictureOrderType === 1) return null;
  const slice = avccNals(picture).find((nal) => [nalTypeSlice, nalTypeIdr].includes(typeOf(nal)));
  if (!slice) return null;
  const before = readSlice(slice, sps);
  const pps = ppsNals.map(readPps).find((each) => each?.id === before.ppsId);
  if (!pps) return null;

  const bits = createBitWriter();
  bits.ue(0);
  bits.ue(sliceTypeP);
  bits.ue(pps.id);
  bits.bits(before.nextFrameNum, sps.frameNumBits);
  if (sps.pictureOrderType === 0) bits.bits(before.nextOrder, sps.pictureOrderBits);
  if (pps.redundantCount) bits.ue(0);
  // One reference picture, the latest, and no other order of them.
  bits.bits(1, 1);
  bits.ue(0);
  bits.bits(0, 1);
  // Quantiser as it is, no smoothing of edges, all macroblocks skipped.
  bits.ue(0);
  if (pps.smoothingControl) bits.ue(1);
  bits.ue(sps.macroblocks);
  const nal = escapeNal(Buffer.concat([Buffer.from([nalTypeSlice]), bits.finish()]));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(nal.length);
  return Buffer.concat([length, nal]);
}

function typeOf(nal: Buffer): number {
  return (nal[0] ?? 0) & 0x1f;
}

/** What a picture behind this slice's counts as (ITU-T H.264, 7.4.3): it is no reference, so it stands once. */
function readSlice(
  nal: Buffer,
  sps: SequenceParameters,
): { ppsId: number; nextFrameNum: number; nextOrder: number } {
  const isReference = ((nal[0] ?? 0) & 0x60) !== 0;
  const reader = createBitReader(unescapeNal(nal.subarray(1, sliceHeadBytes)));
  reader.ue();
  reader.ue();
  const ppsId = reader.ue();
  const frameNum = reader.bits(sps.frameNumBits);
  if (typeOf(nal) === nalTypeIdr) reader.ue();
  const order = sps.pictureOrderType === 0 ? reader.bits(sps.pictureOrderBits) : 0;
  return {
    ppsId,
    nextFrameNum: (isReference ? frameNum + 1 : frameNum) % 2 ** sps.frameNumBits,
    // Encoders count pictures in twos: this lies between the last one and the next.
    nextOrder: (order + 1) % 2 ** sps.pictureOrderBits,
  };
}

/** ITU-T H.264, 7.3.2.2; null for what a still cannot be written for. */
function readPps(nal: Buffer): PictureParameters | null {
  const reader = createBitReader(unescapeNal(nal.subarray(1)));
  const id = reader.ue();
  reader.ue();
  const cabac = reader.flag();
  const fieldOrder = reader.flag();
  const sliceGroups = reader.ue();
  if (cabac || fieldOrder || sliceGroups > 0) return null;
  reader.ue();
  reader.ue();
  const weighted = reader.flag();
  reader.bits(2);
  reader.se();
  reader.se();
  reader.se();
  const smoothingControl = reader.flag();
  reader.flag();
  const redundantCount = reader.flag();
  return weighted ? null : { id, smoothingControl, redundantCount };
}
