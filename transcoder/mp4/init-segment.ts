// Init segment: the `ftyp` and `moov` that tell a player how to decode a track (CMAF, ISO/IEC 23000-19).
import type { AacConfig } from '../codec/adts.ts';
import type { AvcConfig } from '../codec/avc-config.ts';
import { ascii, box, fullBox, u8, u16, u32, zeros } from './box.ts';

/** Every init segment carries one track, so they can all have the same number. */
export const trackId = 1;
export const videoTimescale = 90_000;

const unityMatrix = u32(0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000);
const languageUndetermined = 0x55c4;

export function videoInitSegment(config: AvcConfig): Buffer {
  const { width, height } = config;
  const sampleEntry = box(
    'avc1',
    zeros(6),
    u16(1),
    zeros(16),
    u16(width, height),
    u32(0x480000, 0x480000, 0),
    u16(1),
    zeros(32),
    u16(0x18, 0xffff),
    box('avcC', config.record),
    box('pasp', u32(1, 1)),
  );
  return initSegment({
    timescale: videoTimescale,
    handler: 'vide',
    mediaHeader: fullBox('vmhd', 0, 1, zeros(8)),
    sampleEntry,
    volume: 0,
    width,
    height,
  });
}

export function audioInitSegment(config: AacConfig): Buffer {
  const sampleEntry = box(
    'mp4a',
    zeros(6),
    u16(1),
    zeros(8),
    u16(config.channels, 16),
    zeros(4),
    u16(config.sampleRate, 0),
    elementaryStreamDescriptor(config.specificConfig),
  );
  return initSegment({
    timescale: config.sampleRate,
    handler: 'soun',
    mediaHeader: fullBox('smhd', 0, 0, zeros(4)),
    sampleEntry,
    volume: 0x100,
    width: 0,
    height: 0,
  });
}

interface TrackShape {
  timescale: number;
  handler: 'vide' | 'soun';
  mediaHeader: Buffer;
  sampleEntry: Buffer;
  volume: number;
  width: number;
  height: number;
}

function initSegment(shape: TrackShape): Buffer {
  return Buffer.concat([
    box('ftyp', ascii('iso6'), u32(1), ascii('iso6'), ascii('cmfc'), ascii('mp41')),
    box(
      'moov',
      movieHeader(),
      track(shape),
      box('mvex', fullBox('trex', 0, 0, u32(trackId, 1, 0, 0, 0))),
    ),
  ]);
}

function movieHeader(): Buffer {
  return fullBox(
    'mvhd',
    0,
    0,
    u32(0, 0, 1_000, 0, 0x10000),
    u16(0x100),
    zeros(10),
    unityMatrix,
    zeros(24),
    u32(trackId + 1),
  );
}

function track(shape: TrackShape): Buffer {
  // Flags: enabled, in movie, in preview.
  const header = fullBox(
    'tkhd',
    0,
    7,
    u32(0, 0, trackId, 0, 0),
    zeros(8),
    u16(0, 0, shape.volume, 0),
    unityMatrix,
    u32(shape.width * 0x10000, shape.height * 0x10000),
  );
  return box('trak', header, media(shape));
}

function media(shape: TrackShape): Buffer {
  const header = fullBox('mdhd', 0, 0, u32(0, 0, shape.timescale, 0), u16(languageUndetermined, 0));
  const handler = fullBox(
    'hdlr',
    0,
    0,
    u32(0),
    ascii(shape.handler),
    zeros(12),
    ascii(shape.handler === 'vide' ? 'video\0' : 'audio\0'),
  );
  // Flag 1: the media lies in the same file.
  const dataReference = box('dinf', fullBox('dref', 0, 0, u32(1), fullBox('url ', 0, 1)));
  const sampleTable = box(
    'stbl',
    fullBox('stsd', 0, 0, u32(1), shape.sampleEntry),
    fullBox('stts', 0, 0, u32(0)),
    fullBox('stsc', 0, 0, u32(0)),
    fullBox('stsz', 0, 0, u32(0, 0)),
    fullBox('stco', 0, 0, u32(0)),
  );
  return box('mdia', header, handler, box('minf', shape.mediaHeader, dataReference, sampleTable));
}

/** ISO/IEC 14496-1, 7.2.6: ES descriptor, decoder configuration, decoder specific info, SL configuration. */
function elementaryStreamDescriptor(specificConfig: Buffer): Buffer {
  const decoderSpecific = descriptor(0x05, specificConfig);
  // Object type 0x40 is MPEG-4 audio, stream type 0x15 is audio; buffer size and bit rates unknown.
  const decoderConfig = descriptor(0x04, u8(0x40, 0x15, 0, 0, 0), u32(0, 0), decoderSpecific);
  return fullBox(
    'esds',
    0,
    0,
    descriptor(0x03, u16(trackId), u8(0), decoderConfig, descriptor(0x06, u8(2))),
  );
}

function descriptor(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([u8(tag, body.length), body]);
}
