// AVC configuration: the parameter sets of an H.264 track, as an MP4 file and a playlist name them.
import { readSps } from './h264-sps.ts';

export interface AvcConfig {
  /** AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1). */
  record: Buffer;
  /** RFC 6381 name, such as `avc1.42e01f`. */
  codec: string;
  width: number;
  height: number;
}

/** Builds the configuration of one SPS and its PPSs; null when the SPS cannot be read. */
export function avcConfigOf(sps: Buffer, pictureSets: readonly Buffer[]): AvcConfig | null {
  const parameters = readSps(sps);
  if (!parameters || pictureSets.length === 0) return null;
  const record = Buffer.concat([
    Buffer.from([1]),
    sps.subarray(1, 4),
    // Four-byte NAL lengths, one SPS.
    Buffer.from([0xff, 0xe1]),
    withLength(sps),
    Buffer.from([pictureSets.length]),
    ...pictureSets.map(withLength),
    highProfileExtension(parameters.profileIdc),
  ]);
  return {
    record,
    codec: `avc1.${sps.toString('hex', 1, 4)}`,
    width: parameters.width,
    height: parameters.height,
  };
}

/** Reads a finished record back, as an encoder hands it over; null when it is malformed. */
export function avcConfigOfRecord(record: Buffer): AvcConfig | null {
  const sets = parameterSetsOf(record);
  const sps = sets?.[0];
  const parameters = sps && readSps(sps);
  if (!parameters) return null;
  return {
    record,
    codec: `avc1.${record.toString('hex', 1, 4)}`,
    width: parameters.width,
    height: parameters.height,
  };
}

/** All parameter sets of a record, SPS first; null when it is malformed. */
export function parameterSetsOf(record: Buffer): Buffer[] | null {
  const sets: Buffer[] = [];
  let at = 5;
  for (const mask of [0x1f, 0xff]) {
    const count = (record[at++] ?? 0) & mask;
    for (let index = 0; index < count; index++) {
      if (at + 2 > record.length) return null;
      const length = record.readUInt16BE(at);
      at += 2;
      if (at + length > record.length) return null;
      sets.push(record.subarray(at, at + length));
      at += length;
    }
  }
  return sets.length > 0 ? sets : null;
}

/** The NAL units of a picture in AVCC form (four-byte lengths); what is cut short is left out. */
export function avccNals(picture: Buffer): Buffer[] {
  const nals: Buffer[] = [];
  for (let at = 0; at + 4 <= picture.length; ) {
    const end = at + 4 + picture.readUInt32BE(at);
    if (end > picture.length) break;
    nals.push(picture.subarray(at + 4, end));
    at = end;
  }
  return nals;
}

function withLength(nal: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(nal.length);
  return Buffer.concat([length, nal]);
}

/** High profiles name chroma format and bit depth: 4:2:0 and 8 bits, the only ones that browsers play. */
function highProfileExtension(profileIdc: number): Buffer {
  return [100, 110, 122, 144].includes(profileIdc)
    ? Buffer.from([0xfd, 0xf8, 0xf8, 0])
    : Buffer.alloc(0);
}
