// Track clock: which instant of the wall clock an RTP timestamp of one track means.
import type { SenderReport } from './rtcp.ts';
import { createUnwrapper } from './unwrap.ts';

/** Sender clocks that differ from ours by more are not synchronised; then arrival times stand in. */
export const senderClockErrorMsMax = 2_000;

/** A longer jump of timestamps between two packets is a sender that started anew: old reports are void. */
const timestampJumpMsMax = 10_000;

/** Over so many reports the one that was on its way for the shortest time counts. */
const reportsJudged = 30;
/** How fast a difference of the clocks is followed: two crystals part by at most 0.1 ms in a second. */
const followMsPerReport = 0.5;
/** As fast arrival times may fall behind, where there are no reports: a sender's crystal may run slow. */
const arrivalDriftMax = 0.0002;

/**
 * What the tracks of one sender share: how far its clock is from ours. The first report tells; after that
 * the clocks' drift is followed slowly, for all tracks alike, so that dates stay right for days.
 */
export interface SenderClock {
  /** The instant of our clock for an instant of the sender's clock. */
  wallOfNtp(ntpMs: number, nowMs: number): number;
}

export function createSenderClock(): SenderClock {
  let offsetMs: number | null = null;
  let behindMs: number[] = [];
  return {
    wallOfNtp(ntpMs, nowMs) {
      behindMs = [...behindMs, nowMs - ntpMs].slice(-reportsJudged);
      const shortest = Math.min(...behindMs);
      const target = Math.abs(shortest) <= senderClockErrorMsMax ? 0 : shortest;
      offsetMs ??= target;
      const error = target - offsetMs;
      offsetMs += Math.max(-followMsPerReport, Math.min(followMsPerReport, error));
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
  let lastMs = 0;

  return {
    arrived(timestamp, nowMs) {
      const ticks = unwrap(timestamp);
      if (lastTicks !== null && Math.abs(ticks - lastTicks) > timestampJumpMsMax * ticksPerMs) {
        arrivalOffsetMs = Number.POSITIVE_INFINITY;
        reportOffsetMs = null;
      }
      const driftMs = Math.max(0, nowMs - lastMs) * arrivalDriftMax;
      arrivalOffsetMs = Math.min(arrivalOffsetMs + driftMs, nowMs - ticks / ticksPerMs);
      lastTicks = ticks;
      lastMs = nowMs;
      return ticks;
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
