// Opus packets: how long they last, whether they are well formed, and what silence looks like.

/** Opus over RTP always counts in 48 kHz samples (RFC 7587). */
export const opusSampleRate = 48_000;

const frameBytesMax = 1_275;
const framesPerPacketMax = 48;
const packetSamplesMax = 5_760;

export interface SilentOpus {
  packet: Buffer;
  samples: number;
}

const silence = (configuration: number, samples: number): SilentOpus => ({
  // CELT full band, stereo, one frame: the two bytes are the coder's silence flag.
  packet: Buffer.from([(configuration << 3) | 4, 0xff, 0xfe]),
  samples,
});

/** Packets of digital silence, the longest first: 20, 10, 5 and 2.5 ms. */
export const silentOpus: readonly [SilentOpus, ...SilentOpus[]] = [
  silence(31, 960),
  silence(30, 480),
  silence(29, 240),
  silence(28, 120),
];

/**
 * The samples (48 kHz) that a packet stands for, or null when it is not a well-formed packet
 * (RFC 6716, section 3). Only well-formed packets may reach a decoder: it answers each of them with
 * exactly so many samples, and drops malformed ones, which would shift all sound after them.
 */
export function opusPacketSamples(packet: Buffer): number | null {
  const toc = packet[0];
  if (toc === undefined) return null;
  const frames = frameCount(toc & 3, packet);
  if (frames === null) return null;
  const samples = frames * frameSamples(toc >> 3);
  return samples <= packetSamplesMax ? samples : null;
}

function frameCount(code: number, packet: Buffer): number | null {
  const payloadBytes = packet.length - 1;
  if (code === 0) return payloadBytes <= frameBytesMax ? 1 : null;
  if (code === 1) return payloadBytes % 2 === 0 && payloadBytes <= 2 * frameBytesMax ? 2 : null;
  if (code === 2) {
    const first = frameLength(packet, 1);
    return first && first.next + first.length <= packet.length ? 2 : null;
  }
  return arbitraryFrameCount(packet);
}

/** Code 3: a count byte, optional padding, then frames of equal or of listed sizes. */
function arbitraryFrameCount(packet: Buffer): number | null {
  const head = packet[1];
  if (head === undefined) return null;
  const count = head & 0x3f;
  if (count === 0 || count > framesPerPacketMax) return null;
  let at = 2;
  let end = packet.length;
  if (head & 0x40) {
    let byte = 255;
    while (byte === 255) {
      byte = packet[at++] ?? 256;
      if (byte > 255) return null;
      end -= byte === 255 ? 254 : byte;
    }
  }
  if (head & 0x80) {
    let bytes = 0;
    for (let index = 0; index < count - 1; index++) {
      const frame = frameLength(packet, at);
      if (!frame) return null;
      bytes += frame.length;
      at = frame.next;
    }
    return at + bytes <= end && end - at - bytes <= frameBytesMax ? count : null;
  }
  return end >= at && (end - at) % count === 0 && (end - at) / count <= frameBytesMax
    ? count
    : null;
}

function frameLength(packet: Buffer, at: number): { length: number; next: number } | null {
  const first = packet[at];
  if (first === undefined) return null;
  if (first < 252) return { length: first, next: at + 1 };
  const second = packet[at + 1];
  return second === undefined ? null : { length: first + second * 4, next: at + 2 };
}

function frameSamples(configuration: number): number {
  // SILK: 10, 20, 40, 60 ms; hybrid: 10, 20 ms; CELT: 2.5, 5, 10, 20 ms.
  if (configuration < 12) return [480, 960, 1920, 2880][configuration & 3] ?? 0;
  if (configuration < 16) return configuration & 1 ? 960 : 480;
  return 120 << (configuration & 3);
}
