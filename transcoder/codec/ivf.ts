// IVF writer: the small container in which coded pictures reach the encoder process.

const fileHeaderBytes = 32;
const frameHeaderBytes = 12;

export type IvfCodec = 'VP80' | 'VP90' | 'AV01';

/** The header of an IVF stream whose timestamps count milliseconds. */
export function ivfHeader(codec: IvfCodec, width: number, height: number): Buffer {
  const header = Buffer.alloc(fileHeaderBytes);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(fileHeaderBytes, 6);
  header.write(codec, 8, 'latin1');
  header.writeUInt16LE(width, 12);
  header.writeUInt16LE(height, 14);
  header.writeUInt32LE(1_000, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

/** One frame with its timestamp. */
export function ivfFrame(frame: Buffer, timestampMs: number): Buffer {
  const header = Buffer.alloc(frameHeaderBytes);
  header.writeUInt32LE(frame.length, 0);
  header.writeBigUInt64LE(BigInt(timestampMs), 4);
  return Buffer.concat([header, frame]);
}
