// Track clock: which instant of the wall clock an RTP timestamp of one track means.
import type { SenderReport } from './rtcp.ts';
import { createUnwrapper } from './unwrap.ts';

/** Sender clocks that differ from ours by more are not synchronised; then arrival times stand in. */
export const senderClockErrorMsMax = 2_000;

/** A longer jump of timestamps between two packets is a sender that started anew: old reports are void. */
const timestampJumpMsMax = 10_000;

/**
 * What the tracks of one sender share: how far its clock is from ours. It is measured once, on the
 * first report, so that all tracks stay on the same scale.
 */
export interface SenderClock {
  /** The instant of our clock for an instant of the sender's clock. */
  wallOfNtp(ntpMs: number, nowMs: number): number;
}

export function createSenderClock(): SenderClock {
  let offsetMs: number | null = null;
  return {
    wallOfNtp(ntpMs, nowMs) {
      offsetMs ??= Math.abs(nowMs - ntpMs) <= senderClockErrorMsMax ? 0 : nowMs - ntpMs;
      return ntpMs + offsetMs;
    },
  };
}

export interface TrackClock {
  /** Notes a packet's arrival; returns its timestamp, unwrapped, in ticks of the clock rate. */
  arrived(timestamp: number, nowMs: number): number;
  reported(report: SenderReport, nowMs: number): void;
  /** Milliseconds of the Unix epoch for an unwrapped timestamp. */
  wallOf(ticks: number): number;
}

/**
 * Until the first sender report it trusts the earliest arrival; after that the sender's reports,
 * which alone can line tracks up.
 */
export function createTrackClock(clockRate: number, sender: SenderClock): TrackClock {
  const unwrap = createUnwrapper(32);
  const ticksPerMs = clockRate / 1_000;
  let arrivalOffsetMs = Number.POSITIVE_INFINITY;
  let reportOffsetMs: number | null = null;
  let lastTicks: number | null = null;

  return {
    arrived(timestamp, nowMs) {
      const ticks = unwrap(timestamp);
      if (lastTicks !== null && Math.abs(ticks - lastTicks) > timestampJumpMsMax * ticksPerMs) {
        arrivalOffsetMs = Number.POSITIVE_INFINITY;
        reportOffsetMs = null;
      }
      lastTicks = ticks;
      arrivalOffsetMs = Math.min(arrivalOffsetMs, nowMs - lastTicks / ticksPerMs);
      return lastTicks;
    },
    reported(report, nowMs) {
      // A report before the first packet could not be placed among the wraps.
      if (lastTicks === null) return;
      const ticks = unwrap(report.rtpTimestamp);
      reportOffsetMs = sender.wallOfNtp(report.ntpMs, nowMs) - ticks / ticksPerMs;
    },
    wallOf: (ticks) => ticks / ticksPerMs + (reportOffsetMs ?? arrivalOffsetMs),
  };
}
