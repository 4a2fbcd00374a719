// A session: what a socket may do before it has joined, and who serves it afterwards.
import type { Logger } from 'pino';
import type { WebSocket } from 'ws';
import {
  type ClientFrameOf,
  isWithin,
  joinTimeoutSeconds,
  type Network,
  type ResponseData,
  signallingVersion,
} from '#contract';
import { isSameHost } from './addresses.ts';
import type { SfuConfig } from './config.ts';
import { Link, type Served } from './link.ts';
import type { LivePlaces } from './live-places.ts';
import { routerRtpCapabilities } from './media/codecs.ts';
import type { Peer } from './peer.ts';
import { type RefusalCounter, refusal } from './refusals.ts';
import { serveRequest } from './requests.ts';
import type { Revocations } from './revocations.ts';
import type { Rooms } from './rooms.ts';
import { seatPeer } from './seat.ts';
import type { Arrival } from './socket-server.ts';
import type { TicketGate } from './ticket-gate.ts';

interface SessionDeps {
  nodeId: string;
  gate: TicketGate;
  revocations: Revocations;
  rooms: Rooms;
  places: LivePlaces;
  refusals: RefusalCounter;
  log: Logger;
  media: Pick<SfuConfig['media'], 'tapListenAddress' | 'pipeListen'>;
  /** Where media may be sent besides the address that a transcoder's socket comes from. */
  tapAllowedAddresses: readonly Network[];
}

/** Serves one socket from its opening to its end. */
export function openSession(socket: WebSocket, arrival: Arrival, deps: SessionDeps): void {
  let peer: Peer | null = null;
  const link = Link.open({
    socket,
    refusals: deps.refusals,
    log: deps.log,
    async serve(frame): Promise<Served> {
      if (peer) return { data: await serveRequest(peer, frame) };
      if (frame.type !== 'join') throw refusal('out-of-order', 'join first');
      const joined = await join(link, arrival.address, frame, deps);
      peer = joined.peer;
      arrival.joined();
      clearTimeout(joinTimer);
      return joined;
    },
  });
  const joinTimer = setTimeout(
    () => link.close('join-timeout', 'the socket did not join in time'),
    joinTimeoutSeconds * 1000,
  );
  link.once('close', () => clearTimeout(joinTimer));
}

async function join(
  link: Link,
  address: string,
  frame: ClientFrameOf<'join'>,
  deps: SessionDeps,
): Promise<{ peer: Peer; data: ResponseData<'join'>; after: () => void }> {
  if (frame.version !== signallingVersion) {
    throw refusal('version-unsupported', `this node speaks version ${signallingVersion}`);
  }
  const ticket = await deps.gate.admit(frame.ticket);
  return deps.rooms.join(ticket.stream, (room) => {
    const tap = {
      listenAddress: deps.media.tapListenAddress,
      pipeListen: deps.media.pipeListen,
      allows: (target: string) =>
        isSameHost(address, target) || isWithin(deps.tapAllowedAddresses, target),
    };
    const peer = seatPeer(room, { link, ticket, tap, address }, deps);
    return {
      peer,
      data: {
        peerId: peer.id,
        nodeId: deps.nodeId,
        streamId: ticket.stream,
        capabilities: peer.capabilities,
        routerRtpCapabilities: { ...routerRtpCapabilities },
        publishing: room.sources.length > 0,
        viewers: room.audience,
      },
      after: () => room.greet(peer),
    };
  });
}
