// Descriptions: an SDP offer, parsed once and held to what one connection with at most one sound and one picture needs.
import * as sdp from 'sdp-transform';
import { z } from 'zod';
import { rejection } from './rejection.ts';

const linesMax = 2_000;
const sectionsMax = 8;
const namesOfOneSection = 128;

/** The parser makes numbers of what looks like one, also of names. */
const Text = z.union([z.string(), z.number()]).transform(String).pipe(z.string().max(1_024));
const Name = Text.pipe(z.string().min(1).max(32));
const many = <T extends z.ZodType>(item: T) => z.array(item).max(namesOfOneSection).default([]);
const PayloadType = z.int().min(0).max(127);

const transportAttributes = {
  iceUfrag: Text.exactOptional(),
  icePwd: Text.exactOptional(),
  setup: Text.exactOptional(),
  fingerprint: z.object({ type: Text, hash: Text }).exactOptional(),
};

const ParsedSection = z.object({
  ...transportAttributes,
  type: Text,
  port: z.int().min(0).max(65_535),
  protocol: Text,
  payloads: Text.default(''),
  mid: Name.exactOptional(),
  direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).exactOptional(),
  bundleOnly: z.string().exactOptional(),
  rtcpMux: z.string().exactOptional(),
  rtcpRsize: z.string().exactOptional(),
  rtp: many(
    z.object({
      payload: PayloadType,
      codec: Text,
      rate: z.int().min(1).exactOptional(),
      encoding: z.union([z.int(), z.string()]).exactOptional(),
    }),
  ),
  fmtp: many(z.object({ payload: PayloadType, config: Text })),
  rtcpFb: many(
    z.object({
      payload: z.union([PayloadType, z.literal('*')]),
      type: Text,
      subtype: Text.exactOptional(),
    }),
  ),
  ext: many(
    z.object({
      value: z.int(),
      uri: Text,
      direction: Text.exactOptional(),
      'encrypt-uri': Text.exactOptional(),
    }),
  ),
  ssrcs: many(
    z.object({ id: z.int().min(1), attribute: Text.exactOptional(), value: Text.exactOptional() }),
  ),
  ssrcGroups: many(z.object({ semantics: Text, ssrcs: Text })),
  rids: many(z.object({ id: Name, direction: Text })),
  simulcast: z
    .object({
      dir1: Text,
      list1: Text,
      dir2: Text.exactOptional(),
      list2: Text.exactOptional(),
    })
    .exactOptional(),
});

const ParsedDescription = z.object({
  ...transportAttributes,
  version: z.literal(0),
  origin: z.object({ address: Text }),
  extmapAllowMixed: z.string().exactOptional(),
  direction: z.enum(['sendrecv', 'sendonly', 'recvonly', 'inactive']).exactOptional(),
  groups: many(z.object({ type: Text, mids: Text })),
  media: z.array(ParsedSection).max(sectionsMax),
});
type ParsedSection = z.infer<typeof ParsedSection>;

const Credentials = z.object({
  usernameFragment: z.string().regex(/^[A-Za-z0-9+/]{4,256}$/),
  password: z.string().regex(/^[A-Za-z0-9+/]{22,256}$/),
});
/** The name and the password of one side of ICE (RFC 8839, section 5.4). */
export type IceCredentials = z.infer<typeof Credentials>;

/** One m= section of an offer that is not switched off. */
export interface Section extends ParsedSection {
  kind: 'audio' | 'video';
  mid: string;
}

export interface Offer {
  /** In the order of the offer; an answer has one for each, also for those that are switched off. */
  sections: (Section | { kind: null; parsed: ParsedSection })[];
  ice: IceCredentials;
  fingerprint: { algorithm: string; value: string };
  /** The part in DTLS that the other side can play. */
  setup: 'actpass' | 'active' | 'passive';
  isExtmapMixed: boolean;
}

const unusable = (detail: string) => rejection('offer-refused', detail);

/** Rejects `malformed-sdp` what is no description, and `offer-refused` what cannot be taken, with the reason. */
export function parseOffer(text: string): Offer {
  const { media, groups, ...session } = parse(text, ParsedDescription);
  const sections = media.map((parsed) => sectionOf(parsed, session.direction));
  const taken = sections.filter((section): section is Section => section.kind !== null);
  const [first] = taken;
  if (!first) throw unusable('the offer has neither sound nor picture');
  for (const kind of ['audio', 'video'] as const) {
    if (taken.filter((section) => section.kind === kind).length > 1) {
      throw unusable(`the offer has more than one section of ${kind}`);
    }
  }
  requireOneBundle(taken, groups);
  const tagged = { ...session, ...first };
  return {
    sections,
    ice: credentialsOf(tagged),
    fingerprint: fingerprintOf(tagged),
    setup: setupOf(tagged.setup),
    isExtmapMixed: session.extmapAllowMixed !== undefined,
  };
}

/** The parser takes nearly everything; what it has made of it is held to a schema. */
export function parse<T extends z.ZodType>(text: string, schema: T): z.infer<T> {
  const lines = text.split(/\r\n|\r|\n/).filter((line) => line !== '');
  if (lines.length > linesMax || !lines.every((line) => /^[a-z]=/.test(line))) {
    throw rejection('malformed-sdp', 'not every line of the body is one of SDP');
  }
  const parsed = schema.safeParse(sdp.parse(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).join('.');
  throw rejection('malformed-sdp', `${path}: ${issue?.message ?? 'not usable'}`.slice(0, 200));
}

export function credentialsOf({ iceUfrag, icePwd }: { iceUfrag?: string; icePwd?: string }) {
  const credentials = Credentials.safeParse({ usernameFragment: iceUfrag, password: icePwd });
  if (!credentials.success) throw unusable('the ICE name or password is missing or malformed');
  return credentials.data;
}

function sectionOf(
  parsed: ParsedSection,
  sessionDirection: ParsedSection['direction'],
): Offer['sections'][number] {
  // With `bundle-only` a port of 0 means that of the others (RFC 9143, section 6); else that it is off.
  if (parsed.port === 0 && parsed.bundleOnly === undefined) return { kind: null, parsed };
  const kind = parsed.type === 'audio' || parsed.type === 'video' ? parsed.type : null;
  if (!kind) throw unusable(`a section of ${parsed.type.slice(0, 32)} is not taken here`);
  if (!/^(UDP\/TLS|TCP\/DTLS)\/RTP\/SAVPF$/.test(parsed.protocol)) {
    throw unusable('media goes by DTLS-SRTP with feedback (UDP/TLS/RTP/SAVPF) only');
  }
  if (parsed.mid === undefined) throw unusable('a section has no mid');
  if (parsed.rtcpMux === undefined) throw unusable('RTCP goes with RTP (rtcp-mux) only');
  const direction = parsed.direction ?? sessionDirection ?? 'sendrecv';
  return { ...parsed, direction, kind, mid: parsed.mid };
}

/** All sections share one connection (RFC 9725, section 4.4.1). */
function requireOneBundle(taken: Section[], groups: { type: string; mids: string }[]): void {
  const mids = taken.map(({ mid }) => mid);
  if (new Set(mids).size !== mids.length) throw unusable('two sections have the same mid');
  if (mids.length === 1) return;
  const bundles = groups.filter(({ type }) => type === 'BUNDLE');
  const bundled = new Set(bundles[0]?.mids.split(' '));
  if (bundles.length !== 1 || !mids.every((mid) => bundled.has(mid))) {
    throw unusable('all sections must be in one group BUNDLE');
  }
}

function fingerprintOf({ fingerprint }: Pick<ParsedSection, 'fingerprint'>): Offer['fingerprint'] {
  if (!fingerprint) throw unusable('the fingerprint is missing');
  return { algorithm: fingerprint.type.toLowerCase(), value: fingerprint.hash };
}

function setupOf(setup: string | undefined): Offer['setup'] {
  switch (setup) {
    case 'actpass':
    case 'active':
    case 'passive':
      return setup;
    // What an offer that says nothing means (RFC 4145, section 4.1).
    case undefined:
      return 'active';
    default:
      throw unusable('the connection is to be made now (setup:actpass, active or passive)');
  }
}
