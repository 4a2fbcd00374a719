// An SFU node put together: its parts, the order in which they start, and how they end.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { Health, SfuReport } from '#contract';
import { ticketClockSkewSeconds } from '#contract';
import { createAudience } from './audience.ts';
import type { SfuConfig } from './config.ts';
import { withDeadline } from './deadline.ts';
import { drain } from './drain.ts';
import { loadOf, readFigures } from './figures.ts';
import { createNodeServer } from './http.ts';
import { Hub } from './hub.ts';
import { createLivePlaces } from './live-places.ts';
import { WorkerPool } from './media/worker-pool.ts';
import { watchEventLoop } from './metrics/event-loop.ts';
import { renderFamilies } from './metrics/exposition.ts';
import { createFlowSampler } from './metrics/flow-sampler.ts';
import { nodeFamilies, workerFamilies } from './metrics/node-families.ts';
import { streamFamilies } from './metrics/stream-families.ts';
import { readNodeList } from './node-list.ts';
import { createPull } from './pull.ts';
import { createQuality } from './quality.ts';
import { connectRedis, redisReadyOr } from './redis.ts';
import { createRefusalCounter } from './refusals.ts';
import { createRegistry, type Registry } from './registry.ts';
import { createReporter, type Reporter } from './reports.ts';
import { createRevocations, type Revocations } from './revocations.ts';
import { Rooms } from './rooms.ts';
import { openSession } from './session.ts';
import { createSocketServer } from './socket-server.ts';
import { createTicketGate } from './ticket-gate.ts';
import { createResources } from './whip/resources.ts';
import { createWhipRoutes } from './whip/routes.ts';

const probeTimeoutMs = 1_000;
/** A node waits so long for Redis before it starts without: it comes up, but is not ready. */
const redisAwaitedMs = 3_000;
const refusalsLoggedEveryMs = 60_000;
/** Bound for each of the last words to Redis and to the edge. */
const farewellTimeoutMs = 1_500;

/** A running SFU node. */
export interface SfuNodeProcess {
  nodeId: string;
  /** Where HTTP and sockets are served, as `http://host:port`. */
  httpUrl: string;
  rooms: Rooms;
  pool: WorkerPool;
  revocations: Revocations;
  /** Sends everybody to other nodes; resolves when they have gone, or after `drainSeconds`. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export async function createSfuNode({
  config,
  log,
}: {
  config: SfuConfig;
  log: Logger;
}): Promise<SfuNodeProcess> {
  const { nodeId, redisUrl } = config;
  const pool = await WorkerPool.create(config.media, log);
  const redis = connectRedis({ url: redisUrl, name: nodeId, log });
  const hub = Hub.open({ redisUrl, nodeId, log });
  const pull = createPull({ edgeUrl: config.edgeUrl, nodeSecret: config.nodeSecret, nodeId });
  const quality = createQuality();
  const rooms = Rooms.open({ hub, pool, log, pull, pipeListen: config.media.pipeListen, quality });
  const sampler = createFlowSampler({
    medias: () => rooms.all.flatMap(({ liveMedia }) => liveMedia ?? []),
    workers: config.media.workers,
    onViewer: quality.sampled,
  });
  const eventLoop = watchEventLoop();
  const refusals = createRefusalCounter();
  let draining = false;
  const revocations = createRevocations({ onBehind: () => reporter.nudge() });
  const gate = createTicketGate({ edgeUrl: config.edgeUrl, nodeId, redis, revocations });
  const places = createLivePlaces();
  const sessionDeps = {
    nodeId,
    gate,
    revocations,
    rooms,
    places,
    refusals,
    log,
    media: config.media,
    tapAllowedAddresses: config.tapAllowedAddresses,
  };
  const sockets = createSocketServer({
    origins: config.clientOrigins,
    forwarding: config.forwarding,
    refusals,
    log,
    onSocket: (socket, arrival) => openSession(socket, arrival, sessionDeps),
  });
  const resources = createResources({ gate, revocations, rooms, places, refusals, log });
  const { forwarding } = config;
  const figures = () =>
    readFigures({
      ...{ config, pool, rooms, sockets, refusals, sampler, eventLoop, registry, draining },
      connections: resources.counts,
    });
  const server = createNodeServer({
    whip: createWhipRoutes({ resources, forwarding, refusals, log }),
    ready: () => checkReady({ pool, redis, hub, revocations, reporter, registry, draining }),
    secrets: [config.nodeSecret, config.metrics.secret].filter((secret) => secret !== undefined),
    stats: figures,
    nodes: () => readNodeList(redis),
    metrics(health) {
      const stats = figures();
      return renderFamilies([
        ...nodeFamilies(stats, health),
        ...workerFamilies(stats.workers),
        ...streamFamilies(stats.rooms, config.metrics.streamsMax),
        ...quality.families(),
      ]);
    },
  });
  server.on('upgrade', (request, connection, head) => sockets.upgrade(request, connection, head));

  try {
    await Promise.all([redisReadyOr(redis, redisAwaitedMs), hub.ready(redisAwaitedMs)]);
    server.listen(config.port, config.host);
    await once(server, 'listening');
  } catch (error) {
    pool.close();
    hub.close();
    redis.disconnect();
    throw error;
  }

  const reporter = createReporter({
    edgeUrl: config.edgeUrl,
    nodeSecret: config.nodeSecret,
    log,
    snapshot: () => reportOf(config, rooms, revocations.known),
    onAnswer(answer, askedAtMs) {
      revocations.take(answer, askedAtMs);
      for (const streamId of answer.close) rooms.end(streamId);
      for (const { streamId, viewers } of answer.audiences) {
        rooms.find(streamId)?.hearAudience(viewers);
      }
    },
  });
  // Only from here on, because what is missing is asked for by a report.
  hub.on('revoked', (revocation) => revocations.hear(revocation));
  hub.on('hearing', () => {
    revocations.listening();
    reporter.nudge();
  });
  hub.on('deaf', () => revocations.deaf());
  if (hub.hearing) revocations.listening();
  rooms.on('media', () => reporter.nudge());
  const registry = createRegistry({
    redis,
    nodeId,
    log,
    async describe() {
      await pool.measure();
      return {
        url: config.publicUrl,
        country: config.country,
        draining,
        load: loadOf(pool, rooms, sockets),
        viewersMax: pool.viewers.max,
      };
    },
  });
  const audience = createAudience({
    redis,
    nodeId,
    nodeSecret: config.nodeSecret,
    log,
    watching: () => rooms.all.map((room) => [room.streamId, room.subjects]),
  });
  const refusalLog = setInterval(() => {
    const totals = refusals.totals();
    if (Object.keys(totals).length > 0) log.info({ refusals: totals }, 'refusals so far');
  }, refusalsLoggedEveryMs);
  refusalLog.unref();

  let closing: Promise<void> | null = null;
  async function shutDown(): Promise<void> {
    clearInterval(refusalLog);
    sampler.close();
    eventLoop.close();
    server.close();
    // Off the list first, so that nobody is sent here while the sockets are sent away.
    await within(Promise.all([registry.close(), audience.close()]));
    rooms.close('unavailable', 'the node shuts down');
    sockets.close('unavailable', 'the node shuts down');
    await within(reporter.close());
    pool.close();
    hub.close();
    redis.disconnect();
    server.closeAllConnections();
  }

  return {
    nodeId,
    httpUrl: httpUrlOf(server.address()),
    rooms,
    pool,
    revocations,
    async drain() {
      if (draining || closing) return;
      draining = true;
      await within(registry.beat());
      await drain(rooms, log, config.drainSeconds * 1000);
    },
    close() {
      closing ??= shutDown();
      return closing;
    },
  };
}

function reportOf(
  { nodeId, publicUrl }: SfuConfig,
  rooms: Rooms,
  revocationsKnown: number | null,
): SfuReport {
  const streams = rooms.all.map((room) => room.report);
  return { nodeId, url: publicUrl, revocationsKnown, streams };
}

interface Leaned {
  pool: WorkerPool;
  redis: Redis;
  hub: Hub;
  revocations: Revocations;
  reporter: Reporter;
  registry: Registry;
  draining: boolean;
}

async function checkReady(parts: Leaned): Promise<Health> {
  const { pool, redis, hub, revocations, reporter, registry, draining } = parts;
  const [workers, redisAnswers] = await Promise.all([
    pool.probe(probeTimeoutMs),
    withDeadline(redis.ping(), probeTimeoutMs, () => new Error('no answer')).then(
      () => true,
      () => false,
    ),
  ]);
  const checks: Health['checks'] = {
    worker: {
      ok: workers.answering > 0,
      detail: `${workers.answering} of ${workers.expected} workers answer`,
    },
    redis: { ok: redisAnswers, detail: redisAnswers ? 'answers' : 'does not answer' },
    hub: { ok: hub.hearing, detail: hub.hearing ? 'hears room events' : 'hears nothing' },
    revocations: {
      ok: revocations.current,
      detail: revocations.current ? 'known' : 'not known: nobody is admitted',
    },
    clock: clockCheck(reporter.clockAheadSeconds),
    drain: draining ? { ok: false, detail: 'everybody is sent away' } : { ok: true },
    name: registry.disputed ? { ok: false, detail: 'another node has this id' } : { ok: true },
  };
  return { ok: Object.values(checks).every((check) => check.ok), service: 'sfu', checks };
}

/** A clock that is further off than tickets allow refuses good tickets or lets old ones in. */
function clockCheck(aheadSeconds: number | null): Health['checks'][string] {
  if (aheadSeconds === null) return { ok: true, detail: 'not compared with the edge yet' };
  const direction = aheadSeconds < 0 ? 'behind' : 'ahead of';
  return {
    ok: Math.abs(aheadSeconds) <= ticketClockSkewSeconds,
    detail: `${Math.abs(aheadSeconds)} s ${direction} the edge`,
  };
}

/** Last words are worth a moment, but no more. */
async function within(work: Promise<unknown>): Promise<void> {
  await withDeadline(work, farewellTimeoutMs, () => new Error('too late')).catch(() => undefined);
}

function httpUrlOf(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `http://${host}:${address.port}`;
}
