// Stream keys: made, told of, given another secret, ended, and used by encoders.
import { sql } from 'drizzle-orm';
import { z } from 'zod';
import {
  Id,
  type IngestProtocol,
  MediaHold,
  Revocation,
  Role,
  RoomEvent,
  StreamKey,
  streamKeysMax,
} from '#contract';
import { hex } from './bytes.ts';
import { callFunction } from './call.ts';
import type { Db } from './connect.ts';

/** That a key was used is written no more often than this. */
const usePaceSeconds = 60;

/**
 * Makes a key, of which a hash is kept. One that this request has made before is told as it is, and not new. Refuses
 * `account-banned`, `idempotency-key-reused`, `stream-key-limit`.
 */
export async function createStreamKey(
  db: Db,
  performerId: string,
  key: { id: string; name: string; protocols: readonly IngestProtocol[]; hint: string },
  hash: Uint8Array,
): Promise<{ key: StreamKey; isNew: boolean }> {
  return callFunction(
    db,
    sql`select create_stream_key(${performerId}, ${JSON.stringify(key)}::jsonb, decode(${hex(hash)}, 'hex'), ${streamKeysMax}) as result`,
    z.object({ key: StreamKey, isNew: z.boolean() }),
  );
}

/** Those that are good, newest first. */
export async function listStreamKeys(db: Db, performerId: string): Promise<StreamKey[]> {
  return callFunction(db, sql`select stream_keys_of(${performerId}) as result`, StreamKey.array());
}

/** Gives a key another secret; what was begun with the one before is revoked. Refuses `not-found`, `account-banned`. */
export async function rotateStreamKey(
  db: Db,
  rotation: { keyId: string; performerId: string; hash: Uint8Array; hint: string },
): Promise<{ key: StreamKey; revocations: Revocation[] }> {
  const { keyId, performerId, hash, hint } = rotation;
  return callFunction(
    db,
    sql`select rotate_stream_key(${keyId}, ${performerId}, decode(${hex(hash)}, 'hex'), ${hint}) as result`,
    z.object({ key: StreamKey, revocations: Revocation.array() }),
  );
}

/** Ends a key, and what was begun with it. Refuses `not-found`. */
export async function endStreamKey(
  db: Db,
  keyId: string,
  performerId: string,
): Promise<Revocation[]> {
  return callFunction(
    db,
    sql`select end_stream_key(${keyId}, ${performerId}) as result`,
    Revocation.array(),
  );
}

const OpenedByKey = z.object({
  /** What is kept from everybody of that which the performer publishes in the stream. */
  held: MediaHold,
  keyId: Id,
  streamId: Id,
  performer: z.object({ id: Id, username: z.string(), role: Role }),
  /** Where the stream's media is; each null until a node has it. */
  place: z.object({ nodeId: z.string().nullable(), nodeUrl: z.string().nullable() }),
  /** To publish: the stream has started with this. */
  event: RoomEvent.nullable(),
});

/**
 * What a key opens. Refuses `unauthenticated`, `account-banned`, `forbidden`, `not-found`, `stream-ended`,
 * `stream-limit`.
 */
export async function useStreamKey(
  db: Db,
  use: { hash: Uint8Array; protocol: IngestProtocol; streamId: string | null },
): Promise<z.infer<typeof OpenedByKey>> {
  return callFunction(
    db,
    sql`select use_stream_key(decode(${hex(use.hash)}, 'hex'), ${use.protocol}, ${use.streamId},
      make_interval(secs => ${usePaceSeconds})) as result`,
    OpenedByKey,
  );
}
