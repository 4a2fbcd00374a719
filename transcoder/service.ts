// Transcoder service: everything put together, from the configuration to the listening origin.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { listenToEdge } from './edge/edge-channel.ts';
import { createEdgeReporter } from './edge/edge-reporter.ts';
import { createRevocations } from './edge/revocations.ts';
import { createReadiness } from './health.ts';
import { createJobTable, type JobTable } from './jobs/job-table.ts';
import { createThumbnailMaker } from './jobs/thumbnails.ts';
import { createPathRenewals } from './origin/path-renewals.ts';
import { createOriginServer } from './origin/server.ts';
import { createStreamRoutes } from './origin/stream-routes.ts';
import { createTicketGate } from './origin/ticket-gate.ts';
import { createWatchers } from './origin/watchers.ts';

/** One rendition is packaged, the best layer. */
const videoLayers = 1;

export interface TranscoderService {
  /** Where it listens. */
  readonly url: string;
  readonly jobs: JobTable;
  close(): Promise<void>;
}

/** Paces that tests turn up; products leave them alone. */
export interface Paces {
  reportIntervalMs?: number;
  thumbnailIntervalMs?: number;
  endedKeptMs?: number;
}

/** What is there only once the port, and so the public address, is known. */
interface Running {
  jobs: JobTable | null;
  ready: ReturnType<typeof createReadiness> | null;
}

/** Listens before it reports, so that whatever the edge then sends here finds an open door. */
export async function startTranscoder(
  config: Config,
  log: Logger,
  paces: Paces = {},
): Promise<TranscoderService> {
  const running: Running = { jobs: null, ready: null };
  const door = createDoor(config, running, () => reporter.nudge());
  const { revocations } = door;
  const watchers = createWatchers({ ...config, log });
  const server = createOriginServer({
    routes: createStreamRoutes(
      (streamId) => running.jobs?.get(streamId) ?? null,
      door.gate,
      watchers,
    ),
    clientOrigins: config.clientOrigins,
    ready: async () =>
      running.ready ? running.ready() : { ok: false, service: 'transcoder', checks: {} },
    log,
  });
  const url = await listen(server, config);
  const publicUrl = config.publicUrl ?? url;

  const jobs = createJobs(config, { log, publicUrl, paces, onChange: () => reporter.nudge() });
  const reporter = createEdgeReporter({
    edgeUrl: config.edgeUrl,
    nodeSecret: config.nodeSecret,
    transcoderId: config.transcoderId,
    publicUrl,
    jobs,
    revocations,
    log,
    ...(paces.reportIntervalMs ? { intervalMs: paces.reportIntervalMs } : {}),
  });
  const channel = listenToEdge({
    redisUrl: config.redisUrl,
    log,
    onNudge: () => reporter.nudge(),
    onRevoked: (revocation) => revocations.hear(revocation),
    onAlive: () => revocations.redisIsAlive(),
  });
  running.jobs = jobs;
  const { ffmpegBin } = config;
  running.ready = createReadiness({ ffmpegBin, channel, reporter, revocations });
  log.info({ url, publicUrl }, 'transcoder listens');

  return {
    url,
    jobs,
    async close() {
      reporter.close();
      channel.close();
      jobs.close();
      door.close();
      await watchers.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Who may come in; and what happens when that ends before its time. */
function createDoor(config: Config, running: Running, onGap: () => void) {
  const renewals = createPathRenewals((streamId) => {
    running.jobs?.get(streamId)?.presentation.renewPaths();
  });
  const revocations = createRevocations({
    onRevoked(revocation) {
      for (const streamId of gate.end(revocation)) renewals.ask(streamId);
    },
    onGap,
  });
  const gate = createTicketGate({ edgeUrl: config.edgeUrl, revocations });
  return {
    revocations,
    gate,
    close() {
      gate.close();
      renewals.close();
    },
  };
}

function createJobs(
  config: Config,
  options: { log: Logger; publicUrl: string; paces: Paces; onChange(): void },
): JobTable {
  const { log, publicUrl, paces, onChange } = options;
  return createJobTable({
    jobsMax: config.jobsMax,
    publicUrl,
    log,
    job: {
      tapAddress: config.tapAddress,
      ffmpegBin: config.ffmpegBin,
      thumbnails: createThumbnailMaker(config.ffmpegBin, log),
      videoLayers,
      ...(paces.thumbnailIntervalMs ? { thumbnailIntervalMs: paces.thumbnailIntervalMs } : {}),
    },
    onChange,
    ...(paces.endedKeptMs ? { endedKeptMs: paces.endedKeptMs } : {}),
  });
}

/** Answers where it listens. */
async function listen(server: Server, config: Config): Promise<string> {
  server.listen(config.port, config.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  return `http://${host}:${port}`;
}
