// VP8 depacketiser (RFC 7741): RTP payloads in, whole frames out.
import {
  type Depacketiser,
  type DepacketiserEvents,
  type ForeignPicture,
  pictureBytesMax,
  piecesMax,
} from './picture.ts';

const keyframeHeaderBytes = 10;

/** After a loss it stays silent until a keyframe. */
export function createVp8Depacketiser(events: DepacketiserEvents<ForeignPicture>): Depacketiser {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let timestamp: number | null = null;
  let damaged = false;
  let waitsForKey = true;

  function reset(): void {
    chunks = [];
    bytes = 0;
    timestamp = null;
    damaged = false;
  }

  function damage(): void {
    damaged = true;
    chunks = [];
    if (waitsForKey) return;
    waitsForKey = true;
    events.onLoss();
  }

  function finish(): void {
    const first = chunks[0];
    if (timestamp !== null && first && !damaged) {
      const key = ((first[0] ?? 1) & 1) === 0;
      const size = key ? keyframeSize(Buffer.concat(chunks.slice(0, 2))) : null;
      if (key && size) waitsForKey = false;
      if (!waitsForKey) events.onPicture({ chunks, bytes, key, timestamp, size });
    }
    reset();
  }

  return {
    push(packet, lost) {
      if (lost > 0) damage();
      if (timestamp !== null && packet.timestamp !== timestamp) {
        // The last packet of the frame before is missing its marker: it cannot be whole.
        damage();
        finish();
      }
      const body = readDescriptor(packet.payload);
      if (!body) return;
      if (timestamp === null) damaged = !body.startsFrame;
      if (damaged) damage();
      timestamp = packet.timestamp;
      chunks.push(body.data);
      bytes += body.data.length;
      if (bytes > pictureBytesMax || chunks.length > piecesMax) damage();
      if (packet.marker) finish();
    },
  };
}

/** Strips the payload descriptor; null for payloads that carry no picture data. */
function readDescriptor(payload: Buffer): { data: Buffer; startsFrame: boolean } | null {
  const first = payload[0];
  if (first === undefined) return null;
  let at = 1;
  if (first & 0x80) {
    const extensions = payload[at++] ?? 0;
    if (extensions & 0x80) at += (payload[at] ?? 0) & 0x80 ? 2 : 1;
    if (extensions & 0x40) at += 1;
    if (extensions & 0x30) at += 1;
  }
  if (at >= payload.length) return null;
  // A frame starts where a partition starts (S) and the partition is the first (PID 0).
  return { data: payload.subarray(at), startsFrame: (first & 0x17) === 0x10 };
}

/** RFC 6386, section 9.1. */
function keyframeSize(frame: Buffer): { width: number; height: number } | null {
  if (frame.length < keyframeHeaderBytes || frame.readUIntBE(3, 3) !== 0x9d012a) return null;
  const width = frame.readUInt16LE(6) & 0x3fff;
  const height = frame.readUInt16LE(8) & 0x3fff;
  return width > 0 && height > 0 ? { width, height } : null;
}
