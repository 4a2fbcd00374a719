// The codecs that every router speaks, with fixed payload types, so that all routers are alike.
import { ortc } from 'mediasoup';
import type { RouterRtpCodecCapability, RtpCapabilities } from 'mediasoup/types';

/**
 * H.264 comes first: the transcoder packages it as it is. Constrained baseline is the one profile
 * that every browser sends and takes; packetization mode 1 is what simulcast encoders use.
 * Opus asks its senders for stereo and for in-band error correction.
 */
export const mediaCodecs: RouterRtpCodecCapability[] = [
  {
    kind: 'audio',
    mimeType: 'audio/opus',
    preferredPayloadType: 100,
    clockRate: 48_000,
    channels: 2,
    parameters: { minptime: 10, useinbandfec: 1, stereo: 1, 'sprop-stereo': 1 },
  },
  {
    kind: 'video',
    mimeType: 'video/H264',
    preferredPayloadType: 101,
    clockRate: 90_000,
    parameters: {
      'packetization-mode': 1,
      'profile-level-id': '42e01f',
      'level-asymmetry-allowed': 1,
    },
  },
  { kind: 'video', mimeType: 'video/VP8', preferredPayloadType: 103, clockRate: 90_000 },
  {
    kind: 'video',
    mimeType: 'video/VP9',
    preferredPayloadType: 105,
    clockRate: 90_000,
    parameters: { 'profile-id': 0 },
  },
  { kind: 'video', mimeType: 'video/AV1', preferredPayloadType: 107, clockRate: 90_000 },
];

/** What a router with these codecs can do; known before any router is made. */
export const routerRtpCapabilities: RtpCapabilities =
  ortc.generateRouterRtpCapabilities(mediaCodecs);

/**
 * What a tap receives: the bare packets of each codec. No retransmission, and no congestion
 * control, which would make the node choose another layer than the one asked for.
 */
export const tapRtpCapabilities: RtpCapabilities = {
  codecs: (routerRtpCapabilities.codecs ?? [])
    .filter((codec) => !codec.mimeType.endsWith('/rtx'))
    .map((codec) => ({
      ...codec,
      rtcpFeedback: (codec.rtcpFeedback ?? []).filter(
        (feedback) => feedback.type === 'nack' && feedback.parameter === 'pli',
      ),
    })),
  headerExtensions: [],
};
