// RTP sender for tests: packetises coded media as a publisher's browser would (RFC 6184, 7741, 7587).
import type { TapTrack } from '#contract';

const payloadBytesMax = 1_100;

/** What identifies one stream of packets. */
export interface RtpStream {
  payloadType: number;
  ssrc: number;
  clockRate: number;
  sequence: number;
  /** RTP timestamp of media time zero; 32 bits, wraps. */
  timestampBase: number;
}

function rtp(stream: RtpStream, timestamp: number, marker: boolean, payload: Buffer): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = stream.payloadType | (marker ? 0x80 : 0);
  header.writeUInt16BE(stream.sequence & 0xffff, 2);
  header.writeUInt32BE(timestamp >>> 0, 4);
  header.writeUInt32BE(stream.ssrc, 8);
  stream.sequence = (stream.sequence + 1) & 0xffff;
  return Buffer.concat([header, payload]);
}

export function timestampAt(stream: RtpStream, mediaSeconds: number): number {
  return (stream.timestampBase + Math.round(mediaSeconds * stream.clockRate)) % 2 ** 32;
}

/** An access unit: parameter sets together in a STAP-A, slices alone or in FU-As. */
export function h264Packets(stream: RtpStream, nals: Buffer[], mediaSeconds: number): Buffer[] {
  const timestamp = timestampAt(stream, mediaSeconds);
  const isSet = (nal: Buffer) => [7, 8].includes(nal.readUInt8(0) & 0x1f);
  const payloads: Buffer[] = [];
  const sets = nals.filter(isSet);
  if (sets.length > 0) {
    payloads.push(Buffer.concat([Buffer.from([24 | 0x60]), ...sets.flatMap(withLength)]));
  }
  for (const nal of nals.filter((each) => !isSet(each))) payloads.push(...fragments(nal));
  return payloads.map((payload, index) =>
    rtp(stream, timestamp, index === payloads.length - 1, payload),
  );
}

function withLength(nal: Buffer): Buffer[] {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(nal.length);
  return [length, nal];
}

function fragments(nal: Buffer): Buffer[] {
  if (nal.length <= payloadBytesMax) return [nal];
  const head = nal.readUInt8(0);
  const out: Buffer[] = [];
  for (let at = 1; at < nal.length; at += payloadBytesMax) {
    const start = at === 1 ? 0x80 : 0;
    const end = at + payloadBytesMax >= nal.length ? 0x40 : 0;
    const header = Buffer.from([(head & 0xe0) | 28, start | end | (head & 0x1f)]);
    out.push(Buffer.concat([header, nal.subarray(at, at + payloadBytesMax)]));
  }
  return out;
}

export function vp8Packets(
  stream: RtpStream,
  frame: Buffer,
  pictureId: number,
  mediaSeconds: number,
): Buffer[] {
  const timestamp = timestampAt(stream, mediaSeconds);
  const out: Buffer[] = [];
  for (let at = 0; at < frame.length; at += payloadBytesMax) {
    const descriptor = Buffer.from([at === 0 ? 0x90 : 0x80, 0x80, 0x80, 0]);
    descriptor.writeUInt16BE(0x8000 | (pictureId & 0x7fff), 2);
    const payload = Buffer.concat([descriptor, frame.subarray(at, at + payloadBytesMax)]);
    out.push(rtp(stream, timestamp, at + payloadBytesMax >= frame.length, payload));
  }
  return out;
}

export function opusPacketRtp(stream: RtpStream, packet: Buffer, mediaSeconds: number): Buffer {
  return rtp(stream, timestampAt(stream, mediaSeconds), false, packet);
}

/** A sender report: at `wallMs` the sender was capturing media time `mediaSeconds`. */
export function senderReport(stream: RtpStream, wallMs: number, mediaSeconds: number): Buffer {
  const report = Buffer.alloc(28);
  report[0] = 0x80;
  report[1] = 200;
  report.writeUInt16BE(6, 2);
  report.writeUInt32BE(stream.ssrc, 4);
  report.writeUInt32BE(Math.floor(wallMs / 1_000) + 2_208_988_800, 8);
  report.writeUInt32BE(Math.floor(((wallMs % 1_000) / 1_000) * 2 ** 32), 12);
  report.writeUInt32BE(timestampAt(stream, mediaSeconds), 16);
  return report;
}

/** The stream as an SFU would describe it in its answer to `tap.open`. */
export function tapTrackOf(
  stream: RtpStream,
  track: Pick<TapTrack, 'kind' | 'source' | 'port' | 'mimeType' | 'spatialLayer'>,
): TapTrack {
  return {
    ...track,
    payloadType: stream.payloadType,
    ssrc: stream.ssrc,
    clockRate: stream.clockRate,
    channels: track.kind === 'audio' ? 2 : 1,
    parameters: {},
  };
}
