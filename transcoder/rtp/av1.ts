// AV1 depacketiser (RTP Payload Format For AV1, 1.0): RTP payloads in, whole temporal units out, with all their layers.
import { createBitReader } from '../codec/bit-reader.ts';
import {
  type Depacketiser,
  type DepacketiserEvents,
  type ForeignPicture,
  pictureBytesMax,
  piecesMax,
} from './picture.ts';

const obuSequenceHeader = 1;
const obuTemporalDelimiter = 2;
const obuTileList = 8;
const extensionFlag = 0x04;
const sizeFlag = 0x02;
/** What every temporal unit begins with in a container. */
const delimiter = Buffer.from([(obuTemporalDelimiter << 3) | sizeFlag, 0]);

/** After a loss it stays silent until a keyframe. */
export function createAv1Depacketiser(events: DepacketiserEvents<ForeignPicture>): Depacketiser {
  let obus: Buffer[] = [];
  /** Of the OBU that goes on in the next packet. */
  let open: Buffer[] = [];
  let bytes = 0;
  let timestamp: number | null = null;
  let size: ForeignPicture['size'] = null;
  let damaged = false;
  let waitsForKey = true;

  function damage(): void {
    damaged = true;
    obus = [];
    open = [];
    if (waitsForKey) return;
    waitsForKey = true;
    events.onLoss();
  }

  function finish(): void {
    if (open.length > 0) damage();
    if (timestamp !== null && obus.length > 0 && !damaged) {
      if (size) waitsForKey = false;
      if (!waitsForKey) {
        const chunks = [delimiter, ...obus];
        const whole = bytes + delimiter.length;
        events.onPicture({ chunks, bytes: whole, key: size !== null, timestamp, size });
      }
    }
    obus = [];
    open = [];
    bytes = 0;
    timestamp = null;
    size = null;
    damaged = false;
  }

  function takeObu(pieces: readonly Buffer[]): void {
    const obu = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces);
    const head = obu?.[0];
    if (!obu || head === undefined) return;
    const type = (head >> 3) & 0x0f;
    if (type === obuTemporalDelimiter || type === obuTileList) return;
    const sized = withSize(obu, head);
    if (!sized) {
      damage();
      return;
    }
    // A keyframe comes with the header of its sequence.
    if (type === obuSequenceHeader) size ??= sequenceSize(sized.body);
    obus.push(...sized.chunks);
    bytes += sized.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
    if (bytes > pictureBytesMax || obus.length > piecesMax) damage();
  }

  return {
    push(packet, lost) {
      if (lost > 0) damage();
      if (timestamp !== null && packet.timestamp !== timestamp) {
        // The last packet of the unit before is missing its marker: it cannot be whole.
        damage();
        finish();
      }
      const head = packet.payload[0];
      if (head === undefined) return;
      const continues = (head & 0x80) !== 0;
      const elements = elementsOf(packet.payload, (head >> 4) & 0x03);
      if (timestamp === null) damaged = continues;
      timestamp = packet.timestamp;
      if (!elements || continues !== open.length > 0) damage();
      for (const [place, element] of (damaged ? [] : (elements ?? [])).entries()) {
        if (place === 0 && continues) open.push(element);
        else open = [element];
        const goesOn = (head & 0x40) !== 0 && place === (elements?.length ?? 0) - 1;
        if (goesOn) {
          const openBytes = open.reduce((sum, piece) => sum + piece.length, 0);
          if (openBytes > pictureBytesMax || open.length > piecesMax) damage();
          break;
        }
        const pieces = open;
        open = [];
        takeObu(pieces);
        if (damaged) break;
      }
      if (packet.marker) finish();
    },
  };
}

/** The OBUs, or pieces of them, of one payload (section 4.4); null for one that does not add up. */
function elementsOf(payload: Buffer, count: number): Buffer[] | null {
  const elements: Buffer[] = [];
  let at = 1;
  while (at < payload.length) {
    let length = payload.length - at;
    if (count === 0 || elements.length < count - 1) {
      const told = readLeb128(payload, at);
      if (!told) return null;
      at = told.at;
      length = told.value;
    }
    if (length === 0 || at + length > payload.length) return null;
    elements.push(payload.subarray(at, at + length));
    at += length;
  }
  return count === 0 || elements.length === count ? elements : null;
}

/** An OBU that tells its size, as containers need it. */
function withSize(obu: Buffer, head: number): { chunks: Buffer[]; body: Buffer } | null {
  const headBytes = head & extensionFlag ? 2 : 1;
  if (obu.length < headBytes) return null;
  if (head & sizeFlag) {
    const told = readLeb128(obu, headBytes);
    if (!told || told.at + told.value > obu.length) return null;
    return { chunks: [obu], body: obu.subarray(told.at, told.at + told.value) };
  }
  const body = obu.subarray(headBytes);
  const header = [head | sizeFlag, ...obu.subarray(1, headBytes), ...leb128(body.length)];
  return { chunks: [Buffer.from(header), body], body };
}

const leb128BytesMax = 8;

function readLeb128(bytes: Buffer, from: number): { value: number; at: number } | null {
  let value = 0;
  for (let place = 0; place < leb128BytesMax; place += 1) {
    const byte = bytes[from + place];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * place);
    if ((byte & 0x80) === 0) return { value, at: from + place + 1 };
  }
  return null;
}

function leb128(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  do {
    const low = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return bytes;
}

/** The largest picture of a sequence (AV1 specification, 5.5.1); null for a header that cannot be read. */
function sequenceSize(header: Buffer): ForeignPicture['size'] {
  try {
    const bits = createBitReader(header);
    bits.bits(3);
    bits.flag();
    const isReduced = bits.flag();
    if (isReduced) bits.bits(5);
    else skipOperatingPoints(bits);
    const widthBits = bits.bits(4) + 1;
    const heightBits = bits.bits(4) + 1;
    return { width: bits.bits(widthBits) + 1, height: bits.bits(heightBits) + 1 };
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Live encoders send no timing: with it a header would say more, and is not understood here. */
function skipOperatingPoints(bits: ReturnType<typeof createBitReader>): void {
  if (bits.flag()) throw new RangeError('timing information');
  const tellsDelay = bits.flag();
  const points = bits.bits(5) + 1;
  for (let point = 0; point < points; point += 1) {
    bits.bits(12);
    if (bits.bits(5) > 7) bits.flag();
    if (tellsDelay && bits.flag()) bits.bits(4);
  }
}
