// Offers for tests without a browser: SDP as encoders and players write it, in parts that a test may change.

const fingerprint = Array.from({ length: 32 }, (_, place) => (place + 16).toString(16)).join(':');

export interface OfferParts {
  session: string[];
  /** Lines of each section, its m= line first. */
  sections: string[][];
}

const transport = [
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:EsAw',
  'a=ice-pwd:bP+XJMM09aR8AiX1jdukzR6Y',
  `a=fingerprint:sha-256 ${fingerprint.toUpperCase()}`,
  'a=setup:actpass',
  'a=rtcp-mux',
];

/** Opus and H264, each under a source of its own. */
export function offerParts(direction: 'sendonly' | 'recvonly' = 'sendonly'): OfferParts {
  const isSent = direction === 'sendonly';
  return {
    session: [
      'v=0',
      'o=- 5228595038118931041 2 IN IP4 127.0.0.1',
      's=-',
      't=0 0',
      'a=group:BUNDLE 0 1',
    ],
    sections: [
      [
        'm=audio 9 UDP/TLS/RTP/SAVPF 111',
        ...transport,
        'a=mid:0',
        `a=${direction}`,
        'a=rtpmap:111 opus/48000/2',
        'a=fmtp:111 minptime=10;useinbandfec=1',
        ...(isSent ? ['a=ssrc:1001 cname:someone'] : []),
      ],
      [
        'm=video 9 UDP/TLS/RTP/SAVPF 109 114 96 97',
        ...transport,
        'a=mid:1',
        'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
        'a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
        'a=extmap:9/inactive urn:ietf:params:rtp-hdrext:toffset',
        'a=extmap:7 urn:not:known:here',
        `a=${direction}`,
        'a=rtcp-rsize',
        'a=rtpmap:96 VP8/90000',
        'a=rtcp-fb:96 nack pli',
        'a=rtpmap:97 rtx/90000',
        'a=fmtp:97 apt=96',
        'a=rtpmap:109 H264/90000',
        'a=rtcp-fb:109 goog-remb',
        'a=rtcp-fb:109 transport-cc',
        'a=rtcp-fb:109 nack',
        'a=rtcp-fb:109 nack pli',
        'a=rtcp-fb:109 nack rpsi',
        'a=fmtp:109 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f',
        'a=rtpmap:114 rtx/90000',
        'a=fmtp:114 apt=109',
        ...(isSent ? ['a=ssrc-group:FID 1002 1003', 'a=ssrc:1002 cname:someone'] : []),
      ],
    ],
  };
}

export function offerText({ session, sections }: OfferParts): string {
  return `${[...session, ...sections.flat()].join('\r\n')}\r\n`;
}

/** The usual offer with one thing changed in its text. */
export function offerWith(
  pattern: string | RegExp,
  replacement: string,
  direction?: 'sendonly' | 'recvonly',
): string {
  return offerText(offerParts(direction)).replaceAll(pattern, replacement);
}
