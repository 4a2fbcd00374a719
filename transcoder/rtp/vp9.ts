// VP9 depacketiser (RFC 9628): RTP payloads in, whole pictures out, with all the layers that each has.
import {
  type Depacketiser,
  type DepacketiserEvents,
  type ForeignPicture,
  pictureBytesMax,
  piecesMax,
} from './picture.ts';

type Size = NonNullable<ForeignPicture['size']>;

interface Piece {
  data: Buffer;
  layer: number;
  /** The first of its layer's frame. */
  startsFrame: boolean;
  /** It refers to earlier pictures. */
  isPredicted: boolean;
  /** By layer, where the descriptor tells them. */
  sizes: Size[] | null;
}

/** After a loss it stays silent until a keyframe. */
export function createVp9Depacketiser(events: DepacketiserEvents<ForeignPicture>): Depacketiser {
  let chunks: Buffer[] = [];
  let bytes = 0;
  let timestamp: number | null = null;
  let isKey = false;
  let topLayer = 0;
  let sizes: Size[] | null = null;
  let damaged = false;
  let waitsForKey = true;

  function damage(): void {
    damaged = true;
    chunks = [];
    if (waitsForKey) return;
    waitsForKey = true;
    events.onLoss();
  }

  function finish(): void {
    if (timestamp !== null && chunks.length > 0 && !damaged) {
      const size = isKey ? (sizes?.[topLayer] ?? sizes?.at(-1) ?? null) : null;
      if (isKey && size) waitsForKey = false;
      if (!waitsForKey) events.onPicture({ chunks, bytes, key: isKey, timestamp, size });
    }
    chunks = [];
    bytes = 0;
    timestamp = null;
    sizes = null;
    damaged = false;
  }

  return {
    push(packet, lost) {
      if (lost > 0) damage();
      if (timestamp !== null && packet.timestamp !== timestamp) {
        // The last packet of the picture before is missing its marker: it cannot be whole.
        damage();
        finish();
      }
      const piece = readPiece(packet.payload);
      if (!piece) return;
      if (timestamp === null) {
        damaged = !piece.startsFrame;
        isKey = piece.layer === 0 && !piece.isPredicted;
      }
      if (damaged) damage();
      timestamp = packet.timestamp;
      topLayer = piece.layer;
      sizes ??= piece.sizes;
      chunks.push(piece.data);
      bytes += piece.data.length;
      if (bytes > pictureBytesMax || chunks.length > piecesMax) damage();
      if (packet.marker) finish();
    },
  };
}

const referencesMax = 3;

/** Strips the payload descriptor (section 4.2); null for payloads that carry no picture data. */
function readPiece(payload: Buffer): Piece | null {
  const first = payload[0];
  if (first === undefined) return null;
  const isFlexible = (first & 0x10) !== 0;
  const isPredicted = (first & 0x40) !== 0;
  let at = 1;
  let layer = 0;
  let sizes: Size[] | null = null;
  if (first & 0x80) at += (payload[at] ?? 0) & 0x80 ? 2 : 1;
  if (first & 0x20) {
    layer = ((payload[at] ?? 0) >> 1) & 0x07;
    at += isFlexible ? 1 : 2;
  }
  if (isFlexible && isPredicted) {
    for (let count = 1; (payload[at++] ?? 0) & 1 && count < referencesMax; count += 1);
  }
  if (first & 0x02) {
    const structure = readStructure(payload, at);
    if (!structure) return null;
    ({ at, sizes } = structure);
  }
  if (at >= payload.length) return null;
  const data = payload.subarray(at);
  return { data, layer, startsFrame: (first & 0x08) !== 0, isPredicted, sizes };
}

/** The scalability structure: how large the layers are, and which pictures refer to which. */
function readStructure(payload: Buffer, from: number): { at: number; sizes: Size[] | null } | null {
  let at = from;
  const head = payload[at++] ?? 0;
  let sizes: Size[] | null = null;
  if (head & 0x10) {
    const layers = (head >> 5) + 1;
    if (at + layers * 4 > payload.length) return null;
    sizes = Array.from({ length: layers }, (_, layer) => ({
      width: payload.readUInt16BE(at + layer * 4),
      height: payload.readUInt16BE(at + layer * 4 + 2),
    }));
    at += layers * 4;
    if (sizes.some(({ width, height }) => width === 0 || height === 0)) return null;
  }
  if (head & 0x08) {
    const pictures = payload[at++] ?? 0;
    for (let picture = 0; picture < pictures && at < payload.length; picture += 1) {
      at += 1 + (((payload[at] ?? 0) >> 2) & 0x03);
    }
  }
  return { at, sizes };
}
