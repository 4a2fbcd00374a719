// FLV reader: takes coded pictures out of the encoder's byte stream. Each tag says its length first,
// so a picture is known to be whole without waiting for the next one, as Annex B would demand.

const fileHeaderBytes = 9;
const previousTagSizeBytes = 4;
const tagHeaderBytes = 11;
const videoTagBytesMax = 16 * 1024 * 1024;
const tagTypeVideo = 9;
const codecAvc = 7;
const avcSequenceHeader = 0;
const avcPicture = 1;

export interface FlvReaderEvents {
  /** The decoder configuration record (`avcC`). */
  onConfig(avcConfig: Buffer): void;
  /** One access unit in AVCC form. */
  onPicture(picture: Buffer, timestampMs: number, key: boolean): void;
}

export interface FlvReader {
  push(bytes: Buffer): void;
}

/** Throws from `push` when the bytes are not FLV with H.264: the encoder is broken. */
export function createFlvReader(events: FlvReaderEvents): FlvReader {
  let rest: Buffer = Buffer.alloc(0);
  let started = false;

  return {
    push(bytes) {
      let buffer = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      if (!started) {
        if (buffer.length < fileHeaderBytes + previousTagSizeBytes) {
          rest = buffer;
          return;
        }
        if (buffer.toString('latin1', 0, 3) !== 'FLV') throw new Error('not an FLV stream');
        buffer = buffer.subarray(fileHeaderBytes + previousTagSizeBytes);
        started = true;
      }
      while (buffer.length >= tagHeaderBytes) {
        const dataBytes = buffer.readUIntBE(1, 3);
        if (dataBytes > videoTagBytesMax) throw new Error('impossible FLV tag length');
        const tagBytes = tagHeaderBytes + dataBytes + previousTagSizeBytes;
        if (buffer.length < tagBytes) break;
        if (buffer.readUInt8(0) === tagTypeVideo) {
          const timestampMs = buffer.readUIntBE(4, 3) + buffer.readUInt8(7) * 0x1000000;
          readVideo(
            buffer.subarray(tagHeaderBytes, tagHeaderBytes + dataBytes),
            timestampMs,
            events,
          );
        }
        buffer = buffer.subarray(tagBytes);
      }
      rest = buffer;
    },
  };
}

function readVideo(data: Buffer, timestampMs: number, events: FlvReaderEvents): void {
  if (data.length < 5) return;
  const head = data.readUInt8(0);
  if ((head & 0xf) !== codecAvc) throw new Error('unexpected codec in FLV');
  const packetType = data.readUInt8(1);
  if (packetType === avcSequenceHeader) events.onConfig(data.subarray(5));
  else if (packetType === avcPicture) {
    events.onPicture(data.subarray(5), timestampMs, head >> 4 === 1);
  }
}
