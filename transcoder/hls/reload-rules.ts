// Reload rules: what a request for a coming part or segment waits for, and how far ahead it may ask (RFC 8216bis, 6.2.5.2).
import { partTargetMs } from './limits.ts';
import type { Segment } from './segment.ts';

/** A request may be this many parts ahead of the newest one. */
const advancePartsMax = Math.ceil(3_000 / partTargetMs);
const advanceSegmentsMax = 2;

/** Whether a part of a segment is there; or, without `part`, the whole segment. */
export function hasReached(
  segments: readonly Segment[],
  sequence: number,
  part: number | null,
): boolean {
  const last = segments.at(-1);
  if (!last || sequence > last.sequence) return false;
  if (sequence < last.sequence) {
    // Part numbers beyond the end of a segment mean the first part of the next one.
    const named = segments.find((segment) => segment.sequence === sequence);
    if (!named || part === null || part < named.parts.length) return true;
    return hasReached(segments, sequence + 1, 0);
  }
  if (part !== null) return part < last.parts.length;
  return last.address !== null;
}

export function isTooFar(
  segments: readonly Segment[],
  wanted: { sequence: number; part: number | null },
  { nextSequence, ended }: { nextSequence: number; ended: boolean },
): boolean {
  if (ended) return false;
  const last = segments.at(-1);
  const lastComplete = last && !last.address ? last.sequence - 1 : nextSequence - 1;
  if (wanted.sequence > lastComplete + advanceSegmentsMax) return true;
  if (wanted.part === null || !last) return false;
  const newestPart = wanted.sequence === last.sequence ? last.parts.length - 1 : -1;
  return wanted.part - newestPart > advancePartsMax;
}
