// The quality reporter: tells the node now and then how well the picture came, by the browser's own statistics.
import {
  joinMsMax,
  type QualityReport,
  qualityReportIntervalSeconds,
  qualitySpanMsMax,
} from '#contract';
import type { Clock } from '../models/clock.ts';

/** Reports are that much sooner or later, so that viewers who came together do not report together for ever. */
const spread = 0.2;

/** Of a browser's statistics; which fields there are depends on the browser. */
type Statistics = Record<string, unknown>;

export type QualityReporter = {
  /** The first picture has come. */
  begun(): void;
  /** Takes one reading in, and sends a report when one is due. */
  read(statistics: Iterable<Statistics>): void;
};

type Deps = {
  send: (report: QualityReport) => void;
  clock: Clock;
  /** Since when a picture was wanted of the joined room. */
  wantedAtMs: number;
  /** Nobody looks, or has asked for sound alone: what browsers measure of pictures then says nothing of the way. */
  isUnseen: () => boolean;
  random?: () => number;
};

/** What has grown since the track began, and how things are now. */
type Reading = ReturnType<typeof readingOf>;

export function createQualityReporter(deps: Deps): QualityReporter {
  const { send, clock, isUnseen, random = Math.random } = deps;
  let joinMs: number | null = null;
  let isBegun = false;
  let hasBeenUnseen = false;
  let hasToldBeginning = false;
  let base: { reading: Reading; atMs: number } | null = null;
  let last: Reading | null = null;
  let dueMs = nextDueMs();
  /** The time until the picture goes on counts as a freeze, which is over once there are more frames than these. */
  let framesBefore: number | null = null;

  function nextDueMs(): number {
    return qualityReportIntervalSeconds * 1_000 * (1 + spread * (random() - 0.5));
  }

  function rebase(reading: Reading): void {
    base = { reading, atMs: clock.now() };
    dueMs = nextDueMs();
  }

  function take(reading: Reading): void {
    if (!hasToldBeginning) {
      hasToldBeginning = true;
      send({ ...reportOf(reading, reading, 0), joinMs });
    }
    // Another track than before, or counts that began again: there is nothing to compare with.
    const isContinued = last !== null && hasGrown(last, reading);
    last = reading;
    if (!base || !isContinued) {
      rebase(reading);
      return;
    }
    const spanMs = Math.round(clock.now() - base.atMs);
    if (spanMs < dueMs) return;
    // Longer is a device that slept.
    if (spanMs <= qualitySpanMsMax) send(reportOf(base.reading, reading, spanMs));
    rebase(reading);
  }

  return {
    begun() {
      if (isBegun) return;
      isBegun = true;
      if (hasBeenUnseen || isUnseen()) return;
      joinMs = Math.min(joinMsMax, Math.round(clock.now() - deps.wantedAtMs));
    },
    read(statistics) {
      if (!isBegun) {
        // Whoever looks away meanwhile does not wait.
        hasBeenUnseen ||= isUnseen();
        return;
      }
      const reading = readingOf(statistics);
      if (isUnseen()) {
        base = null;
        framesBefore = reading.frames;
      } else if (framesBefore === null) {
        take(reading);
      } else if (reading.frames > framesBefore + 1) {
        framesBefore = null;
      }
    },
  };
}

function readingOf(statistics: Iterable<Statistics>) {
  const all = [...statistics];
  const inbound = all.filter(({ type }) => type === 'inbound-rtp');
  const sum = (field: string) =>
    inbound.reduce((total, one) => total + (numberOrNull(one[field]) ?? 0), 0);
  // With a screen beside the camera it is the larger one that is looked at.
  const [picture] = inbound
    .filter(({ kind }) => kind === 'video')
    .sort((a, b) => Number(b.frameHeight ?? 0) - Number(a.frameHeight ?? 0));
  const pair = all.find(({ type, nominated }) => type === 'candidate-pair' && nominated === true);
  const roundTripSeconds = numberOrNull(pair?.currentRoundTripTime);
  const frozenSeconds = numberOrNull(picture?.totalFreezesDuration);
  return {
    pictureId: picture?.id,
    frames: numberOrNull(picture?.framesDecoded) ?? 0,
    bytes: sum('bytesReceived'),
    packets: sum('packetsReceived'),
    /** Duplicates are counted as found again, so it may be below nothing. */
    lost: sum('packetsLost'),
    freezes: numberOrNull(picture?.freezeCount),
    frozenMs: frozenSeconds === null ? null : frozenSeconds * 1_000,
    roundTripMs: roundTripSeconds === null ? null : Math.round(roundTripSeconds * 1_000),
    pictureHeight: numberOrNull(picture?.frameHeight) || null,
    decoder: decoderOf(picture?.powerEfficientDecoder),
  };
}

function hasGrown(before: Reading, now: Reading): boolean {
  return (
    before.pictureId === now.pictureId &&
    now.packets >= before.packets &&
    now.bytes >= before.bytes &&
    (now.frozenMs ?? 0) >= (before.frozenMs ?? 0)
  );
}

function reportOf(before: Reading, now: Reading, spanMs: number): QualityReport {
  const { frozenMs, freezes } = now;
  return {
    spanMs,
    joinMs: null,
    roundTripMs: now.roundTripMs,
    bytesReceived: now.bytes - before.bytes,
    packetsReceived: now.packets - before.packets,
    packetsLost: Math.max(0, now.lost - before.lost),
    freezes: freezes === null ? null : freezes - (before.freezes ?? 0),
    // A freeze that began before the span is told with its whole length when it ends.
    frozenMs:
      frozenMs === null ? null : Math.min(spanMs, Math.round(frozenMs - (before.frozenMs ?? 0))),
    pictureHeight: now.pictureHeight,
    decoder: now.decoder,
  };
}

function decoderOf(isPowerEfficient: unknown): QualityReport['decoder'] {
  if (typeof isPowerEfficient !== 'boolean') return 'unknown';
  return isPowerEfficient ? 'hardware' : 'software';
}

function numberOrNull(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
