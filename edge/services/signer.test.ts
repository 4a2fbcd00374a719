// Signing: which keys sign when, and that nothing is believed but what was signed here, for this, and lives.
import { randomUUID } from 'node:crypto';
import { decodeProtectedHeader } from 'jose';
import { expect, test } from 'vitest';
import { newSigningKeys } from '../../testing/edge.ts';
import { jwtAttacks } from '../../testing/jwt-attacks.ts';
import { accessTokenTtlSeconds, createSigner } from './signer.ts';

const identity = {
  userId: randomUUID(),
  username: 'asha',
  role: 'viewer' as const,
  sessionId: randomUUID(),
  revision: 7,
  secondFactorAt: null,
};
const jwkOf = async (kid: string, signsFrom?: string) => {
  const [jwk] = JSON.parse(await newSigningKeys(kid));
  return { ...jwk, ...(signsFrom ? { signsFrom } : {}) };
};
const kidOf = async (signer: Awaited<ReturnType<typeof createSigner>>) =>
  decodeProtectedHeader((await signer.accessToken(identity)).token).kid;

test('what was signed is read as it was said', async () => {
  const signer = await createSigner(JSON.stringify([await jwkOf('a')]), () => new Date());
  const proven = { ...identity, secondFactorAt: new Date('2026-01-02T03:04:05Z') };
  const { token } = await signer.accessToken(proven);
  expect(await signer.verifyAccessToken(token)).toEqual(proven);
});

test('nothing is believed that was made in one of the many ways to deceive', async () => {
  const jwk = await jwkOf('a');
  const signer = await createSigner(JSON.stringify([jwk]), () => new Date());
  const now = Math.floor(Date.now() / 1000);
  const { good, attacks } = jwtAttacks({
    jwk,
    type: 'at+jwt',
    otherTypes: ['room+jwt', 'hls+jwt', 'node+jwt'],
    claims: {
      iss: 'livepanty',
      aud: 'api',
      iat: now,
      exp: now + accessTokenTtlSeconds,
      jti: randomUUID(),
      sub: identity.userId,
      name: identity.username,
      role: identity.role,
      sid: identity.sessionId,
      rev: 0,
      mfa: 0,
    },
  });
  expect(await signer.verifyAccessToken(good)).toMatchObject({ userId: identity.userId });
  expect(attacks.length).toBeGreaterThan(60);
  // Twice, because what was seen before may be remembered.
  for (const _ of [1, 2]) {
    for (const { name, token } of attacks) {
      expect(await signer.verifyAccessToken(token), name).toBeNull();
    }
  }
  expect(await signer.verifyAccessToken(good)).toMatchObject({ userId: identity.userId });
});

test('nor is a guest believed in', async () => {
  const jwk = await jwkOf('a');
  const signer = await createSigner(JSON.stringify([jwk]), () => new Date());
  const now = Math.floor(Date.now() / 1000);
  const { good, attacks } = jwtAttacks({
    jwk,
    type: 'guest+jwt',
    otherTypes: ['room+jwt', 'hls+jwt', 'node+jwt', 'at+jwt'],
    claims: {
      iss: 'livepanty',
      aud: 'guest',
      iat: now,
      exp: now + 3_600,
      jti: randomUUID(),
      sub: randomUUID(),
      country: 'IN',
    },
  });
  expect(await signer.verifyGuestToken(good)).toMatchObject({ country: 'IN' });
  for (const { name, token } of attacks) {
    expect(await signer.verifyGuestToken(token), name).toBeNull();
  }
});

test('a token that is known to be good ends when it ends', async () => {
  let now = Date.now();
  const signer = await createSigner(JSON.stringify([await jwkOf('a')]), () => new Date(now));
  const { token, expiresAt } = await signer.accessToken(identity);
  expect(await signer.verifyAccessToken(token)).not.toBeNull();
  now = expiresAt.getTime() + 4_000;
  expect(await signer.verifyAccessToken(token)).not.toBeNull();
  now = expiresAt.getTime() + 5_000;
  expect(await signer.verifyAccessToken(token)).toBeNull();
});

test('a new key is published before it signs, and tokens of both live side by side', async () => {
  const begin = Date.parse('2026-06-01T12:00:00Z');
  let now = begin - 60_000;
  const [old, fresh] = [await jwkOf('old'), await jwkOf('fresh', '2026-06-01T12:00:00Z')];
  const signer = await createSigner(JSON.stringify([old, fresh]), () => new Date(now));
  expect(signer.publicKeys().keys.map(({ kid }) => kid)).toEqual(['old', 'fresh']);
  expect(JSON.stringify(signer.publicKeys())).not.toContain(old.d);
  const { token } = await signer.accessToken(identity);
  expect(await kidOf(signer)).toBe('old');
  now = begin;
  expect(await kidOf(signer)).toBe('fresh');
  expect(await signer.verifyAccessToken(token)).toMatchObject({ userId: identity.userId });
  // Once the old one is removed, nobody believes it any more.
  const after = await createSigner(JSON.stringify([fresh]), () => new Date(now));
  expect(await after.verifyAccessToken(token)).toBeNull();
});

test('keys that cannot be told apart, or none that may sign, are refused at the start', async () => {
  const now = () => new Date('2026-06-01T12:00:00Z');
  const signerOf = async (...keys: unknown[]) => createSigner(JSON.stringify(keys), now);
  await expect(
    signerOf(await jwkOf('a'), await jwkOf('a', '2026-01-01T00:00:00Z')),
  ).rejects.toThrow('same kid');
  await expect(signerOf(await jwkOf('a'), await jwkOf('b'))).rejects.toThrow('same signsFrom');
  await expect(signerOf(await jwkOf('a', '2026-07-01T00:00:00Z'))).rejects.toThrow('may sign yet');
  await expect(signerOf()).rejects.toThrow();
});
