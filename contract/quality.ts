// Quality: what a viewer's browser has measured of its picture, told to the node now and then.
import { z } from 'zod';

/** A viewer tells so often how it went since the last time, */
export const qualityReportIntervalSeconds = 30;
/** and no report is about more than this. */
export const qualitySpanMsMax = 120_000;
/** A picture that takes longer is told as having taken so long. */
export const joinMsMax = 60_000;
/** No packet of media carries more: the usual MTU. */
export const packetBytesMax = 1_500;

/** What the browser says of whether a chip decodes; most say it only to pages that use the camera. */
export const Decoder = z.enum(['hardware', 'software', 'unknown']);

/** Sums are those of the span alone, and not of the whole time. */
export const qualityFields = {
  /** How long the picture was in sight; 0 for a report that only tells of the beginning. */
  spanMs: z.int().min(0).max(qualitySpanMsMax),
  /** From the joined socket to the first picture; told once, else null. */
  joinMs: z.int().min(0).max(joinMsMax).nullable(),
  /** Null where it is not known. */
  roundTripMs: z.int().min(0).max(10_000).nullable(),
  bytesReceived: z.int().min(0).max(5_000_000_000),
  packetsReceived: z.int().min(0).max(10_000_000),
  packetsLost: z.int().min(0).max(10_000_000),
  /** Null where the browser does not say. */
  freezes: z.int().min(0).max(10_000).nullable(),
  frozenMs: z.int().min(0).max(qualitySpanMsMax).nullable(),
  pictureHeight: z.int().min(1).max(4_320).nullable(),
  decoder: Decoder,
} as const satisfies z.ZodRawShape;

const QualityReport = z.object(qualityFields);
export type QualityReport = z.infer<typeof QualityReport>;
