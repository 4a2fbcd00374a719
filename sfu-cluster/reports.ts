// Reports: tells the edge what runs in the rooms of this node, and hands on what it answers.

import type { Logger } from 'pino';
import { nodeReportIntervalSeconds, type SfuReport, SfuReportAnswer } from '#contract';
import { createOutage } from './outage.ts';

/** Changes that come so close together are one report: sound and picture of one publisher. */
const coalesceMs = 50;
/** However fast tracks come and go, reports are no closer together than this. */
export const reportSpacingMs = 150;
const reportTimeoutMs = 2_000;
/** A report that failed is sent again after so long, doubling up to the usual interval. */
const retryDelayMinMs = 250;

export interface Reporter {
  /** How far the clock of this machine is ahead of the edge's; null while that is not known. */
  readonly clockAheadSeconds: number | null;
  /** Something worth telling at once has happened. */
  nudge(): void;
  /** Sends a last report, unless the edge is away, and stops. */
  close(): Promise<void>;
}

export function createReporter({
  edgeUrl,
  nodeSecret,
  log,
  snapshot,
  onAnswer,
}: {
  edgeUrl: string;
  nodeSecret: string;
  log: Logger;
  /** The facts as they are now: each report is whole, so a lost one needs no repair. */
  snapshot(): SfuReport;
  /** What the edge says to a report that was sent at `askedAtMs`, by the clock of `performance`. */
  onAnswer(answer: SfuReportAnswer, askedAtMs: number): void;
}): Reporter {
  const outage = createOutage(log, 'the edge');
  const intervalMs = nodeReportIntervalSeconds * 1000;
  let timer: NodeJS.Timeout | null = null;
  let sending: Promise<void> | null = null;
  let nudged = false;
  let failures = 0;
  let sentAtMs = Number.NEGATIVE_INFINITY;
  let clockAheadSeconds: number | null = null;
  let closed = false;

  async function post(askedAtMs: number): Promise<void> {
    const response = await fetch(`${edgeUrl}/internal/nodes/report`, {
      method: 'POST',
      headers: { authorization: `Bearer ${nodeSecret}`, 'content-type': 'application/json' },
      body: JSON.stringify(snapshot()),
      signal: AbortSignal.timeout(reportTimeoutMs),
    });
    const edgeMs = Date.parse(response.headers.get('date') ?? '');
    if (!Number.isNaN(edgeMs)) clockAheadSeconds = Math.round((Date.now() - edgeMs) / 1000);
    if (!response.ok) {
      await response.body?.cancel();
      throw new Error(`the edge answered ${response.status}`);
    }
    onAnswer(SfuReportAnswer.parse(await response.json()), askedAtMs);
  }

  async function send(): Promise<void> {
    nudged = false;
    sentAtMs = performance.now();
    try {
      await post(sentAtMs);
      failures = 0;
      outage.recovered();
    } catch (error) {
      failures += 1;
      outage.failed(error);
    }
  }

  function scheduleSoon(): void {
    schedule(Math.max(coalesceMs, sentAtMs + reportSpacingMs - performance.now()));
  }

  function schedule(delayMs: number): void {
    if (timer) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      sending = send().finally(() => {
        sending = null;
        if (closed) return;
        const retryMs = Math.min(intervalMs, retryDelayMinMs * 2 ** Math.min(failures - 1, 10));
        if (failures > 0) schedule(retryMs);
        else if (nudged) scheduleSoon();
        else schedule(intervalMs);
      });
    }, delayMs);
  }

  schedule(0);
  return {
    get clockAheadSeconds() {
      return clockAheadSeconds;
    },
    nudge() {
      if (nudged || closed) return;
      nudged = true;
      // While a report is on its way, the next one is scheduled when it is done.
      if (!sending && failures === 0) scheduleSoon();
    },
    async close() {
      if (closed) return;
      closed = true;
      if (timer) clearTimeout(timer);
      await sending;
      if (failures === 0) await send();
    },
  };
}
