// The resources of a node: how connections by HTTP are made, how many there may be, and where they are found again.
import { type Capability, type HttpMediaKind, httpMediaKinds } from '#contract';
import { withDeadline } from '../deadline.ts';
import { refusal } from '../refusals.ts';
import { type SeatDeps, takeSeat } from '../seat.ts';
import { createTally } from '../tally.ts';
import type { TicketGate } from '../ticket-gate.ts';
import { writeAnswer } from './answer.ts';
import { type Offer, parseOffer } from './description.ts';
import { play } from './playback.ts';
import { publish } from './publication.ts';
import { Resource } from './resource.ts';

/** Connections by HTTP of one node. */
export const resourcesMax = 4_000;
/** Of one person: a few windows, and the encoder. */
export const resourcesPerSubjectMax = 8;
/** A worker that has not answered by then has failed. */
const makingTimeoutMs = 8_000;

const capabilityFor: Record<HttpMediaKind, Capability> = { whip: 'publish', whep: 'subscribe' };

export interface ResourcesDeps extends SeatDeps {
  gate: TicketGate;
}

export interface Resources {
  /** Connections by HTTP that stand now. */
  readonly counts: Record<HttpMediaKind, number>;
  /** Spends the ticket and takes the offer. Throws a `Refusal` or a `Rejection`. */
  make(
    kind: HttpMediaKind,
    token: string,
    readOffer: () => Promise<string>,
    address: string,
  ): Promise<{ resource: Resource; answer: string }>;
  find(kind: HttpMediaKind, id: string): Resource | null;
}

export function createResources(deps: ResourcesDeps): Resources {
  const resources = new Map<string, Resource>();
  /** By person: those that stand, and those that are being made. */
  const bySubject = createTally();

  /** Takes a place; the answer gives it back, once. */
  function takePlace(subject: string): () => void {
    if (bySubject.of(subject) >= resourcesPerSubjectMax) {
      throw refusal('rate-limited', 'one person has only so many connections');
    }
    if (bySubject.total >= resourcesMax) {
      throw refusal('no-room', 'this node takes no further connections');
    }
    return bySubject.take(subject);
  }

  async function connect(
    kind: HttpMediaKind,
    ticket: Awaited<ReturnType<TicketGate['admit']>>,
    offer: Offer,
    address: string,
    leavePlace: () => void,
  ): Promise<{ resource: Resource; answer: string }> {
    const seat = await takeSeat(ticket, address, deps);
    seat.link.once('close', leavePlace);
    const log = deps.log.child({ streamId: ticket.stream });
    const failed = (error: unknown) => {
      if (!seat.link.closed) log.warn({ err: error }, 'what an encoder sends cannot be published');
      seat.peer.dismiss('unsupported-media', 'what is sent cannot be published');
    };
    try {
      const making = kind === 'whip' ? publish(seat, offer, failed) : play(seat, offer);
      const connection = await withDeadline(making, makingTimeoutMs, () =>
        refusal('unavailable', 'the media worker does not answer'),
      );
      if (seat.link.closed || connection.transport.closed) {
        throw refusal('unavailable', 'the connection was closed while it was made');
      }
      const answer = writeAnswer(offer, connection.taken, connection.transport);
      const resource = Resource.open({
        kind,
        seat,
        connection,
        offer,
        log,
        onClosed: () => resources.delete(resource.id),
      });
      resources.set(resource.id, resource);
      return { resource, answer };
    } catch (error) {
      seat.link.end();
      throw error;
    }
  }

  return {
    get counts() {
      const counts = Object.fromEntries(httpMediaKinds.map((kind) => [kind, 0]));
      for (const { kind } of resources.values()) counts[kind] = (counts[kind] ?? 0) + 1;
      return { whip: counts.whip ?? 0, whep: counts.whep ?? 0 };
    },

    async make(kind, token, readOffer, address) {
      const ticket = await deps.gate.admit(token);
      const capability = capabilityFor[kind];
      if (ticket.aud !== 'room' || !ticket.capabilities.includes(capability)) {
        throw refusal('forbidden', `the ticket does not allow to ${capability}`);
      }
      const leavePlace = takePlace(ticket.sub);
      try {
        const offer = parseOffer(await readOffer());
        return await connect(kind, ticket, offer, address, leavePlace);
      } catch (error) {
        leavePlace();
        throw error;
      }
    },

    find(kind, id) {
      const resource = resources.get(id);
      return resource?.kind === kind ? resource : null;
    },
  };
}
