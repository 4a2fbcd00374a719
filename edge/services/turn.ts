// TURN: the relays for whom no direct way is open, and the credentials that they are let in with for a while.
import type { IceServer } from '#contract';
import type { Config } from '../config.ts';
import { base64url, sha256 } from './secrets.ts';

/**
 * So long may relays be asked for with what came with one ticket: longer than nearly everybody watches or broadcasts
 * in one go, since a path that breaks after hours is mended with it. Whoever stays longer gets new ones by a rejoin.
 */
export const turnCredentialTtlSeconds = 12 * 3_600;
/** Of the hash that stands for a user in the relay's quotas and logs. */
const subjectHashBytes = 16;

export interface Turn {
  /** Relays for this user; an empty list where none are configured. */
  iceServersFor(subject: string): Promise<IceServer[]>;
}

/**
 * Signs as coturn's `use-auth-secret` wants it (draft-uberti-behave-turn-rest-00): the name is `<end, in seconds since
 * the epoch>:<user>`, the credential its HMAC-SHA1. Of several secrets the first signs; coturn knows them all.
 */
export async function createTurn(
  { TURN_URLS: urls, TURN_SECRET: [secret] }: Pick<Config, 'TURN_URLS' | 'TURN_SECRET'>,
  now: () => Date,
): Promise<Turn> {
  if (urls.length === 0 || secret === undefined) return { iceServersFor: async () => [] };
  const key = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    { name: 'HMAC', hash: 'SHA-1' },
    false,
    ['sign'],
  );
  return {
    async iceServersFor(subject) {
      const endsAt = Math.floor(now().getTime() / 1_000) + turnCredentialTtlSeconds;
      const user = base64url((await sha256(subject)).subarray(0, subjectHashBytes));
      const username = `${endsAt}:${user}`;
      const mac = await crypto.subtle.sign('HMAC', key, new TextEncoder().encode(username));
      return [{ urls, username, credential: btoa(String.fromCharCode(...new Uint8Array(mac))) }];
    },
  };
}
