// Signing: access tokens and tickets as EdDSA JWTs, and the public keys by which others verify them.
import { importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { z } from 'zod';
import {
  type Capability,
  type Guest,
  guestTtlSeconds,
  hlsTicketTtlSeconds,
  type MediaHold,
  type NodeTicket,
  nodeTicketTtlSeconds,
  Role,
  roomTicketTtlSeconds,
  ticketAlgorithm,
  ticketClockSkewSeconds,
  ticketIssuer,
  ticketTypes,
} from '#contract';
import type { Identity } from '../deps.ts';

export const accessTokenTtlSeconds = 600;
const accessAudience = 'api';

/** Access tokens whose signature was found good: it is checked once for each. */
const verifiedTokensMax = 20_000;
/** The type of an access token (RFC 9068, section 2.1); tickets are of other types. */
const accessType = 'at+jwt';
const guestAudience = 'guest';
const guestType = 'guest+jwt';

export interface Signer {
  accessToken(identity: Identity): Promise<{ token: string; expiresAt: Date }>;
  /** Null when the token is not ours, not for the API, or has expired. Whether it was revoked is not its to say. */
  verifyAccessToken(token: string): Promise<Identity | null>;
  guestToken(guest: Pick<Guest, 'id' | 'country'>): Promise<{ token: string; expiresAt: Date }>;
  /** Null when the token is not ours, not a guest's, or has expired. */
  verifyGuestToken(token: string): Promise<Pick<Guest, 'id' | 'country'> | null>;
  roomTicket(claims: {
    subject: string;
    sessionId: string | null;
    revision: number;
    name: string;
    role: Role | 'guest';
    streamId: string;
    nodeId: string;
    capabilities: Capability[];
    held?: MediaHold;
  }): Promise<string>;
  hlsTicket(claims: {
    subject: string;
    sessionId: string | null;
    revision: number;
    streamId: string;
  }): Promise<{ ticket: string; expiresAt: Date }>;
  nodeTicket(claims: {
    subject: string;
    streamId: string;
    nodeId: string;
    use: NodeTicket['use'];
  }): Promise<string>;
  /** A JWK Set (RFC 7517) of public keys. */
  publicKeys(): { keys: JWK[] };
}

const PrivateKey = z.looseObject({
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1),
  x: z.string(),
  d: z.string(),
  /** From when on it signs; a key is published before, so that everybody knows it by then. Left out: always. */
  signsFrom: z.iso.datetime().optional(),
});

const AccessClaims = z.object({
  sub: z.uuid(),
  name: z.string(),
  role: Role,
  sid: z.uuid(),
  rev: z.int().nonnegative(),
  /** When a second factor was last shown, in seconds since the epoch; 0 for never. */
  mfa: z.int().nonnegative(),
  exp: z.number(),
});

const GuestClaims = z.object({ sub: z.uuid(), country: z.string(), exp: z.int() });

/**
 * `keysJson` is a JSON array of private Ed25519 JWKs: of those whose time to sign has come the newest signs, all of
 * them verify. Throws when two of them cannot be told apart, or none may sign yet.
 */
export async function createSigner(keysJson: string, now: () => Date): Promise<Signer> {
  const keys = z.array(PrivateKey).min(1).parse(JSON.parse(keysJson));
  const publicJwks = keys.map(({ kty, crv, x, kid }) => ({
    kty,
    crv,
    x,
    kid,
    alg: ticketAlgorithm,
    use: 'sig',
  }));
  const signers = await Promise.all(
    keys.map(async (key) => ({
      kid: key.kid,
      fromMs: key.signsFrom ? Date.parse(key.signsFrom) : 0,
      key: await importJWK(key, ticketAlgorithm),
    })),
  );
  // The newest first.
  signers.sort((one, other) => other.fromMs - one.fromMs);
  for (const name of ['kid', 'fromMs'] as const) {
    if (new Set(signers.map((one) => one[name])).size < signers.length) {
      throw new Error(`two signing keys have the same ${name === 'kid' ? 'kid' : 'signsFrom'}`);
    }
  }
  presentSigner();
  const verifyKeys = new Map(
    await Promise.all(
      publicJwks.map(async (jwk) => [jwk.kid, await importJWK(jwk, ticketAlgorithm)] as const),
    ),
  );
  const verified = new Map<string, { identity: Identity; expiresAtMs: number }>();

  function presentSigner() {
    const signer = signers.find(({ fromMs }) => fromMs <= now().getTime());
    if (!signer) throw new Error('no signing key may sign yet');
    return signer;
  }

  async function sign(
    type: string,
    audience: string,
    ttlSeconds: number,
    claims: Record<string, unknown>,
  ) {
    const { key, kid } = presentSigner();
    const issuedAt = Math.floor(now().getTime() / 1000);
    const token = await new SignJWT({ ...claims, jti: crypto.randomUUID() })
      .setProtectedHeader({ alg: ticketAlgorithm, kid, typ: type })
      .setIssuer(ticketIssuer)
      .setAudience(audience)
      .setIssuedAt(issuedAt)
      .setExpirationTime(issuedAt + ttlSeconds)
      .sign(key);
    return { token, expiresAt: new Date((issuedAt + ttlSeconds) * 1000) };
  }

  /** Throws for whatever is not as `type` and `audience` want it. */
  async function claimsOf(token: string, type: string, audience: string): Promise<JWTPayload> {
    const { payload } = await jwtVerify(
      token,
      (header) => {
        const key = verifyKeys.get(header.kid ?? '');
        if (!key) throw new Error('unknown key');
        return key;
      },
      {
        algorithms: [ticketAlgorithm],
        typ: type,
        issuer: ticketIssuer,
        audience,
        clockTolerance: ticketClockSkewSeconds,
        currentDate: now(),
        requiredClaims: ['exp', 'iat', 'jti'],
      },
    );
    const { iat = Number.POSITIVE_INFINITY } = payload;
    if (iat > now().getTime() / 1000 + ticketClockSkewSeconds) throw new Error('not made yet');
    return payload;
  }

  async function verifySignature(token: string): Promise<Identity | null> {
    try {
      const claims = AccessClaims.parse(await claimsOf(token, accessType, accessAudience));
      const identity = {
        userId: claims.sub,
        username: claims.name,
        role: claims.role,
        sessionId: claims.sid,
        revision: claims.rev,
        secondFactorAt: claims.mfa === 0 ? null : new Date(claims.mfa * 1000),
      };
      verified.set(token, {
        identity,
        expiresAtMs: (claims.exp + ticketClockSkewSeconds) * 1000,
      });
      const [oldest] = verified.keys();
      if (verified.size > verifiedTokensMax && oldest !== undefined) verified.delete(oldest);
      return identity;
    } catch {
      // Whatever is wrong with it, it does not say who is asking.
      return null;
    }
  }

  return {
    accessToken: (identity) =>
      sign(accessType, accessAudience, accessTokenTtlSeconds, {
        sub: identity.userId,
        name: identity.username,
        role: identity.role,
        sid: identity.sessionId,
        rev: identity.revision,
        mfa: Math.floor((identity.secondFactorAt?.getTime() ?? 0) / 1000),
      }),

    async verifyAccessToken(token) {
      const known = verified.get(token);
      if (!known) return verifySignature(token);
      if (known.expiresAtMs > now().getTime()) return known.identity;
      verified.delete(token);
      return null;
    },

    guestToken: ({ id, country }) =>
      sign(guestType, guestAudience, guestTtlSeconds, { sub: id, country }),

    async verifyGuestToken(token) {
      try {
        const claims = GuestClaims.parse(await claimsOf(token, guestType, guestAudience));
        return { id: claims.sub, country: claims.country };
      } catch {
        // Whatever is wrong with it, it is nobody's.
        return null;
      }
    },

    async roomTicket(claims) {
      const { token } = await sign(ticketTypes.room, 'room', roomTicketTtlSeconds, {
        sub: claims.subject,
        sid: claims.sessionId,
        rev: claims.revision,
        name: claims.name,
        role: claims.role,
        stream: claims.streamId,
        node: claims.nodeId,
        capabilities: claims.capabilities,
        ...(claims.held ? { held: claims.held } : {}),
      });
      return token;
    },

    async hlsTicket(claims) {
      const { token, expiresAt } = await sign(ticketTypes.hls, 'hls', hlsTicketTtlSeconds, {
        sub: claims.subject,
        sid: claims.sessionId,
        rev: claims.revision,
        stream: claims.streamId,
      });
      return { ticket: token, expiresAt };
    },

    async nodeTicket(claims) {
      const { token } = await sign(ticketTypes.node, 'node', nodeTicketTtlSeconds, {
        sub: claims.subject,
        stream: claims.streamId,
        node: claims.nodeId,
        use: claims.use,
      });
      return token;
    },

    publicKeys: () => ({ keys: publicJwks }),
  };
}
