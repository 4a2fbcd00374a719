// Picture sizes, as keyframes tell them: of H264 in its sequence parameter set, of VP8 in the frame's header.
import { LayerSize } from '#contract';

const rtpHeaderBytes = 12;
const nalTypeSps = 7;
const nalTypeStapA = 24;
const vp8StartCode = 0x9d_01_2a;
/** Profiles whose parameter sets say more (ITU-T H.264, 7.3.2.1.1). */
const highProfiles = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const golombZerosMax = 20;
/** `chroma_format_idc`; without a word of it, as in the usual profiles, it is 4:2:0. */
const chroma420 = 1;
const chroma422 = 2;

/** The size of the picture that begins in an RTP packet; null for a packet that does not tell. */
export function pictureSize(packet: Buffer, mimeType: string): LayerSize | null {
  const payload = payloadOf(packet);
  if (!payload) return null;
  switch (mimeType.toLowerCase()) {
    case 'video/h264':
      return usable(h264Size(payload));
    case 'video/vp8':
      return usable(vp8Size(payload));
    default:
      return null;
  }
}

/** What an encoder tells may be nonsense. */
function usable(size: LayerSize | null): LayerSize | null {
  return LayerSize.safeParse(size).data ?? null;
}

/** RFC 3550, section 5.1. */
function payloadOf(packet: Buffer): Buffer | null {
  if (packet.length <= rtpHeaderBytes) return null;
  const first = packet.readUInt8(0);
  let start = rtpHeaderBytes + (first & 0x0f) * 4;
  if ((first & 0x10) !== 0) {
    if (packet.length < start + 4) return null;
    start += 4 + packet.readUInt16BE(start + 2) * 4;
  }
  return start < packet.length ? packet.subarray(start) : null;
}

/** RFC 7741, section 4.2, and RFC 6386, section 9.1. */
function vp8Size(payload: Buffer): LayerSize | null {
  const first = payload[0] ?? 0;
  // The picture begins where its first partition does.
  if ((first & 0x17) !== 0x10) return null;
  let at = 1;
  if ((first & 0x80) !== 0) {
    const extensions = payload[at++] ?? 0;
    if ((extensions & 0x80) !== 0) at += ((payload[at] ?? 0) & 0x80) !== 0 ? 2 : 1;
    if ((extensions & 0x40) !== 0) at += 1;
    if ((extensions & 0x30) !== 0) at += 1;
  }
  const frame = payload.subarray(at);
  const isKeyframe = frame.length >= 10 && ((frame[0] ?? 1) & 1) === 0;
  if (!isKeyframe || frame.readUIntBE(3, 3) !== vp8StartCode) return null;
  return { width: frame.readUInt16LE(6) & 0x3f_ff, height: frame.readUInt16LE(8) & 0x3f_ff };
}

/** RFC 6184: a parameter set comes alone, or first of several. */
function h264Size(payload: Buffer): LayerSize | null {
  const type = (payload[0] ?? 0) & 0x1f;
  if (type === nalTypeSps) return spsSize(payload);
  if (type !== nalTypeStapA) return null;
  for (let at = 1; at + 2 < payload.length; ) {
    const end = at + 2 + payload.readUInt16BE(at);
    const nal = payload.subarray(at + 2, end);
    if (((nal[0] ?? 0) & 0x1f) === nalTypeSps) return spsSize(nal);
    at = end;
  }
  return null;
}

/** In macroblocks, less what is cut off at the edges. */
function spsSize(nal: Buffer): LayerSize | null {
  try {
    const bytes = unescaped(nal);
    const profile = bytes.readUInt8(1);
    const bits = createBits(bytes.subarray(4));
    bits.number();
    const chroma = highProfiles.has(profile) ? skipHighProfile(bits) : chroma420;
    bits.number();
    skipPictureOrder(bits);
    bits.number();
    bits.flag();
    const width = (bits.number() + 1) * 16;
    const rows = (bits.number() + 1) * 16;
    const rowsPerUnit = bits.flag() ? 1 : 2;
    if (rowsPerUnit === 2) bits.flag();
    bits.flag();
    const cut = bits.flag() ? cutOf(bits) : { across: 0, down: 0 };
    const unitWidth = chroma === chroma420 || chroma === chroma422 ? 2 : 1;
    const unitHeight = (chroma === chroma420 ? 2 : 1) * rowsPerUnit;
    return {
      width: width - cut.across * unitWidth,
      height: rows * rowsPerUnit - cut.down * unitHeight,
    };
  } catch (error) {
    // It ends too early: whatever it is, it tells no size.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Of the frame, in units of the chroma samples. */
function cutOf(bits: Bits): { across: number; down: number } {
  const across = bits.number() + bits.number();
  const down = bits.number() + bits.number();
  return { across, down };
}

/** Answers how the colours are sampled. */
function skipHighProfile(bits: Bits): number {
  const chroma = bits.number();
  if (chroma === 3) bits.flag();
  bits.number();
  bits.number();
  bits.flag();
  if (!bits.flag()) return chroma;
  for (let list = 0; list < (chroma === 3 ? 12 : 8); list += 1) {
    if (bits.flag()) skipScalingList(bits, list < 6 ? 16 : 64);
  }
  return chroma;
}

function skipScalingList(bits: Bits, length: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < length; index += 1) {
    if (next !== 0) next = (last + bits.signed() + 256) % 256;
    if (next !== 0) last = next;
  }
}

function skipPictureOrder(bits: Bits): void {
  const type = bits.number();
  if (type === 0) bits.number();
  if (type !== 1) return;
  bits.flag();
  bits.signed();
  bits.signed();
  const cycle = Math.min(255, bits.number());
  for (let index = 0; index < cycle; index += 1) bits.signed();
}

interface Bits {
  flag(): boolean;
  /** Unsigned and signed Exp-Golomb (ITU-T H.264, 9.1). */
  number(): number;
  signed(): number;
}

/** Throws `RangeError` at the end of the bytes. */
function createBits(bytes: Buffer): Bits {
  let at = 0;
  const bit = () => {
    const value = (bytes.readUInt8(at >> 3) >> (7 - (at & 7))) & 1;
    at += 1;
    return value;
  };
  const number = () => {
    let zeros = 0;
    while (bit() === 0) {
      zeros += 1;
      if (zeros > golombZerosMax) throw new RangeError('the number is too long');
    }
    let value = 1;
    for (let index = 0; index < zeros; index += 1) value = value * 2 + bit();
    return value - 1;
  };
  return {
    flag: () => bit() === 1,
    number,
    signed() {
      const value = number();
      return value % 2 === 1 ? (value + 1) / 2 : -value / 2;
    },
  };
}

/** Without the bytes that keep start codes out of the data (00 00 03 stands for 00 00). */
function unescaped(nal: Buffer): Buffer {
  return Buffer.from(
    nal.filter((byte, at) => !(byte === 3 && nal[at - 1] === 0 && nal[at - 2] === 0)),
  );
}
