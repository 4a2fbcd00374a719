// Reload query: what a player adds to a playlist's address to say which version it waits for.
import { Refusal } from './refusal.ts';

export interface ReloadQuery {
  /** Media sequence number and part that must be there; null for an ordinary request. */
  wanted: { sequence: number; part: number | null } | null;
  skip: boolean;
}

const wholeNumber = /^\d{1,15}$/;

/** Reads `_HLS_msn`, `_HLS_part` and `_HLS_skip` (RFC 8216bis, 6.2.5); refuses nonsense. */
export function readReloadQuery(query: URLSearchParams): ReloadQuery {
  const sequence = number(only(query, '_HLS_msn'));
  const part = number(only(query, '_HLS_part'));
  const skip = only(query, '_HLS_skip');
  if (part !== null && sequence === null) {
    throw new Refusal('malformed-query', '_HLS_part needs _HLS_msn');
  }
  return {
    wanted: sequence === null ? null : { sequence, part },
    skip: skip === 'YES' || skip === 'v2',
  };
}

/** Said twice, it would mean one thing to us and might mean another to a cache before us. */
function only(query: URLSearchParams, name: string): string | null {
  const [value = null, ...more] = query.getAll(name);
  if (more.length > 0) throw new Refusal('malformed-query', `${name} may be said once`);
  return value;
}

function number(text: string | null): number | null {
  if (text === null) return null;
  if (!wholeNumber.test(text)) throw new Refusal('malformed-query', 'a whole number is needed');
  return Number(text);
}
