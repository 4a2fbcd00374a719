// Tests of what is taken from offers to publish, and of how the answer says it.
import { expect, test } from 'vitest';
import { offerParts, offerText, offerWith } from '../testing/offers.ts';
import { type AnswerTransport, writeAnswer } from './answer.ts';
import { parseOffer } from './description.ts';
import { type PublishTerm, termsToPublish } from './publish-terms.ts';
import { Rejection } from './rejection.ts';

const transport: AnswerTransport = {
  iceParameters: { usernameFragment: 'node', password: 'a-long-password', iceLite: true },
  iceCandidates: [
    {
      foundation: 'udp',
      priority: 1,
      address: '192.0.2.1',
      ip: '192.0.2.1',
      protocol: 'udp',
      port: 4_000,
      type: 'host',
    },
  ],
  dtlsParameters: { role: 'auto', fingerprints: [{ algorithm: 'sha-256', value: 'AB:CD' }] },
};

const terms = (text: string): PublishTerm[] => termsToPublish(parseOffer(text));

function answerTo(text: string): string {
  const offer = parseOffer(text);
  const taken = new Map(terms(text).map(({ answer }) => [answer.section.mid, answer]));
  return writeAnswer(offer, taken, transport);
}

function codeOf(text: string): [string, string] | null {
  try {
    terms(text);
    return null;
  } catch (error) {
    if (error instanceof Rejection) return [error.code, error.message];
    throw error;
  }
}

test('of what is offered the codecs that the rooms speak are taken, H264 before VP8, with their retransmissions', () => {
  const [sound, picture] = terms(offerText(offerParts()));
  expect(sound?.rtpParameters).toMatchObject({
    mid: '0',
    codecs: [{ mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2 }],
    encodings: [{ ssrc: 1001 }],
    rtcp: { cname: 'someone', reducedSize: false },
  });
  expect(picture?.rtpParameters).toMatchObject({
    mid: '1',
    codecs: [
      { mimeType: 'video/H264', payloadType: 109 },
      { mimeType: 'video/rtx', payloadType: 114, parameters: { apt: 109 } },
    ],
    encodings: [{ ssrc: 1002, rtx: { ssrc: 1003 } }],
    rtcp: { reducedSize: true },
  });
  // Both sides know them, and of the ways of measuring a line the newer one is used.
  expect(picture?.rtpParameters.headerExtensions.map(({ id }) => id)).toEqual([4, 3]);
  expect(picture?.rtpParameters.codecs[0]?.rtcpFeedback).toEqual([
    { type: 'nack', parameter: '' },
    { type: 'nack', parameter: 'pli' },
    { type: 'transport-cc', parameter: '' },
  ]);
  const withoutH264 = terms(offerWith('packetization-mode=1', 'packetization-mode=0'));
  expect(withoutH264[1]?.rtpParameters.codecs[0]).toMatchObject({ mimeType: 'video/VP8' });
});

test('H264 of another profile is not taken, and of the same one under another name it is', () => {
  const profiles = {
    '42c015': true,
    '42e034': true,
    '42001f': false,
    '640032': false,
    '4d001f': false,
  };
  for (const [profile, isTaken] of Object.entries(profiles)) {
    const [, picture] = terms(offerWith('profile-level-id=42e01f', `profile-level-id=${profile}`));
    const mimeType = picture?.rtpParameters.codecs[0]?.mimeType;
    expect([profile, mimeType]).toEqual([profile, isTaken ? 'video/H264' : 'video/VP8']);
  }
});

test('the answer receives, waits for the handshake, and says what the node is', () => {
  const answer = answerTo(offerText(offerParts()));
  const sections = answer.split(/^m=/m);
  expect(sections).toHaveLength(3);
  expect(sections[0]).toContain('a=ice-lite\r\n');
  expect(sections[0]).toContain('a=group:BUNDLE 0 1\r\n');
  expect(sections[1]).toMatch(/^audio 9 UDP\/TLS\/RTP\/SAVPF 111\r\n/);
  expect(sections[2]).toMatch(/^video 9 UDP\/TLS\/RTP\/SAVPF 109 114\r\n/);
  for (const section of sections.slice(1)) {
    for (const line of [
      'a=recvonly',
      'a=setup:passive',
      'a=rtcp-mux',
      'a=rtcp-mux-only',
      'a=ice-ufrag:node',
      'a=candidate:udp 1 udp 1 192.0.2.1 4000 typ host',
      'a=end-of-candidates',
      'a=fingerprint:sha-256 AB:CD',
    ]) {
      expect(section).toContain(`${line}\r\n`);
    }
  }
  expect(sections[2]).not.toContain('urn:not:known:here');
  expect(sections[2]).not.toContain('goog-remb');
});

test.each([
  ['actpass', 'passive'],
  ['active', 'passive'],
  ['passive', 'active'],
])('setup:%s is answered by setup:%s', (offered, answered) => {
  expect(answerTo(offerWith('a=setup:actpass', `a=setup:${offered}`))).toContain(
    `a=setup:${answered}\r\n`,
  );
});

test('what all sections have in common may be said once, before them', () => {
  const { session, sections } = offerParts();
  const isCommon = (line: string) => /^a=(ice-|fingerprint|setup)/.test(line);
  const common = sections[0]?.filter(isCommon) ?? [];
  const text = offerText({
    session: [...session, ...common],
    sections: sections.map((lines) => lines.filter((line) => !isCommon(line))),
  });
  expect(parseOffer(text)).toMatchObject({ ice: { usernameFragment: 'EsAw' }, setup: 'actpass' });
});

test('a section that shares the port of the first one is taken, and one that is off is answered so', () => {
  const bundled = offerWith('m=video 9 ', 'm=video 0 ').replace(
    'a=mid:1',
    'a=mid:1\r\na=bundle-only',
  );
  expect(terms(bundled)).toHaveLength(2);
  const off = offerWith('m=video 9 ', 'm=video 0 ');
  expect(terms(off)).toHaveLength(1);
  expect(answerTo(off)).toMatch(/^m=video 0 UDP\/TLS\/RTP\/SAVPF 109\r\n/m);
});

test('layers are taken by their names, of alternatives the first', () => {
  const lines =
    'a=rid:q send\r\na=rid:h send\r\na=rid:x send\r\na=simulcast:send q;~h,x\r\na=mid:1';
  const text = offerWith('a=mid:1', lines);
  const [, picture] = terms(text);
  expect(picture?.rtpParameters.encodings).toEqual([
    { rid: 'q', scalabilityMode: 'L1T1' },
    { rid: 'h', scalabilityMode: 'L1T1' },
  ]);
  expect(answerTo(text)).toContain('a=rid:q recv\r\na=rid:h recv\r\n');
  expect(answerTo(text)).toContain('a=simulcast:recv q;h\r\n');
});

const { session, sections } = offerParts();
const [sound = [], picture = []] = sections;
test.each([
  ['that is no SDP', 'hello', 'malformed-sdp'],
  ['that is empty', '', 'malformed-sdp'],
  ['with a line that is none', `${offerText(offerParts())}nonsense\r\n`, 'malformed-sdp'],
  ['of another version', offerWith('v=0', 'v=1'), 'malformed-sdp'],
  [
    'with more lines than an offer has',
    `${offerText(offerParts())}${'a=x\r\n'.repeat(2_000)}`,
    'malformed-sdp',
  ],
  ['without any section', offerText({ session, sections: [] }), 'offer-refused'],
  [
    'of data alone',
    `${session.join('\r\n')}\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n`,
    'offer-refused',
  ],
  [
    'of two pictures',
    offerText({
      session,
      sections: [picture, picture.map((line) => line.replace('mid:1', 'mid:2'))],
    }),
    'offer-refused',
  ],
  ['of two sections with one name', offerWith('a=mid:1', 'a=mid:0'), 'offer-refused'],
  ['that shares no connection', offerWith('a=group:BUNDLE 0 1\r\n', ''), 'offer-refused'],
  [
    'that shares a part of one',
    offerWith('a=group:BUNDLE 0 1', 'a=group:BUNDLE 0'),
    'offer-refused',
  ],
  ['without a name of ICE', offerWith(/a=ice-ufrag:.*\r\n/g, ''), 'offer-refused'],
  [
    'with a short password of ICE',
    offerWith(/a=ice-pwd:.*\r\n/g, 'a=ice-pwd:short\r\n'),
    'offer-refused',
  ],
  ['without a fingerprint', offerWith(/a=fingerprint:.*\r\n/g, ''), 'offer-refused'],
  [
    'that holds the connection back',
    offerWith('a=setup:actpass', 'a=setup:holdconn'),
    'offer-refused',
  ],
  ['with ports of their own for RTCP', offerWith('a=rtcp-mux\r\n', ''), 'offer-refused'],
  ['without encryption', offerWith('UDP/TLS/RTP/SAVPF', 'RTP/AVP'), 'offer-refused'],
  ['that sends nothing', offerWith('a=sendonly', 'a=recvonly'), 'offer-refused'],
  ['whose sound is no Opus', offerWith('opus/48000/2', 'PCMU/8000'), 'offer-refused'],
  [
    'whose sound is Opus of one channel',
    offerWith('opus/48000/2', 'opus/48000/1'),
    'offer-refused',
  ],
  ['whose picture is AV1', offerWith(/(H264|VP8)\/90000/g, 'AV1/90000'), 'offer-refused'],
  [
    'of more layers than are taken',
    offerWith(
      'a=mid:1',
      `${[1, 2, 3, 4, 5].map((n) => `a=rid:${n} send\r\n`).join('')}a=simulcast:send 1;2;3;4;5\r\na=mid:1`,
    ),
    'offer-refused',
  ],
  [
    'of a layer that is not described',
    offerWith('a=mid:1', 'a=rid:1 send\r\na=simulcast:send 1;2\r\na=mid:1'),
    'offer-refused',
  ],
  [
    'of one layer twice',
    offerWith('a=mid:1', 'a=rid:1 send\r\na=simulcast:send 1;1\r\na=mid:1'),
    'offer-refused',
  ],
])('an offer %s is refused', (_, text, code) => {
  expect(codeOf(text)?.[0]).toBe(code);
});

test('sound alone and a picture alone are taken without a group', () => {
  for (const section of [sound, picture]) {
    const alone = {
      session: session.filter((line) => !line.includes('BUNDLE')),
      sections: [section],
    };
    expect(terms(offerText(alone))).toHaveLength(1);
  }
});
