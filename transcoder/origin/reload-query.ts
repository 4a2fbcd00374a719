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
  const sequence = query.get('_HLS_msn');
  const part = query.get('_HLS_part');
  const skip = query.get('_HLS_skip');
  if (part !== null && sequence === null) {
    throw new Refusal('malformed-query', '_HLS_part needs _HLS_msn');
  }
  return {
    wanted:
      sequence === null
        ? null
        : { sequence: number(sequence), part: part === null ? null : number(part) },
    skip: skip === 'YES' || skip === 'v2',
  };
}

function number(text: string): number {
  if (!wholeNumber.test(text)) throw new Refusal('malformed-query', 'a whole number is needed');
  return Number(text);
}
