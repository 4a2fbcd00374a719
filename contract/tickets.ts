// Tickets: what the edge has decided, signed, for the media nodes to obey.
import { z } from 'zod';
import { Role } from './accounts.ts';
import { Id, Instant } from './ids.ts';
import { MediaHold, nothingHeld, StageGuestState } from './stage.ts';

/** The only signature algorithm that a ticket may carry (RFC 8037, Ed25519). */
export const ticketAlgorithm = 'EdDSA';
/** Issuer of every token and ticket. */
export const ticketIssuer = 'livepanty';
/** How far clocks of two machines may differ before a ticket is refused. */
export const ticketClockSkewSeconds = 5;
export const roomTicketTtlSeconds = 60;
export const nodeTicketTtlSeconds = 60;
export const hlsTicketTtlSeconds = 300;

/**
 * `publish` is the host's; `stage` lets a guest of the host publish beside them; who has `monitor` is the host who looks at
 * what goes out, and none of the viewers.
 */
export const Capability = z.enum(['publish', 'stage', 'subscribe', 'moderate', 'monitor']);
export type Capability = z.infer<typeof Capability>;

/** The types of tickets, as their header says (RFC 8725, section 3.11): none is taken for another. */
export const ticketTypes = { room: 'room+jwt', hls: 'hls+jwt', node: 'node+jwt' } as const;

const common = {
  iss: z.literal(ticketIssuer),
  iat: z.int(),
  exp: z.int(),
  jti: Id,
};

/** Of tickets that people asked for: what may end them before their time. */
const revocable = {
  /** The session that it was asked for with; null for a guest. */
  sid: Id.nullable(),
  /** The number of the last revocation that was known when it was decided. */
  rev: z.int().nonnegative(),
};

/** Admits one socket, once, to one stream's room on one node. Without `subscribe` it gets events only. */
export const RoomTicket = z.object({
  ...common,
  ...revocable,
  aud: z.literal('room'),
  sub: z.string().min(1).max(64),
  name: z.string().max(64),
  role: z.enum([...Role.options, 'guest']),
  stream: Id,
  node: z.string().min(1).max(64),
  capabilities: z.array(Capability),
  /** What is kept from everybody of that which they publish. */
  held: MediaHold.default(nothingHeld),
});
export type RoomTicket = z.infer<typeof RoomTicket>;

/** What a node ticket is for: a transcoder's tap of the media, or a pipe that brings it to another node. */
export const NodeTicketUse = z.enum(['tap', 'pipe']);

/** Admits a transcoder or another node, once, to the media of one stream on one node. */
export const NodeTicket = z.object({
  ...common,
  aud: z.literal('node'),
  use: NodeTicketUse,
  sub: z.string().min(1).max(64),
  stream: Id,
  node: z.string().min(1).max(64),
});
export type NodeTicket = z.infer<typeof NodeTicket>;

/** Lets a player read the playlists of one stream until it ends; renewed silently. */
export const HlsTicket = z.object({
  ...common,
  ...revocable,
  aud: z.literal('hls'),
  sub: z.string().min(1).max(64),
  stream: Id,
});
export type HlsTicket = z.infer<typeof HlsTicket>;

export const Transport = z.enum(['webrtc', 'hls']);
export type Transport = z.infer<typeof Transport>;

/** The address of a room that was given and did not answer: another node is chosen where there is one. */
const Unreachable = z
  .url({ protocol: /^wss?$/ })
  .max(500)
  .optional();

export const TicketBody = z.discriminatedUnion('intent', [
  z.strictObject({ intent: z.literal('publish'), unreachable: Unreachable }),
  /** With `live`, somebody who was placed on HLS asks for WebRTC, as after a tip: places are kept back for them. */
  z.strictObject({
    intent: z.literal('watch'),
    live: z.boolean().optional(),
    unreachable: Unreachable,
  }),
]);
export type TicketBody = z.infer<typeof TicketBody>;

/** A relay for whom no direct way is open: one of the `iceServers` of a browser's connection (W3C WebRTC). */
export const IceServer = z.object({
  urls: z.array(z.string()).min(1),
  username: z.string(),
  credential: z.string(),
});
export type IceServer = z.infer<typeof IceServer>;

/** The way into a room: `url` is a WebSocket address; `iceServers` is empty where there are no relays. */
export const RoomGrant = z.object({
  url: z.string(),
  ticket: z.string(),
  iceServers: z.array(IceServer),
});
export type RoomGrant = z.infer<typeof RoomGrant>;

/**
 * The answer to a ticket request. `transport` is what the player should start with. `hls.url` is a multivariant playlist
 * to which the player adds `?ticket=`; it is null until the transcoder has packaged the first segment.
 */
export const TicketGrant = z.object({
  transport: Transport,
  room: RoomGrant,
  hls: z.object({ url: z.string(), ticket: z.string(), expiresAt: Instant }).nullable(),
  stage: StageGuestState.nullable(),
});
export type TicketGrant = z.infer<typeof TicketGrant>;
