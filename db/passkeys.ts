// Passkeys (WebAuthn): challenges to sign, and the keys that sign them.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { Id, Instant } from '#contract';
import { bytesOfHex, hex } from './bytes.ts';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

export type PasskeyPurpose = 'passkey-making' | 'passkey-login' | 'step-up';

const Bytes = z.string().transform(bytesOfHex);

const StoredPasskey = z.object({
  credentialId: Bytes,
  userId: Id,
  publicKey: Bytes,
  signCount: z.int(),
  transports: z.array(z.string()),
  backedUp: z.boolean(),
  name: z.string(),
  createdAt: Instant,
  lastUsedAt: Instant.nullable(),
});
export type StoredPasskey = z.infer<typeof StoredPasskey>;

/** Keeps the bytes of a challenge until it is answered; of nobody, where who logs in is not known yet. */
export async function beginPasskeyChallenge(
  db: Db,
  of: { userId: string | null; purpose: PasskeyPurpose; bytes: Uint8Array; ttlSeconds: number },
): Promise<string> {
  return callFunction(
    db,
    sql`select to_jsonb(begin_passkey_challenge(${of.userId}::uuid, ${of.purpose},
      decode(${hex(of.bytes)}, 'hex'), make_interval(secs => ${of.ttlSeconds}))) as result`,
    Id,
  );
}

/** Takes a challenge, which is answered once, right or wrong. Null when it is over, or somebody else's. */
export async function takePasskeyChallenge(
  db: Db,
  of: { challengeId: string; purpose: PasskeyPurpose; userId: string | null },
): Promise<Uint8Array<ArrayBuffer> | null> {
  return callFunction(
    db,
    sql`select to_jsonb(take_passkey_challenge(${of.challengeId}, ${of.purpose}, ${of.userId}::uuid)) as result`,
    Bytes.nullable(),
  );
}

/** Refuses `session-expired`, `account-banned`, `factor-exists`, `passkey-limit`. */
export async function addPasskey(
  db: Db,
  of: { userId: string; sessionId: string },
  key: Pick<
    StoredPasskey,
    'credentialId' | 'publicKey' | 'signCount' | 'transports' | 'backedUp' | 'name'
  >,
  most: number,
): Promise<StoredPasskey> {
  const data = JSON.stringify({
    ...key,
    credentialId: hex(key.credentialId),
    publicKey: hex(key.publicKey),
  });
  return callFunction(
    db,
    sql`select add_passkey(${of.userId}, ${of.sessionId}, ${data}::jsonb, ${most}) as result`,
    StoredPasskey,
  );
}

/** Somebody's passkeys, the oldest first. */
export async function listPasskeys(db: Db, userId: string): Promise<StoredPasskey[]> {
  return callFunction(db, sql`select passkeys_of(${userId}) as result`, StoredPasskey.array());
}

const credential = (credentialId: Uint8Array) => sql`decode(${hex(credentialId)}, 'hex')`;

/** The passkey of a credential; null when nobody has it. */
export async function findPasskey(db: Db, credentialId: Uint8Array): Promise<StoredPasskey | null> {
  return callFunction(
    db,
    sql`select passkey_of(${credential(credentialId)}) as result`,
    StoredPasskey.nullable(),
  );
}

/** Notes that a passkey was used; false when its counter says that a copy of it is about. */
export async function usePasskey(
  db: Db,
  use: { credentialId: Uint8Array; signCount: number; backedUp: boolean },
): Promise<boolean> {
  return callFunction(
    db,
    sql`select to_jsonb(use_passkey(${credential(use.credentialId)}, ${use.signCount}, ${use.backedUp})) as result`,
    z.boolean(),
  );
}

/** Refuses `not-found`. */
export async function renamePasskey(
  db: Db,
  userId: string,
  credentialId: Uint8Array,
  name: string,
): Promise<StoredPasskey> {
  return callFunction(
    db,
    sql`select rename_passkey(${userId}, ${credential(credentialId)}, ${name}) as result`,
    StoredPasskey,
  );
}

/** Refuses `not-found`. */
export async function removePasskey(
  db: Db,
  userId: string,
  credentialId: Uint8Array,
): Promise<void> {
  await callFunction(
    db,
    sql`select remove_passkey(${userId}, ${credential(credentialId)}) as result`,
    z.unknown(),
  );
}
