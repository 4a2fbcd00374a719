// Passkeys (WebAuthn Level 3): what authenticators are asked for, and whether they have signed it.
import type { z } from 'zod';
import { assert, type NewPasskeyBody, type Passkey, type PasskeyAnswerBody } from '#contract';
import {
  beginPasskeyChallenge,
  findPasskey,
  listPasskeys,
  type PasskeyPurpose,
  type StoredPasskey,
  takePasskeyChallenge,
  usePasskey,
} from '#db';
import type { Deps, Identity } from '../deps.ts';
import { problem } from '../problem.ts';
import { base64url, fromBase64 } from './secrets.ts';

/** So long may somebody look for their phone. */
const ttlSeconds = 300;
const challengeBytes = 32;
const site = 'LivePanty';

/** Read when the first passkey is made or shown: it is large, and most requests need nothing of it. */
const webauthn = () => import('@simplewebauthn/server');

/** Passkeys are of this host and no other (WebAuthn, 5.1.2, relying party identifier). */
const hostOf = (deps: Deps) => new URL(deps.config.APP_ORIGIN).hostname;

export function presentPasskey(key: StoredPasskey): Passkey {
  const { credentialId, name, backedUp, createdAt, lastUsedAt } = key;
  return { id: base64url(credentialId), name, backedUp, createdAt, lastUsedAt };
}

async function newChallenge(deps: Deps, purpose: PasskeyPurpose, userId: string | null) {
  const bytes = crypto.getRandomValues(new Uint8Array(challengeBytes));
  const of = { userId, purpose, bytes, ttlSeconds };
  return { challenge: bytes, challengeId: await beginPasskeyChallenge(deps.db, of) };
}

const descriptor = ({ credentialId, transports }: StoredPasskey) => ({
  id: base64url(credentialId),
  transports,
});

/** What the browser is to have made: a key that finds its person by itself, behind a PIN, a finger or a face. */
export async function askForNewPasskey(deps: Deps, { userId, username }: Identity) {
  const { generateRegistrationOptions } = await webauthn();
  const { challenge, challengeId } = await newChallenge(deps, 'passkey-making', userId);
  const options = await generateRegistrationOptions({
    rpName: site,
    rpID: hostOf(deps),
    userID: new TextEncoder().encode(userId),
    userName: username,
    challenge,
    timeout: ttlSeconds * 1000,
    excludeCredentials: (await listPasskeys(deps.db, userId)).map(descriptor),
    authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
  });
  return { challengeId, options: { ...options } };
}

/** What the browser is to have signed: by one of somebody's passkeys, or by any where nobody is known yet. */
export async function askForPasskey(
  deps: Deps,
  purpose: 'passkey-login' | 'step-up',
  userId: string | null,
) {
  const { generateAuthenticationOptions } = await webauthn();
  const known = userId === null ? [] : await listPasskeys(deps.db, userId);
  const { challenge, challengeId } = await newChallenge(deps, purpose, userId);
  const options = await generateAuthenticationOptions({
    rpID: hostOf(deps),
    challenge,
    timeout: ttlSeconds * 1000,
    allowCredentials: known.map(descriptor),
    userVerification: 'required',
  });
  return { challengeId, options: { ...options } };
}

async function takeChallenge(
  deps: Deps,
  challengeId: string,
  purpose: PasskeyPurpose,
  userId: string | null,
): Promise<string> {
  const bytes = await takePasskeyChallenge(deps.db, { challengeId, purpose, userId });
  if (!bytes) throw problem('session-expired');
  return base64url(bytes);
}

/** What the library throws about an answer is no fault of ours. */
async function verified<T extends { verified: boolean }>(checking: Promise<T>): Promise<T> {
  const checked = await checking.catch(() => null);
  if (!checked?.verified) throw problem('passkey-wrong');
  return checked;
}

/** The key that an authenticator has made. Throws `session-expired`, `passkey-wrong`. */
export async function checkNewPasskey(
  deps: Deps,
  userId: string,
  { challengeId, name, credential }: z.infer<typeof NewPasskeyBody>,
) {
  const { verifyRegistrationResponse } = await webauthn();
  const expectedChallenge = await takeChallenge(deps, challengeId, 'passkey-making', userId);
  const { registrationInfo } = await verified(
    verifyRegistrationResponse({
      response: credential,
      expectedChallenge,
      expectedOrigin: deps.config.APP_ORIGIN,
      expectedRPID: hostOf(deps),
      requireUserVerification: true,
    }),
  );
  assert(registrationInfo, 'a verified passkey has a key');
  const { id, publicKey, counter } = registrationInfo.credential;
  return {
    credentialId: fromBase64(id),
    publicKey,
    signCount: counter,
    transports: credential.response.transports ?? [],
    backedUp: registrationInfo.credentialBackedUp,
    name,
  };
}

/**
 * Whose passkey has signed. `userId` is who must have, and null where anybody may. Throws `session-expired`,
 * `passkey-wrong`.
 */
export async function checkPasskey(
  deps: Deps,
  purpose: 'passkey-login' | 'step-up',
  userId: string | null,
  { challengeId, credential }: z.infer<typeof PasskeyAnswerBody>,
): Promise<string> {
  const { verifyAuthenticationResponse } = await webauthn();
  const expectedChallenge = await takeChallenge(deps, challengeId, purpose, userId);
  const key = await findPasskey(deps.db, fromBase64(credential.id));
  if (!key || (userId !== null && key.userId !== userId)) throw problem('passkey-wrong');
  const { authenticationInfo } = await verified(
    verifyAuthenticationResponse({
      response: credential,
      expectedChallenge,
      expectedOrigin: deps.config.APP_ORIGIN,
      expectedRPID: hostOf(deps),
      requireUserVerification: true,
      credential: {
        id: base64url(key.credentialId),
        publicKey: key.publicKey,
        // Whether it goes on counting is looked at below, where two who come at once see each other.
        counter: 0,
      },
    }),
  );
  const { userHandle } = credential.response;
  if (userHandle && !isHandleOf(key.userId, userHandle)) throw problem('passkey-wrong');
  const counts = await usePasskey(deps.db, {
    credentialId: key.credentialId,
    signCount: authenticationInfo.newCounter,
    backedUp: authenticationInfo.credentialBackedUp,
  });
  if (!counts) throw problem('passkey-wrong');
  return key.userId;
}

const isHandleOf = (userId: string, handle: string) =>
  base64url(new TextEncoder().encode(userId)) === handle;
