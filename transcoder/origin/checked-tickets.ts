// Checked tickets: those whose signature was found good, by their text and by what may end them.
import { assertNever, type Id, isEndedBy, type Revocable, type Revocation } from '#contract';

/** Of how many tickets it is known who holds them; five minutes of all the players that one origin can serve. */
export const checkedTicketsMax = 50_000;
/** Whose ticket has expired may still know addresses for so long: those of twenty segments, and a little more. */
const holderMemoryMs = 60_000;

export interface CheckedTicket extends Revocable {
  readonly streamId: Id;
  readonly expiresMs: number;
  /** The key that signed it. */
  readonly keyId: string;
  /** Ended before its time. */
  ended: boolean;
}

export interface CheckedTickets {
  get(token: string): CheckedTicket | null;
  add(token: string, ticket: CheckedTicket): void;
  /** Ends those that a revocation names; answers the streams whose addresses their holders may know. */
  end(revocation: Revocation): Set<Id>;
  /** Keys were withdrawn: what the others signed is to be checked anew. */
  keepKeys(keyIds: ReadonlySet<string>): void;
  /** Forgets those that expired long ago; to be called every minute or so. */
  sweep(): void;
}

export function createCheckedTickets(
  nowMs: () => number,
  ticketsMax = checkedTicketsMax,
): CheckedTickets {
  const byToken = new Map<string, CheckedTicket>();
  const byName = new Map<string, Set<CheckedTicket>>();
  /** Streams of tickets that had to be forgotten, and until when their holders matter. */
  const crowded = new Map<Id, number>();

  function forget(token: string, ticket: CheckedTicket): void {
    byToken.delete(token);
    for (const name of namesOf(ticket)) {
      const named = byName.get(name);
      named?.delete(ticket);
      if (named?.size === 0) byName.delete(name);
    }
  }

  /** Forgets one that is still good, and remembers that its stream has holders who are not known any more. */
  function displace(token: string, ticket: CheckedTicket): void {
    forget(token, ticket);
    const untilMs = ticket.expiresMs + holderMemoryMs;
    crowded.set(ticket.streamId, Math.max(untilMs, crowded.get(ticket.streamId) ?? 0));
  }

  function makePlace(): void {
    const [oldest] = byToken;
    if (oldest && byToken.size >= ticketsMax) displace(...oldest);
  }

  return {
    get: (token) => byToken.get(token) ?? null,
    add(token, ticket) {
      const known = byToken.get(token);
      if (known) forget(token, known);
      makePlace();
      byToken.set(token, ticket);
      for (const name of namesOf(ticket)) {
        const named = byName.get(name) ?? new Set();
        byName.set(name, named.add(ticket));
      }
    },
    end(revocation) {
      const streams = new Set<Id>();
      const name = nameIn(revocation);
      for (const ticket of (name && byName.get(name)) || []) {
        if (ticket.ended || !isEndedBy(ticket, revocation)) continue;
        ticket.ended = true;
        streams.add(ticket.streamId);
      }
      // Who held a forgotten ticket is not known: it may have been the one.
      for (const [streamId, untilMs] of crowded) {
        const concerned = revocation.streamId === null || revocation.streamId === streamId;
        if (concerned && untilMs > nowMs()) streams.add(streamId);
      }
      return streams;
    },
    keepKeys(keyIds) {
      for (const [token, ticket] of byToken) {
        if (!keyIds.has(ticket.keyId)) displace(token, ticket);
      }
    },
    sweep() {
      for (const [token, ticket] of byToken) {
        if (ticket.expiresMs + holderMemoryMs < nowMs()) forget(token, ticket);
      }
      for (const [streamId, untilMs] of crowded) {
        if (untilMs < nowMs()) crowded.delete(streamId);
      }
    },
  };
}

/** Under which names a ticket is looked for when something is revoked. */
function namesOf({ subject, sessionId, streamId }: CheckedTicket): string[] {
  const names = [`user:${subject}`, `stream:${streamId}`];
  return sessionId === null ? names : [...names, `session:${sessionId}`];
}

/** Null for what ends nothing. */
function nameIn({ kind, subject, streamId }: Revocation): string | null {
  switch (kind) {
    case 'session':
      return `session:${subject}`;
    case 'user':
    case 'viewer':
      return `user:${subject}`;
    case 'stream':
      return `stream:${streamId}`;
    case 'hold':
      return null;
    default:
      return assertNever(kind);
  }
}
