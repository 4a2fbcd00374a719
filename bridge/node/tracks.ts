// Tracks: the places in the room that a publisher's picture and sound are sent to, each with a key of its own.
import { randomBytes, randomInt } from 'node:crypto';
import type { MediaKind, MediaSource } from '#contract';
import type { RoomLink } from './room-link.ts';

/** The one suite that ffmpeg and mediasoup share (RFC 3711). */
export const srtpSuite = 'AES_CM_128_HMAC_SHA1_80';
/** The key of AES-128, and its salt. */
const srtpKeyBytes = 30;

export interface Track {
  kind: MediaKind;
  address: string;
  port: number;
  rtcpPort: number;
  ssrc: number;
  payloadType: number;
  srtpKeyBase64: string;
}

const sourceOf: Record<MediaKind, MediaSource> = { audio: 'microphone', video: 'camera' };

const codecOf = {
  audio: {
    mimeType: 'audio/opus',
    payloadType: 100,
    clockRate: 48_000,
    channels: 2,
    parameters: { stereo: 1, 'sprop-stereo': 1 },
  },
  video: {
    mimeType: 'video/H264',
    payloadType: 101,
    clockRate: 90_000,
    // What rooms speak. Players go by the picture's own parameter sets, which may say more.
    parameters: {
      'packetization-mode': 1,
      'profile-level-id': '42e01f',
      'level-asymmetry-allowed': 1,
    },
  },
} as const;

/** Publishes tracks in place of those that this link has published before. */
export function openTracks(
  link: RoomLink,
  kinds: readonly MediaKind[],
  cname: string,
): Promise<Track[]> {
  return Promise.all(kinds.map((kind) => openTrack(link, kind, cname)));
}

async function openTrack(link: RoomLink, kind: MediaKind, cname: string): Promise<Track> {
  const srtpKeyBase64 = randomBytes(srtpKeyBytes).toString('base64');
  const { transportId, address, port, rtcpPort } = await link.request('transport.plain', {
    kind,
    srtpParameters: { cryptoSuite: srtpSuite, keyBase64: srtpKeyBase64 },
  });
  // ffmpeg takes it as a signed number.
  const ssrc = randomInt(1, 2 ** 31);
  const codec = codecOf[kind];
  const rtpParameters = { codecs: [codec], encodings: [{ ssrc }], rtcp: { cname } };
  await link.request('produce', { transportId, kind, source: sourceOf[kind], rtpParameters });
  return {
    kind,
    address,
    port,
    rtcpPort,
    ssrc,
    payloadType: codec.payloadType,
    srtpKeyBase64,
  };
}
