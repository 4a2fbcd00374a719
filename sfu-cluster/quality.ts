// Quality: what viewers report of their picture, judged and added up, beside what the node measures itself.
import { packetBytesMax, type QualityReport } from '#contract';
import type { Family } from './metrics/exposition.ts';
import {
  createQualityInstruments,
  type QualityInstruments,
  type ViewerSample,
} from './metrics/quality-instruments.ts';
import { Refusal, refusal } from './refusals.ts';
import { createTokenBucket } from './token-bucket.ts';

/** Reports of one viewer: one in 30 s is usual, and two come close together after the first picture. */
const reportRatePerSecond = 0.1;
const reportBurstMax = 3;
/** What a report is ahead of our clock: it was measured before it was sent, but sent late. */
const clockSlackMs = 3_000;

export interface ViewerQuality {
  /** Counts a report of this viewer in, or throws a `Refusal`: what cannot be true is not made fit, but refused. */
  take(report: QualityReport): void;
}

/** What those viewers of one stream have told whose browsers know of freezes. */
export interface StreamQuality {
  readonly watchedMs: number;
  readonly frozenMs: number;
  /** For a viewer who joins now. */
  ofViewer(): ViewerQuality;
}

export interface Quality {
  ofStream(): StreamQuality;
  sampled(sample: ViewerSample): void;
  families(): Family[];
}

export function createQuality(nowMs: () => number = () => performance.now()): Quality {
  const instruments = createQualityInstruments();
  return {
    ofStream: () => createStreamQuality(instruments, nowMs),
    sampled: instruments.sampled,
    families: instruments.families,
  };
}

function createStreamQuality(instruments: QualityInstruments, nowMs: () => number): StreamQuality {
  let watchedMs = 0;
  let frozenMs = 0;
  return {
    get watchedMs() {
      return watchedMs;
    },
    get frozenMs() {
      return frozenMs;
    },
    ofViewer() {
      const judge = createJudge(nowMs);
      return {
        take(report) {
          try {
            judge(report);
          } catch (error) {
            const isTooOften = error instanceof Refusal && error.code === 'rate-limited';
            instruments.refused(isTooOften ? 'too-often' : 'untrue');
            throw error;
          }
          instruments.taken(report);
          if (report.frozenMs === null) return;
          watchedMs += report.spanMs;
          frozenMs += report.frozenMs;
        },
      };
    },
  };
}

/** Throws when a report comes too often or contradicts itself or our clock. */
function createJudge(nowMs: () => number): (report: QualityReport) => void {
  const rate = createTokenBucket(
    { ratePerSecond: reportRatePerSecond, burst: reportBurstMax },
    nowMs,
  );
  const joinedAtMs = nowMs();
  let toldUntilMs = joinedAtMs;
  let hasToldJoin = false;
  return (report) => {
    if (!rate.take()) throw refusal('rate-limited', 'too many reports');
    const { spanMs, joinMs, frozenMs, bytesReceived, packetsReceived } = report;
    const atMs = nowMs();
    if (spanMs > atMs - toldUntilMs + clockSlackMs)
      throw untrue('spanMs', 'time that has not passed');
    if ((frozenMs ?? 0) > spanMs) throw untrue('frozenMs', 'longer than it was watched');
    if (bytesReceived > packetsReceived * packetBytesMax) {
      throw untrue('bytesReceived', 'more than so many packets can carry');
    }
    if (joinMs !== null && (hasToldJoin || joinMs > atMs - joinedAtMs + clockSlackMs)) {
      throw untrue('joinMs', 'told before, or longer than the socket has been here');
    }
    hasToldJoin ||= joinMs !== null;
    toldUntilMs = atMs;
  };
}

function untrue(field: string, why: string) {
  return refusal('malformed-frame', `${field}: ${why}`);
}
