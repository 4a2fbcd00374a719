// Media parameters from the other side: checked for shape and size before the media library sees them.
import type {
  DtlsParameters as MediasoupDtlsParameters,
  RtpCapabilities as MediasoupRtpCapabilities,
  RtpParameters as MediasoupRtpParameters,
  SrtpParameters as MediasoupSrtpParameters,
  RtpHeaderExtensionUri,
} from 'mediasoup/types';
import { z } from 'zod';
import { refusal } from '../refusals.ts';

/** Encodings of one track: the layers of a simulcast. */
const encodingsMax = 4;
const codecsMax = 64;
const codecParametersMax = 32;
const headerExtensionsMax = 64;
const feedbackMax = 16;
const fingerprintsMax = 8;

const knownExtensions: ReadonlySet<string> = new Set<RtpHeaderExtensionUri>([
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'urn:ietf:params:rtp-hdrext:ssrc-audio-level',
  'https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension',
  'urn:3gpp:video-orientation',
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time',
  'urn:ietf:params:rtp-hdrext:toffset',
  'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
]);

const ExtensionUri = z.custom<RtpHeaderExtensionUri>(
  (uri) => typeof uri === 'string' && knownExtensions.has(uri),
);
const Kind = z.enum(['audio', 'video']);
const MimeType = z
  .string()
  .max(64)
  .regex(/^(audio|video)\/[\w.+-]+$/i);
const PayloadType = z.int().min(0).max(127);
const Ssrc = z.int().min(1).max(0xff_ff_ff_ff);
const ExtensionId = z.int().min(1).max(255);
const ClockRate = z.int().min(1).max(1_000_000);
const Channels = z.int().min(1).max(8).exactOptional();

const CodecParameters = z
  .record(z.string().max(64), z.union([z.string().max(1024), z.number()]))
  .refine((parameters) => Object.keys(parameters).length <= codecParametersMax);

const Feedback = z
  .array(z.object({ type: z.string().max(32), parameter: z.string().max(32).exactOptional() }))
  .max(feedbackMax);

const codec = {
  mimeType: MimeType,
  clockRate: ClockRate,
  channels: Channels,
  parameters: CodecParameters.exactOptional(),
  rtcpFeedback: Feedback.exactOptional(),
};

/** Extensions that we do not know are left out, as SDP answers do, instead of refusing the track. */
const extensionsKnown = z
  .array(z.looseObject({ uri: z.string().max(256) }))
  .max(headerExtensionsMax)
  .transform((list) => list.filter((item) => knownExtensions.has(item.uri)));

const RtpParameters = z.object({
  mid: z.string().max(32).exactOptional(),
  codecs: z
    .array(z.object({ ...codec, payloadType: PayloadType }))
    .min(1)
    .max(codecsMax),
  headerExtensions: extensionsKnown
    .pipe(
      z.array(
        z.object({ uri: ExtensionUri, id: ExtensionId, encrypt: z.boolean().exactOptional() }),
      ),
    )
    .exactOptional(),
  encodings: z
    .array(
      z.object({
        ssrc: Ssrc.exactOptional(),
        rid: z
          .string()
          .regex(/^[A-Za-z0-9_-]{1,16}$/)
          .exactOptional(),
        codecPayloadType: PayloadType.exactOptional(),
        rtx: z.object({ ssrc: Ssrc }).exactOptional(),
        dtx: z.boolean().exactOptional(),
        scalabilityMode: z
          .string()
          .regex(/^[LS][1-3]T[1-3](_KEY(_SHIFT)?|h)?$/)
          .exactOptional(),
        maxBitrate: z.int().min(1).max(1_000_000_000).exactOptional(),
      }),
    )
    .min(1)
    .max(encodingsMax),
  rtcp: z
    .object({
      cname: z.string().max(256).exactOptional(),
      reducedSize: z.boolean().exactOptional(),
    })
    .exactOptional(),
  msid: z.string().max(256).exactOptional(),
});

const RtpCapabilities = z.object({
  codecs: z
    .array(z.object({ ...codec, kind: Kind, preferredPayloadType: PayloadType }))
    .min(1)
    .max(codecsMax),
  headerExtensions: extensionsKnown
    .pipe(
      z.array(
        z.object({
          kind: Kind,
          uri: ExtensionUri,
          preferredId: ExtensionId,
          preferredEncrypt: z.boolean().exactOptional(),
          direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).exactOptional(),
        }),
      ),
    )
    .exactOptional(),
});

const DtlsParameters = z.object({
  role: z.enum(['auto', 'client', 'server']).exactOptional(),
  fingerprints: z
    .array(
      z.object({
        algorithm: z.enum(['sha-1', 'sha-224', 'sha-256', 'sha-384', 'sha-512']),
        value: z.string().regex(/^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){19,63}$/),
      }),
    )
    .min(1)
    .max(fingerprintsMax),
});

const SrtpParameters = z.object({
  cryptoSuite: z.enum([
    'AEAD_AES_256_GCM',
    'AEAD_AES_128_GCM',
    'AES_CM_128_HMAC_SHA1_80',
    'AES_CM_128_HMAC_SHA1_32',
  ]),
  keyBase64: z.base64().max(128),
});

/** The key of a pipe between two nodes (RFC 3711). */
export function parseSrtpParameters(value: unknown): MediasoupSrtpParameters {
  return parse(SrtpParameters, value, 'srtpParameters');
}

/** What a publisher says about the RTP of a track. */
export function parseRtpParameters(value: unknown): MediasoupRtpParameters {
  return parse(RtpParameters, value, 'rtpParameters');
}

/** What a viewer's browser can receive. */
export function parseRtpCapabilities(value: unknown): MediasoupRtpCapabilities {
  return parse(RtpCapabilities, value, 'rtpCapabilities');
}

export function parseDtlsParameters(value: unknown): MediasoupDtlsParameters {
  return parse(DtlsParameters, value, 'dtlsParameters');
}

function parse<T>(schema: z.ZodType<T>, value: unknown, name: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = [name, ...(issue?.path ?? [])].join('.');
  throw refusal('malformed-frame', `${path}: ${issue?.message ?? 'not usable'}`.slice(0, 200));
}
