// Transcoder service: everything put together, from the configuration to the listening origin.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Config } from './config.ts';
import { createReadiness } from './health.ts';
import { createEdgeReporter } from './jobs/edge-reporter.ts';
import { createJobTable, type JobTable } from './jobs/job-table.ts';
import { listenForNudges } from './jobs/nudges.ts';
import { createThumbnailMaker } from './jobs/thumbnails.ts';
import { createOriginServer } from './origin/server.ts';
import { createStreamRoutes } from './origin/stream-routes.ts';
import { createTicketGate } from './origin/ticket-gate.ts';

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

/** Listens before it reports, so that whatever the edge then sends here finds an open door. */
export async function startTranscoder(
  config: Config,
  log: Logger,
  paces: Paces = {},
): Promise<TranscoderService> {
  // The job table is made once the port, and so the public address, is known.
  const running: { jobs: JobTable | null; ready: ReturnType<typeof createReadiness> | null } = {
    jobs: null,
    ready: null,
  };
  const gate = createTicketGate(config.edgeUrl);
  const server = createOriginServer({
    routes: createStreamRoutes((streamId) => running.jobs?.get(streamId) ?? null, gate),
    clientOrigins: config.clientOrigins,
    ready: async () =>
      running.ready ? running.ready() : { ok: false, service: 'transcoder', checks: {} },
    log,
  });
  server.listen(config.port, config.host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const url = `http://${host}:${port}`;
  const publicUrl = config.publicUrl ?? url;

  const jobs = createJobTable({
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
    onChange: () => reporter.nudge(),
    ...(paces.endedKeptMs ? { endedKeptMs: paces.endedKeptMs } : {}),
  });
  const reporter = createEdgeReporter({
    edgeUrl: config.edgeUrl,
    nodeSecret: config.nodeSecret,
    transcoderId: config.transcoderId,
    publicUrl,
    jobs,
    log,
    ...(paces.reportIntervalMs ? { intervalMs: paces.reportIntervalMs } : {}),
  });
  const nudges = listenForNudges(config.redisUrl, log, () => reporter.nudge());
  running.jobs = jobs;
  running.ready = createReadiness({ ffmpegBin: config.ffmpegBin, nudges, reporter });
  log.info({ url, publicUrl }, 'transcoder listens');

  return {
    url,
    jobs,
    async close() {
      reporter.close();
      nudges.close();
      jobs.close();
      gate.close();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}
