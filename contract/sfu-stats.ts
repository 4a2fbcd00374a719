// SFU stats: the figures of a running SFU node, for the people who run it.
import { z } from 'zod';
import { CountryCode } from './accounts.ts';
import { Id } from './ids.ts';
import { NodeId, SfuNode, VideoCodec } from './nodes.ts';
import { MediaSource, SocketErrorCode } from './signalling.ts';

/** Counts are since the room was opened on the node, bytes and bitrates as they were sampled. */
export const SfuRoomStats = z.object({
  streamId: Id,
  /** Its publisher is on this node. */
  publishing: z.boolean(),
  videoCodec: VideoCodec.nullable(),
  viewers: z.int(),
  sockets: z.int(),
  /** The worker on which its tracks are, and on how many workers it has viewers; null without media. */
  worker: z.int().nullable(),
  branches: z.int(),
  /** To and from other nodes. */
  pipesIn: z.int(),
  pipesOut: z.int(),
  taps: z.int(),
  /** Who publishes beside the host. */
  guests: z.int(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  bitrateInBps: z.number(),
  bitrateOutBps: z.number(),
  /** Of the best layer of each track, 0 to 10. */
  scores: z.partialRecord(MediaSource, z.number()),
  /** Keyframes that somebody here wanted, wishes that were fulfilled together with another one, */
  keyframesWanted: z.int(),
  keyframesBundled: z.int(),
  /** and what came of it: requests to the publisher, by layer, and keyframes that have come. */
  keyframeRequests: z.int(),
  keyframesReceived: z.int(),
  /** What viewers have told: how long they watched, and how much of it the picture stood still. */
  watchedMs: z.number(),
  frozenMs: z.number(),
});
export type SfuRoomStats = z.infer<typeof SfuRoomStats>;

export const SfuWorkerStats = z.object({
  index: z.int(),
  /** Null while it is down. */
  pid: z.int().nullable(),
  /** Share of one core, 0 to 1. */
  cpuLoad: z.number(),
  routers: z.int(),
  viewers: z.int(),
  consumers: z.int(),
  memoryPeakBytes: z.number(),
  deaths: z.int(),
});
export type SfuWorkerStats = z.infer<typeof SfuWorkerStats>;

export const SfuStats = z.object({
  nodeId: NodeId,
  country: CountryCode.nullable(),
  draining: z.boolean(),
  /** 0 is idle, 1 is full. */
  load: z.number(),
  viewers: z.int(),
  viewersMax: z.int(),
  sockets: z.int(),
  /** Encoders and players that speak HTTP. */
  connections: z.object({ whip: z.int(), whep: z.int() }),
  upSeconds: z.number(),
  /** Over the last ten seconds. */
  eventLoopDelayMs: z.object({ p50: z.number(), p99: z.number(), max: z.number() }),
  /** How long ago it was written to the registry; null when it never was. */
  beatAgeMs: z.number().nullable(),
  bytesIn: z.number(),
  bytesOut: z.number(),
  rooms: z.array(SfuRoomStats),
  workers: z.array(SfuWorkerStats),
  /** Since the start of the process. */
  refusals: z.partialRecord(SocketErrorCode, z.int()),
});
export type SfuStats = z.infer<typeof SfuStats>;

/** A node of the registry as another one sees it. */
export const SfuNodeSeen = SfuNode.extend({
  /** How long it has not been heard of, by Redis's clock. */
  silentMs: z.number(),
});
export type SfuNodeSeen = z.infer<typeof SfuNodeSeen>;
