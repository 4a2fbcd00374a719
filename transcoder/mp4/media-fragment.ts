// Media fragment: one `moof` and `mdat`, which is one CMAF chunk and one HLS partial segment.
import { box, fullBox, u32 } from './box.ts';
import { trackId } from './init-segment.ts';

export interface Sample {
  /** The sample's bytes, in pieces. */
  chunks: readonly Buffer[];
  bytes: number;
  /** In units of the track's timescale. */
  durationTicks: number;
  /** True when decoding can begin here. */
  sync: boolean;
}

// ISO/IEC 14496-12, 8.8.3.1: sample_depends_on 2 (on nothing), or 1 with sample_is_non_sync_sample.
const flagsSync = 0x02000000;
const flagsNonSync = 0x01010000;

const tfhdDefaultBaseIsMoof = 0x020000;
const trunDataOffset = 0x000001;
const trunSampleDuration = 0x000100;
const trunSampleSize = 0x000200;
const trunSampleFlags = 0x000400;

/** `startTicks` is the decode time of the first sample (`tfdt`). No sample is reordered. */
export function mediaFragment(
  sequence: number,
  startTicks: number,
  samples: readonly Sample[],
): Buffer {
  const entries = Buffer.allocUnsafe(samples.length * 12);
  const data: Buffer[] = [];
  let dataBytes = 0;
  samples.forEach((sample, index) => {
    entries.writeUInt32BE(sample.durationTicks, index * 12);
    entries.writeUInt32BE(sample.bytes, index * 12 + 4);
    entries.writeUInt32BE(sample.sync ? flagsSync : flagsNonSync, index * 12 + 8);
    data.push(...sample.chunks);
    dataBytes += sample.bytes;
  });
  const head = fragmentHeader(sequence, startTicks, samples.length, entries);
  const mdat = u32(dataBytes + 8, 0x6d646174);
  return Buffer.concat([head, mdat, ...data], head.length + mdat.length + dataBytes);
}

function fragmentHeader(
  sequence: number,
  startTicks: number,
  sampleCount: number,
  entries: Buffer,
): Buffer {
  const decodeTime = Buffer.allocUnsafe(8);
  decodeTime.writeBigUInt64BE(BigInt(startTicks));
  const build = (dataOffset: number) =>
    box(
      'moof',
      fullBox('mfhd', 0, 0, u32(sequence)),
      box(
        'traf',
        fullBox('tfhd', 0, tfhdDefaultBaseIsMoof, u32(trackId)),
        fullBox('tfdt', 1, 0, decodeTime),
        fullBox(
          'trun',
          0,
          trunDataOffset | trunSampleDuration | trunSampleSize | trunSampleFlags,
          u32(sampleCount, dataOffset),
          entries,
        ),
      ),
    );
  const moof = build(0);
  // The data offset is the last field before the entries; it points behind the mdat header.
  moof.writeUInt32BE(moof.length + 8, moof.length - entries.length - 4);
  return moof;
}
