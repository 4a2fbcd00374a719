// Stream keys: their secrets, and the ids of those that a request makes.
import { randomToken, sha256 } from './secrets.ts';

/** Tells a key from other secrets at sight, to people and to scanners of what was published by mistake. */
const prefix = 'lpk_';
/** 256 random bits: a hash of it can be kept as it is, and looked up without comparing anything. */
const pattern = /^lpk_[A-Za-z0-9_-]{43}$/;
const hintChars = 4;

export interface StreamKeySecret {
  secret: string;
  hash: Uint8Array;
  /** Its last characters. */
  hint: string;
}

export async function newStreamKeySecret(): Promise<StreamKeySecret> {
  const secret = `${prefix}${randomToken()}`;
  return { secret, hash: await sha256(secret), hint: secret.slice(-hintChars) };
}

/** What a key is looked up by; null for what is no key. */
export async function hashOfStreamKey(text: string | null): Promise<Uint8Array | null> {
  return text !== null && pattern.test(text) ? sha256(text) : null;
}

/** The id of the key that a request makes: the same request means the same key (RFC 9562, version 8). */
export async function streamKeyIdOf(performerId: string, idempotencyKey: string): Promise<string> {
  const bytes = (await sha256(`stream-key:${performerId}:${idempotencyKey}`)).slice(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
