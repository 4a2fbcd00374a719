// Tickets: decides who may do what in a room, and signs it for the media nodes.
import type { Context } from 'hono';
import type {
  Capability,
  IngestProtocol,
  IngestTicket,
  PullAnswer,
  PullBody,
  RoomGrant,
  SfuNode,
  TicketGrant,
} from '#contract';
import { findPlace, useStreamKey, type WatchFacts } from '#db';
import type { AppEnv, Deps } from '../deps.ts';
import { problem } from '../problem.ts';
import { clientCountry } from './client-address.ts';
import {
  type Place,
  type PlacedStream,
  placeListener,
  placePublisher,
  placeViewer,
  reachableNodes,
  readNodes,
} from './placement.ts';
import {
  isPerformer,
  publishCapabilities,
  publishRefusal,
  watchCapabilities,
  watchRefusal,
} from './policy.ts';
import { upstreamOf } from './relay-tree.ts';
import { openRoom, problemOf, viewerOf } from './rooms.ts';

type RoomClaims = Parameters<Deps['signer']['roomTicket']>[0];
/** Whom a ticket is for, and what may end it before its time. */
type Holder = Pick<RoomClaims, 'subject' | 'sessionId' | 'revision'>;

/**
 * A ticket to publish one's own stream, or as a guest of its performer. Refuses `not-found`, `unauthenticated`,
 * `forbidden`, `blocked`, `stream-ended`, `invalid-transition`.
 */
export async function grantPublish(
  deps: Deps,
  c: Context<AppEnv>,
  streamId: string,
  { unreachable }: { unreachable?: string | undefined } = {},
): Promise<TicketGrant> {
  const { facts, nodes, holder } = await lookAt(deps, c, streamId);
  const refused = publishRefusal(facts, viewerOf(c));
  if (refused) throw problemOf(refused);
  const { state } = facts.stream;
  if (state === 'ended') throw problem('stream-ended');
  if (state === 'created') throw problem('invalid-transition', { from: state });
  const country = clientCountry(deps.config, c);
  // A stream goes where its performer is: guests come to it, however well they reach it.
  const reachable = isPerformer(facts, viewerOf(c)) ? reachableNodes(nodes, unreachable) : nodes;
  const place = await placePublisher(deps, placedOf(facts), reachable, country);
  if (!place) throw problem('media-unavailable');
  const capabilities = publishCapabilities(facts, viewerOf(c));
  return {
    transport: 'webrtc',
    room: await roomGrant(deps, place, claimsOf(c, { facts, holder }, capabilities)),
    hls: null,
    stage: facts.stage,
  };
}

/**
 * A ticket to watch: over WebRTC where a node has room, else by HLS with the room's events. Refuses what the policy
 * does, `not-found`, `stream-not-live`, `stream-ended`, `media-unavailable`.
 */
export async function grantWatch(
  deps: Deps,
  c: Context<AppEnv>,
  streamId: string,
  {
    live: isAsked = false,
    unreachable,
  }: { live?: boolean | undefined; unreachable?: string | undefined } = {},
): Promise<TicketGrant> {
  const room = await lookAt(deps, c, streamId);
  const { facts, holder } = room;
  const refused = watchRefusal(facts, viewerOf(c));
  if (refused) throw problemOf(refused);
  const { state } = facts.stream;
  if (state === 'ended') throw problem('stream-ended');
  // Before it starts a stream has no room; its performer alone may prepare one.
  if (state === 'created') throw problem('stream-not-live', { state });
  const capabilities = watchCapabilities(facts, viewerOf(c));
  const placed = placedOf(facts);
  const nodes = reachableNodes(room.nodes, unreachable);
  const country = clientCountry(deps.config, c);
  const roomy = placeViewer(deps, placed, nodes, { country, isAsked });
  // Nobody is left without: whoever finds no room hears the room's events, and sees it by HLS.
  const place = roomy ?? placeListener(placed, nodes);
  if (!place) throw problem('media-unavailable');
  const allowed = roomy ? capabilities : capabilities.filter((one) => one !== 'subscribe');
  const [granted, hls] = await Promise.all([
    roomGrant(deps, place, claimsOf(c, room, allowed)),
    hlsGrant(deps, facts, holder),
  ]);
  return { transport: roomy ? 'webrtc' : 'hls', room: granted, hls, stage: facts.stage };
}

/**
 * A ticket to publish for an encoder, by the hash of its stream key. It stands for the key as for a session: when the
 * key ends, so does what the ticket has opened. Refuses what `useStreamKey` does, and `media-unavailable`.
 */
export async function grantIngest(
  deps: Deps,
  c: Context<AppEnv>,
  use: { hash: Uint8Array; protocol: IngestProtocol; streamId: string | null },
): Promise<IngestTicket> {
  // Before the facts: what is revoked from here on ends the ticket.
  const revision = await deps.revocations.known();
  const [opened, nodes] = await Promise.all([useStreamKey(deps.db, use), readNodes(deps)]);
  const { keyId, streamId, performer, event, held } = opened;
  if (event) c.env.defer(deps.publisher.publish([event]));
  const placed = { id: streamId, ...opened.place };
  const place = await placePublisher(deps, placed, nodes, clientCountry(deps.config, c));
  if (!place) throw problem('media-unavailable');
  const room = await roomGrant(deps, place, {
    subject: performer.id,
    sessionId: keyId,
    revision,
    name: performer.username,
    role: performer.role,
    capabilities: ['publish'],
    held,
    streamId,
  });
  return { streamId, room };
}

interface Room {
  facts: WatchFacts;
  nodes: SfuNode[] | null;
  holder: Holder;
}

/** The stream and the nodes that it may be on, read side by side: a viewer waits for both. */
async function lookAt(deps: Deps, c: Context<AppEnv>, streamId: string): Promise<Room> {
  // Before the facts: what is revoked from here on ends the ticket.
  const revision = await deps.revocations.known();
  const [facts, nodes] = await Promise.all([openRoom(deps, c, streamId), readNodes(deps)]);
  const { identity, guest } = viewerOf(c);
  const holder = {
    subject: identity?.userId ?? `guest-${guest?.id ?? crypto.randomUUID()}`,
    sessionId: identity?.sessionId ?? null,
    revision,
  };
  return { facts, nodes, holder };
}

const placedOf = ({ stream, place }: WatchFacts): PlacedStream => ({
  id: stream.id,
  nodeId: place.nodeId,
  nodeUrl: place.nodeUrl,
});

/** What whoever asks may do in the room, as its ticket says it. */
function claimsOf(
  c: Context<AppEnv>,
  { facts, holder }: Pick<Room, 'facts' | 'holder'>,
  capabilities: readonly Capability[],
): Omit<RoomClaims, 'nodeId'> {
  const { identity } = viewerOf(c);
  return {
    ...holder,
    name: identity?.username ?? '',
    role: identity?.role ?? 'guest',
    capabilities: [...capabilities],
    held: facts.held,
    streamId: facts.stream.id,
  };
}

async function roomGrant(
  deps: Deps,
  { nodeId, url }: Place,
  claims: Omit<RoomClaims, 'nodeId'>,
): Promise<RoomGrant> {
  const [ticket, iceServers] = await Promise.all([
    deps.signer.roomTicket({ ...claims, nodeId }),
    deps.turn.iceServersFor(claims.subject),
  ]);
  return { url, ticket, iceServers };
}

async function hlsGrant(
  deps: Deps,
  { stream, place }: WatchFacts,
  holder: Holder,
): Promise<TicketGrant['hls']> {
  if (!place.transcoderUrl) return null;
  const { ticket, expiresAt } = await deps.signer.hlsTicket({ ...holder, streamId: stream.id });
  return {
    url: `${place.transcoderUrl}/live/${stream.id}/master.m3u8`,
    ticket,
    expiresAt: expiresAt.toISOString(),
  };
}

/** From where a node brings a stream that it has viewers of; null when it is published there itself, or nowhere. */
export async function grantPull(
  deps: Deps,
  { nodeId, streamId, unreachable }: PullBody,
): Promise<PullAnswer> {
  const [origin, nodes] = await Promise.all([findPlace(deps.db, streamId), readNodes(deps)]);
  if (!origin || origin.nodeId === nodeId) return { from: null };
  const from = upstreamOf(nodeId, { id: streamId, origin }, nodes, unreachable);
  const ticket = await deps.signer.nodeTicket({
    subject: nodeId,
    streamId,
    nodeId: from.nodeId,
    use: 'pipe',
  });
  return { from: { ...from, ticket } };
}
