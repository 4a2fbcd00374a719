// A publisher for tests without a browser: H.264 layers and Opus as hand-made RTP packets.
import type { DirectTransport, Producer } from 'mediasoup/types';
import type { RoomMedia } from '../media/room-media.ts';
import type { Room } from '../room.ts';

const layerNames = ['low', 'middle', 'high'];
const packetIntervalMs = 20;
/** Sender reports tell the capture times by which a viewer can be moved from layer to layer. */
const packetsPerReport = 10;
/** From 1900, where NTP counts from, to 1970. */
const ntpEpochSeconds = 2_208_988_800;
/** Single NAL unit packets: a sequence parameter set opens a keyframe, a slice is any other frame. */
const nalParameterSet = 0x67;
const nalSlice = 0x41;

export interface RtpSource {
  video: Producer | null;
  audio: Producer | null;
  /** Keyframe requests that the publisher was sent, over all layers. */
  keyframeRequests: number;
  close(): void;
}

/** RTP parameters as a browser would send them for `layers` H.264 layers. */
export function h264Parameters(ssrcs: number[]) {
  return {
    mid: 'v',
    codecs: [
      {
        mimeType: 'video/H264',
        payloadType: 109,
        clockRate: 90_000,
        parameters: {
          'packetization-mode': 1,
          'profile-level-id': '42e01f',
          'level-asymmetry-allowed': 1,
        },
        rtcpFeedback: [
          { type: 'nack' },
          { type: 'nack', parameter: 'pli' },
          { type: 'ccm', parameter: 'fir' },
        ],
      },
    ],
    headerExtensions: [],
    encodings: ssrcs.map((ssrc) => ({ ssrc, scalabilityMode: 'L1T1' })),
    rtcp: { cname: 'test' },
  };
}

/** The same for VP9 with so many layers inside one stream. */
export function vp9Parameters(ssrc: number, scalabilityMode: string) {
  const { codecs, encodings: _, ...rest } = h264Parameters([]);
  const vp9 = { mimeType: 'video/VP9', payloadType: 110, parameters: { 'profile-id': 0 } };
  return {
    ...rest,
    codecs: codecs.map((codec) => ({ ...codec, ...vp9 })),
    encodings: [{ ssrc, scalabilityMode }],
  };
}

export function opusParameters(ssrc: number) {
  return {
    mid: 'a',
    codecs: [
      {
        mimeType: 'audio/opus',
        payloadType: 111,
        clockRate: 48_000,
        channels: 2,
        parameters: { useinbandfec: 1 },
        rtcpFeedback: [],
      },
    ],
    headerExtensions: [],
    encodings: [{ ssrc }],
    rtcp: { cname: 'test' },
  };
}

/** Whoever publishes without a socket in these tests. */
export const testHost = { id: 'host', name: 'Host', isHost: true } as const;

/**
 * Publishes into a room of a node in this process, and sends until it is closed. The payload's
 * second byte is the layer, so that a receiver can tell which one it got.
 */
export async function publishRtp(room: Room, layers: number): Promise<RtpSource> {
  const media = await room.media();
  const transport = await directTransport(media);
  const videoSsrcs = layerNames.slice(0, layers).map((_, layer) => 1_000 + layer);
  const source: RtpSource = {
    audio: await media.publish(transport, {
      source: 'microphone',
      owner: testHost,
      kind: 'audio',
      rtpParameters: opusParameters(2_000),
    }),
    video:
      layers === 0
        ? null
        : await media.publish(transport, {
            source: 'camera',
            owner: testHost,
            kind: 'video',
            rtpParameters: h264Parameters(videoSsrcs),
          }),
    keyframeRequests: 0,
    close() {
      clearInterval(timer);
      transport.close();
    },
  };
  const keyframeDue = new Set(videoSsrcs);
  source.video?.on('trace', ({ type }) => {
    if (type !== 'pli') return;
    source.keyframeRequests += 1;
    for (const ssrc of videoSsrcs) keyframeDue.add(ssrc);
  });
  let sequence = 0;
  const timer = setInterval(() => {
    sequence += 1;
    for (const [layer, ssrc] of videoSsrcs.entries()) {
      const nal = keyframeDue.delete(ssrc) ? nalParameterSet : nalSlice;
      const payload = Buffer.from([nal, layer, 0, 0, 0, 0]);
      const timestamp = sequence * packetIntervalMs * 90;
      source.video?.send(rtpPacket({ payloadType: 109, ssrc, sequence, timestamp, payload }));
      if (sequence % packetsPerReport === 1) transport.sendRtcp(senderReport(ssrc, timestamp));
    }
    const timestamp = sequence * packetIntervalMs * 48;
    const payload = Buffer.from([0xfc, 0xff, 0xfe]);
    source.audio?.send(rtpPacket({ payloadType: 111, ssrc: 2_000, sequence, timestamp, payload }));
  }, packetIntervalMs);
  return source;
}

async function directTransport(media: RoomMedia): Promise<DirectTransport> {
  return media.home.router.createDirectTransport();
}

function rtpPacket(packet: {
  payloadType: number;
  ssrc: number;
  sequence: number;
  timestamp: number;
  payload: Buffer;
}): Buffer {
  const header = Buffer.alloc(12);
  header[0] = 0x80;
  header[1] = 0x80 | packet.payloadType;
  header.writeUInt16BE(packet.sequence & 0xffff, 2);
  header.writeUInt32BE(packet.timestamp >>> 0, 4);
  header.writeUInt32BE(packet.ssrc, 8);
  return Buffer.concat([header, packet.payload]);
}

/** RFC 3550, section 6.4.1, without reception reports. */
function senderReport(ssrc: number, timestamp: number): Buffer {
  const report = Buffer.alloc(28);
  const seconds = Date.now() / 1_000 + ntpEpochSeconds;
  report.writeUInt8(0x80, 0);
  report.writeUInt8(200, 1);
  report.writeUInt16BE(report.length / 4 - 1, 2);
  report.writeUInt32BE(ssrc, 4);
  report.writeUInt32BE(Math.floor(seconds), 8);
  report.writeUInt32BE(Math.floor((seconds % 1) * 2 ** 32), 12);
  report.writeUInt32BE(timestamp >>> 0, 16);
  return report;
}
