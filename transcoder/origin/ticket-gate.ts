// Ticket gate: lets a player read the playlists of a stream for an HLS ticket that the edge signed.
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import {
  HlsTicket,
  type Id,
  ticketAlgorithm,
  ticketClockSkewSeconds,
  ticketIssuer,
} from '#contract';
import { Refusal } from './refusal.ts';

const jwksTimeoutMs = 2_000;
/** After a fetch of the key set, tickets with an unknown key cause no further one for so long. */
const jwksCooldownMs = 10_000;
const jwksRefreshMs = 5 * 60_000;
export const ticketCharsMax = 4_096;
/** Tickets whose signature has been checked; playlists are read several times a second. */
export const checkedTicketsMax = 20_000;

export interface TicketGate {
  /** Throws a `Refusal` unless the ticket admits to this stream. */
  check(token: string | null, streamId: Id): Promise<void>;
  close(): void;
}

interface CheckedTicket {
  stream: Id;
  expiresMs: number;
}

/** Fetches the keys ahead of need, and again every few minutes, so that withdrawn ones go. */
export function createTicketGate(edgeUrl: string, now: () => number = Date.now): TicketGate {
  const keys = createRemoteJWKSet(new URL(`${edgeUrl}/.well-known/jwks.json`), {
    timeoutDuration: jwksTimeoutMs,
    cooldownDuration: jwksCooldownMs,
    // Keys that were good stay good while the edge is away; the refresh below is what renews them.
    cacheMaxAge: Number.POSITIVE_INFINITY,
  });
  // A failure shows when a ticket needs the keys.
  const refresh = () => keys.reload().catch(() => {});
  const timer = setInterval(refresh, jwksRefreshMs);
  void refresh();
  const checked = new Map<string, CheckedTicket>();

  async function read(token: string): Promise<CheckedTicket> {
    const known = checked.get(token);
    if (known) return known;
    const ticket = HlsTicket.safeParse(await verify(token, keys));
    if (!ticket.success) throw new Refusal('unauthenticated', 'the ticket is not an HLS ticket');
    const fresh = {
      stream: ticket.data.stream,
      expiresMs: (ticket.data.exp + ticketClockSkewSeconds) * 1_000,
    };
    const [oldest] = checked.keys();
    if (checked.size >= checkedTicketsMax && oldest) checked.delete(oldest);
    checked.set(token, fresh);
    return fresh;
  }

  return {
    close: () => clearInterval(timer),
    async check(token, streamId) {
      if (!token) throw new Refusal('unauthenticated', 'a ticket is needed');
      if (token.length > ticketCharsMax) {
        throw new Refusal('unauthenticated', 'the ticket is malformed');
      }
      const ticket = await read(token);
      if (now() >= ticket.expiresMs) {
        checked.delete(token);
        throw new Refusal('unauthenticated', 'the ticket has expired');
      }
      if (ticket.stream !== streamId) {
        throw new Refusal('forbidden', 'the ticket is for another stream');
      }
    },
  };
}

async function verify(token: string, keys: JWTVerifyGetKey): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      algorithms: [ticketAlgorithm],
      issuer: ticketIssuer,
      audience: 'hls',
      clockTolerance: ticketClockSkewSeconds,
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
    });
    return payload;
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
