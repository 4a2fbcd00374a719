// Fragments: what changes of ICE after the answer (RFC 8840), as it comes in and as it goes out.
import type { IceCandidate, IceParameters } from 'mediasoup/types';
import { z } from 'zod';
import { credentialsOf, type IceCredentials, parse } from './description.ts';
import { rejection } from './rejection.ts';

export const fragmentBytesMax = 16 * 1024;
const candidatesMax = 100;

const Text = z.union([z.string(), z.number()]).transform(String);
const credentials = { iceUfrag: Text.exactOptional(), icePwd: Text.exactOptional() };
const candidates = z.array(z.unknown()).max(candidatesMax).exactOptional();
const invalid = z.array(z.object({ value: Text })).default([]);

const ParsedFragment = z.object({
  ...credentials,
  candidates,
  invalid,
  media: z.array(z.object({ ...credentials, candidates, invalid })).max(8),
});

/**
 * The other side's name and password, where it tells them. Its candidates are read and let go: the node is ICE lite,
 * answers checks from wherever they come, and begins none. Rejects `malformed-sdp`.
 */
export function parseFragment(text: string): IceCredentials | null {
  const { media, ...session } = parse(text, ParsedFragment);
  const [first] = media;
  const unread = [session, ...media].flatMap(({ invalid: lines }) => lines);
  if (text.trim() === '' || unread.some(({ value }) => value.startsWith('candidate'))) {
    throw rejection('malformed-sdp', 'the body is no fragment of trickle ICE');
  }
  const told = { ...session, ...first };
  if (told.iceUfrag === undefined && told.icePwd === undefined) return null;
  try {
    return credentialsOf(told);
  } catch {
    throw rejection('malformed-sdp', 'the ICE name or password is missing or malformed');
  }
}

/** What the other side needs after a restart: all candidates, which are those of before. */
export function writeFragment(ice: IceParameters, iceCandidates: readonly IceCandidate[]): string {
  const lines = [
    'a=ice-lite',
    'a=ice-options:trickle ice2',
    `a=ice-ufrag:${ice.usernameFragment}`,
    `a=ice-pwd:${ice.password}`,
    ...iceCandidates.map(lineOf),
    'a=end-of-candidates',
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function lineOf({ foundation, protocol, priority, address, port, type, tcpType }: IceCandidate) {
  const tcp = tcpType ? ` tcptype ${tcpType}` : '';
  return `a=candidate:${foundation} 1 ${protocol} ${priority} ${address} ${port} typ ${type}${tcp}`;
}
