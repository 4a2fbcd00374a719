// SDP between Janus and a receiver: what its offer tells, and the answer that takes all of it.
import type { IceCredentials, ServerSide } from '../../testing/receivers/receivers.ts';

export interface Offer {
  server: ServerSide;
  ssrcs: { audio: number; video: number };
  /** Its sections, each with the line that begins it. */
  sections: string[][];
  group: string;
}

/** What the answer takes over: one codec, with the feedback that receivers know of (see receiverRtpCapabilities). */
function isTaken(line: string, payloadType: string): boolean {
  if (/^a=(mid|rtcp-mux)\b/.test(line)) return true;
  const [, name, of, value = ''] = /^a=(rtpmap|fmtp|rtcp-fb):(\d+) (.*)/.exec(line) ?? [];
  return of === payloadType && (name !== 'rtcp-fb' || /^(nack|ccm)\b/.test(value));
}

export function readOffer(sdp: string): Offer {
  const lines = sdp.split(/\r?\n/);
  const find = (pattern: RegExp, among = lines): RegExpExecArray => {
    for (const line of among) {
      const found = pattern.exec(line);
      if (found) return found;
    }
    throw new Error(`the offer has no ${pattern}:\n${sdp}`);
  };
  const sections = sdp
    .split(/\r?\n(?=m=)/)
    .slice(1)
    .map((text) => text.split(/\r?\n/));
  const ssrcOf = (kind: string) => {
    const section = sections.find(([head]) => head?.startsWith(`m=${kind} `));
    return Number(find(/^a=ssrc:(\d+) /, section)[1]);
  };
  const candidate = find(/^a=candidate:\S+ 1 udp \d+ ([\d.]+) (\d+) typ host/i);
  return {
    server: {
      usernameFragment: find(/^a=ice-ufrag:(\S+)/)[1] ?? '',
      password: find(/^a=ice-pwd:(\S+)/)[1] ?? '',
      address: candidate[1] ?? '',
      port: Number(candidate[2]),
      fingerprint: find(/^a=fingerprint:sha-256 (\S+)/i)[1] ?? '',
    },
    ssrcs: { audio: ssrcOf('audio'), video: ssrcOf('video') },
    sections,
    group: find(/^a=group:BUNDLE .*/)[0],
  };
}

export function answerTo(
  { sections, group }: Offer,
  own: IceCredentials,
  fingerprint: string,
): string {
  const media = sections.flatMap(([head = '', ...lines]) => {
    const [, kind, protocol, payloadType = ''] = /^m=(\w+) \d+ (\S+) (\d+)/.exec(head) ?? [];
    return [
      `m=${kind} 9 ${protocol} ${payloadType}`,
      'c=IN IP4 127.0.0.1',
      'a=recvonly',
      `a=ice-ufrag:${own.usernameFragment}`,
      `a=ice-pwd:${own.password}`,
      `a=fingerprint:sha-256 ${fingerprint}`,
      'a=setup:active',
      ...lines.filter((line) => isTaken(line, payloadType)),
    ];
  });
  const session = ['v=0', 'o=- 1 1 IN IP4 127.0.0.1', 's=-', 't=0 0', group];
  return `${[...session, ...media].join('\r\n')}\r\n`;
}
