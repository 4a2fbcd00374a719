// Segmenter: cuts the samples of one track into parts and segments and hands them to its playlist.
import { mediaFragment, type Sample } from '../mp4/media-fragment.ts';
import { earlyMsMax, partFillRatioMin, partTargetMs } from './limits.ts';
import type { MediaPlaylist } from './media-playlist.ts';
import type { SegmentOpening } from './segment.ts';

export interface Segmenter {
  readonly open: boolean;
  /** How long the open segment is by now. */
  readonly segmentMs: number;
  /** How long the next sample may be at most, and how long it is cut to where it is too long to fit. */
  readonly room: { ticksMax: number; ticks: number };
  /** Opens a segment whose first sample starts at `startTicks`: right behind the segment before, if one is open. */
  begin(opening: SegmentOpening, startTicks: number): void;
  /** No longer than there is room for. */
  push(sample: Sample): void;
  /** Publishes what is there and closes the segment. */
  end(): void;
}

/**
 * Samples follow each other without gaps within a segment; their durations say where the next one starts.
 * A segment opens, and the one before it closes, with the first part that is published in it. So the last part
 * of a segment is listed before the segment is called complete: players that learn both at once may take a
 * segment for loaded of which they still miss that part.
 */
export function createSegmenter(playlist: MediaPlaylist, timescale: number): Segmenter {
  const partTargetTicks = (partTargetMs * timescale) / 1_000;
  const partFillTicks = partTargetTicks * partFillRatioMin;
  const earlyTicksMax = (earlyMsMax * timescale) / 1_000;
  let samples: Sample[] = [];
  let partTicks = 0;
  let segmentTicks = 0;
  let nextTicks = 0;
  /** How much earlier than it was taken the next sample starts. */
  let earlyTicks = 0;
  let fragments = 0;
  let open = false;
  let opening: SegmentOpening | null = null;
  /** The segment at the end of the playlist is not complete yet. */
  let listed = false;

  function closeListed(): void {
    if (listed) playlist.endSegment();
    listed = false;
  }

  function publishPart(): void {
    const first = samples[0];
    if (!first) return;
    if (opening) {
      closeListed();
      playlist.beginSegment(opening);
      opening = null;
      listed = true;
    }
    playlist.addPart({
      durationSeconds: partTicks / timescale,
      independent: first.sync,
      data: mediaFragment(++fragments, nextTicks - partTicks, samples),
    });
    samples = [];
    partTicks = 0;
  }

  /**
   * Makes room for a sample of uneven length, and returns how long it may last. Where a part would be too short
   * without the sample and too long with it, the sample ends a little early and the next one makes up for it.
   */
  function lengthFor(durationTicks: number): number {
    const wanted = durationTicks + earlyTicks;
    earlyTicks = 0;
    if (partTicks + wanted <= partTargetTicks) return wanted;
    if (partTicks >= partFillTicks) publishPart();
    const over = partTicks + wanted - partTargetTicks;
    if (over <= 0) return wanted;
    if (over <= earlyTicksMax) {
      earlyTicks = over;
      return wanted - over;
    }
    throw new Error('a sample is longer than there is room for');
  }

  return {
    get open() {
      return open;
    },
    get segmentMs() {
      return (segmentTicks * 1_000) / timescale;
    },
    get room() {
      // A part that is long enough ends before a sample that does not fit; another one is filled by it.
      const left = partTicks >= partFillTicks ? partTargetTicks : partTargetTicks - partTicks;
      return { ticks: left - earlyTicks, ticksMax: left - earlyTicks + earlyTicksMax };
    },
    begin(next, startTicks) {
      publishPart();
      if (!open) {
        nextTicks = startTicks;
        earlyTicks = 0;
      }
      // A segment in which nothing was published never was; its breaks belong to this one.
      const missed = opening?.discontinuities ?? 0;
      opening = {
        ...next,
        discontinuities: next.discontinuities + missed,
        programDateTimeMs: next.programDateTimeMs - (earlyTicks * 1_000) / timescale,
      };
      segmentTicks = 0;
      open = true;
    },
    push(sample) {
      const durationTicks = lengthFor(sample.durationTicks);
      samples.push({ ...sample, durationTicks });
      partTicks += durationTicks;
      segmentTicks += durationTicks;
      nextTicks += durationTicks;
      // If another sample like this one does not fit, waiting for it would only cost time.
      const full = partTicks + sample.durationTicks > partTargetTicks;
      if (full && partTicks >= partFillTicks) publishPart();
    },
    end() {
      publishPart();
      closeListed();
      open = false;
    },
  };
}
