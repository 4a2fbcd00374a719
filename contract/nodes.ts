// Nodes: what SFU nodes and transcoders report to the edge, and what it answers.
import { z } from 'zod';
import { CountryCode } from './accounts.ts';
import { Revocation, revocationsPageMax } from './control.ts';
import { Id } from './ids.ts';

export const nodeReportIntervalSeconds = 2;
/** Nodes say so often in the registry that they live, and one that has not for so long gets nobody any more. */
export const nodeBeatSeconds = 1;
export const nodeStaleSeconds = 4;
/** A transcoder renews its leases at this pace, and loses those that it has not renewed for `transcodeLeaseSeconds`. */
export const transcodeReportIntervalSeconds = 2;
export const transcodeLeaseSeconds = 8;
export const nodeStreamsMax = 2_000;
export const nodeViewersMax = 1_000_000;

export const NodeId = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[A-Za-z0-9._-]+$/);

export const VideoCodec = z.enum(['H264', 'VP8', 'VP9', 'AV1']);
export type VideoCodec = z.infer<typeof VideoCodec>;

/** The number up to which a node knows all revocations; null before it has heard of any. */
const RevocationsKnown = z.int().nonnegative().nullable().default(null);
/** What a node has missed of them, oldest first, and up to which number it then knows all. */
const revocationsTold = {
  revocations: z.array(Revocation).max(revocationsPageMax).default([]),
  revocationsKnown: z.int().nonnegative().default(0),
};

/** Facts about the rooms of one SFU node; sent every few seconds, and at once when a publisher comes or goes. */
export const SfuReport = z.strictObject({
  nodeId: NodeId,
  url: z.url(),
  revocationsKnown: RevocationsKnown,
  streams: z
    .array(
      z.strictObject({
        streamId: Id,
        publishing: z.boolean(),
        videoCodec: VideoCodec.nullable(),
        viewers: z.int().min(0).max(nodeViewersMax),
      }),
    )
    .max(nodeStreamsMax),
});
export type SfuReport = z.infer<typeof SfuReport>;

export const SfuReportAnswer = z.object({
  /** Rooms that the node must close, because their stream has ended. */
  close: z.array(Id),
  /** How many watch each of the node's streams, over all nodes, as it was counted last. */
  audiences: z.array(z.object({ streamId: Id, viewers: z.int().nonnegative() })).default([]),
  ...revocationsTold,
});
export type SfuReportAnswer = z.infer<typeof SfuReportAnswer>;

/** A node that has viewers of a stream and not its media asks from where to bring it. */
export const PullBody = z.strictObject({
  nodeId: NodeId,
  streamId: Id,
  /** The node from which it has just tried to, in vain. */
  unreachable: NodeId.optional(),
});
export type PullBody = z.infer<typeof PullBody>;

/** The room socket to bring it from, and a node ticket, good once; null when that is no other node. */
export const PullAnswer = z.object({
  from: z.object({ nodeId: NodeId, url: z.url(), ticket: z.string() }).nullable(),
});
export type PullAnswer = z.infer<typeof PullAnswer>;

/** What one transcoder is doing; the answer is what it should be doing. */
export const TranscoderReport = z.strictObject({
  transcoderId: NodeId,
  /** The address from which players fetch; playlists lie under `/live/{streamId}/`. */
  publicUrl: z.url(),
  revocationsKnown: RevocationsKnown,
  /** How many more streams it can take. */
  freeJobs: z.int().min(0).max(nodeStreamsMax),
  jobs: z
    .array(
      z.strictObject({
        streamId: Id,
        state: z.enum(['starting', 'ready', 'stalled']),
        /** True when the link to the SFU is broken and a new ticket is needed. */
        needsTicket: z.boolean(),
        thumbnailUrl: z.url().nullable(),
      }),
    )
    .max(nodeStreamsMax),
});
export type TranscoderReport = z.infer<typeof TranscoderReport>;

export const TranscodeJob = z.object({
  streamId: Id,
  sfuUrl: z.string(),
  /** A node ticket, good once; absent for a job that goes on with the link it has. */
  ticket: z.string().optional(),
});
export type TranscodeJob = z.infer<typeof TranscodeJob>;

export const TranscoderReportAnswer = z.object({
  /** New jobs, and running ones that need a new ticket. */
  start: z.array(TranscodeJob),
  /** Jobs to stop: the stream has ended or another transcoder has the lease. */
  stop: z.array(Id),
  ...revocationsTold,
});
export type TranscoderReportAnswer = z.infer<typeof TranscoderReportAnswer>;

/** An SFU node as it stands in the registry. */
export const SfuNode = z.object({
  nodeId: NodeId,
  url: z.url(),
  /** The country that it stands in (ISO 3166-1 alpha-2); null when that was not said. */
  country: CountryCode.nullable().default(null),
  /** True while it sends everybody away, before it ends. */
  draining: z.boolean().default(false),
  /** 0 is idle, 1 is full. */
  load: z.number().min(0).max(1),
  /** How many may watch there at once. */
  viewersMax: z.int().positive().default(nodeViewersMax),
  /** Milliseconds since the epoch, by Redis's clock, at which it was last heard of. */
  seenAt: z.int(),
});
export type SfuNode = z.infer<typeof SfuNode>;

export const Health = z.object({
  ok: z.boolean(),
  service: z.string(),
  checks: z.record(z.string(), z.object({ ok: z.boolean(), detail: z.string().optional() })),
});
export type Health = z.infer<typeof Health>;
