// Edge reporter: tells the edge what this transcoder does, and hears what it should do.
import type { Logger } from 'pino';
import {
  type TranscoderReport,
  TranscoderReportAnswer,
  transcodeReportIntervalSeconds,
} from '#contract';
import type { JobTable } from '../jobs/job-table.ts';
import type { Revocations } from './revocations.ts';

/** Shorter than a lease, so that a report that got lost costs none. */
export const reportTimeoutMs = 3_000;
/** How soon a report that failed is repeated: the leases are running out. */
export const reportRetryMs = 500;
/** Reports that are asked for in a burst become one. */
export const reportGapMsMin = 100;
const answerBytesMax = 1024 * 1024;

export interface EdgeReporter {
  /** Reports at once instead of at the next beat. */
  nudge(): void;
  /** When the edge last answered; null when it never did. */
  readonly answeredMs: number | null;
  close(): void;
}

export interface EdgeReporterOptions {
  edgeUrl: string;
  nodeSecret: string;
  transcoderId: string;
  publicUrl: string;
  jobs: JobTable;
  revocations: Revocations;
  log: Logger;
  intervalMs?: number;
}

export function createEdgeReporter(options: EdgeReporterOptions): EdgeReporter {
  const { jobs, revocations, log } = options;
  const intervalMs = options.intervalMs ?? transcodeReportIntervalSeconds * 1_000;
  let timer = setTimeout(beat, 0);
  let reporting = false;
  let again = false;
  let nudged = false;
  let answeredMs: number | null = null;
  let away = false;
  let closed = false;

  async function beat(): Promise<void> {
    clearTimeout(timer);
    reporting = true;
    nudged = false;
    jobs.sweep(Date.now());
    const report: TranscoderReport = {
      transcoderId: options.transcoderId,
      publicUrl: options.publicUrl,
      revocationsKnown: revocations.known,
      ...jobs.report(),
    };
    try {
      const answer = await send(report, options);
      if (!closed) {
        answeredMs = Date.now();
        if (away) log.info('the edge is back');
        away = false;
        // What has been ended comes before anything else; the rest of a long list is asked for at once.
        if (!revocations.take(answer)) again = true;
        jobs.apply(report, answer);
      }
    } catch (error) {
      if (!away) log.warn({ err: error }, 'the edge does not answer; jobs go on');
      away = true;
    }
    reporting = false;
    const pauseMs = away ? Math.min(reportRetryMs, intervalMs) : intervalMs;
    if (!closed) timer = setTimeout(beat, again ? reportGapMsMin : pauseMs);
    again = false;
  }

  return {
    nudge() {
      if (closed || nudged) return;
      if (reporting) {
        again = true;
        return;
      }
      nudged = true;
      clearTimeout(timer);
      timer = setTimeout(beat, reportGapMsMin);
    },
    get answeredMs() {
      return answeredMs;
    },
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}

async function send(
  report: TranscoderReport,
  options: EdgeReporterOptions,
): Promise<TranscoderReportAnswer> {
  const response = await fetch(`${options.edgeUrl}/internal/transcode/report`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${options.nodeSecret}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify(report),
    redirect: 'error',
    signal: AbortSignal.timeout(reportTimeoutMs),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`the edge answered ${response.status}`);
  if (text.length > answerBytesMax) throw new Error('the answer of the edge is too long');
  return TranscoderReportAnswer.parse(JSON.parse(text));
}
