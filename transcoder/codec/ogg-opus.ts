// Ogg writer for Opus (RFC 3533, RFC 7845): one packet, one page, so that a reader never waits for the next.
import { opusSampleRate } from './opus-packet.ts';

const pageHeaderBytes = 27;
const lacingSegmentBytes = 255;
const continuedSegmentsMax = 255;
const flagFirstPage = 2;

export interface OggOpusWriter {
  /** The two header pages, which come before all packets. */
  header(): Buffer;
  /** A page with one packet; `samples` is how long the packet lasts at 48 kHz. */
  page(packet: Buffer, samples: number): Buffer;
}

/** Writes one logical stream. No pre-skip is declared: every decoded sample keeps its place. */
export function createOggOpusWriter(channels: number, serial = 1): OggOpusWriter {
  let sequence = 0;
  let granule = 0n;

  function page(payload: Buffer, flags: number): Buffer {
    const segments = Math.floor(payload.length / lacingSegmentBytes) + 1;
    if (segments > continuedSegmentsMax) throw new RangeError('packet too large for one Ogg page');
    const out = Buffer.alloc(pageHeaderBytes + segments + payload.length);
    out.write('OggS', 0, 'latin1');
    out[5] = flags;
    out.writeBigUInt64LE(granule, 6);
    out.writeUInt32LE(serial, 14);
    out.writeUInt32LE(sequence++, 18);
    out[26] = segments;
    out.fill(lacingSegmentBytes, pageHeaderBytes, pageHeaderBytes + segments - 1);
    out[pageHeaderBytes + segments - 1] = payload.length % lacingSegmentBytes;
    payload.copy(out, pageHeaderBytes + segments);
    out.writeUInt32LE(oggChecksum(out), 22);
    return out;
  }

  return {
    header() {
      return Buffer.concat([page(identification(channels), flagFirstPage), page(comments(), 0)]);
    },
    page(packet, samples) {
      granule += BigInt(samples);
      return page(packet, 0);
    },
  };
}

function identification(channels: number): Buffer {
  const head = Buffer.alloc(19);
  head.write('OpusHead', 0, 'latin1');
  head[8] = 1;
  head[9] = channels;
  head.writeUInt32LE(opusSampleRate, 12);
  return head;
}

function comments(): Buffer {
  const tags = Buffer.alloc(16);
  tags.write('OpusTags', 0, 'latin1');
  return tags;
}

const checksumTable = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index << 24;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 0x80000000 ? (value << 1) ^ 0x04c11db7 : value << 1;
  }
  return value >>> 0;
});

/** CRC-32 as Ogg has it: not reflected, starting at zero. */
function oggChecksum(bytes: Buffer): number {
  let value = 0;
  for (const byte of bytes) {
    value = ((value << 8) ^ (checksumTable[((value >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
  }
  return value;
}
