// Signing: access tokens and tickets as EdDSA JWTs, and the public keys by which others verify them.
import { importJWK, type JWK, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import {
  type Capability,
  hlsTicketTtlSeconds,
  nodeTicketTtlSeconds,
  Role,
  roomTicketTtlSeconds,
  ticketAlgorithm,
  ticketClockSkewSeconds,
  ticketIssuer,
} from '#contract';
import type { Identity } from '../deps.ts';

export const accessTokenTtlSeconds = 600;
const accessAudience = 'api';

export interface Signer {
  accessToken(identity: Identity): Promise<{ token: string; expiresAt: Date }>;
  /** Null when the token is not ours, not for the API, or has expired. */
  verifyAccessToken(token: string): Promise<Identity | null>;
  roomTicket(claims: {
    subject: string;
    name: string;
    role: Role | 'guest';
    streamId: string;
    nodeId: string;
    capabilities: Capability[];
  }): Promise<string>;
  hlsTicket(claims: {
    subject: string;
    streamId: string;
  }): Promise<{ ticket: string; expiresAt: Date }>;
  nodeTicket(claims: { subject: string; streamId: string; nodeId: string }): Promise<string>;
  /** A JWK Set (RFC 7517) of public keys. */
  publicKeys(): { keys: JWK[] };
}

const PrivateKey = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1),
  x: z.string(),
  d: z.string(),
});

const AccessClaims = z.object({
  sub: z.uuid(),
  name: z.string(),
  role: Role,
  sid: z.uuid(),
});

/** `keysJson` is a JSON array of private Ed25519 JWKs: the first signs, all of them verify. */
export async function createSigner(keysJson: string, now: () => Date): Promise<Signer> {
  const keys = z.array(PrivateKey).min(1).parse(JSON.parse(keysJson));
  const [first] = keys;
  if (!first) throw new Error('there is no signing key');
  const signingKey = await importJWK(first, ticketAlgorithm);
  const publicJwks = keys.map(({ kty, crv, x, kid }) => ({
    kty,
    crv,
    x,
    kid,
    alg: ticketAlgorithm,
    use: 'sig',
  }));
  const verifyKeys = new Map(
    await Promise.all(
      publicJwks.map(async (jwk) => [jwk.kid, await importJWK(jwk, ticketAlgorithm)] as const),
    ),
  );

  async function sign(audience: string, ttlSeconds: number, claims: Record<string, unknown>) {
    const issuedAt = Math.floor(now().getTime() / 1000);
    const token = await new SignJWT({ ...claims, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: ticketAlgorithm, kid: first?.kid ?? '' })
      .setIssuer(ticketIssuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .sign(signingKey);
    return { token, expiresAt: new Date((issuedAt + ttlSeconds) * 1000) };
  }

  return {
    accessToken: (identity) =>
      sign(accessAudience, accessTokenTtlSeconds, {
        sub: identity.userId,
        name: identity.username,
        role: identity.role,
        sid: identity.sessionId,
      }),

    async verifyAccessToken(token) {
      try {
        const { payload } = await jwtVerify(
          token,
          (header) => {
            const key = verifyKeys.get(header.kid ?? '');
            if (!key) throw new Error('unknown key');
            return key;
          },
          {
            algorithms: [ticketAlgorithm],
            issuer: ticketIssuer,
            audience: accessAudience,
            clockTolerance: ticketClockSkewSeconds,
            currentDate: now(),
            requiredClaims: ['exp', 'iat', 'jti'],
          },
        );
        const claims = AccessClaims.parse(payload);
        return {
          userId: claims.sub,
          username: claims.name,
          role: claims.role,
          sessionId: claims.sid,
        };
      } catch {
        // Whatever is wrong with it, it does not say who is asking.
        return null;
      }
    },

    async roomTicket(claims) {
      const { token } = await sign('room', roomTicketTtlSeconds, {
        sub: claims.subject,
        name: claims.name,
        role: claims.role,
        stream: claims.streamId,
        node: claims.nodeId,
        capabilities: claims.capabilities,
      });
      return token;
    },

    async hlsTicket(claims) {
      const { token, expiresAt } = await sign('hls', hlsTicketTtlSeconds, {
        sub: claims.subject,
        stream: claims.streamId,
      });
      return { ticket: token, expiresAt };
    },

    async nodeTicket(claims) {
      const { token } = await sign('node', nodeTicketTtlSeconds, {
        sub: claims.subject,
        stream: claims.streamId,
        node: claims.nodeId,
      });
      return token;
    },

    publicKeys: () => ({ keys: publicJwks }),
  };
}
