// Passkeys: what browsers and the edge say to each other about them (WebAuthn Level 3, JSON forms).
import { z } from 'zod';
import { HumanText, Id, Instant } from './ids.ts';

export const passkeysMax = 20;
const nameCharsMax = 60;
/** A credential id has at most 1,023 bytes (WebAuthn, 5.8.3). */
const credentialCharsMax = 1364;
/** Attestations with chains of certificates are the largest. */
const bytesCharsMax = 16 * 1024;

const base64url = /^[A-Za-z0-9_-]+$/;
const Bytes = z.string().max(bytesCharsMax).regex(base64url);
export const CredentialId = z
  .string()
  .max(credentialCharsMax)
  .regex(base64url)
  .refine((text) => text.length % 4 !== 1, 'no whole bytes');
const PasskeyName = HumanText.trim().min(1).max(nameCharsMax);

export const Passkey = z.object({
  id: CredentialId,
  name: z.string(),
  /** Whether it is kept in a place of several devices, such as a password manager. */
  backedUp: z.boolean(),
  createdAt: Instant,
  lastUsedAt: Instant.nullable(),
});
export type Passkey = z.infer<typeof Passkey>;
export const PasskeyList = z.object({ passkeys: z.array(Passkey) });

/** For `navigator.credentials`: what the browser is to ask the authenticator. */
export const PasskeyQuestion = z.object({
  challengeId: Id,
  options: z.looseObject({ challenge: z.string() }),
});

/** What every answer of an authenticator has. */
const credential = {
  id: CredentialId,
  rawId: CredentialId,
  type: z.literal('public-key'),
  authenticatorAttachment: z.enum(['platform', 'cross-platform']).exactOptional(),
  clientExtensionResults: z.object({}),
};

export const NewPasskeyBody = z.strictObject({
  challengeId: Id,
  name: PasskeyName,
  credential: z.object({
    ...credential,
    response: z.object({
      clientDataJSON: Bytes,
      attestationObject: Bytes,
      transports: z.array(z.string().max(20)).max(10).exactOptional(),
    }),
  }),
});

export const PasskeyAnswerBody = z.strictObject({
  challengeId: Id,
  credential: z.object({
    ...credential,
    response: z.object({
      clientDataJSON: Bytes,
      authenticatorData: Bytes,
      signature: Bytes,
      userHandle: z.string().max(200).exactOptional(),
    }),
  }),
});

export const PasskeyNameBody = z.strictObject({ name: PasskeyName });
