// WHIP and WHEP: publishing and playing by HTTP (RFC 9725, draft-ietf-wish-whep), as the edge and the nodes speak them.

export const sdpMediaType = 'application/sdp';
export const iceFragmentMediaType = 'application/trickle-ice-sdpfrag';
/** Browsers that know many codecs send some 10 KiB. */
export const sdpBytesMax = 32 * 1024;
/** A player that finds nothing to play yet comes again after so long. */
export const notLiveRetryAfterSeconds = 2;

/** What a node offers beside its room socket: to publish, and to play. */
export const httpMediaKinds = ['whip', 'whep'] as const;
export type HttpMediaKind = (typeof httpMediaKinds)[number];

/** Where a node takes offers: beside its room socket, whose address is the one that is registered. */
export function nodeHttpUrl(roomUrl: string, kind: HttpMediaKind): URL {
  return new URL(kind, roomUrl.replace(/^ws/, 'http'));
}
