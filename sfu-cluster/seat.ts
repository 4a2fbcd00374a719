// A seat: the place of a peer in its room, with or without a socket. What is revoked ends it.
import type { Producer, Transport } from 'mediasoup/types';
import type { Logger } from 'pino';
import type { MediaKind, MediaSource } from '#contract';
import type { LivePlaces } from './live-places.ts';
import { mediaCall } from './media/faults.ts';
import { parseRtpParameters } from './media/parameters.ts';
import type { TapRules } from './media/tap.ts';
import { Peer, type PeerLink } from './peer.ts';
import { QuietLink } from './quiet-link.ts';
import { type RefusalCounter, refusal } from './refusals.ts';
import type { Revocations } from './revocations.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';
import { revocableOf, type Ticket } from './ticket-gate.ts';

export interface SeatDeps {
  rooms: Rooms;
  places: LivePlaces;
  revocations: Revocations;
  refusals: RefusalCounter;
  log: Logger;
}

interface Arrived {
  link: PeerLink;
  ticket: Ticket;
  tap: TapRules;
  /** Where they come from. */
  address: string;
}

/** Puts whoever holds the ticket into its room, for as long as the link lasts. Throws a `Refusal`. */
export function seatPeer(
  room: Room,
  { link, ticket, tap, address }: Arrived,
  { revocations, places, log }: Pick<SeatDeps, 'revocations' | 'places' | 'log'>,
): Peer {
  if (link.closed) throw refusal('unavailable', 'the link was closed');
  const revocable = revocableOf(ticket);
  // What was revoked since the ticket was taken has met nobody here.
  if (revocable) revocations.check(revocable);
  const takeLivePlace = () => places.take(ticket.sub, address);
  const peer = Peer.join({ link, ticket, room, log, tap, takeLivePlace });
  if (revocable) {
    link.once(
      'close',
      revocations.watch(revocable, {
        end: (revocation) => peer.revoke(revocation),
        hold: (held) => peer.hold(held),
      }),
    );
  }
  return peer;
}

/** Of somebody without a socket: an encoder or a player that speaks HTTP, or a bridge from another protocol. */
export interface Seat {
  room: Room;
  peer: Peer;
  link: QuietLink;
}

/** Whoever has no socket has no tap and no pipe either. */
const noTap: TapRules = {
  listenAddress: '127.0.0.1',
  pipeListen: { address: '127.0.0.1', announcedAddress: undefined },
  allows: () => false,
};

/** Throws a `Refusal`. */
export async function takeSeat(ticket: Ticket, address: string, deps: SeatDeps): Promise<Seat> {
  const link = new QuietLink(deps.refusals);
  return deps.rooms.join(ticket.stream, (room) => ({
    room,
    link,
    peer: seatPeer(room, { link, ticket, tap: noTap, address }, deps),
  }));
}

export interface TrackOffered {
  kind: MediaKind;
  source: MediaSource;
  /** Checked here for shape and size. */
  rtpParameters: unknown;
}

/**
 * Publishes from any transport, be it an encoder's or the plain RTP of a bridge. Throws a `Refusal`; those who sit
 * there should leave then, since what they wanted to show is shown in part or not at all.
 */
export async function publishFrom(
  { room, peer }: Seat,
  transport: Transport,
  { kind, source, rtpParameters }: TrackOffered,
): Promise<Producer> {
  const parameters = parseRtpParameters(rtpParameters);
  const media = await mediaCall(null, () => room.media());
  // Whoever has left meanwhile must not send away the one that took its place.
  if (peer.leaving) throw refusal('unavailable', 'the link was closed');
  room.takeStage(peer);
  return mediaCall('unsupported-media', () =>
    media.publish(transport, { kind, source, owner: peer.owner, rtpParameters: parameters }),
  );
}
