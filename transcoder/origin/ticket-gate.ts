// Ticket gate: lets a player read the playlists of a stream for an HLS ticket that the edge signed.
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { ZodError } from 'zod';
import {
  HlsTicket,
  hlsTicketTtlSeconds,
  type Id,
  type Revocation,
  ticketAlgorithm,
  ticketClockSkewSeconds,
  ticketIssuer,
  ticketTypes,
} from '#contract';
import type { Revocations } from '../edge/revocations.ts';
import { type CheckedTicket, createCheckedTickets } from './checked-tickets.ts';
import { Refusal } from './refusal.ts';

const jwksTimeoutMs = 2_000;
/** After a fetch of the key set, tickets with an unknown key cause no further one for so long. */
const jwksCooldownMs = 10_000;
/** What a key that is older than this has signed is not believed for the first time. */
export const jwksAgeMsMax = 60_000;
/** Twice within that age, so that no player waits for it. */
export const jwksRefreshMs = 25_000;
export const ticketCharsMax = 4_096;

/** What a ticket has opened. */
export interface Admission {
  /** The user or guest that it was given to. */
  readonly subject: string;
  /** Something has ended it. */
  readonly ended: boolean;
  /** Throws a `Refusal` if it is over by now. */
  confirm(): void;
}

export interface TicketGate {
  /** Throws a `Refusal` unless the ticket admits to this stream. */
  admit(token: string | null, streamId: Id): Promise<Admission>;
  /** Ends the tickets that a revocation names; answers the streams whose addresses their holders may know. */
  end(revocation: Revocation): ReadonlySet<Id>;
  close(): void;
}

export interface TicketGateOptions {
  edgeUrl: string;
  revocations: Pick<Revocations, 'doubt' | 'ends'>;
  nowMs?(): number;
}

export function createTicketGate(options: TicketGateOptions): TicketGate {
  const { revocations } = options;
  const nowMs = options.nowMs ?? Date.now;
  const keys = createRemoteJWKSet(new URL(`${options.edgeUrl}/.well-known/jwks.json`), {
    timeoutDuration: jwksTimeoutMs,
    cooldownDuration: jwksCooldownMs,
    cacheMaxAge: jwksAgeMsMax,
  });
  const checked = createCheckedTickets(nowMs);
  const timer = setInterval(refresh, jwksRefreshMs);
  void refresh();

  /** Fetches the keys ahead of need; what a key has signed that is not published any more goes with it. */
  async function refresh(): Promise<void> {
    checked.sweep();
    try {
      await keys.reload();
      checked.keepKeys(new Set(keys.jwks()?.keys.map((key) => key.kid ?? '')));
    } catch {
      // Shows when a ticket needs the keys. What was checked before goes on while the edge is away.
    }
  }

  async function read(token: string): Promise<CheckedTicket> {
    const known = checked.get(token);
    if (known) return known;
    const ticket = await verify(token, keys);
    // Requests that came together share one, so that all of them hear of its end.
    const same = checked.get(token);
    if (same) return same;
    checked.add(token, ticket);
    return ticket;
  }

  function confirm(ticket: CheckedTicket): void {
    if (nowMs() >= ticket.expiresMs) {
      throw new Refusal('unauthenticated', 'the ticket has expired');
    }
    if (revocations.doubt) {
      throw new Refusal('unavailable', `tickets cannot be checked: ${revocations.doubt}`);
    }
    if (ticket.ended || revocations.ends(ticket)) {
      throw new Refusal('unauthenticated', 'the ticket has been ended');
    }
  }

  return {
    close: () => clearInterval(timer),
    async admit(token, streamId) {
      if (!token) throw new Refusal('unauthenticated', 'a ticket is needed');
      if (token.length > ticketCharsMax) {
        throw new Refusal('unauthenticated', 'the ticket is malformed');
      }
      const ticket = await read(token);
      confirm(ticket);
      if (ticket.streamId !== streamId) {
        throw new Refusal('forbidden', 'the ticket is for another stream');
      }
      return {
        subject: ticket.subject,
        get ended() {
          return ticket.ended;
        },
        confirm: () => confirm(ticket),
      };
    },
    end: (revocation) => checked.end(revocation),
  };
}

async function verify(token: string, keys: JWTVerifyGetKey): Promise<CheckedTicket> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      algorithms: [ticketAlgorithm],
      typ: ticketTypes.hls,
      issuer: ticketIssuer,
      audience: 'hls',
      clockTolerance: ticketClockSkewSeconds,
      // Whatever it says of its end; one that is made in the future is none.
      maxTokenAge: hlsTicketTtlSeconds,
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
    });
    const { sub, sid, rev, stream, exp } = HlsTicket.parse(payload);
    return {
      subject: sub,
      sessionId: sid,
      rev,
      streamId: stream,
      expiresMs: (exp + ticketClockSkewSeconds) * 1_000,
      keyId: protectedHeader.kid ?? '',
      ended: false,
    };
  } catch (error) {
    throw refusalOf(error);
  }
}

/** The ticket is at fault, unless the keys could not be had: then nobody can tell, and nobody enters. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) {
    return new Refusal('unauthenticated', 'the ticket has expired');
  }
  const keysAtFault = error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid;
  const ticketAtFault =
    error instanceof ZodError ||
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported;
  if (ticketAtFault && !keysAtFault) {
    return new Refusal('unauthenticated', 'the ticket is not valid');
  }
  return new Refusal('unavailable', 'tickets cannot be checked at the moment');
}
