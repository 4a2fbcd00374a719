// ADTS reader: cuts the encoder's byte stream into AAC frames (ISO/IEC 13818-7, annex B).

/** Samples in one AAC frame. */
export const aacFrameSamples = 1_024;

const headerBytes = 7;
const checksumBytes = 2;
const sampleRates = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000,
];

export interface AacConfig {
  /** AudioSpecificConfig (ISO/IEC 14496-3), as an MP4 file wants it. */
  specificConfig: Buffer;
  sampleRate: number;
  channels: number;
}

export interface AdtsReader {
  /** Takes bytes as they come; whole frames leave through `onFrame`, without their headers. */
  push(bytes: Buffer): void;
}

/** Throws from `push` when the bytes are not ADTS: the encoder is broken. */
export function createAdtsReader(onFrame: (frame: Buffer, config: AacConfig) => void): AdtsReader {
  let rest: Buffer = Buffer.alloc(0);
  let config: AacConfig | null = null;

  return {
    push(bytes) {
      let buffer = rest.length === 0 ? bytes : Buffer.concat([rest, bytes]);
      for (;;) {
        if (buffer.length < headerBytes) break;
        if (buffer.readUInt16BE(0) >> 4 !== 0xfff) throw new Error('not an ADTS stream');
        const frameBytes = (buffer.readUInt32BE(3) >> 13) & 0x1fff;
        const skip = headerBytes + ((buffer.readUInt8(1) & 1) === 0 ? checksumBytes : 0);
        if (frameBytes < skip) throw new Error('impossible ADTS frame length');
        if (buffer.length < frameBytes) break;
        config ??= readConfig(buffer);
        onFrame(buffer.subarray(skip, frameBytes), config);
        buffer = buffer.subarray(frameBytes);
      }
      rest = buffer;
    },
  };
}

function readConfig(header: Buffer): AacConfig {
  const bits = header.readUInt16BE(2);
  const objectType = (bits >> 14) + 1;
  const rateIndex = (bits >> 10) & 0xf;
  const channels = (bits >> 6) & 7;
  const sampleRate = sampleRates[rateIndex];
  if (sampleRate === undefined) throw new Error('unknown ADTS sample rate');
  const specificConfig = Buffer.alloc(2);
  specificConfig.writeUInt16BE((objectType << 11) | (rateIndex << 7) | (channels << 3));
  return { specificConfig, sampleRate, channels };
}
