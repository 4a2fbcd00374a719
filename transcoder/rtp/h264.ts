// H.264 depacketiser (RFC 6184): RTP payloads in, access units in AVCC form out.
import { type AvcConfig, avcConfigOf } from '../codec/avc-config.ts';
import { createBitReader } from '../codec/bit-reader.ts';
import {
  type CodedPicture,
  type DepacketiserEvents,
  pictureBytesMax,
  piecesMax,
} from './picture.ts';

const nalTypeIdr = 5;
const nalTypeSps = 7;
const nalTypePps = 8;
const nalTypeDelimiter = 9;
const nalTypeStapA = 24;
const nalTypeFuA = 28;
/** What a track with parameter sets outside its samples leaves out: AUD, end markers, filler. */
const uselessNalTypes = new Set([9, 10, 11, 12]);

const pictureSetsMax = 16;
/** Real ones have less than 100 bytes. A configuration record counts them in 16 bits. */
const parameterSetBytesMax = 1_024;

export interface AccessUnit extends CodedPicture {
  /** The parameter sets in force. */
  config: AvcConfig;
}

export interface H264Depacketiser {
  /** Takes payloads in order; `lost` tells how many packets are missing before this one. */
  push(packet: { payload: Buffer; marker: boolean; timestamp: number }, lost: number): void;
}

/** After a loss it stays silent until a keyframe, because whatever refers to a lost picture is broken. */
export function createH264Depacketiser(
  events: DepacketiserEvents<AccessUnit>,
  outOfBand: readonly Buffer[] = [],
): H264Depacketiser {
  const sets = createParameterSets();
  for (const nal of outOfBand) sets.take(nal);
  let nals: Buffer[] = [];
  let bytes = 0;
  let key = false;
  let timestamp: number | null = null;
  let fragments: { pieces: Buffer[]; bytes: number } | null = null;
  let damaged = false;
  let waitsForKey = true;

  function reset(): void {
    nals = [];
    bytes = 0;
    key = false;
    fragments = null;
    damaged = false;
    timestamp = null;
  }

  /** What is left of this picture is not kept: it cannot be shown, and must not fill the memory. */
  function damage(): void {
    damaged = true;
    fragments = null;
    nals = [];
    if (waitsForKey) return;
    waitsForKey = true;
    events.onLoss();
  }

  function takeNal(pieces: Buffer[]): void {
    const head = pieces[0]?.[0];
    if (head === undefined || damaged) return;
    const type = head & 0x1f;
    if (type === nalTypeSps || type === nalTypePps) {
      sets.take(Buffer.concat(pieces));
      return;
    }
    if (uselessNalTypes.has(type)) return;
    if (type === nalTypeIdr) key = true;
    const length = Buffer.allocUnsafe(4);
    const nalBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    length.writeUInt32BE(nalBytes);
    nals.push(length, ...pieces);
    bytes += 4 + nalBytes;
    if (bytes > pictureBytesMax || nals.length > piecesMax) damage();
  }

  function finish(): void {
    const config = sets.current();
    if (timestamp !== null && nals.length > 0 && !damaged && fragments === null && config) {
      if (key) waitsForKey = false;
      if (!waitsForKey) events.onPicture({ chunks: nals, bytes, key, timestamp, config });
    } else if (fragments !== null) damage();
    reset();
  }

  function takeStap(payload: Buffer): void {
    let at = 1;
    while (at + 2 <= payload.length) {
      const length = payload.readUInt16BE(at);
      at += 2;
      if (length === 0 || at + length > payload.length) {
        damage();
        return;
      }
      takeNal([payload.subarray(at, at + length)]);
      at += length;
    }
  }

  function takeFragment(payload: Buffer): void {
    const indicator = payload[0];
    const header = payload[1];
    if (indicator === undefined || header === undefined) return;
    if (header & 0x80) {
      fragments = { pieces: [Buffer.from([(indicator & 0xe0) | (header & 0x1f)])], bytes: 0 };
    }
    if (!fragments || fragments.bytes > pictureBytesMax || fragments.pieces.length > piecesMax) {
      damage();
      return;
    }
    fragments.pieces.push(payload.subarray(2));
    fragments.bytes += payload.length;
    if (header & 0x40) {
      const { pieces } = fragments;
      fragments = null;
      takeNal(pieces);
    }
  }

  return {
    push(packet, lost) {
      if (lost > 0) damage();
      if (timestamp !== null && packet.timestamp !== timestamp) finish();
      if (lost > 0) damaged = !startsAccessUnit(packet.payload);
      const type = (packet.payload[0] ?? 0) & 0x1f;
      timestamp = packet.timestamp;
      if (type === nalTypeStapA) takeStap(packet.payload);
      else if (type === nalTypeFuA) takeFragment(packet.payload);
      else if (type >= 1 && type <= 23) takeNal([packet.payload]);
      if (packet.marker) finish();
    },
  };
}

/** Parameter sets and delimiters come before all slices: nothing of this access unit can be missing yet. */
function startsAccessUnit(payload: Buffer): boolean {
  const type = (payload[0] ?? 0) & 0x1f;
  const first = type === nalTypeStapA ? (payload[3] ?? 0) & 0x1f : type;
  return first === nalTypeSps || first === nalTypeDelimiter;
}

interface ParameterSets {
  take(nal: Buffer): void;
  current(): AvcConfig | null;
}

/** Remembers the latest SPS and the PPSs that came with it. */
function createParameterSets(): ParameterSets {
  let sps: Buffer | null = null;
  let pictureSets: Buffer[] = [];
  let config: AvcConfig | null = null;

  return {
    take(nal) {
      if (nal.length > parameterSetBytesMax) return;
      const type = (nal[0] ?? 0) & 0x1f;
      if (type === nalTypeSps) {
        if (sps?.equals(nal)) return;
        sps = Buffer.from(nal);
        pictureSets = [];
        config = null;
      } else if (type === nalTypePps) {
        if (pictureSets.some((known) => known.equals(nal))) return;
        const id = pictureSetId(nal);
        pictureSets = pictureSets.filter((known) => pictureSetId(known) !== id);
        pictureSets = [...pictureSets, Buffer.from(nal)].slice(-pictureSetsMax);
        config = null;
      }
    },
    current() {
      if (!config && sps) config = avcConfigOf(sps, pictureSets);
      return config;
    },
  };
}

function pictureSetId(nal: Buffer): number | null {
  try {
    return createBitReader(nal.subarray(1)).ue();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}
