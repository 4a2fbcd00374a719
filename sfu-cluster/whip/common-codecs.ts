// Common codecs: those of an offer that the routers speak too, with the parameters that both sides can keep to.
import { ortc } from 'mediasoup';
import type {
  MediaKind,
  RtcpFeedback,
  RtpCodecCapability,
  RtpCodecParameters,
} from 'mediasoup/types';
import { parseParams } from 'sdp-transform';
import { routerRtpCapabilities } from '../media/codecs.ts';
import type { Section } from './description.ts';

export interface CommonCodec {
  /** As the offer names it; H264 with the profile that both sides speak. */
  codec: RtpCodecParameters;
  /** The payload type of its retransmissions; null where none were offered. */
  rtxPayloadType: number | null;
}

/** In the order in which the node likes them: H264 first, which HLS takes as it is. */
export function commonCodecs(section: Section): CommonCodec[] {
  const offered = section.rtp.map((rtp) => codecOf(section, rtp));
  return (routerRtpCapabilities.codecs ?? [])
    .filter(({ kind, mimeType }) => kind === section.kind && !/\/rtx$/i.test(mimeType))
    .flatMap((ours) => {
      const codec = offered.find((theirs) => matches(theirs, ours));
      if (!codec) return [];
      codec.rtcpFeedback = feedbackOf(section, codec.payloadType, ours.rtcpFeedback ?? []);
      return [{ codec, rtxPayloadType: rtxOf(offered, codec) }];
    });
}

function codecOf(section: Section, rtp: Section['rtp'][number]): RtpCodecParameters {
  const { kind } = section;
  const channels = Number(rtp.encoding ?? 1);
  return {
    mimeType: `${kind}/${rtp.codec}`,
    payloadType: rtp.payload,
    clockRate: rtp.rate ?? 90_000,
    ...(kind === 'audio' ? { channels } : {}),
    parameters: parametersOf(section, rtp.payload),
  };
}

function parametersOf(section: Section, payloadType: number): Record<string, string | number> {
  const config = section.fmtp.find(({ payload }) => payload === payloadType)?.config ?? '';
  const parameters = Object.entries<string | number | undefined>(parseParams(config)).map(
    ([name, value]) => {
      const key = name.trim().toLowerCase();
      // Six hexadecimal digits, which may look like a number.
      return [key, key === 'profile-level-id' ? String(value) : value] as const;
    },
  );
  return Object.fromEntries(
    parameters.filter((one): one is [string, string | number] => one[1] !== undefined),
  );
}

/** Asks the media library itself. It writes the H264 profile into `theirs` that both speak. */
function matches(theirs: RtpCodecParameters, ours: RtpCodecCapability): boolean {
  if (/\/rtx$/i.test(theirs.mimeType)) return false;
  try {
    ortc.getProducerRtpParametersMapping({ codecs: [theirs], encodings: [] }, { codecs: [ours] });
    return true;
  } catch {
    // How the library says that they do not fit, or that a parameter makes no sense.
    return false;
  }
}

function feedbackOf(
  section: Section,
  payloadType: number,
  ours: readonly RtcpFeedback[],
): RtcpFeedback[] {
  const offered = section.rtcpFb.filter(
    ({ payload }) => payload === '*' || payload === payloadType,
  );
  return ours.filter(({ type, parameter }) =>
    offered.some((one) => one.type === type && (one.subtype ?? '') === (parameter ?? '')),
  );
}

function rtxOf(offered: RtpCodecParameters[], { payloadType }: RtpCodecParameters): number | null {
  const rtx = offered.find(
    ({ mimeType, parameters }) => /\/rtx$/i.test(mimeType) && parameters?.apt === payloadType,
  );
  return rtx?.payloadType ?? null;
}

/** The header extensions of a section that a router takes from, or gives to, the other side. */
export function commonExtensions(section: Section, direction: 'recvonly' | 'sendonly') {
  const kind: MediaKind = section.kind;
  const ids = new Set<number>();
  return section.ext.filter(({ uri, value, direction: wanted, 'encrypt-uri': encrypted }) => {
    const isOurs = (routerRtpCapabilities.headerExtensions ?? []).some(
      (ours) =>
        ours.kind === kind &&
        ours.uri === uri &&
        (ours.direction === 'sendrecv' || ours.direction === direction),
    );
    const isTheirs =
      wanted === undefined ||
      wanted === 'sendrecv' ||
      wanted === (direction === 'recvonly' ? 'sendonly' : 'recvonly');
    // 15 is for no extension (RFC 8285, section 4.2), and each id for one.
    const isValid = value >= 1 && value <= 255 && value !== 15 && !ids.has(value);
    if (!isOurs || !isTheirs || !isValid || encrypted !== undefined) return false;
    ids.add(value);
    return true;
  });
}
