// Tickets: decides who may do what in a room, and signs it for the media nodes.
import type { SfuNode, TicketGrant } from '#contract';
import { findStream, type StreamRow } from '#db';
import type { Deps, Identity } from '../deps.ts';
import { problem } from '../problem.ts';
import { placeRoom, readNodes } from './placement.ts';

/** A ticket to publish one's own stream. Refuses `not-found`, `forbidden`, `stream-ended`, `invalid-transition`. */
export async function grantPublish(
  deps: Deps,
  identity: Identity,
  streamId: string,
): Promise<TicketGrant> {
  // Before the facts: what is revoked from here on ends the ticket.
  const revision = await deps.revocations.known();
  const [stream, nodes] = await openRoom(deps, streamId);
  if (stream.performerId !== identity.userId) throw problem('forbidden');
  if (stream.state === 'created') throw problem('invalid-transition', { from: 'created' });
  return {
    transport: 'webrtc',
    room: await roomGrant(deps, stream, nodes, {
      subject: identity.userId,
      sessionId: identity.sessionId,
      revision,
      name: identity.username,
      role: identity.role,
      capabilities: ['publish', 'subscribe'],
    }),
    hls: null,
  };
}

/** A ticket to watch; `identity` is null for a guest. Refuses `not-found`, `stream-not-live`, `stream-ended`. */
export async function grantWatch(
  deps: Deps,
  identity: Identity | null,
  streamId: string,
): Promise<TicketGrant> {
  const revision = await deps.revocations.known();
  const [stream, nodes] = await openRoom(deps, streamId);
  // Before it starts a stream has no room; its performer alone may prepare one.
  if (stream.state === 'created') throw problem('stream-not-live', { state: stream.state });
  const holder = {
    subject: identity?.userId ?? `guest-${crypto.randomUUID()}`,
    sessionId: identity?.sessionId ?? null,
    revision,
  };
  const [room, hls] = await Promise.all([
    roomGrant(deps, stream, nodes, {
      ...holder,
      name: identity?.username ?? '',
      role: identity?.role ?? 'guest',
      capabilities: ['subscribe'],
    }),
    hlsGrant(deps, stream, holder),
  ]);
  return { transport: 'webrtc', room, hls };
}

/** The stream and the nodes that it may be on, read side by side: a viewer waits for both. */
function openRoom(deps: Deps, streamId: string) {
  return Promise.all([openStream(deps, streamId), readNodes(deps)]);
}

async function openStream(deps: Deps, streamId: string): Promise<StreamRow> {
  const stream = await findStream(deps.db, streamId);
  if (!stream) throw problem('not-found');
  if (stream.state === 'ended') throw problem('stream-ended');
  return stream;
}

async function roomGrant(
  deps: Deps,
  stream: StreamRow,
  nodes: SfuNode[] | null,
  claims: Pick<
    Parameters<Deps['signer']['roomTicket']>[0],
    'subject' | 'sessionId' | 'revision' | 'name' | 'role' | 'capabilities'
  >,
): Promise<TicketGrant['room']> {
  const place = await placeRoom(deps, stream, nodes);
  if (!place) throw problem('media-unavailable');
  const ticket = await deps.signer.roomTicket({
    ...claims,
    streamId: stream.id,
    nodeId: place.nodeId,
  });
  return { url: place.url, ticket };
}

async function hlsGrant(
  deps: Deps,
  stream: StreamRow,
  holder: { subject: string; sessionId: string | null; revision: number },
): Promise<TicketGrant['hls']> {
  if (!stream.transcoderUrl || stream.transcodeState !== 'ready') return null;
  const { ticket, expiresAt } = await deps.signer.hlsTicket({ ...holder, streamId: stream.id });
  return {
    url: `${stream.transcoderUrl}/live/${stream.id}/master.m3u8`,
    ticket,
    expiresAt: expiresAt.toISOString(),
  };
}
