// Answers: the SDP answer of the node, ICE lite, one connection for all sections.
import { randomInt } from 'node:crypto';
import type { IceCandidate, RtpCodecParameters, WebRtcTransport } from 'mediasoup/types';
import { type MediaDescription, type SessionDescription, write } from 'sdp-transform';
import type { Offer, Section } from './description.ts';

/** What the answer says of a section that it takes. */
export interface AnswerSection {
  section: Section;
  direction: 'recvonly' | 'sendonly';
  codecs: RtpCodecParameters[];
  extensions: { uri: string; value: number }[];
  /** Layers that are taken, by their rids. */
  layers: string[];
  /** What the node sends under; null where it receives. */
  ssrc: { id: number; cname: string } | null;
}

/** What of a transport goes into answers. */
export type AnswerTransport = Pick<
  WebRtcTransport,
  'iceParameters' | 'iceCandidates' | 'dtlsParameters'
>;

/** The part in DTLS of the node: it waits, unless the other side does. */
export function dtlsPartOf(offer: Offer): 'active' | 'passive' {
  return offer.setup === 'passive' ? 'active' : 'passive';
}

/** `taken` by mid; sections of the offer that are not in it are switched off. */
export function writeAnswer(
  offer: Offer,
  taken: ReadonlyMap<string, AnswerSection>,
  transport: AnswerTransport,
): string {
  const sections = offer.sections.map((one) => {
    const answer = one.kind === null ? undefined : taken.get(one.mid);
    if (answer) return sectionOf(answer, offer, transport);
    return switchedOff(one.kind === null ? one.parsed : one);
  });
  const description: SessionDescription = {
    version: 0,
    origin: {
      username: '-',
      sessionId: String(randomInt(1, 2 ** 47)),
      sessionVersion: 1,
      netType: 'IN',
      ipVer: 4,
      address: '0.0.0.0',
    },
    name: '-',
    timing: { start: 0, stop: 0 },
    icelite: 'ice-lite',
    iceOptions: 'trickle ice2',
    msidSemantic: { semantic: 'WMS', token: '*' },
    groups: [{ type: 'BUNDLE', mids: [...taken.keys()].join(' ') }],
    ...(offer.isExtmapMixed ? { extmapAllowMixed: 'extmap-allow-mixed' } : {}),
    media: sections,
  };
  return write(description);
}

function sectionOf(answer: AnswerSection, offer: Offer, transport: AnswerTransport) {
  const { section, direction, codecs, extensions, layers, ssrc } = answer;
  const { usernameFragment, password } = transport.iceParameters;
  const fingerprint = transport.dtlsParameters.fingerprints.find(
    ({ algorithm }) => algorithm === 'sha-256',
  );
  const media: MediaDescription = {
    type: section.kind,
    port: 9,
    protocol: section.protocol,
    payloads: codecs.map(({ payloadType }) => payloadType).join(' '),
    connection: { version: 4, ip: '0.0.0.0' },
    mid: section.mid,
    direction,
    setup: dtlsPartOf(offer),
    iceUfrag: usernameFragment,
    icePwd: password,
    ...(fingerprint
      ? { fingerprint: { type: fingerprint.algorithm, hash: fingerprint.value } }
      : {}),
    candidates: transport.iceCandidates.map(candidateOf),
    endOfCandidates: 'end-of-candidates',
    rtcpMux: 'rtcp-mux',
    // RFC 8858; the writer knows no name for it.
    invalid: [{ value: 'rtcp-mux-only' }],
    ...(section.rtcpRsize === undefined ? {} : { rtcpRsize: 'rtcp-rsize' }),
    rtp: codecs.map(({ payloadType, mimeType, clockRate, channels = 1 }) => ({
      payload: payloadType,
      codec: mimeType.split('/')[1] ?? '',
      rate: clockRate,
      ...(channels > 1 ? { encoding: channels } : {}),
    })),
    fmtp: codecs.flatMap(({ payloadType, parameters = {} }) => {
      const config = Object.entries(parameters).map(([name, value]) => `${name}=${value}`);
      return config.length === 0 ? [] : [{ payload: payloadType, config: config.join(';') }];
    }),
    rtcpFb: codecs.flatMap(({ payloadType, rtcpFeedback = [] }) =>
      rtcpFeedback.map(({ type, parameter }) => ({
        payload: payloadType,
        type,
        ...(parameter ? { subtype: parameter } : {}),
      })),
    ),
    ext: extensions,
    ...(layers.length === 0
      ? {}
      : {
          rids: layers.map((id) => ({ id, direction: 'recv' })),
          simulcast: { dir1: 'recv', list1: layers.join(';') },
        }),
    ...(ssrc
      ? {
          msid: [{ id: 'livepanty', appdata: section.kind }],
          ssrcs: [{ id: ssrc.id, attribute: 'cname', value: ssrc.cname }],
        }
      : {}),
  };
  return media;
}

/** A section that is not used (RFC 3264, section 6). */
function switchedOff(
  parsed: Pick<Section, 'type' | 'protocol' | 'payloads'> & { mid?: string },
): MediaDescription {
  const { type, protocol, payloads, mid } = parsed;
  return {
    type,
    port: 0,
    protocol,
    payloads: payloads.split(' ')[0] || '0',
    connection: { version: 4, ip: '0.0.0.0' },
    ...(mid === undefined ? {} : { mid }),
    direction: 'inactive',
    rtp: [],
    fmtp: [],
  };
}

export function candidateOf(candidate: IceCandidate) {
  const { foundation, protocol, priority, address, port, type, tcpType } = candidate;
  return {
    foundation,
    component: 1,
    transport: protocol,
    priority,
    ip: address,
    port,
    type,
    ...(tcpType ? { tcptype: tcpType } : {}),
  };
}
