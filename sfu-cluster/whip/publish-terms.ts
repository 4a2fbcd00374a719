// Publish terms: what of an offer is taken from an encoder, as RTP parameters and as the answer says it.
import type { RtpCodecParameters, RtpEncodingParameters } from 'mediasoup/types';
import { parseSimulcastStreamList } from 'sdp-transform';
import type { AnswerSection } from './answer.ts';
import { type CommonCodec, commonCodecs, commonExtensions } from './common-codecs.ts';
import type { Offer, Section } from './description.ts';
import { rejection } from './rejection.ts';

const layersMax = 4;
const extensionOfCongestion =
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01';

/** What both sides of H264 agree on (RFC 6184, section 8.2.2). */
const h264Parameters = [
  'level-asymmetry-allowed',
  'packetization-mode',
  'profile-level-id',
] as const;

/** One track that is about to be published; the media library's shape is checked where it is. */
export interface PublishTerm {
  kind: 'audio' | 'video';
  source: 'microphone' | 'camera';
  rtpParameters: {
    mid: string;
    codecs: RtpCodecParameters[];
    headerExtensions: { uri: string; id: number }[];
    encodings: RtpEncodingParameters[];
    rtcp: { cname?: string; reducedSize: boolean };
  };
  answer: AnswerSection;
}

/** All of the offer or none of it (RFC 9725, section 4.4.3). Rejects `offer-refused`. */
export function termsToPublish({ sections }: Offer): PublishTerm[] {
  return sections.flatMap((section) => (section.kind === null ? [] : [termOf(section)]));
}

function termOf(section: Section): PublishTerm {
  const { kind, mid, direction } = section;
  if (direction !== 'sendonly' && direction !== 'sendrecv') {
    throw rejection('offer-refused', `the section ${mid} is ${direction} and sends nothing`);
  }
  const [common] = commonCodecs(section).filter(isTakenOfEncoders);
  if (!common) {
    const wanted = kind === 'audio' ? 'Opus' : 'H264 (constrained baseline) and VP8';
    throw rejection('offer-refused', `of codecs for ${kind} ${wanted} are taken`);
  }
  const { codec, rtxPayloadType } = common;
  const extensions = commonExtensions(section, 'recvonly');
  const isMeasured = extensions.some(({ uri }) => uri === extensionOfCongestion);
  // One way of measuring the line: the newer one, where both sides know it.
  codec.rtcpFeedback = (codec.rtcpFeedback ?? []).filter(
    ({ type }) => type !== (isMeasured ? 'goog-remb' : 'transport-cc'),
  );
  const codecs = rtxPayloadType === null ? [codec] : [codec, rtxFor(codec, rtxPayloadType)];
  const layers = layersOf(section);
  const encodings = layers ? layersWith(layers, codec) : encodingsBySsrc(section);
  const cname = section.ssrcs.find(({ attribute }) => attribute === 'cname')?.value;
  return {
    kind,
    source: kind === 'audio' ? 'microphone' : 'camera',
    rtpParameters: {
      mid,
      codecs,
      headerExtensions: extensions.map(({ uri, value }) => ({ uri, id: value })),
      encodings,
      rtcp: {
        ...(cname === undefined ? {} : { cname }),
        reducedSize: section.rtcpRsize !== undefined,
      },
    },
    answer: {
      section,
      direction: 'recvonly',
      codecs: codecs.map((one) => ({ ...one, parameters: wishesFor(one) })),
      extensions: extensions.map(({ uri, value }) => ({ uri, value })),
      layers: layers ?? [],
      ssrc: null,
    },
  };
}

/** Layers of other codecs lie inside one stream, of which an offer does not tell how many there are. */
const isTakenOfEncoders = ({ codec }: CommonCodec) =>
  /^(audio\/opus|video\/(h264|vp8))$/i.test(codec.mimeType);

const rtxFor = ({ payloadType, clockRate }: RtpCodecParameters, rtxPayloadType: number) => ({
  mimeType: 'video/rtx',
  payloadType: rtxPayloadType,
  clockRate,
  parameters: { apt: payloadType },
});

/** What the sender is asked to keep to: of Opus, music in stereo with redundancy for lost packets. */
function wishesFor({ mimeType, parameters = {} }: RtpCodecParameters) {
  switch (mimeType.toLowerCase()) {
    case 'audio/opus':
      return { minptime: 10, useinbandfec: 1, stereo: 1, 'sprop-stereo': 1 };
    case 'video/h264':
      return Object.fromEntries(h264Parameters.map((name) => [name, parameters[name] ?? 0]));
    default:
      return parameters;
  }
}

/** The names of the layers (RFC 8853) in the order of the offer; null where there is no simulcast. */
function layersOf({ simulcast, rids }: Section): string[] | null {
  if (!simulcast) return null;
  const { dir1, list1, dir2, list2 } = simulcast;
  const list = dir1 === 'send' ? list1 : dir2 === 'send' ? list2 : undefined;
  if (list === undefined) return null;
  const sent = new Set(rids.filter(({ direction }) => direction === 'send').map(({ id }) => id));
  // Of alternatives for one layer the first is the one that is wanted most.
  const names = parseSimulcastStreamList(list).map(([first]) => String(first?.scid ?? ''));
  if (!names.every((name) => sent.has(name)) || new Set(names).size !== names.length) {
    throw rejection('offer-refused', 'simulcast names a layer twice, or one that has no rid');
  }
  if (names.length > layersMax) {
    throw rejection('offer-refused', `at most ${layersMax} layers are taken`);
  }
  return names;
}

/** Browsers send VP8 layers in three frame rates, of which a viewer gets all that are named. */
function layersWith(layers: string[], { mimeType }: RtpCodecParameters): RtpEncodingParameters[] {
  const scalabilityMode = mimeType.toLowerCase() === 'video/vp8' ? 'L1T3' : 'L1T1';
  return layers.map((rid) => ({ rid, scalabilityMode }));
}

/** Without layers: by the number of the packets' source, or, where none is told, by the section's mid alone. */
function encodingsBySsrc({ ssrcs, ssrcGroups }: Section): RtpEncodingParameters[] {
  const pairs = ssrcGroups
    .filter(({ semantics }) => semantics === 'FID')
    .map(({ ssrcs: pair }) => pair.split(' ').map(Number));
  const repairs = new Set(pairs.map(([, repair]) => repair));
  const ssrc = ssrcs.map(({ id }) => id).find((id) => !repairs.has(id));
  if (ssrc === undefined) return [{}];
  const repair = pairs.find(([media]) => media === ssrc)?.[1];
  return [{ ssrc, ...(repair === undefined ? {} : { rtx: { ssrc: repair } }) }];
}
