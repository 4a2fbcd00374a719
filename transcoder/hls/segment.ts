// Segment: a second or so of media, and the parts that it comes in.
import type { Address } from './addresses.ts';

export interface Part extends Address {
  durationSeconds: number;
  independent: boolean;
  data: Buffer;
}

export interface Segment {
  sequence: number;
  /** Where all of it lies; null until it is complete. */
  address: Address | null;
  initUri: string;
  /** How many discontinuities lie between the segment before and this one. */
  discontinuities: number;
  /** Wall clock of its first sample. */
  programDateTimeMs: number;
  parts: Part[];
  /** One of its parts cannot be had any more; the whole still can. */
  partsGone: boolean;
  durationSeconds: number;
}

export type SegmentOpening = Pick<Segment, 'initUri' | 'discontinuities' | 'programDateTimeMs'>;

export function bytesOf(segments: readonly Segment[]): number {
  return segments
    .flatMap((segment) => segment.parts)
    .reduce((sum, part) => sum + part.data.length, 0);
}
