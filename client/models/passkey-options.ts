// What a browser is asked about passkeys, as the edge says it (WebAuthn Level 3, JSON forms).
import { z } from 'zod';

const transports = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb'] as const;
const Transport = z.enum(transports);
const Requirement = z.enum(['discouraged', 'preferred', 'required']);
const type = z.literal('public-key');

const Descriptor = z.object({
  type,
  id: z.string(),
  // What this page has not heard of is no reason to leave the passkey out.
  transports: z
    .array(z.string())
    .transform((all) => all.flatMap((one) => Transport.safeParse(one).data ?? []))
    .exactOptional(),
});

/** For signing. */
export const RequestOptions = z.object({
  challenge: z.string(),
  timeout: z.number().exactOptional(),
  rpId: z.string().exactOptional(),
  allowCredentials: z.array(Descriptor).exactOptional(),
  userVerification: Requirement.exactOptional(),
});

/** For making one. */
export const CreationOptions = z.object({
  rp: z.object({ name: z.string(), id: z.string().exactOptional() }),
  user: z.object({ id: z.string(), name: z.string(), displayName: z.string() }),
  challenge: z.string(),
  pubKeyCredParams: z.array(z.object({ type, alg: z.number() })),
  timeout: z.number().exactOptional(),
  excludeCredentials: z.array(Descriptor).exactOptional(),
  authenticatorSelection: z
    .object({
      residentKey: Requirement.exactOptional(),
      requireResidentKey: z.boolean().exactOptional(),
      userVerification: Requirement.exactOptional(),
    })
    .exactOptional(),
  attestation: z.enum(['direct', 'enterprise', 'indirect', 'none']).exactOptional(),
});
