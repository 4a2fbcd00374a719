// The figures of a node: one look at all that runs on it, for `/stats` and `/metrics` alike.
import { nodeStreamsMax, type SfuRoomStats, type SfuStats, type SfuWorkerStats } from '#contract';
import type { SfuConfig } from './config.ts';
import type { Flows } from './media/flows.ts';
import type { RoomMedia } from './media/room-media.ts';
import type { WorkerPool } from './media/worker-pool.ts';
import type { EventLoopWatch } from './metrics/event-loop.ts';
import type { FlowSampler } from './metrics/flow-sampler.ts';
import type { RefusalCounter } from './refusals.ts';
import type { Registry } from './registry.ts';
import type { Room } from './room.ts';
import type { Rooms } from './rooms.ts';
import { type SocketServer, socketsMax } from './socket-server.ts';

interface Looked {
  config: SfuConfig;
  pool: WorkerPool;
  rooms: Rooms;
  sockets: SocketServer;
  refusals: RefusalCounter;
  sampler: FlowSampler;
  eventLoop: EventLoopWatch;
  registry: Registry;
  draining: boolean;
  /** Of encoders and players that speak HTTP. */
  connections: SfuStats['connections'];
}

export function readFigures(node: Looked): SfuStats {
  const { config, pool, rooms, sockets, sampler } = node;
  return {
    nodeId: config.nodeId,
    country: config.country,
    draining: node.draining,
    load: loadOf(pool, rooms, sockets),
    viewers: pool.viewers.now,
    viewersMax: pool.viewers.max,
    sockets: sockets.sockets,
    connections: node.connections,
    upSeconds: process.uptime(),
    eventLoopDelayMs: node.eventLoop.delayMs,
    beatAgeMs: node.registry.beatAgeMs,
    ...sampler.total,
    rooms: rooms.all.map((room) => roomFigures(room, sampler)),
    workers: pool.slots.map(workerFigures),
    refusals: node.refusals.totals(),
  };
}

/** The share of what this node can carry that is in use, 0 to 1. */
export function loadOf(pool: WorkerPool, rooms: Rooms, sockets: SocketServer): number {
  const load = Math.max(pool.load, rooms.size / nodeStreamsMax, sockets.sockets / socketsMax);
  return Math.min(1, Math.max(0, load));
}

function roomFigures(room: Room, sampler: FlowSampler): SfuRoomStats {
  const { watchedMs, frozenMs } = room.quality;
  return {
    ...room.report,
    sockets: room.size,
    watchedMs,
    frozenMs,
    ...mediaFigures(room.liveMedia, sampler),
  };
}

function mediaFigures(media: RoomMedia | null, sampler: FlowSampler) {
  const keyframes = media?.viewing.keyframes;
  const count = (use: Parameters<Flows['count']>[0]) => media?.flows.count(use) ?? 0;
  const traffic = media
    ? sampler.trafficOf(media)
    : { bytesIn: 0, bytesOut: 0, bitrateInBps: 0, bitrateOutBps: 0 };
  return {
    worker: media?.home.worker.index ?? null,
    branches: media?.branches.length ?? 0,
    pipesIn: count('pipe-in'),
    pipesOut: count('pipe-out'),
    taps: count('tap'),
    guests: media?.guests.length ?? 0,
    ...traffic,
    scores: scoresOf(media),
    keyframesWanted: keyframes?.wanted ?? 0,
    keyframesBundled: keyframes?.bundled ?? 0,
    keyframeRequests: keyframes?.requests ?? 0,
    keyframesReceived: keyframes?.received ?? 0,
  };
}

/** Of what the host sends. The best layer counts: what nobody wants the publisher does not send, and that is no fault. */
function scoresOf(media: RoomMedia | null): SfuRoomStats['scores'] {
  const scores: SfuRoomStats['scores'] = {};
  for (const { source, producer, owner } of media?.tracks ?? []) {
    if (!owner.isHost) continue;
    const best = producer.score.map(({ score }) => score);
    if (best.length > 0) scores[source] = Math.max(...best);
  }
  return scores;
}

function workerFigures({ index, worker, deaths }: WorkerPool['slots'][number]): SfuWorkerStats {
  return {
    index,
    pid: worker?.pid ?? null,
    cpuLoad: worker?.cpuLoad ?? 0,
    routers: worker?.routers ?? 0,
    viewers: worker?.viewers ?? 0,
    consumers: worker?.consumers ?? 0,
    memoryPeakBytes: worker?.memoryPeakBytes ?? 0,
    deaths,
  };
}
