// Job table: the streams of this transcoder, kept in step with what the edge says.
import type { Logger } from 'pino';
import type { Id, TranscoderReport, TranscoderReportAnswer } from '#contract';
import { transcodeLeaseSeconds } from '#contract';
import { TranscodeJob, type TranscodeJobOptions } from './transcode-job.ts';

/** Ended streams are served for so long, for players that are behind. */
export const endedJobKeptMs = 60_000;
/** An edge that is away stops no stream; a job that it has not confirmed for so many leases is stopped. */
export const unconfirmedLeasesMax = 15;

export interface JobTable {
  /** The job that serves a stream, running or ended. */
  get(streamId: string): TranscodeJob | null;
  report(): Pick<TranscoderReport, 'freeJobs' | 'jobs'>;
  /** Carries out what the edge has answered to `told`. */
  apply(told: Pick<TranscoderReport, 'jobs'>, answer: TranscoderReportAnswer): void;
  /** Forgets what is over; to be called every second or so. */
  sweep(nowMs: number): void;
  readonly running: number;
  close(): void;
}

export interface JobTableOptions {
  jobsMax: number;
  publicUrl: string;
  log: Logger;
  job: Omit<TranscodeJobOptions, 'streamId' | 'log'>;
  /** Something should be reported soon. */
  onChange(): void;
  now?(): number;
  endedKeptMs?: number;
}

interface Entry {
  job: TranscodeJob;
  confirmedMs: number;
  endedMs: number | null;
}

export function createJobTable(options: JobTableOptions): JobTable {
  const { log } = options;
  const now = options.now ?? Date.now;
  const entries = new Map<Id, Entry>();

  const running = () => [...entries.values()].filter((entry) => entry.endedMs === null);

  function stop(streamId: Id): void {
    const entry = entries.get(streamId);
    if (!entry || entry.endedMs !== null) return;
    entry.endedMs = now();
    entry.job.close();
  }

  function start(grant: TranscoderReportAnswer['start'][number]): void {
    const entry = entries.get(grant.streamId);
    if (entry && entry.endedMs === null) {
      entry.confirmedMs = now();
      if (grant.ticket) void entry.job.relink({ sfuUrl: grant.sfuUrl, ticket: grant.ticket });
      return;
    }
    if (!grant.ticket) return;
    if (running().length >= options.jobsMax) {
      log.warn({ streamId: grant.streamId }, 'no place for another job');
      return;
    }
    log.info({ streamId: grant.streamId }, 'transcode job starts');
    const job = TranscodeJob.create(
      { ...options.job, streamId: grant.streamId, log },
      { sfuUrl: grant.sfuUrl, ticket: grant.ticket },
    );
    job.on('changed', options.onChange);
    entries.set(grant.streamId, { job, confirmedMs: now(), endedMs: null });
  }

  return {
    get: (streamId) => entries.get(streamId)?.job ?? null,
    report: () => ({
      freeJobs: Math.max(0, options.jobsMax - running().length),
      jobs: running().map(({ job }) => ({
        streamId: job.streamId,
        state: job.state,
        needsTicket: job.needsTicket,
        thumbnailUrl: job.thumbnails.latest
          ? `${options.publicUrl}/live/${job.streamId}/${job.thumbnails.latest}`
          : null,
      })),
    }),
    apply(told, answer) {
      const stopped = new Set(answer.stop);
      for (const { streamId } of told.jobs) {
        const entry = entries.get(streamId);
        if (entry && !stopped.has(streamId)) entry.confirmedMs = now();
      }
      for (const streamId of answer.stop) stop(streamId);
      for (const grant of answer.start) start(grant);
    },
    sweep(nowMs) {
      const leaseMs = transcodeLeaseSeconds * unconfirmedLeasesMax * 1_000;
      for (const [streamId, entry] of entries) {
        if (entry.endedMs === null && nowMs - entry.confirmedMs > leaseMs) {
          log.warn({ streamId }, 'job stopped: the edge has not confirmed it');
          stop(streamId);
        }
        if (
          entry.endedMs !== null &&
          nowMs - entry.endedMs > (options.endedKeptMs ?? endedJobKeptMs)
        ) {
          entries.delete(streamId);
        }
      }
    },
    get running() {
      return running().length;
    },
    close() {
      for (const streamId of entries.keys()) stop(streamId);
    },
  };
}
