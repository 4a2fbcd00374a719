// The ticket gate: lets a socket in for a ticket that the edge signed, once, for this node.

import type { Redis } from 'ioredis';
import {
  createRemoteJWKSet,
  errors,
  type JWTVerifyGetKey,
  type JWTVerifyResult,
  jwtVerify,
} from 'jose';
import { z } from 'zod';
import {
  NodeTicket,
  nodeTicketTtlSeconds,
  type Revocable,
  RoomTicket,
  roomTicketTtlSeconds,
  ticketAlgorithm,
  ticketClockSkewSeconds,
  ticketIssuer,
  ticketTypes,
  usedTicketKey,
} from '#contract';
import { type Refusal, refusal } from './refusals.ts';
import type { Revocations } from './revocations.ts';

const jwksTimeoutMs = 2_000;
/** The key set is fetched anew when it is older: a key that was removed is believed no longer than this. */
const jwksAgeMaxMs = 60_000;
/** A ticket with an unknown key causes a fetch at once, but not within so long of the last one. */
const jwksCooldownMs = 1_000;

/** Whatever a ticket says of its end; one that is made in the future is none. */
const ticketAgeMaxSeconds = Math.max(roomTicketTtlSeconds, nodeTicketTtlSeconds);

const Ticket = z.discriminatedUnion('aud', [RoomTicket, NodeTicket]);
/** What a socket was admitted with. */
export type Ticket = z.infer<typeof Ticket>;

/** What may end a ticket before its time; null for a transcoder's, which nothing ends. */
export function revocableOf(ticket: Ticket): Revocable | null {
  if (ticket.aud === 'node') return null;
  const { rev, sub, sid, stream } = ticket;
  return { rev, subject: sub, sessionId: sid, streamId: stream };
}

export interface TicketGate {
  /** Verifies the ticket and spends it; throws a `Refusal`. One that is refused before that is not spent. */
  admit(token: string): Promise<Ticket>;
}

export function createTicketGate({
  edgeUrl,
  nodeId,
  redis,
  revocations,
}: {
  edgeUrl: string;
  nodeId: string;
  redis: Redis;
  revocations: Pick<Revocations, 'check'>;
}): TicketGate {
  const keys = createRemoteJWKSet(new URL(`${edgeUrl}/.well-known/jwks.json`), {
    timeoutDuration: jwksTimeoutMs,
    cooldownDuration: jwksCooldownMs,
    cacheMaxAge: jwksAgeMaxMs,
  });
  return {
    async admit(token) {
      const ticket = readTicket(await verifySignature(token, keys));
      if (ticket.node !== nodeId) {
        throw refusal('ticket-invalid', 'the ticket is for another node');
      }
      const revocable = revocableOf(ticket);
      if (revocable) revocations.check(revocable);
      await spend(redis, ticket);
      return ticket;
    },
  };
}

async function verifySignature(token: string, keys: JWTVerifyGetKey): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, keys, {
      algorithms: [ticketAlgorithm],
      issuer: ticketIssuer,
      audience: ['room', 'node'],
      clockTolerance: ticketClockSkewSeconds,
      maxTokenAge: ticketAgeMaxSeconds,
      requiredClaims: ['exp', 'iat', 'jti', 'sub'],
    });
  } catch (error) {
    throw refusalOf(error);
  }
}

/** The ticket is at fault, unless the keys could not be had: then nobody can tell, and nobody enters. */
function refusalOf(error: unknown): Refusal {
  if (error instanceof errors.JWTExpired) {
    return refusal('ticket-expired', 'the ticket has expired');
  }
  const ticketAtFault =
    error instanceof errors.JWTClaimValidationFailed ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWSSignatureVerificationFailed ||
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSEAlgNotAllowed ||
    error instanceof errors.JOSENotSupported;
  return ticketAtFault
    ? refusal('ticket-invalid', 'the ticket is not valid')
    : refusal('unavailable', 'tickets cannot be verified at the moment');
}

function readTicket({ payload, protectedHeader }: JWTVerifyResult): Ticket {
  const parsed = Ticket.safeParse(payload);
  if (!parsed.success) throw refusal('ticket-invalid', 'the ticket lacks claims');
  if (protectedHeader.typ !== ticketTypes[parsed.data.aud]) {
    throw refusal('ticket-invalid', 'the token is of another type');
  }
  return parsed.data;
}

/** The first to set the key has used the ticket; it is kept for as long as the ticket could be shown. */
async function spend(redis: Redis, ticket: Ticket): Promise<void> {
  const lifeSeconds = ticket.exp - Math.floor(Date.now() / 1000) + 2 * ticketClockSkewSeconds;
  let set: string | null;
  try {
    set = await redis.set(
      usedTicketKey(ticket.jti),
      ticket.node,
      'EX',
      Math.max(1, lifeSeconds),
      'NX',
    );
  } catch {
    // Whether the ticket was used cannot be known while Redis is away: fail closed.
    throw refusal('unavailable', 'tickets cannot be checked at the moment');
  }
  if (set === null) throw refusal('ticket-used', 'the ticket was used before');
}
