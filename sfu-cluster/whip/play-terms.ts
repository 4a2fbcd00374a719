// Play terms: what a player can take, as capabilities, and the dialect in which a router speaks to it.
import type { RtpCapabilities, RtpHeaderExtensionUri } from 'mediasoup/types';
import { createDialect, type Dialect } from '../media/dialect.ts';
import { type CommonCodec, commonCodecs, commonExtensions } from './common-codecs.ts';
import type { Offer, Section } from './description.ts';
import { rejection } from './rejection.ts';

/** The routers have names of their own for sections, which are not those of the offer. */
const sectionName = 'urn:ietf:params:rtp-hdrext:sdes:mid';

export interface PlayTerms {
  sections: Section[];
  capabilities: RtpCapabilities;
  dialect: Dialect;
}

/** Rejects `offer-refused`. */
export function termsToPlay(offer: Offer): PlayTerms {
  const sections = offer.sections.flatMap((one) => (one.kind === null ? [] : [one]));
  const codecs: RtpCapabilities['codecs'] = [];
  const headerExtensions: RtpCapabilities['headerExtensions'] = [];
  for (const section of sections) {
    const { kind, mid, direction } = section;
    if (direction !== 'recvonly' && direction !== 'sendrecv') {
      throw rejection('offer-refused', `the section ${mid} is ${direction} and receives nothing`);
    }
    codecs.push(...commonCodecs(section).map((common) => capabilityOf(kind, common)));
    for (const { uri, value } of commonExtensions(section, 'sendonly')) {
      if (uri === sectionName) continue;
      headerExtensions.push({ kind, uri: uri as RtpHeaderExtensionUri, preferredId: value });
    }
  }
  const numbers = codecs.map(({ preferredPayloadType }) => preferredPayloadType);
  if (new Set(numbers).size !== numbers.length) {
    throw rejection('offer-refused', 'two codecs have the same payload type');
  }
  if (codecs.length === 0) {
    throw rejection('offer-refused', 'Opus, H264 (constrained baseline) and VP8 are played');
  }
  return { sections, capabilities: { codecs, headerExtensions }, dialect: createDialect(codecs) };
}

/** Packets that were lost are sent again as they were, and not as others (RFC 4588): a dialect knows no numbers for those. */
function capabilityOf(kind: Section['kind'], { codec }: CommonCodec) {
  const { mimeType, payloadType, clockRate, channels, parameters = {}, rtcpFeedback = [] } = codec;
  return {
    kind,
    mimeType,
    preferredPayloadType: payloadType,
    clockRate,
    ...(channels === undefined ? {} : { channels }),
    parameters,
    rtcpFeedback,
  };
}
