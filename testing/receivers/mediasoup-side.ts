// Receivers and mediasoup: what each tells the other, in mediasoup's own objects.
import type { DtlsParameters, RtpCapabilities } from 'mediasoup/types';
import { z } from 'zod';
import { routerRtpCapabilities } from '../../sfu-cluster/media/codecs.ts';
import type { Receivers, ServerSide } from './receivers.ts';

const TransportSide = z.object({
  iceParameters: z.object({ usernameFragment: z.string(), password: z.string() }),
  iceCandidates: z.array(
    z.object({ protocol: z.enum(['udp', 'tcp']), address: z.string(), port: z.int() }),
  ),
  dtlsParameters: z.object({
    fingerprints: z.array(z.object({ algorithm: z.string(), value: z.string() })),
  }),
});

/** What is to be known of a transport, taken from the transport or from what a room says of it. */
export function serverSideOf(transport: unknown): ServerSide {
  const { iceParameters, iceCandidates, dtlsParameters } = TransportSide.parse(transport);
  const candidate = iceCandidates.find(({ protocol }) => protocol === 'udp');
  const fingerprint = dtlsParameters.fingerprints.find(({ algorithm }) => algorithm === 'sha-256');
  if (!candidate || !fingerprint) throw new Error('the transport has no UDP or no SHA-256');
  const { address, port } = candidate;
  return { ...iceParameters, address, port, fingerprint: fingerprint.value };
}

export function dtlsParametersOf(receivers: Receivers): DtlsParameters {
  const fingerprint = { algorithm: 'sha-256' as const, value: receivers.fingerprint };
  return { role: 'client', fingerprints: [fingerprint] };
}

/**
 * The codecs of the room with the feedback that every WebRTC server knows: lost packets and keyframes. No
 * congestion control and no header extensions, which Janus does not have for its viewers either.
 */
export const receiverRtpCapabilities: RtpCapabilities = {
  codecs: (routerRtpCapabilities.codecs ?? [])
    .filter(({ mimeType }) => ['audio/opus', 'video/H264'].includes(mimeType))
    .map((codec) => ({
      ...codec,
      rtcpFeedback: (codec.rtcpFeedback ?? []).filter(({ type }) => ['nack', 'ccm'].includes(type)),
    })),
  headerExtensions: [],
};
